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

// locks are the operators with wrong PINs, by the name under which they are stored.
type locks map[string]lock

// lock is the wrong PINs in a row of one operator, and until when no PIN of this operator is
// compared. The journal keeps the count. It does not keep the wait, which begins again at each
// start, so switching the terminal off and on does not shorten it.
type lock struct {
	failures int
	until    time.Duration
}

// newLocks makes the locks of a start from the wrong PINs of earlier runs.
func newLocks(failures map[string]int, now time.Duration) locks {
	l := locks{}
	for who, n := range failures {
		l.wrong(who, n, now)
	}
	return l
}

// wait is how long an operator has to wait before the next PIN.
func (l locks) wait(who string, now time.Duration) time.Duration {
	return max(0, l[who].until-now)
}

// try counts a PIN that is about to be compared as a wrong one.
func (l locks) try(who string, failures int) { l[who] = lock{failures, l[who].until} }

// wrong counts a wrong PIN, and returns the wait that follows.
func (l locks) wrong(who string, failures int, now time.Duration) time.Duration {
	wait := counter.PINWait(failures)
	l[who] = lock{failures, now + wait}
	return wait
}

// right takes an operator's lock away.
func (l locks) right(who string) { delete(l, who) }

// who is the operator whom records name for a typed number. No number means the PIN that all
// supervisors share.
func (r *Runner) who(number string) string {
	if number == "" {
		return payterm.SharedSupervisor
	}
	return r.c.Whose(number)
}

// record stores what a person did; false if that failed.
func (r *Runner) record(p payterm.PersonRecord) bool {
	if err := r.c.People.Record(r.times(), p); err != nil {
		r.storeFailed(err)
		return false
	}
	line := []any{"did", p.Deed, "operator", p.Operator, "for", p.For, "failures", p.Failures}
	if p.Whom != "" {
		line = append(line, "whom", p.Whom)
	}
	r.c.Log.Info("person", line...)
	return true
}

// checkPIN compares a PIN off the loop, unless its operator has to wait. The attempt is stored as
// failed before it is made, so that cutting the power after a wrong PIN does not save the
// attempt.
func (r *Runner) checkPIN(c counter.CheckPIN) {
	who := r.who(c.Number)
	if wait := r.locks.wait(who, r.now()); wait > 0 {
		r.feed(counter.PINChecked{Wait: wait})
		return
	}
	p := payterm.PersonRecord{Deed: payterm.DeedTried, Operator: who, For: c.For, Order: c.Order,
		Failures: r.locks[who].failures + 1}
	if !r.record(p) {
		r.feed(counter.PINChecked{})
		return
	}
	r.locks.try(who, p.Failures)
	r.c.Go(func() {
		op, ok := r.c.PIN(c.Number, c.PIN)
		ok = ok && (op.Supervisor || c.For == payterm.ForSignOn)
		r.Post(func() { r.pinCompared(p, op, ok) })
	})
}

// pinCompared acts on the result, once that is stored.
func (r *Runner) pinCompared(p payterm.PersonRecord, op counter.Operator, ok bool) {
	if !ok {
		wait := r.locks.wrong(p.Operator, p.Failures, r.now())
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
	r.locks.right(p.Operator)
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

// person looks up who has a number whose PIN a supervisor wants to set.
func (r *Runner) person(_ context.Context, q counter.Query) counter.Event {
	op, known := r.c.Person(q.Text)
	return counter.PersonFound{Query: q, Name: op.Name, Known: known,
		Refused: op.Supervisor && op.Number != q.By.AllowedBy}
}

// keepPIN hashes a PIN, which is slow, writes down who sets it, and then keeps the hash. In this order, since
// whatever holds must be in the journal, and the journal should not have what never held. Wrong PINs of
// whoever gets a new one are forgotten.
func (r *Runner) keepPIN(c counter.KeepPIN) {
	p := payterm.PersonRecord{Deed: payterm.DeedPINChanged, Operator: c.Query.By.AllowedBy, For: payterm.ForStaff,
		Whom: c.Query.Text}
	if c.Added {
		p.Deed = payterm.DeedAdded
	}
	kept := func(err error) {
		if err == nil {
			r.locks.right(p.Whom)
		} else {
			r.c.Log.Error("an operator's PIN was not kept", "operator", p.Whom, "err", err)
		}
		r.feed(counter.PINKept{Query: c.Query, OK: err == nil})
	}
	r.c.Go(func() {
		keep, err := r.c.NewPIN(p.Whom, c.PIN)
		r.Post(func() {
			switch {
			case err != nil:
				kept(err)
			case !r.record(p):
				r.feed(counter.PINKept{Query: c.Query})
			default:
				r.c.Go(func() {
					err := keep()
					r.Post(func() { kept(err) })
				})
			}
		})
	})
}
