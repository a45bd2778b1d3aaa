package selling

import (
	"context"
	"time"

	"payterm"
	"payterm/terminal/api"
)

// Take prints an X, or takes and prints a Z. A Z that was taken is always returned.
func (s *Selling) Take(z bool, by payterm.TakenBy) (t payterm.Totals, err error) {
	if z {
		if t, err = s.o.Journal.TakeZ(by); err != nil {
			return t, err
		}
		s.printZ(t, false) //nolint:errcheck // it was reported, and the slip is printed later
		s.Remind()
		return t, nil
	}
	if t, err = s.o.Journal.Totals(0); err != nil {
		return t, err
	}
	if t.To = s.o.Clock(); !t.To.IsZero() {
		t.To = t.To.In(s.o.Config.Zone())
	}
	if err := s.o.Print(s.o.Slip(t, false, false)); err != nil {
		s.o.Log.Warn("totals not printed", "err", err)
	}
	return t, nil
}

// printZ queues the slip of a Z. If the queue is full it is printed later (PrintOwed).
func (s *Selling) printZ(t payterm.Totals, again bool) error {
	s.mu.Lock()
	s.queued[t.Number] = true
	s.mu.Unlock()
	ended := func(err error) { s.zEnded(t.Number, err) }
	err := s.o.PrintZ(s.o.Slip(t, true, again), ended)
	if err != nil {
		ended(err)
	}
	return err
}

// zEnded records the end of a Z's slip.
func (s *Selling) zEnded(number int64, err error) {
	s.mu.Lock()
	delete(s.queued, number)
	s.mu.Unlock()
	if err == nil {
		err = s.o.Journal.ZPrinted(number)
	}
	if err != nil {
		s.o.Log.Warn("Z not printed; it comes again as a copy", "number", number, "err", err)
	}
}

// PrintOwed queues the slips of Zs that may not have been printed, because of a power failure or
// a full queue. They are marked COPY, since they may have been.
func (s *Selling) PrintOwed() {
	if !s.o.Printer {
		return
	}
	owed, err := s.o.Journal.UnprintedZs()
	if err != nil {
		s.o.Log.Warn("look for Zs without a slip", "err", err)
	}
	for _, number := range owed {
		s.mu.Lock()
		queued := s.queued[number]
		s.mu.Unlock()
		if queued {
			continue
		}
		t, err := s.o.Journal.Totals(number)
		if err == nil {
			s.o.Log.Warn("it is not known whether this Z was printed: it is printed again", "number", number)
			err = s.printZ(t, true)
		}
		if err != nil {
			return // it is called again
		}
	}
}

// allowZ asks whether a Z may be taken, and by whom.
func (s *Selling) allowZ(ctx context.Context, r api.ZRequest) (payterm.TakenBy, error) {
	named := s.o.Config.NamedSupervisors()
	switch {
	case r.Operator != "" && !s.o.Config.HasSupervisor():
		return payterm.TakenBy{}, api.Errorf(api.Invalid, "operator: no supervisor is set up here: leave it out")
	case r.Operator != "" && named == (r.Operator == payterm.SharedSupervisor):
		return payterm.TakenBy{}, api.Errorf(api.Invalid,
			"operator %q: the number of a supervisor, or %q where the PIN has no name",
			r.Operator, payterm.SharedSupervisor)
	}
	if !named {
		r.Operator = ""
	}
	by, err := s.o.Loop.AllowZ(ctx, r.Operator, r.PIN)
	return by, NotNow(err, noZ)
}

// noZ says what to do, by the reason why no Z is taken.
var noZ = map[payterm.Reason]string{
	payterm.ReasonBusy:       "somebody is at the counter: try again when the terminal is idle",
	payterm.ReasonCashier:    "no supervisor typed the PIN at the counter",
	payterm.ReasonNoOperator: "nobody is signed on: sign on at the terminal first",
	payterm.ReasonWrongPIN:   "that is not the PIN of a supervisor of this number",
	payterm.ReasonLocked:     "too many wrong PINs of this supervisor: wait, the screen says how long",
	payterm.ReasonStorage:    "the journal cannot be written: payterm doctor says why",
}

// Remind shows on the idle screen whether an earlier business day has no Z.
func (s *Selling) Remind() {
	day, err := s.o.Journal.Unclosed(s.o.Clock())
	if err != nil {
		s.o.Log.Warn("look for a day that is open", "err", err)
		return
	}
	s.o.Loop.Remind(day)
}

// X sums up so far.
func (s *Selling) X(context.Context) (payterm.Totals, error) {
	t, err := s.Take(false, payterm.TakenBy{})
	return t, Coded(err)
}

// Z closes the day, with the same permission as at the keypad.
func (s *Selling) Z(ctx context.Context, r api.ZRequest) (payterm.Totals, error) {
	by, err := s.allowZ(ctx, r)
	if err != nil {
		return payterm.Totals{}, err
	}
	t, err := s.Take(true, by)
	return t, Coded(err)
}

// PrintZ prints an earlier Z again, unchanged.
func (s *Selling) PrintZ(_ context.Context, number int64) (payterm.Totals, error) {
	t, err := s.o.Journal.Totals(number)
	if err != nil {
		return t, Coded(err)
	}
	if err := s.printZ(t, true); err != nil {
		return t, api.Wrap(api.NotNow, err)
	}
	return t, nil
}

// DayTotals sums up a business day without printing.
func (s *Selling) DayTotals(_ context.Context, day string) (payterm.Totals, error) {
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return payterm.Totals{}, api.Errorf(api.Invalid, "totals: day %q: such as 2026-11-22", day)
	}
	t, err := s.o.Journal.DayTotals(day)
	return t, Coded(err)
}
