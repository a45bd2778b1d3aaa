// Package training is the simulated gateway of training: the simulator on a loopback port, and
// customers who pay, decline, mistype a password or are late, as the drill says.
package training

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"payterm"
	"payterm/config"
	"payterm/flows/counter"
	"payterm/gateway/ottpay"
	"payterm/gateway/ottsim"
	"payterm/internal/httpd"
	"payterm/terminal/api"
)

// Data is the directory of training's journal, below the real one.
func Data(data string) string { return filepath.Join(data, "training") }

// TerminalID begins the order ids of training, so that its slips cannot be taken for real ones.
const TerminalID = "TRAIN"

// Gateway is the simulated gateway of training with its customers. It has no address, key or name
// of the merchant.
type Gateway struct {
	key    string
	base   string
	server *httpd.Server
	client *ottpay.Client
	http   *http.Client
	haste  float64         // how many times faster than people the customers are
	ctx    context.Context // of the customers, who outlive their request
	stop   context.CancelFunc
	wg     sync.WaitGroup
	mu     sync.Mutex
	drill  counter.Drill
	late   map[payterm.OrderID]bool // their customers wait until the cashier has left
}

const merchant = "TRAINING"

// New starts the simulator on a loopback port. The client connects only there, whatever its
// address.
func New(of config.Config, haste float64) (*Gateway, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("training's gateway: %w", err)
	}
	var random [16]byte
	rand.Read(random[:])
	g := &Gateway{
		key: strings.ToUpper(hex.EncodeToString(random[:8])), base: "http://" + l.Addr().String(), haste: haste,
		late: map[payterm.OrderID]bool{},
	}
	if g.haste <= 0 {
		g.haste = 1
	}
	g.ctx, g.stop = context.WithCancel(context.Background())
	sim := ottsim.New(ottsim.Config{
		MerchantID: merchant, SignKey: g.key, BaseURL: g.base, Currency: string(of.Merchant.Currency),
		Seed: uint64(time.Now().UnixNano()),
	})
	g.server = httpd.New(g.ctx, l, sim, api.Share())
	g.wg.Go(func() { g.server.Serve() }) //nolint:errcheck // it ends with Close
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	}
	transport := &http.Transport{DialContext: dial, DisableKeepAlives: true}
	g.http = &http.Client{Timeout: 5 * time.Second, Transport: transport}
	c := g.Config(of)
	g.client, err = ottpay.New(ottpay.Config{
		URL: c.Gateway.URL, MerchantID: merchant, OperatorID: c.Gateway.OperatorID, SignKey: ottpay.SignKey(g.key),
		CallBackURL:    c.Gateway.CallBackURL,
		Currency:       c.Merchant.Currency,
		ConnectTimeout: c.Sale.ConnectTimeout.Duration, Timeout: c.Sale.HTTPTimeout.Duration,
		Now: time.Now, Dial: dial,
	})
	if err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

// Config is the configuration of training: the shop's, with another gateway and without PINs.
// PINs are not asked for, because wrong ones would cost nothing here and could be guessed.
func (g *Gateway) Config(c config.Config) config.Config {
	t := config.Config{Terminal: c.Terminal, Merchant: c.Merchant, Sale: c.Sale, API: c.API}
	t.Terminal.ID = TerminalID
	t.Gateway = config.Gateway{
		URL: g.base + "/processV2", MerchantID: merchant, OperatorID: "0", CallBackURL: g.base,
		Wallets: slices.Clone(c.Gateway.Wallets), ActiveWallets: slices.Clone(c.Gateway.ActiveWallets),
	}
	return t
}

// Key is the simulator's own key.
func (g *Gateway) Key() string { return g.key }

// Client speaks to the simulator.
func (g *Gateway) Client() *ottpay.Client { return g.client }

// Close ends the customers and the simulator.
func (g *Gateway) Close() error {
	g.stop()
	err := g.server.Close()
	g.wg.Wait()
	return err
}

// Begin sets the fault of the next sale.
func (g *Gateway) Begin(d counter.Drill) {
	g.mu.Lock()
	g.drill = d
	g.mu.Unlock()
}

// The simulated customers.
const (
	customerPays   = 6 * time.Second // after the code is shown, or for the password
	customerIsLate = 2 * time.Second // after the cashier has left
	lostInquiries  = 3               // inquiries without a reply: about ten seconds
)

// Pay prepares the drill and the customer. The simulator gets a simulated wallet's code, whatever
// was scanned: that may be a real customer's.
func (g *Gateway) Pay(ctx context.Context, p payterm.Payment) payterm.Answer {
	g.mu.Lock()
	drill := g.drill
	g.drill = counter.NoDrill
	g.mu.Unlock()
	if p.Mode == payterm.Passive {
		code, err := g.code(ctx, p, drill)
		if err != nil {
			return payterm.Unsent{Why: err.Error(), Final: true}
		}
		p.Code = code
	}
	if drill == counter.DrillReplyLost {
		if err := g.loseReplies(ctx, p.Mode); err != nil {
			return payterm.Unsent{Why: err.Error(), Final: true}
		}
	}
	answer := g.client.Pay(ctx, p)
	switch {
	case drill == counter.DrillLate:
		g.mu.Lock()
		g.late[p.OrderID] = true
		g.mu.Unlock()
	case p.Mode == payterm.Active && drill == counter.DrillDeclined:
		g.later(customerPays, p.OrderID, "decline")
	case p.Mode == payterm.Active || drill == counter.DrillPassword:
		g.later(customerPays, p.OrderID, "pay")
	}
	return answer
}

// NobodysKey is stored in training instead of a scanned code's hash. The same code may be used
// again: there may be no other at hand.
func NobodysKey() string {
	var random [16]byte
	rand.Read(random[:])
	return hex.EncodeToString(random[:])
}

// Refund asks the simulator.
func (g *Gateway) Refund(ctx context.Context, r payterm.RefundRequest) payterm.Answer {
	return g.client.Refund(ctx, r)
}

// Inquire asks the simulator.
func (g *Gateway) Inquire(ctx context.Context, i payterm.Inquiry) payterm.Answer {
	return g.client.Inquire(ctx, i)
}

// Changed lets the late customer pay once the cashier has left the sale.
func (g *Gateway) Changed(o payterm.Order) {
	g.mu.Lock()
	waits := g.late[o.ID] && o.Outcome != payterm.Open
	if waits {
		delete(g.late, o.ID)
	}
	g.mu.Unlock()
	if waits {
		g.later(customerIsLate, o.ID, "pay")
	}
}

// Missed stands in for changes that were missed: the journal tells which sales the cashier has left.
// A customer whose sale it does not tell goes on waiting.
func (g *Gateway) Missed(journal func(payterm.OrderID) (payterm.Order, bool, error)) {
	g.mu.Lock()
	late := slices.Collect(maps.Keys(g.late))
	g.mu.Unlock()
	for _, id := range late {
		if o, known, err := journal(id); err == nil && known {
			g.Changed(o)
		}
	}
}

// wallet and fault are what the simulator is asked for.
type (
	wallet struct {
		BizType       payterm.Channel `json:"biz_type"`
		BalanceMinor  int64           `json:"balance_minor"`
		NeedsPassword bool            `json:"needs_password"`
	}
	fault struct {
		Action string `json:"action"`
		Fault  string `json:"fault"`
		Times  int    `json:"times,omitempty"`
	}
)

// code is a code of the simulated customer.
func (g *Gateway) code(ctx context.Context, p payterm.Payment, d counter.Drill) (payterm.PayCode, error) {
	balance := p.Total.Minor + p.MaxFeeMinor
	if d == counter.DrillDeclined {
		balance = 0
	}
	var made struct{ Code string }
	err := g.control(ctx, "/sim/wallets", wallet{p.Wallet, balance, d == counter.DrillPassword || d == counter.DrillLate},
		&made)
	return payterm.NewPayCode(made.Code), err
}

// loseReplies makes the replies to the payment and to some inquiries get lost.
func (g *Gateway) loseReplies(ctx context.Context, mode payterm.Mode) error {
	pay := map[payterm.Mode]string{payterm.Passive: "PASSIVEPAY", payterm.Active: "ACTIVEPAY"}[mode]
	err := g.control(ctx, "/sim/faults", fault{Action: pay, Fault: "drop_after_apply"}, nil)
	if err == nil && mode == payterm.Passive {
		lost := fault{Action: "STATUS_QUERY", Fault: "drop_after_apply", Times: lostInquiries}
		err = g.control(ctx, "/sim/faults", lost, nil)
	}
	return err
}

// later makes a customer do something after a while, unless training ends before.
func (g *Gateway) later(after time.Duration, id payterm.OrderID, verb string) {
	g.wg.Go(func() {
		select {
		case <-g.ctx.Done():
		case <-time.After(time.Duration(float64(after) / g.haste)):
			g.control(g.ctx, "/sim/orders/"+string(id)+"/"+verb, nil, nil) //nolint:errcheck // it fails for a closed order
		}
	})
}

// control calls the simulator's control interface.
func (g *Gateway) control(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := g.http.Do(req)
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
