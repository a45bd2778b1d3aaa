package terminal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"payterm"
	"payterm/flows"
	"payterm/flows/runner"
	"payterm/internal/httpd"

	"golang.org/x/sys/unix"
)

// SaleRequest is POST /sale on the agent's socket.
type SaleRequest struct {
	Mode           payterm.Mode           `json:"mode"`
	Wallet         payterm.Wallet         `json:"wallet,omitempty"`
	AmountMinor    int64                  `json:"amount_minor"`
	TipMinor       int64                  `json:"tip_minor,omitempty"`
	Ref            string                 `json:"ref,omitempty"`
	IdempotencyKey payterm.IdempotencyKey `json:"idempotency_key,omitempty"`
	Despite        payterm.OrderID        `json:"despite,omitempty"`
	// Currency is that of the amount; without one it is the merchant's.
	Currency payterm.Currency `json:"currency,omitempty"`
}

// SaleLine is a line of the answer: first Taken with the order id, as soon as
// the order is durable, then the order at its end.
type SaleLine struct {
	Taken payterm.OrderID `json:"taken,omitempty"`
	Order *payterm.Order  `json:"order,omitempty"`
	Usage string          `json:"usage,omitempty"`
	Error string          `json:"error,omitempty"`
}

// Socket is the path of the agent's socket in its data directory.
func Socket(data string) string { return filepath.Join(data, "payterm.sock") }

const maxRequest = 64 << 10

// Each listener has a share of its own, which the callers of another cannot take: tills on
// TCP leave the owner's socket alone.
const (
	mostConns = 128
	mostCalls = 64
	ownFiles  = 128 // descriptors for all else: journal, devices, gateway
)

func (a *Agent) serve(ctx context.Context, wg *sync.WaitGroup) error {
	listeners := 1
	if a.training != nil {
		listeners++
	}
	if a.o.Config.API.Listen != "" {
		listeners++
	}
	if err := enoughFiles(uint64(ownFiles + listeners*mostConns)); err != nil {
		return err
	}
	l, err := listenSocket(Socket(a.o.Data))
	if err != nil {
		return err
	}
	mux := a.routes()
	outside := mux
	var real net.Listener
	if a.training != nil {
		outside = a.outside()
		if real, err = listenSocket(Socket(a.training.of)); err != nil {
			return errors.Join(err, l.Close())
		}
	}
	tcp, known, err := a.listenTCP()
	if err != nil {
		if real != nil {
			err = errors.Join(err, real.Close())
		}
		return errors.Join(err, l.Close())
	}
	a.serveOn(ctx, wg, l, a.onSocket(mux), nil)
	if real != nil {
		a.serveOn(ctx, wg, real, a.onSocket(outside), nil)
	}
	if tcp != nil {
		a.serveOn(ctx, wg, tcp, outside, known)
	}
	return nil
}

// enoughFiles says whether this process may open as many as it can need: where it may
// not, callers could take the journal's.
func enoughFiles(n uint64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("local API: how many files may be open is not known: %w", err)
	}
	if limit.Cur < n {
		return fmt.Errorf("local API: %d files may be open at once, %d are needed: raise the limit (LimitNOFILE= of the unit, ulimit -n)", limit.Cur, n)
	}
	return nil
}

// listenSocket listens where no earlier life does any more: the lock on its directory
// is ours. Only its owner may speak there.
func listenSocket(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("local API: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("local API: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("local API: %w", err), l.Close())
	}
	return l, nil
}

// serveOn answers on one listener until the context ends; known tells callers from
// strangers, nil knows all.
func (a *Agent) serveOn(ctx context.Context, wg *sync.WaitGroup, l net.Listener, h http.Handler, known func(http.ResponseWriter, *http.Request) bool) {
	// Which call takes how long a request it says itself.
	srv := httpd.New(ctx, l, h, httpd.Bounds{Conns: mostConns, Calls: mostCalls, Body: 2 * maxRequest, Known: known})
	wg.Go(func() {
		if err := srv.Serve(); err != nil {
			a.o.Log.Error("local API", "err", err)
		}
	})
	wg.Go(func() {
		<-ctx.Done()
		srv.Close() //nolint:errcheck // whoever waits is told by the connection
	})
}

func (a *Agent) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /training", a.onceOpen(a.train, a.closedAnswer))
	sale, refund := a.sale, a.refund
	if a.training != nil { // a till does not hear of what is not real
		sale, refund = a.saleInTraining, a.refundInTraining
	}
	mux.HandleFunc("POST /sale", a.onceOpen(sale, a.refuse(payterm.KindSale)))
	mux.HandleFunc("GET /status", a.onceOpen(a.status, a.closedStatus))
	mux.HandleFunc("GET /orders/{id}", a.onceOpen(a.order, a.closedAnswer))
	mux.HandleFunc("POST /orders/{id}/resolve", a.onceOpen(a.resolve, a.closedAnswer))
	mux.HandleFunc("POST /orders/{id}/refund", a.onceOpen(refund, a.refuse(payterm.KindRefund)))
	mux.HandleFunc("GET /queue", a.onceOpen(a.queue, a.closedAnswer))
	mux.HandleFunc("POST /totals/{which}", a.onceOpen(a.totals, a.closedAnswer))
	mux.HandleFunc("POST /reconcile", a.onceOpen(a.reconcile, a.closedAnswer))
	mux.HandleFunc("POST /doctor", a.onceOpen(a.doctor, a.closedAnswer))
	return mux
}

// onceOpen answers by the journal once that is open, and otherwise until then.
func (a *Agent) onceOpen(then, otherwise http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if a.isOpen() {
			then(w, r)
			return
		}
		otherwise(w, r)
	}
}

// refuse answers a sale or refund while the journal is not open. Of a key it cannot be
// said then that nothing was sent for it.
func (a *Agent) refuse(kind payterm.Kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var req struct {
			IdempotencyKey payterm.IdempotencyKey `json:"idempotency_key"`
		}
		say := sayer(w)
		switch err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&req); {
		case err != nil:
			say(SaleLine{Usage: err.Error()})
		case req.IdempotencyKey != "":
			say(SaleLine{Error: "the journal is not open, and whether this idempotency key has an order is not known: " + a.why()})
		default:
			say(SaleLine{Order: &payterm.Order{Kind: kind, Outcome: payterm.NotSent, Reason: payterm.ReasonStorage}})
		}
	}
}

func (a *Agent) closedAnswer(w http.ResponseWriter, _ *http.Request) {
	reply(w, nil, errors.New(a.why()))
}

func (a *Agent) closedStatus(w http.ResponseWriter, r *http.Request) {
	s, err := a.Snapshot(r.Context())
	reply(w, a.statusOf(s), err)
}

// sayer writes a line of the answer, at once.
func sayer(w http.ResponseWriter) func(SaleLine) {
	out := json.NewEncoder(w)
	return func(l SaleLine) {
		out.Encode(l)                         //nolint:errcheck // the caller has gone; the order goes on
		http.NewResponseController(w).Flush() //nolint:errcheck // as above
	}
}

// read takes a request for a sale or refund, or says why not.
func read(w http.ResponseWriter, r *http.Request, say func(SaleLine), req interface{ wrong() string }) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	d.DisallowUnknownFields()
	why := ""
	if err := d.Decode(req); err != nil {
		why = err.Error()
	} else {
		why = req.wrong()
	}
	if why != "" {
		say(SaleLine{Usage: why})
	}
	return why == ""
}

func (a *Agent) sale(w http.ResponseWriter, r *http.Request) {
	var req SaleRequest
	say := sayer(w)
	if !read(w, r, say, &req) {
		return
	}
	asked := payterm.Order{
		Kind: payterm.KindSale, Mode: req.Mode, Wallet: req.Wallet, AmountMinor: req.AmountMinor, TipMinor: req.TipMinor, Ref: req.Ref,
	}
	sale := a.saleOf(req)
	taken := func(id payterm.OrderID) { say(SaleLine{Taken: id}) }
	refusal, err := a.checkSale(req)
	if err == nil && refusal == "" {
		res, err := a.runner.Sale(r.Context(), sale, taken)
		asked.Despite = res.Order.ID
		a.end(r, say, res, err, asked)
		return
	}
	if a.cameBefore(r, say, sale.IdempotencyKey, runner.ContentOfSale(sale), asked) {
		return
	}
	if err != nil {
		say(SaleLine{Error: err.Error()})
		return
	}
	say(SaleLine{Usage: refusal})
}

// saleOf is the sale that a request asks for.
func (a *Agent) saleOf(req SaleRequest) flows.SaleBegan {
	return flows.SaleBegan{
		Mode: req.Mode, Wallet: req.Wallet, AmountMinor: req.AmountMinor, TipMinor: req.TipMinor,
		Currency: cmp.Or(req.Currency, a.o.Config.Merchant.Currency), Ref: req.Ref, IdempotencyKey: string(req.IdempotencyKey), Despite: req.Despite,
	}
}

// cameBefore answers a request that may not begin by what came of its key before: limits and
// wallets may have been others then.
func (a *Agent) cameBefore(r *http.Request, say func(SaleLine), key string, asked runner.Content, order payterm.Order) bool {
	if key == "" {
		return false
	}
	res, err := a.runner.Again(r.Context(), key, asked, func(id payterm.OrderID) { say(SaleLine{Taken: id}) })
	if errors.Is(err, runner.ErrUnknown) {
		return false
	}
	a.end(r, say, res, err, order)
	return true
}

// end writes the last line: the order, what became of it before it began, or why
// nobody knows.
func (a *Agent) end(r *http.Request, say func(SaleLine), res runner.SaleResult, err error, asked payterm.Order) {
	switch {
	case errors.Is(err, runner.ErrKeyReused):
		say(SaleLine{Usage: err.Error()})
	case r.Context().Err() != nil: // whether it begins is not known here: the broken connection says so
	case err != nil:
		say(SaleLine{Error: err.Error()})
	case res.Began:
		say(SaleLine{Order: &res.Order})
	default:
		asked.Currency, asked.Outcome, asked.Reason = a.o.Config.Merchant.Currency, payterm.NotSent, res.Reason
		say(SaleLine{Order: &asked})
	}
}

// RefundRequest is POST /orders/{id}/refund. No amount is all that is left of the
// sale; an amount of 0 is a mistake, and never all.
type RefundRequest struct {
	AmountMinor    *int64                 `json:"amount_minor,omitempty"`
	Currency       payterm.Currency       `json:"currency,omitempty"`
	Ref            string                 `json:"ref,omitempty"`
	IdempotencyKey payterm.IdempotencyKey `json:"idempotency_key,omitempty"`
}

// refund answers as sale does.
func (a *Agent) refund(w http.ResponseWriter, r *http.Request) {
	var req RefundRequest
	say := sayer(w)
	if !read(w, r, say, &req) {
		return
	}
	refund := refundOf(payterm.OrderID(r.PathValue("id")), req)
	asked := payterm.Order{Kind: payterm.KindRefund, SaleID: refund.SaleID, AmountMinor: refund.AmountMinor, Ref: req.Ref}
	refusal := SaleLine{}
	switch {
	case req.Currency != "" && req.Currency != a.o.Config.Merchant.Currency:
		refusal.Usage = a.foreign(req.Currency)
	case CheckRef(req.Ref) != nil:
		refusal.Usage = CheckRef(req.Ref).Error()
	case a.o.RefundsNeedPIN && !a.o.Config.HasSupervisor():
		refusal.Error = "refunds need a supervisor: set [supervisor] pin_hash in the configuration, or make an operator one"
	default:
		res, err := a.runner.Refund(r.Context(), refund, func(id payterm.OrderID) { say(SaleLine{Taken: id}) })
		a.end(r, say, res, err, asked)
		return
	}
	if !a.cameBefore(r, say, refund.IdempotencyKey, runner.ContentOfRefund(refund), asked) {
		say(refusal)
	}
}

// refundOf is the refund that a request asks for.
func refundOf(sale payterm.OrderID, req RefundRequest) flows.RefundBegan {
	refund := flows.RefundBegan{SaleID: sale, Currency: req.Currency, Ref: req.Ref, IdempotencyKey: string(req.IdempotencyKey)}
	if req.AmountMinor != nil {
		refund.AmountMinor = *req.AmountMinor
	}
	return refund
}

// wrong says what no terminal would take.
func (r *RefundRequest) wrong() string {
	switch {
	case r.AmountMinor != nil && (*r.AmountMinor <= 0 || *r.AmountMinor > payterm.MaxMinor):
		return "amount: more than nothing and at most what was paid; all that is left when it is left out"
	}
	return ""
}

// foreign says why an amount in another currency is not taken.
func (a *Agent) foreign(c payterm.Currency) string {
	return fmt.Sprintf("currency %q: this terminal sells in %s", c, a.o.Config.Merchant.Currency)
}

// wrong says what no terminal would take, naming the field.
func (r *SaleRequest) wrong() string {
	switch {
	case r.Mode != payterm.Passive && r.Mode != payterm.Active:
		return fmt.Sprintf("mode %q: passive or active", r.Mode)
	case r.AmountMinor <= 0 || r.AmountMinor > payterm.MaxMinor:
		return "amount: more than nothing"
	case r.TipMinor < 0 || r.TipMinor > payterm.MaxMinor:
		return "tip: it cannot be negative"
	case r.Wallet != "" && !r.Wallet.Valid():
		return fmt.Sprintf("wallet %q: ALIPAY, WECHATPAY or UNIONPAY", r.Wallet)
	case r.Mode == payterm.Active && r.Wallet == "":
		return "wallet: Active Mode needs one: ALIPAY, WECHATPAY or UNIONPAY"
	}
	return ""
}

// checkSale says what this terminal does not take, naming the field.
func (a *Agent) checkSale(r SaleRequest) (string, error) {
	limit := a.o.Config.Sale.MaxMinor
	switch {
	case r.Currency != "" && r.Currency != a.o.Config.Merchant.Currency:
		return a.foreign(r.Currency), nil
	case CheckRef(r.Ref) != nil:
		return CheckRef(r.Ref).Error(), nil
	case r.AmountMinor > limit:
		return fmt.Sprintf("amount: more than nothing and at most %s", payterm.Amount{Minor: limit, Currency: a.o.Config.Merchant.Currency}), nil
	case r.TipMinor > limit-r.AmountMinor:
		return "tip: it cannot be negative, and amount and tip together keep to the limit of a sale", nil
	case r.Mode == payterm.Active && !slices.Contains(a.o.Config.Gateway.ActiveWallets, r.Wallet):
		return fmt.Sprintf("wallet %s is not among gateway.active_wallets", r.Wallet), nil
	case r.Wallet != "" && !slices.Contains(a.o.Config.Gateway.Wallets, r.Wallet):
		return fmt.Sprintf("wallet %s is not among gateway.wallets", r.Wallet), nil
	case r.Despite != "":
		if _, found, err := a.store.Order(r.Despite); err != nil || !found {
			return fmt.Sprintf("despite: no order %s in the journal", r.Despite), err
		}
	}
	return "", nil
}

func reply(w http.ResponseWriter, v any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusConflict)
		v = map[string]string{"error": err.Error()}
	}
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the caller has gone
}

// Snapshot asks the loop how it is. An answer proves that it turns, or that the
// agent still tries to open its journal.
func (a *Agent) Snapshot(ctx context.Context) (runner.Snapshot, error) {
	if !a.isOpen() {
		return runner.Snapshot{State: "result", Fault: a.why(), Status: flows.Status{Network: flows.NetworkUnknown, Paper: payterm.PaperUnknown}}, nil
	}
	return a.runner.Snapshot(ctx)
}

func (a *Agent) status(w http.ResponseWriter, r *http.Request) {
	s, err := a.runner.Snapshot(r.Context())
	reply(w, a.statusOf(s), err)
}

func (a *Agent) statusOf(s runner.Snapshot) map[string]any {
	faults := map[string]string{}
	for device, fault := range a.o.Board.Absent() {
		faults[device] = fault.Error()
	}
	return map[string]any{
		"merchant_id": a.o.Config.Gateway.MerchantID, "currency": a.o.Config.Merchant.Currency,
		"state": s.State, "order_id": s.OrderID, "operator": s.Operator, "network": s.Status.Network, "queue": s.Status.Queue,
		"doubts": s.Status.Doubts, "late_payments": s.Status.Late, "alarms": s.Status.Alarms,
		"paper": s.Status.Paper, "unprinted": s.Status.Unprinted, "fault": s.Fault, "devices": faults, "training": a.training != nil, "notice": a.told(), "waits": a.waitsFor(),
	}
}

// waitsFor says what a parcel that has come waits for; nothing where none does.
func (a *Agent) waitsFor() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return map[Waits]string{
		WaitsForZ:      "a parcel for another merchant, gateway or currency waits: close the day (payterm totals z)",
		WaitsForOrders: "a parcel for another merchant, gateway or currency waits until the open orders are closed: payterm queue list",
		WaitsForAgent:  "a parcel for another merchant, gateway or currency waits until nobody is being served",
	}[a.waits]
}

func (a *Agent) order(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
	defer cancel()
	id := payterm.OrderID(r.PathValue("id"))
	o, open, err := a.runner.Inquire(ctx, id)
	if err == nil && !open {
		o, open, err = a.store.Order(id)
		if err == nil && !open {
			err = fmt.Errorf("no order %s in the journal", id)
		}
	}
	reply(w, o, err)
}

func (a *Agent) resolve(w http.ResponseWriter, r *http.Request) {
	var req struct{ Reason string }
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&req)
	if err == nil && req.Reason == "" {
		err = errors.New("reason: a resolution needs one")
	}
	var o payterm.Order
	if err == nil {
		o, err = a.runner.Resolve(r.Context(), payterm.OrderID(r.PathValue("id")), "", req.Reason)
	}
	reply(w, o, err)
}

func (a *Agent) queue(w http.ResponseWriter, r *http.Request) {
	queue, err := a.runner.Queue(r.Context())
	reply(w, map[string]any{"queue": queue}, err)
}
