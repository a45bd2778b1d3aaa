package main

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
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"payterm"
	"payterm/storage"
	"payterm/terminal"
)

const (
	dialTime   = 10 * time.Second // for an agent to take a call, at a socket where many wait
	mostAnswer = 16 << 20         // bytes of what it may say, the longest list among it
)

// call makes one request on the agent's socket.
func (s store) call(method, path string, in any) (*http.Response, error) {
	return s.callWithin(context.Background(), method, path, in)
}

func (s store) callWithin(ctx context.Context, method, path string, in any) (*http.Response, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: dialTime}).DialContext(ctx, "unix", terminal.Socket(s.Data))
		},
	}}
	req, err := http.NewRequestWithContext(ctx, method, "http://payterm"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return client.Do(req)
}

func (s store) ask(method, path string, in, out any) error {
	return s.askWithin(context.Background(), method, path, in, out)
}

func (s store) askWithin(ctx context.Context, method, path string, in, out any) error {
	resp, err := s.callWithin(ctx, method, path, in)
	if err != nil {
		return s.nobody(err)
	}
	defer resp.Body.Close()
	answer := json.NewDecoder(io.LimitReader(resp.Body, mostAnswer))
	if resp.StatusCode != http.StatusOK {
		var why struct{ Error string }
		if err := answer.Decode(&why); err != nil {
			return fmt.Errorf("the agent answered HTTP %d", resp.StatusCode)
		}
		return agentError(why.Error)
	}
	return answer.Decode(out)
}

// agentError is what the agent said is wrong.
type agentError string

// Error is its text.
func (e agentError) Error() string { return string(e) }

// nobody says that no agent could be asked. What is asked and how is not the
// caller's concern; why it failed is.
func (s store) nobody(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op
	}
	return fmt.Errorf("no agent answers in %s: is it running, and is this its --data? (%w)", s.Data, err)
}

type saleCmd struct {
	store
	Mode           string                 `required:"" enum:"passive,active" help:"passive: scan the customer's code; active: show one."`
	Amount         string                 `required:"" help:"Such as 12.34, without the tip."`
	Tip            string                 `help:"Such as 1.00."`
	Wallet         payterm.Wallet         `help:"ALIPAY, WECHATPAY or UNIONPAY; Active Mode needs one."`
	Ref            string                 `help:"The shop's own number, of 64 letters at the most; it is printed."`
	IdempotencyKey payterm.IdempotencyKey `help:"The same key gives the same order; with another amount or the like it is refused."`
	Despite        payterm.OrderID        `help:"Sell in spite of this order in doubt."`
	Currency       string                 `help:"Of the amount; the terminal's when it is left out."`
}

// currency is the one that was named, or the terminal's.
func (s store) currency(named string) (payterm.Currency, error) {
	if c := payterm.Currency(named); named != "" {
		if !c.Known() {
			return "", usage("--currency %q: an ISO 4217 code such as CAD is needed", named)
		}
		return c, nil
	}
	var status struct {
		State    string
		Currency payterm.Currency
	}
	err := s.ask("GET", "/status", nil, &status)
	switch {
	case err != nil:
		return "", err
	case status.Currency != "":
		return status.Currency, nil
	case status.State == terminal.Provisioning:
		return "", terminal.ErrProvisioning
	}
	return "", terminal.ErrUnprovisioned
}

func (c saleCmd) Run() error {
	if err := c.checkRef(c.Ref, c.IdempotencyKey); err != nil {
		return usage("sale: %w", err)
	}
	currency, err := c.currency(c.Currency)
	if err != nil {
		return err
	}
	amount, err := payterm.ParseAmount(c.Amount, currency)
	tip := payterm.Amount{}
	if err == nil && c.Tip != "" {
		tip, err = payterm.ParseAmount(c.Tip, currency)
	}
	if err != nil {
		return usage("sale: %w", err)
	}
	resp, err := c.call("POST", "/sale", terminal.SaleRequest{
		Mode: payterm.Mode(c.Mode), Wallet: c.Wallet, AmountMinor: amount.Minor, TipMinor: tip.Minor,
		Ref: c.Ref, IdempotencyKey: c.IdempotencyKey, Despite: c.Despite, Currency: currency,
	})
	var dial *net.OpError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return c.nobody(err)
	case err != nil: // it may have been taken
		return c.lost(c.asked(amount, tip))
	}
	defer resp.Body.Close()
	return c.follow(resp.Body, c.asked(amount, tip))
}

// checkRef refuses a reference that no terminal takes. With a key the agent is asked
// first, which may know what came of it.
func (store) checkRef(ref string, key payterm.IdempotencyKey) error {
	if key != "" {
		return nil
	}
	return terminal.CheckRef(ref)
}

// asked is the sale as far as it is known here.
func (c saleCmd) asked(amount, tip payterm.Amount) payterm.Order {
	return payterm.Order{
		Kind: payterm.KindSale, Mode: payterm.Mode(c.Mode), Wallet: c.Wallet, Ref: c.Ref,
		AmountMinor: amount.Minor, TipMinor: tip.Minor, Currency: amount.Currency,
	}
}

type refundCmd struct {
	store
	Order          payterm.OrderID        `arg:"" help:"The sale."`
	Amount         *string                `help:"Such as 5.00; all that is left of the sale when it is left out."`
	Ref            string                 `help:"The shop's own number, of 64 letters at the most; it is printed."`
	IdempotencyKey payterm.IdempotencyKey `help:"The same key gives the same refund; with another sale or amount it is refused."`
	Currency       string                 `help:"Of the amount; the sale's when it is left out."`
}

// currency is the one that was named, or the sale's, or where that is not to be had here
// the terminal's, which sells in no other.
func (c refundCmd) currency() (payterm.Currency, error) {
	if c.Currency == "" {
		var sale payterm.Order
		err := c.read(func(r *storage.Reader) (err error) { sale, _, err = r.Order(c.Order); return err })
		if err == nil && sale.Currency != "" {
			return sale.Currency, nil
		}
	}
	return c.store.currency(c.Currency)
}

func (c refundCmd) Run() error {
	if !c.Order.Valid() {
		return usage("refund: order id %q: 1 to 20 of A-Z and 0-9", c.Order)
	}
	if err := c.checkRef(c.Ref, c.IdempotencyKey); err != nil {
		return usage("refund: %w", err)
	}
	currency, err := c.currency()
	if err != nil {
		return err
	}
	req := terminal.RefundRequest{Ref: c.Ref, IdempotencyKey: c.IdempotencyKey, Currency: payterm.Currency(c.Currency)}
	asked := payterm.Order{Kind: payterm.KindRefund, SaleID: c.Order, Ref: c.Ref, Currency: currency}
	if c.Amount != nil {
		var amount payterm.Amount
		amount, err = payterm.ParseAmount(*c.Amount, currency)
		req.AmountMinor, asked.AmountMinor = &amount.Minor, amount.Minor
	}
	if err != nil {
		return usage("refund: %w", err)
	}
	resp, err := c.call("POST", "/orders/"+string(c.Order)+"/refund", req)
	var dial *net.OpError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return c.nobody(err)
	case err != nil: // it may have been taken
		return c.lost(asked)
	}
	defer resp.Body.Close()
	return c.follow(resp.Body, asked)
}

// follow reads the agent's lines to the end of a sale or refund. An interrupt ends
// the waiting only: nobody may take the order for cancelled.
func (c store) follow(r io.ReadCloser, asked payterm.Order) error {
	var taken payterm.OrderID
	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(interrupted, func() { r.Close() })() //nolint:errcheck // the reading ends, as is wanted
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var l terminal.SaleLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			break
		}
		switch {
		case l.Usage != "":
			return usage("%s: %s", asked.Kind, l.Usage)
		case l.Taken != "":
			taken = l.Taken
			fmt.Fprintln(os.Stderr, "order", taken)
		case l.Order != nil:
			if l.Order.Outcome == payterm.InDoubt {
				fmt.Fprintln(os.Stderr, "payterm: how it ended is not known, and the terminal keeps asking: payterm status", l.Order.ID)
			}
			return c.end(*l.Order)
		case l.Error != "" && taken == "":
			return errors.New(l.Error)
		}
	}
	asked.ID = taken
	if interrupted.Err() != nil {
		fmt.Fprintln(os.Stderr, "payterm: no longer waiting; the order goes on at the terminal: payterm status", taken)
		asked.Outcome = payterm.InDoubt
		return c.end(asked)
	}
	return c.lost(asked)
}

// lost is the end of a connection after the agent may have taken the order.
func (c store) lost(asked payterm.Order) error {
	fmt.Fprintln(os.Stderr, "payterm: the agent went away; the order goes on by itself: payterm status", asked.ID)
	asked.Outcome = payterm.InDoubt
	return c.end(asked)
}

var exits = map[payterm.Outcome]exitStatus{
	payterm.Approved: 0, payterm.Declined: 10, payterm.Cancelled: 11, payterm.InDoubt: 12, payterm.NotSent: 13,
}

func (c store) end(o payterm.Order) error {
	err := c.print(o, func() {
		said := strings.ReplaceAll(string(o.Outcome), "_", " ")
		fmt.Println(strings.Join(strings.Fields(fmt.Sprint(said, " ", o.ID, " ", o.Reason)), " "))
	})
	if o.Outcome == payterm.NotSent && o.Reason == payterm.ReasonPossibleDuplicate {
		fmt.Fprintf(os.Stderr, "payterm: the same amount may have been paid as order %[1]s, or was meanwhile: payterm status %[1]s. Where it was not, and only then: --despite %[1]s\n", o.Despite)
	}
	status, known := exits[o.Outcome]
	if !known {
		status = 12
	}
	if err == nil && status != 0 {
		return status
	}
	return err
}

type statusCmd struct {
	store
	Order payterm.OrderID `arg:"" optional:"" help:"One order, inquiring when it is open."`
}

func (c statusCmd) Run() error {
	if c.Order != "" {
		return c.order()
	}
	var v map[string]any
	if err := c.ask("GET", "/status", nil, &v); err != nil {
		return err
	}
	return c.print(v, func() {
		for _, key := range []string{"state", "device", "board", "waits", "merchant_id", "currency", "operator", "order_id", "network", "queue", "doubts", "late_payments", "alarms", "paper", "fault"} {
			if value, ok := v[key]; ok && value != "" {
				fmt.Printf("%-14s %v\n", key, value)
			}
		}
	})
}

func (c statusCmd) order() error {
	var o payterm.Order
	if err := c.ask("GET", "/orders/"+url.PathEscape(string(c.Order)), nil, &o); err != nil {
		return err
	}
	return c.print(o, func() {
		line := func(key, value string) {
			if value != "" {
				fmt.Printf("%-14s %s\n", key, value)
			}
		}
		money := func(key string, minor int64) {
			if minor != 0 {
				line(key, payterm.Amount{Minor: minor, Currency: o.Currency}.String()+" "+string(o.Currency))
			}
		}
		line("order_id", string(o.ID))
		line("kind", string(o.Kind))
		line("outcome", string(o.Outcome))
		line("reason", string(o.Reason))
		line("resolution", o.Resolution)
		line("merchant_id", o.MerchantID)
		line("wallet", string(o.Wallet))
		money("amount", o.AmountMinor)
		money("tip", o.TipMinor)
		money("paid", o.PaidMinor)
		money("refunded", o.RefundedMinor)
	})
}

type resolveCmd struct {
	store
	Order  payterm.OrderID `arg:"" help:"Order in doubt, or a late payment."`
	Reason string          `required:"" help:"Why it can be closed."`
}

func (c resolveCmd) Run() error {
	var o payterm.Order
	if err := c.ask("POST", "/orders/"+url.PathEscape(string(c.Order))+"/resolve", map[string]string{"reason": c.Reason}, &o); err != nil {
		return err
	}
	return c.print(o, func() { fmt.Printf("%s is off the list: %s\n", o.ID, o.Resolution) })
}
