// Package counter decides what happens at the counter: keys, menus, operators, tips,
// training, service, and what the screen shows. It begins orders, passes keys and scans to
// the order at the counter, and shows it. What an order does is in flows/order.
//
// Like an order, the Counter is a state machine: Step is a pure function of a state and a
// stamped event. It is not journalled: it is idle after each start. No command of it moves
// money: BeginSale and BeginRefund begin an order, whose first event is committed before
// anything else happens.
//
// The words on the screens are in package screen, the loop is in flows/runner.
package counter

import (
	"time"

	"payterm"
	"payterm/flows/order"
)

// Stamped is an event with the time at which it reached the agent.
type Stamped struct {
	payterm.Stamp
	Event Event
}

// Event is what has happened. The set is closed, and no event is journalled.
type Event interface{ event() }

// Events of the counter.
type (
	// Scanned is one scan.
	Scanned order.CodeScanned

	// Woke: a deadline of the counter has passed.
	Woke struct{}

	// KeyPressed is one key.
	KeyPressed struct{ Key payterm.Key }

	// SaleAsked is a sale asked for over the local socket. Ticket identifies the caller.
	SaleAsked struct {
		Ticket uint64
		Sale   order.SaleBegan // ID and Rules are set when it begins
	}

	// RefundAsked is a refund asked for over the local socket. Its id, the sale's terms and the
	// rules are set when it begins.
	RefundAsked struct {
		Ticket uint64
		Refund order.RefundBegan
	}

	// ResolveAsked is a supervisor's decision that came over the local socket.
	ResolveAsked struct {
		Ticket uint64
		Word   Resolve
	}

	// CancelAsked is CANCEL over the local socket. Order is the only order that it may end; empty
	// for whatever is at the counter.
	CancelAsked struct{ Order payterm.OrderID }

	// RefundRefused: the refund at the counter did not begin, or a sale did not because its first
	// state was impossible.
	RefundRefused struct{ Reason payterm.Reason }

	// ConflictChecked answers CheckConflict: the order in the way of another sale of the same
	// amount, if any, and the sum of this business day's sales, if it has a limit.
	ConflictChecked struct {
		Order payterm.OrderID
		Doubt bool // a payment in doubt, not a code on show
		Paid  bool // Order has been paid meanwhile, and who decided to go on does not know it
		Sold  payterm.Amount
	}

	// PINChecked answers CheckPIN. Wait is how long no other PIN of this operator is compared, 0
	// for none.
	PINChecked struct {
		OK       bool
		Operator Operator // whose PIN it is, if it is right
		Wait     time.Duration
	}

	// OrderMoved: an order has a new, committed state. Found means that it is newly known to be
	// paid, and a warning about it or about its total may be on screen.
	OrderMoved struct {
		Order order.Order
		Found bool
	}

	// StatusChanged carries the terminal's state that the idle screen shows.
	StatusChanged struct{ Status Status }

	// StoreFailed: the journal cannot be written, so nothing may be sold.
	StoreFailed struct{ Why string }

	// StoreRecovered: the journal can be written again and nothing waits to be written.
	StoreRecovered struct{}
)

func (Scanned) event()         {}
func (Woke) event()            {}
func (KeyPressed) event()      {}
func (SaleAsked) event()       {}
func (RefundAsked) event()     {}
func (ResolveAsked) event()    {}
func (CancelAsked) event()     {}
func (RefundRefused) event()   {}
func (ConflictChecked) event() {}
func (PINChecked) event()      {}
func (OrderMoved) event()      {}
func (StatusChanged) event()   {}
func (StoreFailed) event()     {}
func (StoreRecovered) event()  {}

// Command is what is to be done. The set is closed.
//
//sumtype:decl
type Command interface{ command() }

type (
	// Play (again) sounds the buzzer.
	Play struct{ Sound payterm.Sound }

	// Arm (again) arms the scanner, or disarms it.
	Arm struct{ On bool }

	// Show (again) draws a view.
	Show struct{ View View }

	// BeginSale (lasting) takes the next order id and begins the order.
	BeginSale struct {
		Ticket uint64
		Sale   order.SaleBegan
	}

	// BeginRefund (lasting) takes the next order id and begins the refund.
	BeginRefund struct {
		Ticket uint64
		Refund order.RefundBegan
	}

	// Resolve (again) passes a supervisor's decision to an order, which may be closed and on a
	// list, and answers the caller.
	Resolve struct {
		Ticket   uint64
		Order    payterm.OrderID
		Operator string
		Reason   string
	}

	// Reprint (once) prints the slips of an ended order again.
	Reprint struct{ Order payterm.OrderID }

	// PrintCode (again) prints the code of the order at the counter once more, if the glass cannot
	// show it and its slip does not wait for the printer already.
	PrintCode struct{ Order payterm.OrderID }

	// CheckConflict (again) looks for an order that forbids a second one of this total without a
	// question, and sums up the day's sales.
	CheckConflict struct {
		Total   payterm.Amount
		Despite payterm.OrderID
	}

	// CheckPIN (again) compares a PIN with its slow hash: an operator's, or with an empty number
	// the supervisor's PIN that has no name. All but signing on needs a supervisor's.
	CheckPIN struct {
		Number string
		PIN    PIN
		For    payterm.Purpose
		Order  payterm.OrderID // the order that it is about
	}

	// Record (lasting) writes to the journal what a person did.
	Record struct{ Did payterm.PersonRecord }

	// Tell (again) passes an event to the order at the counter.
	Tell struct {
		Order payterm.OrderID
		Event order.Event
	}

	// Refuse (again) answers a SaleAsked that did not become an order.
	Refuse struct {
		Ticket uint64
		Reason payterm.Reason
		Order  payterm.OrderID // the one in the way
	}
)

func (Play) command()          {}
func (Arm) command()           {}
func (Show) command()          {}
func (BeginSale) command()     {}
func (BeginRefund) command()   {}
func (Resolve) command()       {}
func (Reprint) command()       {}
func (PrintCode) command()     {}
func (CheckConflict) command() {}
func (CheckPIN) command()      {}
func (Record) command()        {}
func (Tell) command()          {}
func (Refuse) command()        {}

// PIN is a PIN that is being typed. It prints as asterisks.
type PIN string

func (p PIN) String() string { return "****"[:min(4, len(p))] }

// GoString hides the digits from %#v.
func (p PIN) GoString() string { return p.String() }

// Status is the terminal's state besides the sale.
type Status struct {
	Network Network                `json:"network"`
	Queue   int                    `json:"queue"` // orders that the gateway is still asked about
	Doubts  int                    `json:"doubts"`
	Late    int                    `json:"late_payments"`
	Alarms  int                    `json:"alarms"`
	Paper   payterm.PaperCondition `json:"paper"`
	// Unprinted is the number of slips that failed and have not been printed since;
	// UnprintedOrder is the last one's order.
	Unprinted      int             `json:"unprinted,omitempty"`
	UnprintedOrder payterm.OrderID `json:"unprinted_order,omitempty"`
	// Unclosed is an earlier business day without a Z, as 2006-01-02.
	Unclosed string `json:"unclosed_day,omitempty"`
	Rate     Rate   `json:"-"` // the last known one, while it is recent enough to show
}

// Network is how the last request to the gateway ended.
type Network string

// The states of the network.
const (
	NetworkUnknown Network = "unknown"
	NetworkUp      Network = "up"
	NetworkDown    Network = "down"
)
