package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"payterm"
	"payterm/terminal/api"
)

// fake is a Service that does what the test says.
type fake struct {
	api.Refusing
	order payterm.Order
	err   error
	taken payterm.OrderID // called before the order, if not empty
	train []bool
	z     []api.ZRequest
}

func (f *fake) Sale(_ context.Context, _ api.SaleRequest, taken func(payterm.OrderID)) (payterm.Order, error) {
	if f.taken != "" {
		taken(f.taken)
	}
	return f.order, f.err
}

func (f *fake) Order(_ context.Context, id payterm.OrderID) (payterm.Order, error) {
	if id != f.order.ID {
		return payterm.Order{}, api.Errorf(api.Unknown, "no order %s in the journal", id)
	}
	return f.order, nil
}

func (f *fake) Train(_ context.Context, on bool) error { f.train = append(f.train, on); return f.err }

func (f *fake) Z(_ context.Context, r api.ZRequest) (payterm.Totals, error) {
	f.z = append(f.z, r)
	return payterm.Totals{}, f.err
}

func (f *fake) Reconcile(_ context.Context, _ api.ReconcileRequest,
	checked func(n, of int)) (api.Reconciliation, error) {
	if f.err == nil {
		checked(1, 1)
	}
	return api.Reconciliation{Sales: 1}, f.err
}

func (f *fake) Notice(context.Context, api.Notice) error { return f.err }

func newFake() *fake {
	return &fake{Refusing: api.Refusing{Why: func() error { return errors.New("the disk is on fire") }}}
}

const sale = `{"mode":"passive","amount_minor":100}`

// TestEachRefusalHasItsStatus: every error is JSON with a code and that code's status, and
// nothing is done.
func TestEachRefusalHasItsStatus(t *testing.T) {
	for _, c := range []struct {
		call, body string
		err        error
		status     int
		code       api.Code
	}{
		{"POST /sale", "", nil, 400, api.Malformed},
		{"POST /sale", "null", nil, 400, api.Malformed},
		{"POST /sale", "garbage", nil, 400, api.Malformed},
		{"POST /sale", sale + sale, nil, 400, api.Malformed},
		{"POST /sale", `{"mode":"passive","amount":100}`, nil, 400, api.Malformed},
		{"POST /sale", `{"mode":"passive","amount_minor":"100"}`, nil, 400, api.Malformed},
		{"POST /sale", `{"mode":"passive"}`, nil, 422, api.Invalid},
		{"POST /sale", `{"mode":"active","amount_minor":100}`, nil, 422, api.Invalid},
		{"POST /sale", `{"mode":"passive","amount_minor":100,"tip_minor":-1}`, nil, 422, api.Invalid},
		{"POST /sale", sale, api.Errorf(api.KeyReused, "used"), 409, api.KeyReused},
		{"POST /sale", sale, api.Errorf(api.NotOpen, "closed"), 503, api.NotOpen},
		{"POST /sale", sale, api.ErrUnprovisioned, 503, api.Unprovisioned},
		{"POST /sale", sale, errors.New("the disk is full"), 500, api.Failed},
		{"POST /orders/X/refund", `{"amount_minor":0}`, nil, 422, api.Invalid},
		{"POST /orders/X/refund", ``, nil, 400, api.Malformed},
		{"POST /orders/X/resolve", `{"reason":""}`, nil, 422, api.Invalid},
		{"POST /orders/X/resolve", `garbage`, nil, 400, api.Malformed},
		{"GET /orders/X", "", nil, 404, api.Unknown},
		{"POST /training", "garbage", nil, 400, api.Malformed},
		{"POST /training", "", nil, 400, api.Malformed},
		{"POST /training", `{"on":true}`, api.Errorf(api.Busy, "busy"), 409, api.Busy},
		{"POST /totals/z", `{"operator":"1","pin":"12`, nil, 400, api.Malformed},
		{"POST /totals/z", `{"operator":"1"}`, nil, 422, api.Invalid},
		{"POST /totals/z?number=0", "", nil, 422, api.Invalid},
		{"POST /totals/z?day=2026-11-22", "", nil, 422, api.Invalid},
		{"POST /totals/x?number=1", "", nil, 422, api.Invalid},
		{"POST /reconcile?number=x", "", nil, 422, api.Invalid},
		{"POST /reconcile?number=1&day=2026-11-22", "", nil, 422, api.Invalid},
		{"POST /reconcile", "", api.Errorf(api.NotNow, "no clock"), 409, api.NotNow},
		{"POST /doctor?test=toaster", "", nil, 422, api.Invalid},
		{"POST /doctor?test=&step=2h", "", nil, 422, api.Invalid},
		{"POST /doctor", "", nil, 500, api.Failed},
		{"POST /notice", `{"notice":"BUY NOW"}`, nil, 422, api.Invalid},
		{"POST /notice", `{"notice":"` + strings.Repeat("x", 300) + `"}`, nil, 413, api.TooLarge},
		{"POST /totals/z?nubmer=7", "", nil, 422, api.Invalid},
		{"POST /totals/z?number=", "", nil, 422, api.Invalid},
		{"POST /totals/z?number=7&number=8", "", nil, 422, api.Invalid},
		{"POST /totals/z?number=7;day=1", "", nil, 422, api.Invalid},
		{"POST /totals/z?number=7", `{"operator":"1","pin":"1234"}`, nil, 400, api.Malformed},
		{"POST /totals/x", `{"day":"2026-11-01"}`, nil, 400, api.Malformed},
		{"POST /totals/x?day=", "", nil, 422, api.Invalid},
		{"POST /reconcile", "garbage", nil, 400, api.Malformed},
		{"POST /reconcile?Day=2026-11-22", "", nil, 422, api.Invalid},
		{"POST /doctor", `{"test":"printer"}`, nil, 400, api.Malformed},
		{"POST /doctor?tests=printer", "", nil, 422, api.Invalid},
		{"POST /sale?mode=passive", sale, nil, 422, api.Invalid},
		{"GET /status?verbose=1", "", nil, 422, api.Invalid},
		{"GET /status", "garbage", nil, 400, api.Malformed},
		{"POST /totals/y", "", nil, 404, api.UnknownCall},
		{"GET /elsewhere", "", nil, 404, api.UnknownCall},
		{"GET /sale", "", nil, 405, api.WrongMethod},
		{"DELETE /orders/X", "", nil, 405, api.WrongMethod},
	} {
		f := newFake()
		f.err = c.err
		w := ask(f, c.call, c.body)
		var e api.Error
		if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Message == "" {
			t.Errorf("%s %s: %q: %v", c.call, c.body, w.Body, err)
		}
		if w.Code != c.status || e.Code != c.code || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: HTTP %d %s, want %d %s", c.call, c.body, w.Code, e.Code, c.status, c.code)
		}
		if c.status == 405 && w.Header().Get("Allow") == "" {
			t.Errorf("%s: no Allow", c.call)
		}
		if strings.Contains(w.Body.String(), `"pin"`) || len(f.z) > 0 || len(f.train) > 0 && c.err == nil {
			t.Errorf("%s %s: %s; done: %v %v", c.call, c.body, w.Body, f.z, f.train)
		}
	}
}

// TestWrongTypes: a value of another type is refused by the field's name, in words of JSON and not of Go.
func TestWrongTypes(t *testing.T) {
	for call, body := range map[string][3]string{
		"POST /sale": {`{"mode":"passive","amount_minor":12.5}`,
			"amount_minor: a whole number is needed", "12.5"},
		"POST /cancel":             {`{"order_id":7}`, "order_id: a text is needed", "number"},
		"POST /training":           {`{"on":"yes"}`, "on: true or false is needed", "string"},
		"POST /orders/T1X/refund":  {`{"amount_minor":"5.00"}`, "amount_minor: a whole number is needed", "string"},
		"POST /orders/T1X/resolve": {`{"reason":["x"]}`, "reason: a text is needed", "array"},
	} {
		w := ask(newFake(), call, body[0])
		var e api.Error
		if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Code != api.Malformed ||
			!strings.HasPrefix(e.Message, body[1]) || !strings.Contains(e.Message, body[2]) ||
			strings.Contains(e.Message, "Go") {
			t.Errorf("%s: %s, want %q", call, w.Body, body[1])
		}
	}
}

func ask(f *fake, call, body string) *httptest.ResponseRecorder {
	method, path, _ := strings.Cut(call, " ")
	w := httptest.NewRecorder()
	h := api.Handler(func() api.Service { return f }, f)
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

// TestEachFieldOnce: in every body a field that is duplicate, null, of another case or unknown is
// refused by its name.
func TestEachFieldOnce(t *testing.T) {
	for call, body := range map[string]string{
		"POST /sale": `{"mode":"active","wallet":"ALIPAY","amount_minor":500,"tip_minor":50,"ref":"r",` +
			`"idempotency_key":"k","despite":"T1AAAAA000001","currency":"CAD"}`,
		"POST /orders/X/refund":  `{"amount_minor":500,"currency":"CAD","ref":"r","idempotency_key":"k"}`,
		"POST /orders/X/resolve": `{"reason":"looked at"}`,
		"POST /totals/z":         `{"operator":"1","pin":"4711"}`,
		"POST /training":         `{"on":true}`,
		"POST /notice":           `{"notice":"parcel","reason":"space"}`,
	} {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal([]byte(body), &fields); err != nil {
			t.Fatal(err)
		}
		more := func(name, value string) string {
			return strings.TrimSuffix(body, "}") + "," + strconv.Quote(name) + ":" + value + "}"
		}
		for name, value := range fields {
			wants := map[string]string{
				"null":            strings.Replace(body, `"`+name+`":`+string(value), `"`+name+`":null`, 1),
				"twice":           more(name, string(value)),
				"twice, and null": more(name, "null"),
				"twice, escaped": strings.TrimSuffix(body, "}") + `,"\u00` + strconv.FormatInt(int64(name[0]), 16) +
					name[1:] +
					`":` + string(value) + "}",
				"in capitals":     strings.Replace(body, `"`+name+`"`, strconv.Quote(strings.ToUpper(name)), 1),
				"and in capitals": more(strings.ToUpper(name), string(value)),
				"unknown":         more(name+"s", string(value)),
			}
			for what, sent := range wants {
				f := newFake()
				w := ask(f, call, sent)
				var e api.Error
				if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || w.Code != 400 || e.Code != api.Malformed ||
					!strings.Contains(strings.ToLower(e.Message), name) && call != "POST /totals/z" {
					t.Errorf("%s, %s: %s: HTTP %d %s", call, what, sent, w.Code, w.Body)
				}
				if strings.Contains(w.Body.String(), "4711") || len(f.z)+len(f.train) > 0 {
					t.Errorf("%s, %s: %s; done: %v %v", call, what, w.Body, f.z, f.train)
				}
			}
		}
		for _, sent := range []string{"[]", "1", `"x"`, "[" + body + "]", body + "{}", body[:len(body)-1]} {
			if w := ask(newFake(), call, sent); w.Code != 400 {
				t.Errorf("%s: %s: HTTP %d %s", call, sent, w.Code, w.Body)
			}
		}
		if w := ask(newFake(), call, body); w.Code == 400 {
			t.Errorf("%s: %s: HTTP %d %s", call, body, w.Code, w.Body)
		}
	}
}

// TestAnOrderThatDidNotBegin: it is answered as an order, with the status of its reason; an order
// that began is no error, however it ended.
func TestAnOrderThatDidNotBegin(t *testing.T) {
	for _, c := range []struct {
		id     payterm.OrderID
		reason payterm.Reason
		status int
	}{
		{"", payterm.ReasonBusy, 409},
		{"", payterm.ReasonPossibleDuplicate, 409},
		{"", payterm.ReasonTraining, 409},
		{"", payterm.ReasonStorage, 503},
		{"", payterm.ReasonRefundCap, 422},
		{"", payterm.ReasonSaleUnknown, 404},
		{"T1AAAAA000001", payterm.ReasonNoConnection, 200},
	} {
		f := newFake()
		f.order = payterm.Order{ID: c.id, Outcome: payterm.NotSent, Reason: c.reason}
		w := ask(f, "POST /sale", sale)
		var l api.OrderLine
		if err := json.Unmarshal(w.Body.Bytes(), &l); err != nil || l.Order == nil || l.Order.Reason != c.reason ||
			w.Code != c.status {
			t.Errorf("%s %q: HTTP %d %s: %v, want %d", c.reason, c.id, w.Code, w.Body, err, c.status)
		}
	}
}

// TestEveryCodeHasItsStatus: a code without a status would be an internal error.
func TestEveryCodeHasItsStatus(t *testing.T) {
	for code, status := range map[api.Code]int{
		api.Malformed: 400, api.Unauthorized: 401, api.Forbidden: 403, api.Unknown: 404, api.UnknownCall: 404,
		api.WrongMethod: 405, api.Busy: 409, api.KeyReused: 409, api.NotNow: 409, api.NotAllowed: 409,
		api.InTraining: 409,
		api.Invalid:    422, api.TooMany: 429, api.NotOpen: 503, api.Unprovisioned: 503, api.Provisioning: 503,
		api.Failed: 500, "nobody knows": 500,
	} {
		if got := code.Status(); got != status {
			t.Errorf("%s: %d, want %d", code, got, status)
		}
	}
}

// TestClient: the client returns what the terminal sent, and errors can be told apart.
func TestClient(t *testing.T) {
	dir := t.TempDir()
	c, ctx := api.Client{Data: dir}, t.Context()
	if _, err := c.Status(ctx); !api.NotRunning(err) || !strings.Contains(err.Error(), dir) {
		t.Errorf("nobody is there: %v", err)
	}
	f := newFake()
	h := api.Handler(func() api.Service { return f }, f)
	hangs := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.err != nil && f.err.Error() == "hang up" {
			panic(http.ErrAbortHandler)
		}
		h.ServeHTTP(w, r)
	})
	l, err := net.Listen("unix", filepath.Join(dir, "payterm.sock"))
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: hangs}}
	server.Start()
	defer server.Close()

	f.taken, f.order = "T1AAAAA000001", payterm.Order{ID: "T1AAAAA000001", Outcome: payterm.Approved}
	var ids []payterm.OrderID
	taken := func(id payterm.OrderID) { ids = append(ids, id) }
	request := api.SaleRequest{Mode: payterm.Passive, AmountMinor: 100}
	o, err := c.Sale(ctx, request, taken)
	if err != nil || o.ID != f.order.ID || o.Outcome != payterm.Approved ||
		!slices.Equal(ids, []payterm.OrderID{"T1AAAAA000001"}) {
		t.Errorf("%+v %v %v", o, ids, err)
	}
	f.taken, f.order = "", payterm.Order{Outcome: payterm.NotSent, Reason: payterm.ReasonBusy}
	if o, err := c.Sale(ctx, request, taken); err != nil || o.Reason != payterm.ReasonBusy {
		t.Errorf("busy: %+v %v", o, err)
	}
	var refused *api.Error
	if _, err := c.Sale(ctx, api.SaleRequest{}, taken); !errors.As(err, &refused) || refused.Code != api.Invalid {
		t.Errorf("no amount: %v", err)
	}
	if _, err := c.Order(ctx, "NOSUCH"); !errors.As(err, &refused) || refused.Code != api.Unknown {
		t.Errorf("an order that is not there: %v", err)
	}
	if err := c.Train(ctx, true); err != nil || !slices.Equal(f.train, []bool{true}) {
		t.Errorf("training: %v %v", err, f.train)
	}
	n := 0
	if rep, err := c.Reconcile(ctx, api.ReconcileRequest{}, func(int, int) { n++ }); err != nil || rep.Sales != 1 ||
		n != 1 {
		t.Errorf("reconcile: %+v, told %d times, %v", rep, n, err)
	}
	f.err = errors.New("hang up")
	var broke *api.ConnectionError
	if _, err := c.Sale(ctx, request, taken); !errors.As(err, &broke) || !broke.Sent || api.NotRunning(err) {
		t.Errorf("a terminal that hangs up: %v", err)
	}
}
