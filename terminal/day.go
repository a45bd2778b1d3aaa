package terminal

import (
	"cmp"
	"context"
	"errors"

	"payterm"
	"payterm/flows/runner"
	"payterm/terminal/api"
)

// takeTotals prints an X, or takes and prints a Z for somebody. Once a Z is taken nothing
// keeps it from its caller.
func (a *Agent) takeTotals(z bool, by payterm.TakenBy) (t payterm.Totals, err error) {
	if z {
		if t, err = a.store.TakeZ(by); err != nil {
			return t, err
		}
		a.printZ(t, false) //nolint:errcheck // it was told, and the slip comes later
		a.remind()
		return t, nil
	}
	if t, err = a.store.Totals(0); err != nil {
		return t, err
	}
	_, t.To = a.clock.Now()
	if err := a.devices.Print(a.totalsSlip(t, false, false)); err != nil {
		a.o.Log.Warn("totals not printed", "err", err)
	}
	return t, nil
}

// printZ queues the slip of a Z. One that finds no room comes later (printOwedZs).
func (a *Agent) printZ(t payterm.Totals, again bool) error {
	slip := a.totalsSlip(t, true, again)
	slip.Name = zSlip(t.Number)
	a.mu.Lock()
	a.queuedZs[t.Number] = true
	a.mu.Unlock()
	err := a.devices.Print(slip)
	if err != nil {
		a.endedZ(slip, err)
	}
	return err
}

// endedZ notes what became of a slip, if it is a Z's.
func (a *Agent) endedZ(slip payterm.Receipt, err error) {
	number, is := zSlipOf(slip)
	if !is {
		return
	}
	a.mu.Lock()
	delete(a.queuedZs, number)
	a.mu.Unlock()
	if err == nil {
		err = a.store.ZPrinted(number)
	}
	if err != nil {
		a.o.Log.Warn("Z not printed; it comes again as a copy", "number", number, "err", err)
	}
}

// printOwedZs queues the slips of Zs of which nobody knows whether they came: the power
// went first, or the printer's queue was full. They say COPY, since they may have.
func (a *Agent) printOwedZs() {
	if a.o.Board.Printer == nil {
		return
	}
	owed, err := a.store.UnprintedZs()
	if err != nil {
		a.o.Log.Warn("look for Zs without a slip", "err", err)
	}
	for _, number := range owed {
		a.mu.Lock()
		queued := a.queuedZs[number]
		a.mu.Unlock()
		if queued {
			continue
		}
		t, err := a.store.Totals(number)
		if err == nil {
			a.o.Log.Warn("it is not known whether this Z was printed: it is printed again", "number", number)
			err = a.printZ(t, true)
		}
		if err != nil {
			return // there is a next time
		}
	}
}

// allowZ asks whether a Z may be taken, and in whose names.
func (a *Agent) allowZ(ctx context.Context, r api.ZRequest) (payterm.TakenBy, error) {
	named := a.o.Config.NamedSupervisors()
	switch {
	case r.Operator != "" && !a.o.Config.HasSupervisor():
		return payterm.TakenBy{}, api.Errorf(api.Invalid, "operator: no supervisor is set up here: leave it out")
	case r.Operator != "" && named == (r.Operator == payterm.SharedSupervisor):
		return payterm.TakenBy{}, api.Errorf(api.Invalid,
			"operator %q: the number of a supervisor, or %q where the PIN has no name", r.Operator, payterm.SharedSupervisor)
	}
	if !named {
		r.Operator = ""
	}
	by, err := a.runner.AllowZ(ctx, r.Operator, r.PIN)
	return by, notNow(err, noZ)
}

// notNow puts the reason why the counter does not do something into words for the caller.
func notNow(err error, words map[payterm.Reason]string) error {
	var no runner.NotNowError
	if !errors.As(err, &no) {
		return coded(err)
	}
	code := api.NotNow
	switch no.Reason {
	case payterm.ReasonBusy:
		code = api.Busy
	case payterm.ReasonCashier, payterm.ReasonWrongPIN, payterm.ReasonLocked:
		code = api.NotAllowed
	case payterm.ReasonStorage:
		code = api.NotOpen
	}
	return api.Errorf(code, "%s", cmp.Or(words[no.Reason], err.Error()))
}

// noZ says what to do about the reasons for which no Z is taken.
var noZ = map[payterm.Reason]string{
	payterm.ReasonBusy:       "somebody is at the counter: try again when the terminal is idle",
	payterm.ReasonCashier:    "no supervisor typed the PIN at the counter",
	payterm.ReasonNoOperator: "nobody is signed on: sign on at the terminal first",
	payterm.ReasonWrongPIN:   "that is not the PIN of a supervisor of this number",
	payterm.ReasonLocked:     "too many wrong PINs of this supervisor: wait, the screen says how long",
	payterm.ReasonStorage:    "the journal cannot be written: payterm doctor says why",
}

// remind looks whether an earlier business day is not closed yet, and has the idle
// screen say so.
func (a *Agent) remind() {
	_, now := a.clock.Now()
	day, err := a.store.Unclosed(now)
	if err != nil {
		a.o.Log.Warn("look for a day that is open", "err", err)
		return
	}
	a.runner.Remind(day)
}
