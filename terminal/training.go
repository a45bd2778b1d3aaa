package terminal

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"payterm"
	"payterm/config"
	"payterm/flows"
	"payterm/flows/runner"
	"payterm/gateway/ottpay"
	"payterm/gateway/ottsim"
	"payterm/internal/httpd"
	"payterm/screen"
	"payterm/storage"
	"payterm/terminal/api"
	"payterm/terminal/notice"
)

// Terminal is one agent after another on the same board: the real one, and for as long
// as somebody trains, one of its own. A start of the program is always the real one.
type Terminal struct {
	o   Options
	mu  sync.Mutex
	now *Agent
}

// NewTerminal makes a terminal and opens its journal, as Start does. Run follows, and
// closes the board at its end.
func NewTerminal(o Options) (*Terminal, error) {
	o.lent, o.notices = true, notice.New()
	a, err := Start(o)
	if err != nil {
		return nil, err
	}
	return &Terminal{o: o, now: a}, nil
}

func (t *Terminal) agent() *Agent {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now
}

// Screen is the newest screen.
func (t *Terminal) Screen() payterm.Screen { return t.agent().Screen() }

// Parcel is one that was scanned while it sold, to provision the terminal anew.
func (t *Terminal) Parcel() string { return t.agent().Parcel() }

// Training reports whether it is one that runs.
func (t *Terminal) Training() bool { return t.agent().training != nil }

// Snapshot asks the loop how it is, the next one's where one has just ended.
func (t *Terminal) Snapshot(ctx context.Context) (runner.Snapshot, error) {
	for {
		s, err := t.agent().Snapshot(ctx)
		if !errors.Is(err, runner.ErrStopped) {
			return s, err
		}
		select {
		case <-ctx.Done():
			return s, err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Run runs one agent after another until the context ends. Whatever goes wrong with a
// training, the real terminal is back.
func (t *Terminal) Run(ctx context.Context) error {
	for {
		a := t.agent()
		err := a.Run(ctx)
		trained := a.training != nil
		if trained && err != nil {
			t.o.Log.Error("training", "err", err)
			err = nil
		}
		if err != nil || ctx.Err() != nil || !trained && !a.left {
			return errors.Join(err, t.o.Board.Close())
		}
		var next *Agent
		if !trained {
			if next, err = t.train(); err != nil {
				t.o.Log.Error("no training", "err", err)
			}
		}
		if next == nil {
			real := t.o
			real.Ready = nil // it has been told
			if next, err = Start(real); err != nil {
				return errors.Join(err, t.o.Board.Close())
			}
		}
		next.speak(a.language())
		t.mu.Lock()
		t.now = next
		t.mu.Unlock()
	}
}

// TrainingData is where a training's journal is, below the real one's.
func TrainingData(data string) string { return filepath.Join(data, "training") }

// trainingTerminal begins the order ids of a training, so that none of its slips can
// be taken for a real one.
const trainingTerminal = "TRAIN"

// train starts the agent of a training, with an empty journal.
func (t *Terminal) train() (*Agent, error) {
	data := TrainingData(t.o.Data)
	if err := os.RemoveAll(data); err != nil {
		return nil, fmt.Errorf("the last training's data: %w", err)
	}
	school, err := newSchool(t.o)
	if err != nil {
		return nil, err
	}
	o := t.o
	o.Config, o.Data, o.SignKey, o.Ready, o.RefundsNeedPIN = school.config(t.o.Config), data, school.key, nil, false
	o.Provisioner = nil
	o.Watermark = screen.Training(append([]string{o.Config.Terminal.Language}, o.Config.Terminal.ReceiptLanguages...)...)
	o.school = school
	a, err := Start(o)
	if err == nil && !a.isOpen() {
		err = errors.New(a.why())
		if a.why() == "" {
			err = errors.New("its journal does not open")
		}
		for _, f := range []*os.File{a.lock, a.realLock} {
			if f != nil {
				err = errors.Join(err, f.Close())
			}
		}
	}
	if err != nil {
		return nil, errors.Join(err, school.close())
	}
	return a, nil
}

// leave is the loop's question whether this agent can end for the other kind. Slips of
// real sales are printed before.
func (a *Agent) leave(bool) payterm.Reason {
	if a.training == nil && a.devices.Waiting() > 0 {
		return payterm.ReasonSlipsWait
	}
	a.left = true
	return payterm.ReasonNone
}

// mark is the watermark of the screens.
func (a *Agent) mark() string {
	if a.training == nil {
		return a.o.Watermark
	}
	width, height := 0, 0
	if d := a.o.Board.Profile.Display; a.devices.HasGlass() {
		width, height = d.Width, d.Height
	}
	return screen.TrainingMark(a.language(), width, height)
}

// school is the simulated gateway of a training with its customers. It is made of
// nothing of the merchant's: neither address nor key nor names.
type school struct {
	of     string // the real terminal's data
	key    string
	base   string
	server *httpd.Server
	client *ottpay.Client
	http   *http.Client
	haste  float64
	ctx    context.Context //nolint:containedctx // of the customers, who outlive the request that woke them
	stop   context.CancelFunc
	wg     sync.WaitGroup
	mu     sync.Mutex
	drill  flows.Drill
	late   map[payterm.OrderID]bool // whose customers wait until the cashier has left
}

const schoolMerchant = "TRAINING"

// newSchool starts the simulator on a loopback port. The client's only way leads
// there, whatever address it is given.
func newSchool(o Options) (*school, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("training's gateway: %w", err)
	}
	var random [16]byte
	rand.Read(random[:]) //nolint:errcheck // it never fails
	s := &school{
		of: o.Data, key: strings.ToUpper(hex.EncodeToString(random[:8])), base: "http://" + l.Addr().String(), haste: o.Haste,
		late: map[payterm.OrderID]bool{},
	}
	if s.haste <= 0 {
		s.haste = 1
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	sim := ottsim.New(ottsim.Config{MerchantID: schoolMerchant, SignKey: s.key, Seed: uint64(time.Now().UnixNano()), BaseURL: s.base, Currency: string(o.Config.Merchant.Currency)}) //nolint:gosec // a seed
	s.server = httpd.New(s.ctx, l, sim, api.Share())
	s.wg.Go(func() { s.server.Serve() }) //nolint:errcheck // it ends with Close
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	}
	s.http = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	c := s.config(o.Config)
	s.client, err = ottpay.New(ottpay.Config{
		URL: c.Gateway.URL, MerchantID: schoolMerchant, OperatorID: c.Gateway.OperatorID, SignKey: ottpay.SignKey(s.key), CallBackURL: c.Gateway.CallBackURL,
		Currency: c.Merchant.Currency, ConnectTimeout: c.Sale.ConnectTimeout.Duration, Timeout: c.Sale.HTTPTimeout.Duration, Now: time.Now, Dial: dial,
	})
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// config is the configuration of a training: the shop's own but for the gateway, and
// without PINs. None is asked for where a wrong one costs nothing: that would be a
// place to guess them.
func (s *school) config(c config.Config) config.Config {
	t := config.Config{Terminal: c.Terminal, Merchant: c.Merchant, Sale: c.Sale, API: c.API}
	t.Terminal.ID = trainingTerminal
	t.Gateway = config.Gateway{
		URL: s.base + "/processV2", MerchantID: schoolMerchant, OperatorID: "0", CallBackURL: s.base,
		Wallets: slices.Clone(c.Gateway.Wallets), ActiveWallets: slices.Clone(c.Gateway.ActiveWallets),
	}
	return t
}

// close ends the customers and the simulator.
func (s *school) close() error {
	s.stop()
	err := s.server.Close()
	s.wg.Wait()
	return err
}

// begin says what is to go wrong with the next sale.
func (s *school) begin(d flows.Drill) {
	s.mu.Lock()
	s.drill = d
	s.mu.Unlock()
}

// The simulated customers.
const (
	customerPays   = 6 * time.Second // after the code is on show, or to type a password
	customerIsLate = 2 * time.Second // after the cashier has left
	lostInquiries  = 3               // of a time-out: about ten seconds
)

// Pay stages the drill and the customer. Whatever code was scanned, a simulated
// wallet's goes to the simulator in its place: it may be a real customer's.
func (s *school) Pay(ctx context.Context, p payterm.Payment) payterm.Answer {
	s.mu.Lock()
	drill := s.drill
	s.drill = flows.NoDrill
	s.mu.Unlock()
	if p.Mode == payterm.Passive {
		code, err := s.wallet(ctx, p, drill)
		if err != nil {
			return payterm.Unsent{Why: err.Error(), Final: true}
		}
		p.Code = code
	}
	if drill == flows.DrillReplyLost {
		if err := s.loseReplies(ctx, p.Mode); err != nil {
			return payterm.Unsent{Why: err.Error(), Final: true}
		}
	}
	answer := s.client.Pay(ctx, p)
	switch {
	case drill == flows.DrillLate:
		s.mu.Lock()
		s.late[p.OrderID] = true
		s.mu.Unlock()
	case p.Mode == payterm.Active && drill == flows.DrillDeclined:
		s.later(customerPays, p.OrderID, "decline")
	case p.Mode == payterm.Active || drill == flows.DrillPassword:
		s.later(customerPays, p.OrderID, "pay")
	}
	return answer
}

// nobodysKey stands in a training's journal for a code that was scanned. The same code
// may come again: a trainee may have no other.
func nobodysKey() string {
	var random [16]byte
	rand.Read(random[:]) //nolint:errcheck // it never fails
	return hex.EncodeToString(random[:])
}

// Refund asks the simulator.
func (s *school) Refund(ctx context.Context, r payterm.RefundRequest) payterm.Answer {
	return s.client.Refund(ctx, r)
}

// Inquire asks the simulator.
func (s *school) Inquire(ctx context.Context, i payterm.Inquiry) payterm.Answer {
	return s.client.Inquire(ctx, i)
}

// follow lets late customers pay, until the context ends.
func (s *school) follow(ctx context.Context, changes *runner.Changes) {
	for seq := uint64(0); ; {
		list, _, more := changes.After(seq)
		for _, c := range list {
			seq = c.Seq
			s.changed(c.Order)
		}
		select {
		case <-ctx.Done():
			return
		case <-more:
		}
	}
}

// changed lets the late customer pay once the sale has been left.
func (s *school) changed(o payterm.Order) {
	s.mu.Lock()
	waits := s.late[o.ID] && o.Outcome != payterm.Open
	if waits {
		delete(s.late, o.ID)
	}
	s.mu.Unlock()
	if waits {
		s.later(customerIsLate, o.ID, "pay")
	}
}

// wallet gives the customer's code.
func (s *school) wallet(ctx context.Context, p payterm.Payment, d flows.Drill) (payterm.PayCode, error) {
	balance := p.Total.Minor + p.MaxFeeMinor
	if d == flows.DrillDeclined {
		balance = 0
	}
	var made struct{ Code string }
	err := s.tell(ctx, "/sim/wallets", map[string]any{
		"biz_type": p.Wallet, "balance_minor": balance, "needs_password": d == flows.DrillPassword || d == flows.DrillLate,
	}, &made)
	return payterm.NewPayCode(made.Code), err
}

// loseReplies loses that of the payment, and then of some inquiries.
func (s *school) loseReplies(ctx context.Context, mode payterm.Mode) error {
	pay := map[payterm.Mode]string{payterm.Passive: "PASSIVEPAY", payterm.Active: "ACTIVEPAY"}[mode]
	err := s.tell(ctx, "/sim/faults", map[string]any{"action": pay, "fault": "drop_after_apply"}, nil)
	if err == nil && mode == payterm.Passive {
		err = s.tell(ctx, "/sim/faults", map[string]any{"action": "STATUS_QUERY", "fault": "drop_after_apply", "times": lostInquiries}, nil)
	}
	return err
}

// later lets a customer do something after a while, unless the training ends before.
func (s *school) later(after time.Duration, id payterm.OrderID, verb string) {
	s.wg.Go(func() {
		select {
		case <-s.ctx.Done():
		case <-time.After(time.Duration(float64(after) / s.haste)):
			s.tell(s.ctx, "/sim/orders/"+string(id)+"/"+verb, nil, nil) //nolint:errcheck // it was closed meanwhile, and nobody can pay it
		}
	})
}

// tell makes a control call of the simulator.
func (s *school) tell(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return fmt.Errorf("training's gateway: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("training's gateway: %s: HTTP %d", path, resp.StatusCode)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

// train begins or ends a training. The loop may end before its answer.
func (a *Agent) train(ctx context.Context, on bool) error {
	if on == (a.training != nil) {
		return nil
	}
	err := a.runner.Train(ctx, on)
	if errors.Is(err, runner.ErrStopped) {
		return nil
	}
	return notNow(err, noTraining)
}

// noTraining says what to do about the reasons for which a training does not begin or end.
var noTraining = map[payterm.Reason]string{
	payterm.ReasonBusy:       "somebody is at the counter: try again when the terminal is idle",
	payterm.ReasonCashier:    "no supervisor typed the PIN at the counter",
	payterm.ReasonOrdersOpen: "an order is still open: payterm queue list shows it; try again when it is settled",
	payterm.ReasonSlipsWait:  "slips are still to be printed: see to the printer, and try again",
	payterm.ReasonStorage:    "the journal cannot be written: payterm doctor says why",
	payterm.ReasonTraining:   "this agent cannot train",
	payterm.ReasonRestarted:  "the counter began anew: try again",
	payterm.ReasonNoOperator: "nobody is signed on at the counter",
	payterm.ReasonLocked:     "too many wrong PINs: wait as the terminal says, and try again",
}

var errTraining = api.Errorf(api.InTraining, "the terminal is in training: payterm training off ends it; "+
	"the training's own data is in --data %s", filepath.Join("DATA", "training"))

// trainingService is the local API of a training.
type trainingService struct{ service }

// Sale sells nothing: a till must never take a simulated payment for a real one. One that
// asks once more about an order that it began before, by its idempotency key, is told of
// that one: not sent would be a lie, and the customer would pay twice.
func (s trainingService) Sale(_ context.Context, r api.SaleRequest, _ func(payterm.OrderID)) (payterm.Order, error) {
	return s.a.notSold(string(r.IdempotencyKey), runner.ContentOfSale(s.a.saleOf(r)), askedFor(r))
}

// Refund gives nothing back, likewise.
func (s trainingService) Refund(_ context.Context, r api.RefundRequest, _ func(payterm.OrderID)) (payterm.Order, error) {
	refund := refundOf(r)
	return s.a.notSold(refund.IdempotencyKey, runner.ContentOfRefund(refund), askedBack(refund))
}

// outside is the local API on the real terminal's socket while it is in training: nothing
// is sold, and what is asked about an order is answered from the real journal.
func (a *Agent) outside() api.Service {
	return outsideService{api.Refusing{Why: func() error { return errTraining }}, trainingService{service{a}}}
}

type outsideService struct {
	api.Refusing
	inside trainingService
}

func (s outsideService) Status(ctx context.Context) (api.Status, error) { return s.inside.Status(ctx) }

func (s outsideService) Train(ctx context.Context, on bool) error { return s.inside.Train(ctx, on) }

func (s outsideService) Sale(ctx context.Context, r api.SaleRequest, taken func(payterm.OrderID)) (payterm.Order, error) {
	return s.inside.Sale(ctx, r, taken)
}

func (s outsideService) Refund(ctx context.Context, r api.RefundRequest, taken func(payterm.OrderID)) (payterm.Order, error) {
	return s.inside.Refund(ctx, r, taken)
}

func (s outsideService) Order(_ context.Context, id payterm.OrderID) (payterm.Order, error) {
	look := func(j *storage.Reader) (payterm.Order, bool, error) { return j.Order(id) }
	o, there, err := s.inside.a.realOrder(look)
	return o, missing(id, there, err)
}

// notSold refuses with the reason, unless the key has an order of the real terminal.
func (a *Agent) notSold(key string, asked runner.Content, order payterm.Order) (payterm.Order, error) {
	if key != "" {
		look := func(j *storage.Reader) (payterm.Order, bool, error) { return runner.OrderOf(j, key, asked) }
		o, found, err := a.realOrder(look)
		switch {
		case errors.Is(err, runner.ErrKeyReused):
			return o, coded(err)
		case err != nil:
			return o, api.Errorf(api.InTraining, "%v; whether this key has an order is not known: %v", errTraining, err)
		case found:
			return o, nil
		}
	}
	order.Currency, order.Outcome, order.Reason = a.o.Config.Merchant.Currency, payterm.NotSent, payterm.ReasonTraining
	return order, nil
}

// realOrder reads the real terminal's journal.
func (a *Agent) realOrder(look func(*storage.Reader) (payterm.Order, bool, error)) (payterm.Order, bool, error) {
	j, err := storage.OpenReader(filepath.Join(a.training.of, "payterm.db"))
	if err != nil {
		return payterm.Order{}, false, err
	}
	o, found, err := look(j)
	return o, found, errors.Join(err, j.Close())
}
