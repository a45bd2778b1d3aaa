package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"payterm"
)

// Counter sells. taken is called with the order id once the order is durable. An order without an
// id, not sent, did not begin.
type Counter interface {
	Sale(ctx context.Context, r SaleRequest, taken func(payterm.OrderID)) (payterm.Order, error)
	Refund(ctx context.Context, r RefundRequest, taken func(payterm.OrderID)) (payterm.Order, error)
	// Cancel does what the key CANCEL would do, and returns the order after it.
	Cancel(ctx context.Context, id payterm.OrderID) (payterm.Order, error)
}

// Orders knows earlier orders.
type Orders interface {
	Order(ctx context.Context, id payterm.OrderID) (payterm.Order, error)
	Resolve(ctx context.Context, id payterm.OrderID, reason string) (payterm.Order, error)
	Queue(ctx context.Context) ([]payterm.QueueItem, error)
	// Reconcile reports its progress.
	Reconcile(ctx context.Context, r ReconcileRequest, checked func(n, of int)) (Reconciliation, error)
}

// Day makes totals. What is in one Z is in no other.
type Day interface {
	X(ctx context.Context) (payterm.Totals, error)
	Z(ctx context.Context, r ZRequest) (payterm.Totals, error)
	PrintZ(ctx context.Context, number int64) (payterm.Totals, error) // an earlier one, unchanged
	DayTotals(ctx context.Context, day string) (payterm.Totals, error)
}

// Service implements the local API.
type Service interface {
	Counter
	Orders
	Day
	Status(ctx context.Context) (Status, error)
	Doctor(ctx context.Context, r DoctorRequest) (Report, error)
	Train(ctx context.Context, on bool) error
}

// Noticer shows notices of the operating system.
type Noticer interface {
	Notice(ctx context.Context, n Notice) error
}

// Refusing is a Service that refuses everything, for one reason.
type Refusing struct{ Why func() error }

var _ Service = Refusing{}

// Sale is refused.
func (s Refusing) Sale(context.Context, SaleRequest, func(payterm.OrderID)) (payterm.Order, error) {
	return payterm.Order{}, s.Why()
}

// Refund is refused.
func (s Refusing) Refund(context.Context, RefundRequest, func(payterm.OrderID)) (payterm.Order, error) {
	return payterm.Order{}, s.Why()
}

// Cancel is refused.
func (s Refusing) Cancel(context.Context, payterm.OrderID) (payterm.Order, error) {
	return payterm.Order{}, s.Why()
}

// Order is refused.
func (s Refusing) Order(context.Context, payterm.OrderID) (payterm.Order, error) {
	return payterm.Order{}, s.Why()
}

// Resolve is refused.
func (s Refusing) Resolve(context.Context, payterm.OrderID, string) (payterm.Order, error) {
	return payterm.Order{}, s.Why()
}

// Queue is refused.
func (s Refusing) Queue(context.Context) ([]payterm.QueueItem, error) { return nil, s.Why() }

// Reconcile is refused.
func (s Refusing) Reconcile(context.Context, ReconcileRequest, func(int, int)) (Reconciliation, error) {
	return Reconciliation{}, s.Why()
}

// X is refused.
func (s Refusing) X(context.Context) (payterm.Totals, error) { return payterm.Totals{}, s.Why() }

// Z is refused.
func (s Refusing) Z(context.Context, ZRequest) (payterm.Totals, error) {
	return payterm.Totals{}, s.Why()
}

// PrintZ is refused.
func (s Refusing) PrintZ(context.Context, int64) (payterm.Totals, error) {
	return payterm.Totals{}, s.Why()
}

// DayTotals is refused.
func (s Refusing) DayTotals(context.Context, string) (payterm.Totals, error) {
	return payterm.Totals{}, s.Why()
}

// Status is refused.
func (s Refusing) Status(context.Context) (Status, error) { return Status{}, s.Why() }

// Doctor is refused.
func (s Refusing) Doctor(context.Context, DoctorRequest) (Report, error) { return Report{}, s.Why() }

// Train is refused.
func (s Refusing) Train(context.Context, bool) error { return s.Why() }

const (
	maxRequest = 64 << 10 // bytes of a body
	maxNotice  = 256      // much more than the longest notice
	orderTime  = 20 * time.Second
)

// Handler answers the calls of the local API with the current service, and notices, which are not
// allowed over TCP, if notices is not nil.
func Handler(current func() Service, notices Noticer) http.Handler {
	s := server{current}
	routes := map[string]map[string]http.HandlerFunc{
		"/status":              {http.MethodGet: s.status},
		"/sale":                {http.MethodPost: s.sale},
		"/cancel":              {http.MethodPost: s.cancel},
		"/orders/{id}":         {http.MethodGet: s.order},
		"/orders/{id}/refund":  {http.MethodPost: s.refund},
		"/orders/{id}/resolve": {http.MethodPost: s.resolve},
		"/queue":               {http.MethodGet: s.queue},
		"/totals/x":            {http.MethodPost: s.x},
		"/totals/z":            {http.MethodPost: s.z},
		"/reconcile":           {http.MethodPost: s.reconcile},
		"/doctor":              {http.MethodPost: s.doctor},
		"/training":            {http.MethodPost: s.training},
	}
	if notices != nil {
		routes["/notice"] = map[string]http.HandlerFunc{http.MethodPost: func(w http.ResponseWriter, r *http.Request) {
			s.notice(w, r, notices)
		}}
	}
	mux := http.NewServeMux()
	for path, methods := range routes {
		mux.HandleFunc(path, byMethod(methods))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		reply(w, nil, Errorf(UnknownCall, "there is no call %.100s", r.URL.Path))
	})
	return mux
}

// byMethod answers a wrong method in JSON.
func byMethod(methods map[string]http.HandlerFunc) http.HandlerFunc {
	var allowed []string
	for method := range methods {
		allowed = append(allowed, method)
	}
	slices.Sort(allowed)
	list := strings.Join(allowed, ", ")
	return func(w http.ResponseWriter, r *http.Request) {
		if do := methods[r.Method]; do != nil {
			do(w, r)
			return
		}
		w.Header().Set("Allow", list)
		reply(w, nil, Errorf(WrongMethod, "%.20s: this call takes %s", r.Method, list))
	}
}

type server struct{ current func() Service }

// reply writes the whole answer: v or the error.
func reply(w http.ResponseWriter, v any, err error) {
	status := http.StatusOK
	if err != nil {
		e := errorOf(err)
		v, status = e, e.Code.Status()
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the caller may be gone
}

// lines is an answer of several lines. The first one sets the HTTP status.
type lines struct {
	w       http.ResponseWriter
	started bool
}

func (l *lines) say(status int, line any) {
	if !l.started {
		l.started = true
		l.w.Header().Set("Content-Type", "application/json")
		l.w.WriteHeader(status)
	}
	json.NewEncoder(l.w).Encode(line)       //nolint:errcheck // the caller may be gone; the order goes on
	http.NewResponseController(l.w).Flush() //nolint:errcheck // as above
}

func (s server) status(w http.ResponseWriter, r *http.Request) {
	v, err := s.current().Status(r.Context())
	reply(w, v, err)
}

func (s server) sale(w http.ResponseWriter, r *http.Request) {
	var req SaleRequest
	if err := read(w, r, maxRequest, &req); err != nil {
		reply(w, nil, err)
		return
	}
	end(w, r, func(taken func(payterm.OrderID)) (payterm.Order, error) {
		return s.current().Sale(r.Context(), req, taken)
	})
}

func (s server) refund(w http.ResponseWriter, r *http.Request) {
	req := RefundRequest{Sale: payterm.OrderID(r.PathValue("id"))}
	if err := read(w, r, maxRequest, &req); err != nil {
		reply(w, nil, err)
		return
	}
	end(w, r, func(taken func(payterm.OrderID)) (payterm.Order, error) {
		return s.current().Refund(r.Context(), req, taken)
	})
}

// end writes the lines of a sale or refund: the order id, then the order or the error. If the
// call ends before that, it is unknown here whether the order begins: the connection is broken
// off.
func end(w http.ResponseWriter, r *http.Request, do func(taken func(payterm.OrderID)) (payterm.Order, error)) {
	out := &lines{w: w}
	o, err := do(func(id payterm.OrderID) { out.say(http.StatusOK, OrderLine{Taken: id}) })
	if err == nil {
		out.say(statusOfOrder(o), OrderLine{Order: &o})
		return
	}
	if e := errorOf(err); r.Context().Err() == nil || e.Code == KeyReused {
		out.say(e.Code.Status(), OrderLine{Error: e.Message, Code: e.Code})
	}
}

func (s server) cancel(w http.ResponseWriter, r *http.Request) {
	var req CancelRequest
	if err := read(w, r, maxRequest, &req); err != nil {
		reply(w, nil, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), orderTime)
	defer cancel()
	o, err := s.current().Cancel(ctx, req.OrderID)
	reply(w, o, err)
}

func (s server) order(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), orderTime)
	defer cancel()
	o, err := s.current().Order(ctx, payterm.OrderID(r.PathValue("id")))
	reply(w, o, err)
}

func (s server) resolve(w http.ResponseWriter, r *http.Request) {
	var req ResolveRequest
	if err := read(w, r, maxRequest, &req); err != nil {
		reply(w, nil, err)
		return
	}
	o, err := s.current().Resolve(r.Context(), payterm.OrderID(r.PathValue("id")), req.Reason)
	reply(w, o, err)
}

func (s server) queue(w http.ResponseWriter, r *http.Request) {
	queue, err := s.current().Queue(r.Context())
	reply(w, Queue{queue}, err)
}

func (s server) x(w http.ResponseWriter, r *http.Request) {
	var t payterm.Totals
	var err error
	switch day := r.FormValue("day"); {
	case r.FormValue("number") != "":
		err = refusef("totals: a number goes with z")
	case day != "":
		t, err = s.current().DayTotals(r.Context(), day)
	default:
		t, err = s.current().X(r.Context())
	}
	reply(w, t, err)
}

func (s server) z(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("day") != "" {
		reply(w, nil, refusef("totals: a day goes with x"))
		return
	}
	if text := r.URL.Query().Get("number"); text != "" {
		number, err := zNumber("totals", text)
		if err != nil {
			reply(w, nil, err)
			return
		}
		t, err := s.current().PrintZ(r.Context(), number)
		reply(w, t, err)
		return
	}
	var req ZRequest
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err == nil && len(bytes.TrimSpace(text)) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(text))
		err = read(w, r, maxRequest, &req)
	}
	var e *Error
	if err != nil && (!errors.As(err, &e) || e.Code == Malformed) { // a JSON error may contain the PIN
		err = Errorf(Malformed, "totals: an operator and a PIN, or nothing")
	}
	if err != nil {
		reply(w, nil, err)
		return
	}
	t, err := s.current().Z(r.Context(), req)
	reply(w, t, err)
}

func zNumber(call, text string) (int64, error) {
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 1 {
		return 0, refusef("%s: the number of a Z is 1 or more", call)
	}
	return number, nil
}

func (s server) reconcile(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	req := ReconcileRequest{Day: q.Get("day")}
	if text := q.Get("number"); text != "" {
		var err error
		if req.Number, err = zNumber("reconcile", text); err == nil && req.Day != "" {
			err = refusef("reconcile: either a day or a Z")
		}
		if err != nil {
			reply(w, nil, err)
			return
		}
	}
	out := &lines{w: w}
	rep, err := s.current().Reconcile(r.Context(), req, func(n, of int) {
		out.say(http.StatusOK, ReconcileLine{Checked: n, Of: of})
	})
	switch {
	case r.Context().Err() != nil:
	case err != nil:
		e := errorOf(err)
		out.say(e.Code.Status(), ReconcileLine{Error: e.Message, Code: e.Code})
	default:
		out.say(http.StatusOK, ReconcileLine{Report: &rep})
	}
}

func (s server) doctor(w http.ResponseWriter, r *http.Request) {
	req, err := readDoctorRequest(r)
	if err != nil {
		reply(w, nil, err)
		return
	}
	rep, err := s.current().Doctor(r.Context(), req)
	reply(w, rep, err)
}

// readDoctorRequest parses the devices to test, all if none is named, and how long each step
// waits for a person.
func readDoctorRequest(r *http.Request) (DoctorRequest, error) {
	q := r.URL.Query()
	req := DoctorRequest{Step: DefaultStep, Print: q.Get("print") == "1"}
	if q.Has("test") {
		req.Tests = Devices
	}
	if text := q.Get("test"); text != "" {
		req.Tests = strings.Split(text, ",")
	}
	for _, t := range req.Tests {
		if !slices.Contains(Devices, t) {
			return req, refusef("test %q: %s", t, strings.Join(Devices, ", "))
		}
	}
	if text := q.Get("step"); text != "" {
		var err error
		if req.Step, err = time.ParseDuration(text); err != nil || req.Step <= 0 || req.Step > MaxStep {
			return req, refusef("step %q: a time such as 30s, at most %s", text, MaxStep)
		}
	}
	return req, nil
}

func (s server) training(w http.ResponseWriter, r *http.Request) {
	var req TrainingRequest
	err := read(w, r, maxRequest, &req)
	if err == nil {
		err = s.current().Train(r.Context(), req.On)
	}
	reply(w, req, err)
}

func (s server) notice(w http.ResponseWriter, r *http.Request, to Noticer) {
	var n Notice
	err := read(w, r, maxNotice, &n)
	if err == nil {
		err = to.Notice(r.Context(), n)
	}
	reply(w, n, err)
}
