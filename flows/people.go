package flows

import (
	"fmt"
	"time"

	"payterm"
)

// Who stands at the counter. Where operators are configured somebody has to sign on
// before anything is sold: a number, ENTER, a PIN, ENTER; F4 on the idle screen signs
// off, or the menu on boards that have no F4. What needs a supervisor asks for one in the same way, on the spot. Nobody
// is
// signed on after a start.
//
// The machine never compares a PIN, and does not count the wrong ones: CheckPIN asks,
// PINChecked answers, and whoever has to wait is told so by it.

// Operator is somebody with a PIN.
type Operator struct {
	Number     string // as it is typed; payterm.SharedSupervisor for the PIN without a name
	Name       string
	Supervisor bool
}

// maxNumberDigits is that of an operator's number.
const maxNumberDigits = 4

// nobody reports whether somebody would have to sign on first.
func (t Terminal) nobody() bool { return t.Settings.SignOn && t.Operator == (Operator{}) }

// unmanned refuses what the socket asks for while nobody is signed on.
func (t Terminal) unmanned(ticket uint64) []Command {
	if t.nobody() && t.Phase != OutOfOrder {
		return []Command{Refuse{Ticket: ticket, Reason: payterm.ReasonNoOperator}}
	}
	return t.taken(ticket)
}

// seller is the operator whose sale it is.
func (t Terminal) seller(asked string) string {
	switch {
	case t.Operator.Number != "":
		return t.Operator.Number
	case asked != "":
		return asked
	}
	return t.Settings.Operator
}

// signOff leaves the terminal to the next one. Orders in the background go on.
func (t Terminal) signOff() (Terminal, []Command) {
	did := Record{payterm.PersonRecord{Deed: payterm.DeedSignedOff, Operator: t.Operator.Number}}
	t.Operator = Operator{}
	return t.idle(), []Command{Play{payterm.SoundKey}, did}
}

// leave clears a result; a digit begins what comes next.
func (t Terminal) leave(in Stamped, k payterm.Key) (Terminal, []Command) {
	if t = t.idle(); t.Phase == SignedOff {
		return t.keyOperator(in, k)
	}
	return t.keyAmount(in, k)
}

// askPIN asks a supervisor: for the PIN that has no name, or where supervisors have
// names for a number first, unless one of them is signed on already. His own PIN is
// asked for all the same: he may have gone for a coffee.
func (t Terminal) askPIN(in Stamped) Terminal {
	t.Phase, t.Until, t.PIN, t.Claim = EnteringPIN, in.Mono+amountTimeout, "", ""
	switch {
	case !t.Settings.SupervisorsNamed:
	case t.Operator.Supervisor:
		t.Claim = t.Operator.Number
	default:
		t.Phase = NamingSupervisor
	}
	return t
}

// keyOperator types an operator's number.
func (t Terminal) keyOperator(in Stamped, k payterm.Key) (Terminal, []Command) {
	sounds := []Command{Play{payterm.SoundKey}}
	switch {
	case k == payterm.KeyCancel && t.Menu.Task != NoTask && t.Ticket == 0:
		return t.beforePIN(in), sounds
	case k == payterm.KeyCancel:
		return t.giveUp(sounds)
	case k == payterm.KeyClear:
		t.Claim = t.Claim[:max(0, len(t.Claim)-1)]
	case k == payterm.KeyEnter && t.Claim != "" && t.Phase == SignedOff:
		t.Phase = SigningOn
	case k == payterm.KeyEnter && t.Claim != "":
		t.Phase = EnteringPIN
	case k.Digits() != "":
		longer := t.Claim + k.Digits()
		if longer[0] == '0' || len(longer) > maxNumberDigits {
			return t, []Command{Play{payterm.SoundDeclined}}
		}
		t.Claim = longer
	default:
		return t, nil
	}
	t.Until = in.Mono + amountTimeout
	return t, sounds
}

// purpose says what the PIN is for that is being asked, and about which order.
func (t Terminal) purpose() (payterm.Purpose, payterm.OrderID) {
	switch {
	case t.Phase == SignedOff || t.Phase == SigningOn:
		return payterm.ForSignOn, ""
	case t.Refund.SaleID != "":
		return payterm.ForRefund, t.Refund.SaleID
	case t.Word.Order != "":
		return payterm.ForResolve, t.Word.Order
	case t.Menu.Task == TaskZ:
		return payterm.ForZ, ""
	case t.Menu.Task == TaskTraining:
		return payterm.ForTraining, ""
	}
	return payterm.ForOverride, t.Conflict
}

// ZAsked wants to take a Z, over the socket. Who has typed a supervisor's number and
// PIN over there need not do so here; Number is empty for the PIN that has no name.
type ZAsked struct {
	Ticket uint64
	Number string
	PIN    PIN
}

// AllowZ (again) lets whoever asked over the socket take the Z, in these names.
type AllowZ struct {
	Ticket uint64
	By     payterm.TakenBy
}

func (ZAsked) event()   {}
func (AllowZ) command() {}

// zAsked asks for the PIN that guards a Z at the keys, unless it came along. Where none
// is configured whoever is signed on may take one, as at the keys, and an order at the
// counter does not keep a program from it: what is open goes into the next one.
func (t Terminal) zAsked(in Stamped, ev ZAsked) (Terminal, []Command) {
	if !t.Settings.PINSet {
		switch {
		case t.nobody():
			return t, t.unmanned(ev.Ticket)
		case t.Phase == OutOfOrder || t.Phase == InService || t.Phase == Switching:
			return t, t.taken(ev.Ticket)
		}
		return t, []Command{AllowZ{ev.Ticket, t.takesZ(ev.Ticket, Operator{})}}
	}
	if refusal := t.taken(ev.Ticket); refusal != nil {
		return t, refusal
	}
	t = t.idle()
	t.Ticket, t.Menu.Task = ev.Ticket, TaskZ
	switch {
	case ev.PIN == "":
		return t.askPIN(in), []Command{Play{payterm.SoundDoubt}}
	case t.PINAsked: // one that was typed here is still being compared
		return t.idle(), []Command{Refuse{Ticket: ev.Ticket, Reason: payterm.ReasonBusy}}
	case t.Settings.SupervisorsNamed != (ev.Number != ""):
		return t.idle(), []Command{Refuse{Ticket: ev.Ticket, Reason: payterm.ReasonWrongPIN}}
	}
	t.Phase, t.Until, t.Claim, t.PINAsked, t.PINCame = EnteringPIN, in.Mono+amountTimeout, ev.Number, true, true
	return t, []Command{CheckPIN{Number: ev.Number, PIN: ev.PIN, For: payterm.ForZ}}
}

// takesZ says who takes a Z.
func (t Terminal) takesZ(ticket uint64, by Operator) payterm.TakenBy {
	taken := payterm.TakenBy{Operator: t.Operator.Number, AllowedBy: by.Number}
	if ticket != 0 && taken.Operator == "" {
		taken.Operator = payterm.TakenLocally
	}
	return taken
}

// AwaitsPIN reports whether the next PINChecked counts: whoever typed the PIN has not
// left the prompt.
func (t Terminal) AwaitsPIN() bool {
	return (t.Phase == EnteringPIN || t.Phase == SigningOn) && t.PINAsked && !t.PINStale
}

func (t Terminal) pinChecked(in Stamped, ev PINChecked) (Terminal, []Command) {
	counts := t.AwaitsPIN()
	t.PINAsked, t.PINStale = false, false
	switch {
	case !counts:
		return t, nil
	case ev.OK && t.Phase == SigningOn:
		t.Operator = ev.Operator
		return t.idle(), []Command{Play{payterm.SoundKey}}
	case ev.OK:
		return t.override(in, ev.Operator)
	case ev.Wait > 0:
		return t.refused(in, payterm.ReasonLocked, ev.Wait)
	}
	sounds := []Command{Play{payterm.SoundDeclined}}
	if t.PINCame { // nobody here has typed it, or could again
		refusal := Refuse{Ticket: t.Ticket, Reason: payterm.ReasonWrongPIN}
		return t.idle(), append(sounds, refusal)
	}
	if t.Phase == SigningOn {
		t = t.idle()
		t.PINTries, t.Until = 1, in.Mono+amountTimeout
		return t, sounds
	}
	t.PINTries++
	if t.PINTries >= maxPINTries {
		return t.giveUp(sounds)
	}
	return t.askPIN(in), sounds // the number may be what was wrong
}

// refused says on the screen, and to whoever asked over the socket, why nothing
// begins.
func (t Terminal) refused(in Stamped, why payterm.Reason, wait time.Duration) (Terminal, []Command) {
	var cmds []Command
	if t.Ticket != 0 {
		cmds = append(cmds, Refuse{Ticket: t.Ticket, Reason: why})
	}
	want := t.Want
	t = t.idle()
	t.Phase, t.Want, t.Refusal, t.Wait, t.Until = Refused, want, why, wait, in.Mono+amountTimeout
	return t, append(cmds, Play{payterm.SoundDeclined})
}

// overDay reports whether the sale that is wanted goes beyond what may be sold in a
// day.
func (t Terminal) overDay(sold int64) bool {
	most := t.Settings.DayMaxMinor
	return most > 0 && sold+t.Want.total().Minor > most
}

// peopleImpossible is Impossible for what this file is about.
func (t Terminal) peopleImpossible() error {
	switch t.Phase {
	case Idle, EnteringAmount, ChoosingWallet, Checking, Warned:
		if t.nobody() {
			return fmt.Errorf("terminal in %s and nobody is signed on", t.Phase)
		}
	case SignedOff:
		if !t.nobody() {
			return fmt.Errorf("terminal waits for somebody to sign on, and operator %q is there", t.Operator.Number)
		}
	case SigningOn:
		if t.Claim == "" {
			return fmt.Errorf("terminal asks nobody for a PIN")
		}
	case EnteringPIN:
		if t.Settings.SupervisorsNamed != (t.Claim != "") {
			return fmt.Errorf("terminal asks %q for a supervisor's PIN", t.Claim)
		}
	case Refused:
		if t.Refusal == payterm.ReasonNone {
			return fmt.Errorf("terminal refuses for no reason")
		}
	default:
		if t.Phase.inMenu() && t.nobody() {
			return fmt.Errorf("terminal in %s and nobody is signed on", t.Phase)
		}
	}
	return nil
}

// The waits after wrong PINs of one operator in a row.
const (
	freePINs  = 3
	firstWait = time.Minute
	lastWait  = time.Hour
)

// PINWait is how long an operator waits after so many wrong PINs in a row.
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
