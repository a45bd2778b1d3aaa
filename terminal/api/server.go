package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
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
	// Settle tells what became of the request with a key. A request that has not come is refused from then on.
	Settle(ctx context.Context, key payterm.IdempotencyKey) (Settlement, error)
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

// Settle is refused.
func (s Refusing) Settle(context.Context, payterm.IdempotencyKey) (Settlement, error) {
	return Settlement{}, s.Why()
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
	mux := http.NewServeMux()
	for path, c := range (server{current}).routes(notices) {
		mux.Handle(path, c)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		reply(w, nil, Errorf(UnknownCall, "there is no call %.100s", r.URL.Path))
	})
	return mux
}

// routes are the calls, by their path (docs/api.md).
func (s server) routes(notices Noticer) map[string]call {
	const get, post = http.MethodGet, http.MethodPost
	routes := map[string]call{
		"/status":              {method: get, do: s.status},
		"/sale":                {method: post, do: s.sale, body: true},
		"/cancel":              {method: post, do: s.cancel, body: true},
		"/settle":              {method: post, do: s.settle, body: true},
		"/orders/{id}":         {method: get, do: s.order},
		"/orders/{id}/refund":  {method: post, do: s.refund, body: true},
		"/orders/{id}/resolve": {method: post, do: s.resolve, body: true},
		"/queue":               {method: get, do: s.queue},
		"/totals/x":            {method: post, do: s.x, query: []string{"day", "number"}},
		"/totals/z":            {method: post, do: s.z, query: []string{"day", "number"}, body: true},
		"/reconcile":           {method: post, do: s.reconcile, query: []string{"day", "number"}},
		"/doctor":              {method: post, do: s.doctor, query: []string{"test", "step", "print"}},
		"/training":            {method: post, do: s.training, body: true},
	}
	if notices != nil {
		routes["/notice"] = call{method: post, body: true, do: func(w http.ResponseWriter, r *http.Request) {
			s.notice(w, r, notices)
		}}
	}
	return routes
}

// call is what a path takes. What it does not take is refused: a misspelled parameter that was ignored would,
// for instance, close the day in place of printing an earlier Z.
type call struct {
	method string
	do     http.HandlerFunc
	query  []string // parameters, each at most once
	body   bool     // do reads it
}

func (c call) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != c.method {
		w.Header().Set("Allow", c.method)
		reply(w, nil, Errorf(WrongMethod, "%.20s: this call takes %s", r.Method, c.method))
		return
	}
	err := c.checkQuery(r.URL.RawQuery)
	if err == nil && !c.body {
		err = noBody(r)
	}
	if err != nil {
		reply(w, nil, err)
		return
	}
	c.do(w, r)
}

// checkQuery refuses unknown, repeated and empty parameters. An empty test means each device.
func (c call) checkQuery(raw string) error {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return refusef("the parameters cannot be read: %.100s", raw)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		switch {
		case len(c.query) == 0:
			return refusef("this call takes no parameter, and %.60q is one", name)
		case !slices.Contains(c.query, name):
			return refusef("unknown parameter %.60q: there are %s", name, strings.Join(c.query, ", "))
		case len(values[name]) > 1:
			return refusef("parameter %q comes %d times", name, len(values[name]))
		case values[name][0] == "" && name != "test":
			return refusef("parameter %q is empty: it needs a value, or is left out", name)
		}
	}
	return nil
}

// noBody refuses a body where none is read.
func noBody(r *http.Request) error {
	if n, _ := io.ReadFull(r.Body, make([]byte, 1)); n > 0 {
		return Errorf(Malformed, "this call takes no body")
	}
	return nil
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
	http.NewResponseController(l.w).Flush() //nolint:errcheck // the caller may be gone; the order goes on
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
		out.say(e.Code.Status(), OrderLine{Error: e})
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

func (s server) settle(w http.ResponseWriter, r *http.Request) {
	var req SettleRequest
	if err := read(w, r, maxRequest, &req); err != nil {
		reply(w, nil, err)
		return
	}
	v, err := s.current().Settle(r.Context(), req.IdempotencyKey)
	reply(w, v, err)
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
	switch q := r.URL.Query(); {
	case q.Has("number"):
		err = refusef("totals: a number goes with z")
	case q.Has("day"):
		t, err = s.current().DayTotals(r.Context(), q.Get("day"))
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
		if err == nil {
			err = noBody(r)
		}
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
		out.say(e.Code.Status(), ReconcileLine{Error: e})
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
