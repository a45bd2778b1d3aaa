package runner

import (
	"context"
	"fmt"

	"payterm"
	"payterm/flows/counter"
)

// Service is the counter while a caller tests the devices. One goroutine uses it.
type Service struct {
	r     *Runner
	input chan counter.Event
}

// serviceInput bounds keys and scans that were not read yet; more are dropped, since a person can
// repeat them.
const serviceInput = 16

// ErrBusy: the counter is in use.
var ErrBusy = fmt.Errorf("the counter is %s: end the sale there first, or wait for it", payterm.ReasonBusy)

// Service takes the counter and shows the first trial. It ends by End, when the journal fails, or
// when no trial was shown for a while. ErrBusy while an order or a person uses the counter.
func (r *Runner) Service(ctx context.Context) (*Service, error) {
	s := &Service{r: r, input: make(chan counter.Event, serviceInput)}
	res, err := r.call(ctx, func(c saleCall) error {
		r.feed(counter.ServiceAsked{Ticket: r.wait(c, "", Content{})})
		if r.counter.Phase == counter.InService && r.service == nil {
			r.service = s
		}
		return nil
	}, func(payterm.OrderID) {})
	switch {
	case err != nil:
		s.End() // it may have begun
		return nil, err
	case !res.Began && res.Reason == payterm.ReasonBusy:
		return nil, ErrBusy
	case !res.Began:
		return nil, fmt.Errorf("the counter is not to be had: %s", res.Reason)
	}
	return s, nil
}

// Show shows a trial on the glass.
func (s *Service) Show(t counter.Trial) { s.post(counter.TrialSet{Trial: t}) }

// Input gives keys (counter.KeyPressed) and scans (counter.Scanned). It is closed when the
// service ends.
func (s *Service) Input() <-chan counter.Event { return s.input }

// End frees the counter.
func (s *Service) End() { s.post(counter.ServiceEnded{}) }

// post feeds an event unless the service has ended.
func (s *Service) post(e counter.Event) {
	s.r.Post(func() {
		if s.r.service == s {
			s.r.feed(e)
		}
	})
}

// handOn passes an event to the service.
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

// endService ends the service when it no longer has the counter.
func (r *Runner) endService() {
	if r.service != nil && r.counter.Phase != counter.InService {
		close(r.service.input)
		r.service = nil
	}
}
