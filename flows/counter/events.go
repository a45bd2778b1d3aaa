// Package counter decides what happens at the counter: keys, menus, people, tips,
// training, service, and what the screen shows. It begins orders, hands keys and scans to
// the one that is being served, and shows it; what an order does about it is
// flows/order's.
//
// Like an order, the Counter is a pure machine: a state and a stamped event go into Step,
// the next state and commands come out. It is not journalled: a new life of the process
// begins idle. None of its commands moves money: BeginSale and BeginRefund begin an order,
// whose first event is committed before anything else happens.
//
// The words on the screens are package screen's, the loop is flows/runner's.
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

// Event is what has happened. The set is closed, and none of it is journalled.
type Event interface{ event() }

// Events of the counter.
type (
	// Scanned is a frame from the scanner.
	Scanned order.CodeScanned

	// Woke is a deadline of the counter that has passed.
	Woke struct{}

	// KeyPressed is one key.
	KeyPressed struct{ Key payterm.Key }

	// SaleAsked is a sale asked for over the local socket. Ticket finds the
	// caller again.
	SaleAsked struct {
		Ticket uint64
		Sale   order.SaleBegan // ID and Rules are filled in when it begins
	}

	// RefundAsked is a refund asked for over the local socket. The id, the sale's
	// terms and the rules are filled in when it begins.
	RefundAsked struct {
		Ticket uint64
		Refund order.RefundBegan
	}

	// ResolveAsked is a supervisor's word that came over the local socket.
	ResolveAsked struct {
		Ticket uint64
		Word   Resolve
	}

	// RefundRefused says that the refund at the counter did not begin; or a sale, where a
	// first state that cannot be kept it from that.
	RefundRefused struct{ Reason payterm.Reason }

	// ConflictChecked answers CheckConflict: the order that stands in the way of
	// another sale of the same amount, if any, and what was sold in this business
	// day so far, in minor units, where there is a limit to it.
	ConflictChecked struct {
		Order     payterm.OrderID
		Doubt     bool // a payment in doubt, not merely a code on show
		Paid      bool // Order was paid meanwhile, and whoever said to go on despite it does not know that
		SoldMinor int64
	}

	// PINChecked answers CheckPIN. Wait is how long no further PIN of this operator
	// is compared, 0 for none.
	PINChecked struct {
		OK       bool
		Operator Operator // whose PIN it is, when it is right
		Wait     time.Duration
	}

	// OrderMoved says that an order has a new, committed state. Found says that it was not
	// called paid before, and somebody may be warned of it, or of another one of its total.
	OrderMoved struct {
		Order order.Order
		Found bool
	}

	// StatusChanged carries what the idle screen tells of the rest.
	StatusChanged struct{ Status Status }

	// StoreFailed says that the journal cannot be written: nothing may be sold.
	StoreFailed struct{ Why string }

	// StoreRecovered says that it can be written again and owes nothing.
	StoreRecovered struct{}
)

func (Scanned) event()         {}
func (Woke) event()            {}
func (KeyPressed) event()      {}
func (SaleAsked) event()       {}
func (RefundAsked) event()     {}
func (ResolveAsked) event()    {}
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

	// Arm (again) has the scanner look for a code, or no longer.
	Arm struct{ On bool }

	// Show (again) draws a view.
	Show struct{ View View }

	// BeginSale (lasting) takes the next order id and starts the order.
	BeginSale struct {
		Ticket uint64
		Sale   order.SaleBegan
	}

	// BeginRefund (lasting) takes the next order id and starts the refund.
	BeginRefund struct {
		Ticket uint64
		Refund order.RefundBegan
	}

	// Resolve (again) puts a supervisor's word to an order, which may be closed and
	// on a list, and answers the caller.
	Resolve struct {
		Ticket   uint64
		Order    payterm.OrderID
		Operator string
		Reason   string
	}

	// Reprint (once) asks an ended order for its slips.
	Reprint struct{ Order payterm.OrderID }

	// CheckConflict (again) looks for an order of this total that forbids a
	// second one to begin silently, and sums up the day.
	CheckConflict struct {
		Total   payterm.Amount
		Despite payterm.OrderID
	}

	// CheckPIN (again) compares a PIN with its slow hash: that of an operator, or of
	// the supervisor without a name where the number is empty. For anything but
	// signing on it has to be a supervisor's.
	CheckPIN struct {
		Number string
		PIN    PIN
		For    payterm.Purpose
		Order  payterm.OrderID // that it is about
	}

	// Record (lasting) writes down what a person did.
	Record struct{ Did payterm.PersonRecord }

	// Tell (again) hands an event on to the order at the counter.
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
func (CheckConflict) command() {}
func (CheckPIN) command()      {}
func (Record) command()        {}
func (Tell) command()          {}
func (Refuse) command()        {}

// PIN is a person's PIN while it is being typed. It shows its length only.
type PIN string

// String hides the digits.
func (p PIN) String() string { return "****"[:min(4, len(p))] }

// GoString hides them from %#v.
func (p PIN) GoString() string { return p.String() }

// Status is what the terminal knows of the world beside the sale.
type Status struct {
	Network Network                `json:"network"`
	Queue   int                    `json:"queue"` // orders that are still being asked about
	Doubts  int                    `json:"doubts"`
	Late    int                    `json:"late_payments"`
	Alarms  int                    `json:"alarms"`
	Paper   payterm.PaperCondition `json:"paper"`
	// Unprinted are slips that did not come out, and have not come since; the last one
	// was of UnprintedOrder.
	Unprinted      int             `json:"unprinted,omitempty"`
	UnprintedOrder payterm.OrderID `json:"unprinted_order,omitempty"`
	// Unclosed is an earlier business day whose Z was not taken, as 2006-01-02.
	Unclosed string `json:"unclosed_day,omitempty"`
	Rate     Rate   `json:"-"` // the last one known, while it is worth showing
}

// Network says how the last request to the gateway went.
type Network string

// The states of the network.
const (
	NetworkUnknown Network = "unknown"
	NetworkUp      Network = "up"
	NetworkDown    Network = "down"
)
