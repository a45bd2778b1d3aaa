package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"payterm"
)

const (
	dialTime   = 10 * time.Second // for a connection to a busy socket
	mostAnswer = 16 << 20         // bytes of an answer, such as the longest list
	mostReport = 64 << 20         // bytes of a day's reconciliation
)

// Client calls the terminal of the data directory Data on its socket. A refusal is an *Error; a
// missing answer is a *ConnectionError.
type Client struct{ Data string }

// ConnectionError: there was no answer.
type ConnectionError struct {
	Data string
	Sent bool // a terminal may have got the request
	Err  error
}

// Error says what to check.
func (e *ConnectionError) Error() string {
	return fmt.Sprintf("no agent answers in %s: is it running, and is this its --data? (%v)", e.Data, e.Err)
}

// Unwrap is the reason.
func (e *ConnectionError) Unwrap() error { return e.Err }

// NotRunning reports whether no terminal took the request.
func NotRunning(err error) bool {
	var c *ConnectionError
	return errors.As(err, &c) && !c.Sent
}

// Status asks how the terminal is.
func (c Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.ask(ctx, http.MethodGet, "/status", nil, &s)
}

// Order asks about one order; an open one is inquired about.
func (c Client) Order(ctx context.Context, id payterm.OrderID) (o payterm.Order, err error) {
	return o, c.ask(ctx, http.MethodGet, "/orders/"+url.PathEscape(string(id)), nil, &o)
}

// Cancel ends the order at the counter as its key CANCEL would, or only the order that is named.
func (c Client) Cancel(ctx context.Context, id payterm.OrderID) (o payterm.Order, err error) {
	return o, c.ask(ctx, http.MethodPost, "/cancel", CancelRequest{id}, &o)
}

// Settle asks what became of the request with a key. If it has not come, it is refused from then on.
func (c Client) Settle(ctx context.Context, key payterm.IdempotencyKey) (s Settlement, err error) {
	return s, c.ask(ctx, http.MethodPost, "/settle", SettleRequest{key}, &s)
}

// Resolve closes what waits for a supervisor.
func (c Client) Resolve(ctx context.Context, id payterm.OrderID, reason string) (o payterm.Order, err error) {
	return o, c.ask(ctx, http.MethodPost, "/orders/"+url.PathEscape(string(id))+"/resolve", ResolveRequest{reason}, &o)
}

// Queue asks what waits for the network.
func (c Client) Queue(ctx context.Context) (q Queue, err error) {
	return q, c.ask(ctx, http.MethodGet, "/queue", nil, &q)
}

// X sums up so far, on paper too.
func (c Client) X(ctx context.Context) (t payterm.Totals, err error) {
	return t, c.ask(ctx, http.MethodPost, "/totals/x", nil, &t)
}

// DayTotals sums up a business day, on no paper.
func (c Client) DayTotals(ctx context.Context, day string) (t payterm.Totals, err error) {
	return t, c.ask(ctx, http.MethodPost, "/totals/x?"+url.Values{"day": {day}}.Encode(), nil, &t)
}

// Z closes the day.
func (c Client) Z(ctx context.Context, r ZRequest) (t payterm.Totals, err error) {
	return t, c.ask(ctx, http.MethodPost, "/totals/z", r, &t)
}

// PrintZ prints an earlier Z once more.
func (c Client) PrintZ(ctx context.Context, number int64) (t payterm.Totals, err error) {
	return t, c.ask(ctx, http.MethodPost, "/totals/z?number="+strconv.FormatInt(number, 10), nil, &t)
}

// Doctor has the terminal examine itself.
func (c Client) Doctor(ctx context.Context, r DoctorRequest) (rep Report, err error) {
	q := url.Values{}
	if r.Print {
		q.Set("print", "1")
	}
	if len(r.Tests) > 0 {
		q.Set("test", strings.Join(r.Tests, ","))
		q.Set("step", r.Step.String())
	}
	return rep, c.ask(ctx, http.MethodPost, "/doctor?"+q.Encode(), nil, &rep)
}

// Train begins or ends training. The agent that is asked ends, perhaps before its answer.
func (c Client) Train(ctx context.Context, on bool) error {
	return c.ask(ctx, http.MethodPost, "/training", TrainingRequest{on}, &TrainingRequest{})
}

// Notice puts a notice on the terminal's screen.
func (c Client) Notice(ctx context.Context, n Notice) error {
	return c.ask(ctx, http.MethodPost, "/notice", n, &Notice{})
}

// Sale makes a sale and waits for its end. taken is called with the order id. A *ConnectionError
// with Sent means that the order may continue at the terminal.
func (c Client) Sale(ctx context.Context, r SaleRequest, taken func(payterm.OrderID)) (payterm.Order, error) {
	return c.order(ctx, "/sale", r, taken)
}

// Refund makes a refund, likewise.
func (c Client) Refund(ctx context.Context, r RefundRequest, taken func(payterm.OrderID)) (payterm.Order, error) {
	return c.order(ctx, "/orders/"+url.PathEscape(string(r.Sale))+"/refund", r, taken)
}

// order reads the lines of a sale or refund.
func (c Client) order(ctx context.Context, path string, in any, taken func(payterm.OrderID)) (payterm.Order, error) {
	resp, err := c.call(ctx, http.MethodPost, path, in)
	if err != nil {
		return payterm.Order{}, err
	}
	defer resp.Body.Close()
	began := false
	all := bufio.NewScanner(resp.Body)
	for all.Scan() {
		var l OrderLine
		if err := json.Unmarshal(all.Bytes(), &l); err != nil {
			break
		}
		switch {
		case l.Taken != "":
			began = true
			taken(l.Taken)
		case l.Order != nil:
			return *l.Order, nil
		case l.Error != nil && !began:
			return payterm.Order{}, l.Error
		}
	}
	return payterm.Order{}, c.broke(all.Err())
}

// broke is a connection that ended before its answer.
func (c Client) broke(err error) error {
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return &ConnectionError{Data: c.Data, Sent: true, Err: err}
}

// Reconcile asks the gateway about each sale of a business day or a Z. checked is called with the
// progress.
func (c Client) Reconcile(ctx context.Context, r ReconcileRequest, checked func(n, of int)) (Reconciliation, error) {
	q := url.Values{}
	if r.Day != "" {
		q.Set("day", r.Day)
	}
	if r.Number != 0 {
		q.Set("number", strconv.FormatInt(r.Number, 10))
	}
	resp, err := c.call(ctx, http.MethodPost, "/reconcile?"+q.Encode(), nil)
	if err != nil {
		return Reconciliation{}, err
	}
	defer resp.Body.Close()
	all := bufio.NewScanner(resp.Body)
	all.Buffer(nil, mostReport)
	for all.Scan() {
		var l ReconcileLine
		switch err := json.Unmarshal(all.Bytes(), &l); {
		case err != nil:
			return Reconciliation{}, fmt.Errorf("reconcile: the agent's answer: %w", err)
		case l.Error != nil:
			return Reconciliation{}, l.Error
		case l.Report != nil:
			return *l.Report, nil
		}
		checked(l.Checked, l.Of)
	}
	return Reconciliation{}, c.broke(all.Err())
}

// ask makes a request and reads its answer.
func (c Client) ask(ctx context.Context, method, path string, in, out any) error {
	resp, err := c.call(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer := json.NewDecoder(io.LimitReader(resp.Body, mostAnswer))
	if resp.StatusCode == http.StatusOK {
		return answer.Decode(out)
	}
	why := &Error{}
	if err := answer.Decode(why); err != nil || why.Message == "" {
		return fmt.Errorf("the agent answered HTTP %d", resp.StatusCode)
	}
	return why
}

// call makes a request.
func (c Client) call(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: dialTime}).DialContext(ctx, "unix", Socket(c.Data))
		},
	}}
	req, err := http.NewRequestWithContext(ctx, method, "http://payterm"+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err == nil {
		return resp, nil
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op
	}
	return nil, &ConnectionError{Data: c.Data, Sent: op == nil || op.Op != "dial", Err: err}
}
