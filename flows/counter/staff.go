package counter

import (
	"payterm"
	"payterm/flows/order"
)

// A supervisor adds operators at the keypad, and gives those that there are another PIN: a number,
// then the new PIN twice. Supervisors are made by the configuration alone, and only they themselves
// change their PINs. A supervisor comes here from the menu, or by F2 while nobody is signed on,
// since everybody may have forgotten their PIN. The package that reads the configuration says what
// holds where that names the same number.
//
//	EnteringPIN        the supervisor's, as for a Z
//	EnteringNumber     whose PIN it is going to be
//	EnteringNewPIN     twice
//	ShowingOperator    it is kept

// minPINDigits is the shortest PIN.
const minPINDigits = 4

// Events of this file.
type (
	// PersonFound answers a Look for an operator's number. Refused: it is another supervisor's.
	PersonFound struct {
		Query   Query
		Name    string
		Known   bool
		Refused bool
	}

	// PINKept answers KeepPIN.
	PINKept struct {
		Query Query
		OK    bool
	}
)

func (PersonFound) event() {}
func (PINKept) event()     {}

// KeepPIN (lasting) writes to the journal who gives an operator this PIN, and then keeps its hash.
// Query comes back with the answer.
type KeepPIN struct {
	Query Query
	PIN   PIN
	Added bool // nobody had the number
}

func (KeepPIN) command() {}

// staffed reports whether operators can be changed here.
func (c Counter) staffed() bool { return c.Settings.Staff && c.Settings.PINSet && !c.Settings.Training }

// openStaff asks for the supervisor while nobody is signed on.
func (c Counter) openStaff(in Stamped) Counter {
	c = c.idle()
	c.Menu.Task = TaskStaff
	return c.askPIN(in)
}

// enterNumber asks whose PIN the supervisor wants to set.
func (c Counter) enterNumber(in Stamped, by string) (Counter, []Command) {
	c.Claim, c.Menu = "", Menu{Task: TaskStaff, By: by}
	return c.menuAt(in, EnteringNumber), []Command{Play{payterm.SoundKey}}
}

// keyStaffNumber types the number.
func (c Counter) keyStaffNumber(in Stamped, k payterm.Key) (Counter, []Command) {
	switch {
	case k == payterm.KeyClear && c.Menu.Number != "":
		c.Menu.Number = c.Menu.Number[:len(c.Menu.Number)-1]
	case k.Digits() != "":
		longer := c.Menu.Number + k.Digits()
		if longer[0] == '0' || len(longer) > maxNumberDigits {
			return c, []Command{Play{payterm.SoundDeclined}}
		}
		c.Menu.Number = longer
	case k == payterm.KeyEnter && c.Menu.Number != "":
		return c.look(in, Query{What: LookPerson, Text: c.Menu.Number, By: payterm.TakenBy{AllowedBy: c.Menu.By}})
	default:
		return c, nil
	}
	c.Menu.Hint = order.HintNone
	return c, []Command{Play{payterm.SoundKey}}
}

// personFound asks for the new PIN.
func (c Counter) personFound(in Stamped, ev PersonFound) (Counter, []Command) {
	if c.Phase != Looking || c.Menu.Query != ev.Query {
		return c, nil // the question was left
	}
	if ev.Refused {
		return c.menuAt(in, EnteringNumber).refuse(HintSupervisors)
	}
	c.Menu.Name, c.Menu.Known = ev.Name, ev.Known
	return c.menuAt(in, EnteringNewPIN), []Command{Play{payterm.SoundKey}}
}

// keyNewPIN types the new PIN twice.
func (c Counter) keyNewPIN(in Stamped, k payterm.Key) (Counter, []Command) {
	switch {
	case k == payterm.KeyClear:
		c.PIN = ""
	case k.Digits() != "" && len(c.PIN)+len(k.Digits()) <= maxPINDigits:
		c.PIN += PIN(k.Digits())
	case k == payterm.KeyEnter && len(c.PIN) < minPINDigits:
		c.PIN = ""
		return c.refuse(HintShortPIN)
	case k == payterm.KeyEnter && c.NewPIN == "":
		c.NewPIN, c.PIN = c.PIN, ""
	case k == payterm.KeyEnter && c.NewPIN != c.PIN:
		c.NewPIN, c.PIN = "", ""
		return c.refuse(HintNotAlike)
	case k == payterm.KeyEnter:
		pin := c.PIN
		c.NewPIN, c.PIN = "", ""
		c = c.menuAt(in, Looking)
		c.Menu.Query = Query{What: LookPIN, Text: c.Menu.Number, By: payterm.TakenBy{Operator: c.Operator.Number,
			AllowedBy: c.Menu.By}}
		return c, []Command{KeepPIN{Query: c.Menu.Query, PIN: pin, Added: !c.Menu.Known}}
	default:
		return c, nil
	}
	c.Menu.Hint = order.HintNone
	return c, []Command{Play{payterm.SoundKey}}
}

// pinKept shows that the operator has the PIN. With the first operator one has to sign on from
// now on.
func (c Counter) pinKept(in Stamped, ev PINKept) (Counter, []Command) {
	if c.Phase != Looking || c.Menu.Query != ev.Query { // nobody waits for it any more
		if c.Phase == Idle && ev.OK {
			c.Settings.SignOn = true
			return c.idle(), nil
		}
		return c, nil // for its first operator the terminal asks from the next start on
	}
	switch {
	case !ev.OK && c.mustSignOn(): // there is no menu to go back to
		return c.refused(in, payterm.ReasonStorage, 0)
	case !ev.OK:
		c.Menu = Menu{Reason: payterm.ReasonStorage}
		return c.menuAt(in, InMenu), []Command{Play{payterm.SoundDeclined}}
	}
	c.Settings.SignOn = true
	return c.menuAt(in, ShowingOperator), []Command{Play{payterm.SoundApproved}}
}

// staffBack handles CANCEL.
func (c Counter) staffBack(in Stamped) Counter {
	by := c.Menu.By
	c.PIN, c.NewPIN = "", ""
	switch {
	case c.Phase == Looking && c.Menu.Query.What == LookPIN, c.Phase == ShowingOperator:
		return c.idle() // it is kept, or is being kept
	case c.Phase == EnteringNewPIN, c.Phase == Looking:
		c, _ = c.enterNumber(in, by)
		return c
	case c.mustSignOn():
		return c.idle()
	}
	c.Menu = Menu{}
	return c.menuAt(in, InMenu)
}
