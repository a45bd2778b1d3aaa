package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"payterm"
	"payterm/storage"
	"payterm/terminal/api"
)

// agent calls the running terminal.
func (s store) agent() api.Client { return api.Client{Data: s.Data} }

type saleCmd struct {
	store
	Mode           string                 `required:"" enum:"passive,active" help:"passive (CPM): scan the customer's code; active (MPM): show a code."`
	Amount         string                 `required:"" help:"The amount without the tip, such as 12.34."`
	Tip            string                 `help:"The tip, such as 1.00."`
	Wallet         payterm.Channel        `help:"${channels}; needed with --mode active."`
	Ref            string                 `help:"The shop's own number of the sale, at most 64 characters; it is printed."`
	IdempotencyKey payterm.IdempotencyKey `help:"The same key gives the same order again; a different sale with the same key is refused."`
	Despite        payterm.OrderID        `help:"Make the sale although this order is in doubt."`
	Currency       string                 `help:"Currency of the amount; when left out, the terminal's."`
}

// currency is the named one, or the terminal's.
func (s store) currency(named string) (payterm.Currency, error) {
	if c := payterm.Currency(named); named != "" {
		if !c.Known() {
			return "", usage("--currency %q: an ISO 4217 code such as CAD is needed", named)
		}
		return c, nil
	}
	status, err := s.agent().Status(context.Background())
	switch {
	case err != nil:
		return "", err
	case status.Running != nil:
		return status.Currency, nil
	case status.State == api.StateProvisioning:
		return "", api.ErrProvisioning
	}
	return "", api.ErrUnprovisioned
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
	req := api.SaleRequest{
		Mode: payterm.Mode(c.Mode), Wallet: c.Wallet, AmountMinor: amount.Minor, TipMinor: tip.Minor,
		Ref: c.Ref, IdempotencyKey: c.IdempotencyKey, Despite: c.Despite, Currency: currency,
	}
	return c.follow(c.asked(amount, tip), func(ctx context.Context, taken func(payterm.OrderID)) (payterm.Order,
		error) {
		return c.agent().Sale(ctx, req, taken)
	})
}

// checkRef refuses a wrong reference. With a key the agent is asked first, since it may know the
// order.
func (store) checkRef(ref string, key payterm.IdempotencyKey) error {
	if key != "" {
		return nil
	}
	return api.CheckRef(ref)
}

// asked is the sale as far as the flags say.
func (c saleCmd) asked(amount, tip payterm.Amount) payterm.Order {
	return payterm.Order{
		Kind: payterm.KindSale, Mode: payterm.Mode(c.Mode), Wallet: c.Wallet, Ref: c.Ref,
		AmountMinor: amount.Minor, TipMinor: tip.Minor, Currency: amount.Currency,
	}
}

type refundCmd struct {
	store
	Order          payterm.OrderID        `arg:"" help:"Order id of the sale."`
	Amount         *string                `help:"The amount to refund, such as 5.00; when left out, all that is left of the sale."`
	Ref            string                 `help:"The shop's own number of the refund, at most 64 characters; it is printed."`
	IdempotencyKey payterm.IdempotencyKey `help:"The same key gives the same refund again; another sale or amount with the same key is refused."`
	Currency       string                 `help:"Currency of the amount; when left out, the sale's."`
}

// currency is the named one, or the sale's, or if that is not known here the terminal's, which
// sells in no other.
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
	req := api.RefundRequest{
		Sale: c.Order, Ref: c.Ref, IdempotencyKey: c.IdempotencyKey, Currency: payterm.Currency(c.Currency),
	}
	asked := payterm.Order{Kind: payterm.KindRefund, SaleID: c.Order, Ref: c.Ref, Currency: currency}
	if c.Amount != nil {
		var amount payterm.Amount
		amount, err = payterm.ParseAmount(*c.Amount, currency)
		req.AmountMinor, asked.AmountMinor = &amount.Minor, amount.Minor
	}
	if err != nil {
		return usage("refund: %w", err)
	}
	return c.follow(asked, func(ctx context.Context, taken func(payterm.OrderID)) (payterm.Order, error) {
		return c.agent().Refund(ctx, req, taken)
	})
}

// follow makes a sale or refund and waits for its end. An interrupt ends the waiting only: the
// order is not cancelled.
func (c store) follow(asked payterm.Order,
	ask func(ctx context.Context, taken func(payterm.OrderID)) (payterm.Order, error)) error {
	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := ask(interrupted, func(id payterm.OrderID) {
		asked.ID = id
		fmt.Fprintln(os.Stderr, "order", id)
	})
	var refused *api.Error
	switch {
	case err == nil:
		if o.Outcome == payterm.InDoubt {
			fmt.Fprintln(os.Stderr, "payterm: how it ended is not known, and the terminal keeps asking: payterm status",
				o.ID)
		}
		return c.end(o)
	case errors.As(err, &refused):
		switch refused.Code {
		case api.Malformed, api.Invalid, api.KeyReused:
			return usage("%s: %w", asked.Kind, err)
		}
		return err
	case api.NotRunning(err):
		return err
	case interrupted.Err() != nil:
		fmt.Fprintln(os.Stderr, "payterm: no longer waiting; the order goes on at the terminal: payterm status",
			asked.ID)
	default: // the terminal may have it
		fmt.Fprintln(os.Stderr, "payterm: the agent went away; the order goes on by itself: payterm status", asked.ID)
	}
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
		fmt.Fprintf(os.Stderr,
			"payterm: the same amount may have been paid as order %[1]s, or was meanwhile: payterm status %[1]s. Where it was not, and only then: --despite %[1]s\n", o.Despite)
	}
	if o.Outcome == payterm.NotSent && o.Reason == payterm.ReasonNoPrinter {
		fmt.Fprintln(os.Stderr, "payterm: the display cannot show a QR code, and no printer can print it now. "+
			"Put paper in, close the cover or check the cable (payterm doctor), or sell with --mode passive")
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

type cancelCmd struct {
	store
	Order payterm.OrderID `arg:"" optional:"" help:"Only this order; when left out, whatever is at the counter."`
}

func (c cancelCmd) Run() error {
	if c.Order != "" && !c.Order.Valid() {
		return usage("cancel: order id %q: 1 to 20 of A-Z and 0-9", c.Order)
	}
	o, err := c.agent().Cancel(context.Background(), c.Order)
	var refused *api.Error
	var away *api.ConnectionError
	switch {
	case errors.As(err, &refused) && refused.Code == api.NothingThere:
		return exitStatus(fail(err, int(exits[payterm.NotSent]), c.JSON))
	case errors.As(err, &away) && away.Sent:
		return exitStatus(fail(fmt.Errorf("it is not known what became of it: %w", err), int(exits[payterm.InDoubt]), c.JSON))
	case err != nil:
		return err
	}
	if err := c.print(o, func() { fmt.Println(cancelled(o)) }); err != nil {
		return err
	}
	switch o.Outcome {
	case payterm.Cancelled, payterm.NotSent:
		return nil
	case payterm.Declined:
		return exits[payterm.Declined]
	case payterm.Approved, payterm.InDoubt, payterm.Open:
	}
	return exits[payterm.InDoubt]
}

// cancelled tells how an order stands after CANCEL.
func cancelled(o payterm.Order) string {
	if o.ID == "" {
		return "cancelled before an order began"
	}
	said := string(o.ID) + " "
	switch o.Outcome {
	case payterm.Cancelled, payterm.NotSent:
		return said + "has ended, nothing was paid"
	case payterm.Declined:
		return said + "was declined"
	case payterm.Approved:
		if o.Kind == payterm.KindRefund {
			return said + "has been given back"
		}
		return said + "is paid: payterm refund " + said + "gives it back"
	case payterm.InDoubt:
		return said + "may be paid, or was: do not charge again; payterm status " + said + "asks the gateway"
	case payterm.Open:
	}
	return said + "was sent and may be paid: it goes on; payterm status " + said + "tells more"
}

type statusCmd struct {
	store
	Order string `arg:"" optional:"" help:"One order, by its id or the till's reference; if it is open, the gateway is asked."`
}

func (c statusCmd) Run() error {
	if c.Order != "" {
		return c.order()
	}
	s, err := c.agent().Status(context.Background())
	if err != nil {
		return err
	}
	return c.print(s, func() {
		line := func(key string, value any) {
			if value != "" {
				fmt.Printf("%-14s %v\n", key, value)
			}
		}
		line("state", s.State)
		if s.Setup != nil {
			line("device", s.Device)
			line("board", s.Board)
		}
		line("waits", s.Waits)
		if s.Running == nil {
			return
		}
		line("merchant_id", s.MerchantID)
		line("currency", string(s.Currency))
		line("operator", s.Operator)
		line("order_id", string(s.OrderID))
		line("network", networkLine(*s.Running))
		line("queue", s.Queue)
		line("doubts", s.Doubts)
		line("late_payments", s.LatePayments)
		line("alarms", s.Alarms)
		line("paper", paperLine(s.Paper))
		if s.Unprinted > 0 {
			line("unprinted", s.Unprinted)
		}
		line("fault", s.Fault)
	})
}

// paperLine describes the printer's condition. Its word in JSON says unplugged of any printer that does not print.
func paperLine(c payterm.PaperCondition) string {
	switch c {
	case payterm.PaperNearEnd:
		return "nearly out"
	case payterm.PaperCoverOpen:
		return "cover open"
	case payterm.PaperUnreachable:
		return "the printer does not answer"
	case payterm.PaperUnknown, payterm.PaperOK, payterm.PaperOut:
	}
	return string(c)
}

// networkLine describes the network's state and its age.
func networkLine(s api.Running) string {
	line := string(s.Network)
	if s.NetworkAgeMS != nil {
		age := time.Duration(*s.NetworkAgeMS) * time.Millisecond
		line += fmt.Sprintf(", %s ago", age.Truncate(time.Second))
	}
	return line + ", link " + string(s.Link)
}

// ofRef returns the only order with a till's reference, or "" if there is none.
func (c statusCmd) ofRef() (payterm.OrderID, error) {
	var found []payterm.Order
	err := c.read(func(r *storage.Reader) (err error) {
		found, err = r.Select(storage.Query{Ref: c.Order})
		return err
	})
	if err != nil || len(found) == 0 {
		return "", nil // the agent has answered that there is no such order
	}
	if len(found) == 1 {
		return found[0].ID, nil
	}
	var ids []string
	for _, o := range found {
		ids = append(ids, string(o.ID))
	}
	return "", usage("%d orders have the reference %q: name one of %s", len(found), c.Order, strings.Join(ids, ", "))
}

func (c statusCmd) order() error {
	o, err := c.agent().Order(context.Background(), payterm.OrderID(c.Order))
	var refused *api.Error
	if errors.As(err, &refused) && refused.Code == api.Unknown { // not an id, but perhaps a reference
		id, wrong := c.ofRef()
		if wrong != nil {
			return wrong
		}
		if id != "" {
			o, err = c.agent().Order(context.Background(), id)
		}
	}
	if err != nil {
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
	Order  payterm.OrderID `arg:"" help:"Id of an order in doubt, or of a late payment."`
	Reason string          `required:"" help:"Why the order can be settled."`
}

func (c resolveCmd) Run() error {
	o, err := c.agent().Resolve(context.Background(), c.Order, c.Reason)
	if err != nil {
		return err
	}
	return c.print(o, func() { fmt.Printf("%s is off the list: %s\n", o.ID, o.Resolution) })
}
