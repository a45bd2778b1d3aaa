package runner

import (
	"context"
	"time"

	"payterm"
	"payterm/flows/counter"
)

// People stores what persons did. Record returns once it is durable.
type People interface {
	Record(payterm.Stamp, payterm.PersonRecord) error
	Failures() (map[string]int, error) // wrong PINs in a row, by operator
}

// lock is the wrong PINs of one operator. The count is the journal's. The wait starts again after
// a restart, so a restart does not shorten it.
type lock struct {
	failures int
	until    time.Duration
}

// loadLocks reads the wrong PINs of earlier runs.
func (r *Runner) loadLocks() error {
	failures, err := r.c.People.Failures()
	for who, n := range failures {
		r.locks[who] = lock{n, r.now() + counter.PINWait(n)}
	}
	return err
}

// who is the name under which a typed number is stored.
func (r *Runner) who(number string) string {
	if number == "" {
		return payterm.SharedSupervisor
	}
	return r.c.Whose(number)
}

// record stores what a person did; false if that failed.
func (r *Runner) record(p payterm.PersonRecord) bool {
	mono, wall := r.c.Clock.Now()
	if err := r.c.People.Record(payterm.Stamp{Boot: r.c.BootTag, Mono: mono, Wall: wall}, p); err != nil {
		r.storeFailed(err)
		return false
	}
	r.c.Log.Info("person", "did", p.Deed, "operator", p.Operator, "for", p.For, "failures", p.Failures)
	return true
}

// checkPIN compares a PIN off the loop, unless its operator has to wait. The attempt is stored as
// failed before it is made, so that cutting the power after a wrong PIN does not save the
// attempt.
func (r *Runner) checkPIN(c counter.CheckPIN) {
	who := r.who(c.Number)
	l := r.locks[who]
	if wait := l.until - r.now(); wait > 0 {
		r.feed(counter.PINChecked{Wait: wait})
		return
	}
	l.failures++
	p := payterm.PersonRecord{Deed: payterm.DeedTried, Operator: who, For: c.For, Order: c.Order, Failures: l.failures}
	if !r.record(p) {
		r.feed(counter.PINChecked{})
		return
	}
	r.locks[who] = l
	r.c.Go(func() {
		op, ok := r.c.PIN(c.Number, c.PIN)
		ok = ok && (op.Supervisor || c.For == payterm.ForSignOn)
		r.Post(func() { r.pinCompared(p, op, ok) })
	})
}

// pinCompared acts on the result, once that is stored.
func (r *Runner) pinCompared(p payterm.PersonRecord, op counter.Operator, ok bool) {
	if !ok {
		wait := counter.PINWait(p.Failures)
		r.locks[p.Operator] = lock{p.Failures, r.now() + wait}
		if p.Deed = payterm.DeedRefused; wait > 0 {
			p.Deed, p.Wait = payterm.DeedLocked, int64(wait/time.Second)
		}
		r.record(p)
		r.feed(counter.PINChecked{Wait: wait})
		return
	}
	switch p.Failures = 0; {
	case !r.counter.AwaitsPIN():
		p.Deed = payterm.DeedLate
	case p.For == payterm.ForSignOn:
		p.Deed = payterm.DeedSignedOn
	default:
		p.Deed = payterm.DeedAllowed
	}
	if !r.record(p) {
		r.feed(counter.PINChecked{})
		return
	}
	delete(r.locks, p.Operator)
	r.feed(counter.PINChecked{OK: true, Operator: op})
}

// AllowZ asks whether a Z may be taken, as at the keypad: if a supervisor's PIN is needed, it is
// typed at the counter or comes with the call, with the supervisor's number. It returns who takes
// the Z, or a NotNowError.
func (r *Runner) AllowZ(ctx context.Context, number string, pin counter.PIN) (payterm.TakenBy, error) {
	res, err := r.call(ctx, func(c saleCall) error {
		r.feed(counter.ZAsked{Ticket: r.wait(c, "", Content{}), Number: number, PIN: pin})
		return nil
	}, func(payterm.OrderID) {})
	if err == nil && !res.Began {
		err = NotNowError{res.Reason}
	}
	return res.by, err
}
