package runner

import (
	"context"
	"fmt"

	"payterm"
	"payterm/flows/counter"
)

// Service is the counter in the hands of a caller who tries the devices out. It is
// used by one goroutine.
type Service struct {
	r     *Runner
	input chan counter.Event
}

// serviceInput bounds what was pressed and scanned and not taken yet; what comes on
// top is dropped, as a person can repeat it.
const serviceInput = 16

// ErrBusy says that the counter is taken.
var ErrBusy = fmt.Errorf("the counter is %s: end the sale there first, or wait for it", payterm.ReasonBusy)

// Service takes the counter, shows the first trial, and holds it until End, or until
// the journal fails or nothing was shown for a while. ErrBusy while an order or
// somebody else has it.
func (r *Runner) Service(ctx context.Context) (*Service, error) {
	s := &Service{r: r, input: make(chan counter.Event, serviceInput)}
	res, err := r.call(ctx, func(c saleCall) error {
		r.feed(counter.ServiceAsked{Ticket: r.wait(c, "", Content{})})
		if r.terminal.Phase == counter.InService && r.service == nil {
			r.service = s
		}
		return nil
	}, func(payterm.OrderID) {})
	switch {
	case err != nil:
		s.End() // it may have begun all the same
		return nil, err
	case !res.Began && res.Reason == payterm.ReasonBusy:
		return nil, ErrBusy
	case !res.Began:
		return nil, fmt.Errorf("the counter is not to be had: %s", res.Reason)
	}
	return s, nil
}

// Show puts a trial on the glass.
func (s *Service) Show(t counter.Trial) { s.post(counter.TrialSet{Trial: t}) }

// Input gives what is pressed (counter.KeyPressed) and scanned (counter.Scanned). It
// is closed once the counter is no longer held.
func (s *Service) Input() <-chan counter.Event { return s.input }

// End gives the counter back.
func (s *Service) End() { s.post(counter.ServiceEnded{}) }

// post feeds an event unless the counter has been taken from this service.
func (s *Service) post(e counter.Event) {
	s.r.Post(func() {
		if s.r.service == s {
			s.r.feed(e)
		}
	})
}

// handOn gives input to whoever holds the counter.
func (r *Runner) handOn(e counter.Event) {
	if r.service == nil {
		return
	}
	select {
	case r.service.input <- e:
	default:
		r.c.Log.Warn("trials are overrun: input dropped")
	}
}

// endService tells the holder once the counter is in other hands, whatever took it.
func (r *Runner) endService() {
	if r.service != nil && r.terminal.Phase != counter.InService {
		close(r.service.input)
		r.service = nil
	}
}
