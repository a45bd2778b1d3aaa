package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"payterm/board"
	"payterm/config"
	"payterm/panel"
	"payterm/terminal"
)

// trials are what the front panel tries with the emulated terminal: each starts it anew. They are kept in memory
// only.
type trials struct {
	one  sync.Mutex // one trial at a time
	mu   sync.Mutex
	plan *plan              // nil: the configuration as it is
	now  panel.Trial        // what is in force, as the page shows it
	base config.Config      // before the plan
	on   board.Profile      // the emulated board
	runs *terminal.Terminal // nil in a setup
	next chan struct{}      // closed when the next terminal begins
}

// plan is a trial with its PINs hashed.
type plan struct {
	panel.Trial
	supervisor, operator config.PINHash
}

// over lays a plan over a configuration.
func (p *plan) over(c config.Config) config.Config {
	c.Terminal.Language, c.Terminal.ReceiptLanguages, c.Sale.Tips = p.Language, p.ReceiptLanguages, p.Tips
	if p.supervisor != "" {
		c.Supervisor.PINHash = p.supervisor
	}
	if p.Operator != "" {
		number := p.Operator
		c.Operators = append(slices.DeleteFunc(slices.Clone(c.Operators), func(o config.Operator) bool {
			return o.Number == number
		}), config.Operator{Number: number, Name: "Operator " + number, PINHash: p.operator})
	}
	return c
}

// apply lays the trial over a configuration that was just read.
func (t *trials) apply(c *config.Config, on board.Profile) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.base, t.on = *c, on
	if t.plan != nil {
		*c = t.plan.over(*c)
	}
	t.now = panel.Trial{Language: c.Terminal.Language, ReceiptLanguages: c.Terminal.ReceiptLanguages, Tips: c.Sale.Tips}
	if p := t.plan; p != nil {
		t.now.SupervisorPIN, t.now.Operator, t.now.OperatorPIN = p.SupervisorPIN, p.Operator, p.OperatorPIN
	}
}

// began notes the terminal that runs next.
func (t *trials) began(runs *terminal.Terminal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.runs = runs
	if t.next != nil {
		close(t.next)
	}
	t.next = make(chan struct{})
}

// Now implements panel.Trials.
func (t *trials) Now() panel.Trial {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now
}

// Try implements panel.Trials.
func (t *trials) Try(ctx context.Context, want panel.Trial) error {
	t.one.Lock()
	defer t.one.Unlock()
	next, err := planned(want)
	if err != nil {
		return err
	}
	t.mu.Lock()
	base, on, runs, begins, before := t.base, t.on, t.runs, t.next, t.plan
	t.mu.Unlock()
	if runs == nil {
		return errors.New("the terminal waits for its parcel")
	}
	if err := refused(base, next.over(base), on); err != nil {
		return err
	}
	t.set(next)
	if err := runs.Again(ctx); err != nil {
		t.set(before)
		return err
	}
	select {
	case <-begins:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(switchWait):
		return fmt.Errorf("the terminal has not begun anew after %s", switchWait)
	}
}

func (t *trials) set(p *plan) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.plan = p
}

// planned checks and hashes the PINs.
func planned(want panel.Trial) (*plan, error) {
	p := &plan{Trial: want}
	if (want.Operator == "") != (want.OperatorPIN == "") {
		return nil, errors.New("an operator needs both number and PIN")
	}
	for _, one := range []struct {
		pin  string
		hash *config.PINHash
	}{{want.SupervisorPIN, &p.supervisor}, {want.OperatorPIN, &p.operator}} {
		if one.pin == "" {
			continue
		}
		if !isPIN(one.pin) {
			return nil, errors.New(notPIN)
		}
		var err error
		if *one.hash, err = hashPIN(one.pin); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// refused names what the configuration's check or the glass has against a trial, and had not before it.
func refused(base, c config.Config, on board.Profile) error {
	var errs []error
	known := append(base.Check(), base.Unshown(on.LettersOnly())...)
	for _, p := range append(c.Check(), c.Unshown(on.LettersOnly())...) {
		if !slices.Contains(known, p) {
			errs = append(errs, errors.New(p.Error()))
		}
	}
	return errors.Join(errs...)
}
