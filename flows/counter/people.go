package counter

import (
	"fmt"
	"time"

	"payterm"
)

// Operators and supervisors. Where operators are configured one has to sign on before
// anything is sold: a number, ENTER, a PIN, ENTER. F4 on the idle screen signs off, or the
// menu on boards without F4. What needs a supervisor asks for a number and PIN in the same
// way. Nobody is signed on after a start.
//
// This package neither compares PINs nor counts wrong ones: CheckPIN asks, PINChecked
// answers, with the time to wait if there were too many.

// Operator is somebody with a PIN.
type Operator struct {
	Number     string // as it is typed; payterm.SharedSupervisor for the PIN without a name
	Name       string
	Supervisor bool
}

// maxNumberDigits is the longest operator number.
const maxNumberDigits = 4

// mustSignOn reports whether an operator has to sign on first.
func (c Counter) mustSignOn() bool { return c.Settings.SignOn && c.Operator == (Operator{}) }

// refuseUnsigned refuses a request over the socket while nobody is signed on.
func (c Counter) refuseUnsigned(ticket uint64) []Command {
	if c.mustSignOn() && c.Phase != OutOfOrder {
		return []Command{Refuse{Ticket: ticket, Reason: payterm.ReasonNoOperator}}
	}
	return c.taken(ticket)
}

// seller is the operator of a sale.
func (c Counter) seller(asked string) string {
	switch {
	case c.Operator.Number != "":
		return c.Operator.Number
	case asked != "":
		return asked
	}
	return c.Settings.Operator
}

// signOff ends an operator's session. Orders in the background continue.
func (c Counter) signOff() (Counter, []Command) {
	did := Record{payterm.PersonRecord{Deed: payterm.DeedSignedOff, Operator: c.Operator.Number}}
	c.Operator = Operator{}
	return c.idle(), []Command{Play{payterm.SoundKey}, did}
}

// leave clears a result; a digit begins the next amount.
func (c Counter) leave(in Stamped, k payterm.Key) (Counter, []Command) {
	if c = c.idle(); c.Phase == SignedOff {
		return c.keyOperator(in, k)
	}
	return c.keyAmount(in, k)
}

// askPIN asks for a supervisor's PIN. Where supervisors have numbers it asks for the number
// first, unless a supervisor is signed on. The PIN is asked for even then: it proves that the
// supervisor is present.
func (c Counter) askPIN(in Stamped) Counter {
	c.Phase, c.Until, c.PIN, c.Claim = EnteringPIN, in.Mono+amountTimeout, "", ""
	switch {
	case !c.Settings.SupervisorsNamed:
	case c.Operator.Supervisor:
		c.Claim = c.Operator.Number
	default:
		c.Phase = NamingSupervisor
	}
	return c
}

// keyOperator types an operator's number.
func (c Counter) keyOperator(in Stamped, k payterm.Key) (Counter, []Command) {
	sounds := []Command{Play{payterm.SoundKey}}
	switch {
	case k == payterm.KeyCancel && c.Menu.Task != NoTask && c.Ticket == 0:
		return c.beforePIN(in), sounds
	case k == payterm.KeyCancel:
		return c.giveUp(sounds)
	case k == payterm.KeyF2 && c.Phase == SignedOff && c.staffed():
		return c.openStaff(in), sounds
	case k == payterm.KeyClear:
		c.Claim = c.Claim[:max(0, len(c.Claim)-1)]
	case k == payterm.KeyEnter && c.Claim != "" && c.Phase == SignedOff:
		c.Phase = SigningOn
	case k == payterm.KeyEnter && c.Claim != "":
		c.Phase = EnteringPIN
	case k.Digits() != "":
		longer := c.Claim + k.Digits()
		if longer[0] == '0' || len(longer) > maxNumberDigits {
			return c, []Command{Play{payterm.SoundDeclined}}
		}
		c.Claim = longer
	default:
		return c, nil
	}
	c.Until = in.Mono + amountTimeout
	return c, sounds
}

// purpose is what the PIN is asked for, and the order it is about.
func (c Counter) purpose() (payterm.Purpose, payterm.OrderID) {
	switch {
	case c.Phase == SignedOff || c.Phase == SigningOn:
		return payterm.ForSignOn, ""
	case c.Refund.SaleID != "":
		return payterm.ForRefund, c.Refund.SaleID
	case c.Word.Order != "":
		return payterm.ForResolve, c.Word.Order
	case c.Menu.Task == TaskZ:
		return payterm.ForZ, ""
	case c.Menu.Task == TaskTraining:
		return payterm.ForTraining, ""
	case c.Menu.Task == TaskStaff:
		return payterm.ForStaff, ""
	}
	return payterm.ForOverride, c.Conflict
}

// ZAsked asks for a Z over the socket. A supervisor's number and PIN may come with it; otherwise
// the PIN is typed here. Number is empty for the PIN that has no name.
type ZAsked struct {
	Ticket uint64
	Number string
	PIN    PIN
}

// AllowZ (again) lets the caller on the socket take the Z in these names.
type AllowZ struct {
	Ticket uint64
	By     payterm.TakenBy
}

func (ZAsked) event()   {}
func (AllowZ) command() {}

// zAsked asks for the PIN that guards a Z, unless it came along. Where no PIN is configured
// anybody signed on may take a Z. An order at the counter does not prevent it: it goes into the
// next Z.
func (c Counter) zAsked(in Stamped, ev ZAsked) (Counter, []Command) {
	if !c.Settings.PINSet {
		switch {
		case c.mustSignOn():
			return c, c.refuseUnsigned(ev.Ticket)
		case c.Phase == OutOfOrder || c.Phase == InService || c.Phase == Switching:
			return c, c.taken(ev.Ticket)
		}
		return c, []Command{AllowZ{ev.Ticket, c.takesZ(ev.Ticket, Operator{})}}
	}
	if refusal := c.taken(ev.Ticket); refusal != nil {
		return c, refusal
	}
	c = c.idle()
	c.Ticket, c.Menu.Task = ev.Ticket, TaskZ
	switch {
	case ev.PIN == "":
		return c.askPIN(in), []Command{Play{payterm.SoundDoubt}}
	case c.PINAsked: // a PIN typed here is still being compared
		return c.idle(), []Command{Refuse{Ticket: ev.Ticket, Reason: payterm.ReasonBusy}}
	case c.Settings.SupervisorsNamed != (ev.Number != ""):
		return c.idle(), []Command{Refuse{Ticket: ev.Ticket, Reason: payterm.ReasonWrongPIN}}
	}
	c.Phase, c.Until, c.Claim, c.PINAsked, c.PINFromSocket = EnteringPIN, in.Mono+amountTimeout, ev.Number, true, true
	return c, []Command{CheckPIN{Number: ev.Number, PIN: ev.PIN, For: payterm.ForZ}}
}

// takesZ is who takes a Z.
func (c Counter) takesZ(ticket uint64, by Operator) payterm.TakenBy {
	taken := payterm.TakenBy{Operator: c.Operator.Number, AllowedBy: by.Number}
	if ticket != 0 && taken.Operator == "" {
		taken.Operator = payterm.TakenLocally
	}
	return taken
}

// AwaitsPIN reports whether the next PINChecked counts: the prompt has not been left.
func (c Counter) AwaitsPIN() bool {
	return (c.Phase == EnteringPIN || c.Phase == SigningOn) && c.PINAsked && !c.PINStale
}

func (c Counter) pinChecked(in Stamped, ev PINChecked) (Counter, []Command) {
	counts := c.AwaitsPIN()
	c.PINAsked, c.PINStale = false, false
	switch {
	case !counts:
		return c, nil
	case ev.OK && c.Phase == SigningOn:
		c.Operator = ev.Operator
		return c.idle(), []Command{Play{payterm.SoundKey}}
	case ev.OK:
		return c.override(in, ev.Operator)
	case ev.Wait > 0:
		return c.refused(in, payterm.ReasonLocked, ev.Wait)
	}
	sounds := []Command{Play{payterm.SoundDeclined}}
	if c.PINFromSocket { // it came over the socket: there is no second try at the keypad
		refusal := Refuse{Ticket: c.Ticket, Reason: payterm.ReasonWrongPIN}
		return c.idle(), append(sounds, refusal)
	}
	if c.Phase == SigningOn {
		c = c.idle()
		c.PINTries, c.Until = 1, in.Mono+amountTimeout
		return c, sounds
	}
	c.PINTries++
	if c.PINTries >= maxPINTries {
		return c.giveUp(sounds)
	}
	return c.askPIN(in), sounds // the number may have been wrong
}

// refused shows why nothing begins, and tells a caller on the socket.
func (c Counter) refused(in Stamped, why payterm.Reason, wait time.Duration) (Counter, []Command) {
	var cmds []Command
	if c.Ticket != 0 {
		cmds = append(cmds, Refuse{Ticket: c.Ticket, Reason: why})
	}
	want := c.Want
	c = c.idle()
	c.Phase, c.Want, c.Refusal, c.Wait, c.Until = Refused, want, why, wait, in.Mono+amountTimeout
	return c, append(cmds, Play{payterm.SoundDeclined})
}

// overDay reports whether the sale would pass the day's limit.
func (c Counter) overDay(sold payterm.Amount) bool {
	most := c.Settings.DayMaxMinor
	return most > 0 && sold.Minor+c.Want.Total().Minor > most
}

// peopleImpossible is Impossible for the fields of this file.
func (c Counter) peopleImpossible() error {
	switch c.Phase {
	case Idle, EnteringAmount, ChoosingWallet, Checking, Warned:
		if c.mustSignOn() {
			return fmt.Errorf("counter in %s and nobody is signed on", c.Phase)
		}
	case SignedOff:
		if !c.mustSignOn() {
			return fmt.Errorf("counter waits for somebody to sign on, and operator %q is there", c.Operator.Number)
		}
	case SigningOn:
		if c.Claim == "" {
			return fmt.Errorf("counter asks nobody for a PIN")
		}
	case EnteringPIN:
		if c.Settings.SupervisorsNamed != (c.Claim != "") {
			return fmt.Errorf("counter asks %q for a supervisor's PIN", c.Claim)
		}
	case Refused:
		if c.Refusal == payterm.ReasonNone {
			return fmt.Errorf("counter refuses for no reason")
		}
	default:
		if c.Phase.inMenu() && c.Menu.Task != TaskStaff && c.mustSignOn() {
			return fmt.Errorf("counter in %s and nobody is signed on", c.Phase)
		}
	}
	return nil
}

// Waiting times after wrong PINs of one operator in a row.
const (
	freePINs  = 3
	firstWait = time.Minute
	lastWait  = time.Hour
)

// PINWait is how long an operator waits after this many wrong PINs in a row.
func PINWait(failures int) time.Duration {
	if failures < freePINs {
		return 0
	}
	wait := firstWait
	for ; failures > freePINs && wait < lastWait; failures-- {
		wait *= 2
	}
	return min(wait, lastWait)
}
