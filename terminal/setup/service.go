package setup

import (
	"context"
	"errors"
	"os"
	"sync"

	"payterm/config"
	"payterm/screen"
	"payterm/terminal/api"
	"payterm/terminal/doctor"
)

// answer serves the local API. The returned file prevents a second Setup on the data; it does not
// hold the lock of a terminal that sells, so that payterm provision can. A missing socket or data
// directory is shown on the screen and ends nothing.
func (s *Setup) answer(ctx context.Context, wg *sync.WaitGroup) (*os.File, error) {
	selling, err := config.LockData(s.o.Data)
	if err == nil {
		err = selling.Close()
	}
	var lock *os.File
	if err == nil {
		lock, err = config.LockSetup(s.o.Data)
	}
	switch {
	case errors.Is(err, config.ErrTaken):
		return nil, err
	case err != nil:
		s.o.Log.Error("out of reach", "err", err)
		return nil, nil
	}
	e, err := api.Listen(s.o.Data, api.Handler(func() api.Service { return service{api.Refusing{Why: s.sells}, s} }, s))
	if err != nil {
		s.o.Log.Error("out of reach", "err", err)
		return lock, nil
	}
	e.Serve(ctx, wg, s.o.Log)
	return lock, nil
}

// sells is the error why nothing is sold.
func (s *Setup) sells() error {
	if s.parcel != "" {
		return api.ErrProvisioning
	}
	return api.ErrUnprovisioned
}

// service is the local API of a terminal that waits for a parcel: status, doctor, and refusals.
type service struct {
	api.Refusing
	s *Setup
}

func (s service) Status(context.Context) (api.Status, error) { return s.s.status(), nil }

func (s *Setup) status() api.Status {
	s.mu.Lock()
	v := s.shown
	s.mu.Unlock()
	st := api.Status{
		State: api.StateUnprovisioned,
		Waits: "for a parcel: scan one, plug in a stick with one, or payterm provision FILE",
		Setup: &api.Setup{Device: v.Device, Board: s.o.Board.Profile.Board},
	}
	if s.parcel != "" {
		st.State = api.StateProvisioning
	}
	switch {
	case len(s.p.Signers) == 0:
		st.Waits = "it can take no parcel: " + s.unsigned()
	case v.Done:
		st.Waits = "it has its parcel and starts"
	case v.Asking:
		st.Waits = "for the 12 digits of the parcel that was read, at its keys"
	case v.Refused != "":
		st.Waits = "for another parcel; of the last one it says: " + screen.Setup(v, screen.Options{}).Lines[0]
	}
	return st
}

// Doctor examines what there is without a merchant.
func (s service) Doctor(ctx context.Context, r api.DoctorRequest) (api.Report, error) {
	if len(r.Tests) > 0 {
		return api.Report{}, api.Errorf(api.NotNow, "the devices can be tried out once the terminal is provisioned; "+
			"payterm doctor without --test examines them")
	}
	return s.s.doctor.Answer(ctx, r, s.s.examination(), nil)
}

// examination is the examination without a merchant.
func (s *Setup) examination() doctor.Examination {
	return s.doctor.Unprovisioned(doctor.Unprovisioned{
		Signers: len(s.p.Signers), Unsigned: s.unsigned(), Link: func() doctor.Finding { return s.o.Link("") },
	})
}

// unsigned says what to do about a terminal without trusted signers.
func (s *Setup) unsigned() string {
	from := "start with --trust FILE"
	if s.p.Trust != "" {
		from = "there is none in " + s.p.Trust + ": make the image with SIGNERS=FILE, " +
			"or write the line of payterm provision make --new-signer there and restart"
	}
	return "no signer is trusted; " + from
}

// testSelf runs the self test off the loop, on request (asked) or at a start. A running one is
// not disturbed.
func (s *Setup) testSelf(ctx context.Context, wg *sync.WaitGroup, asked bool) {
	if s.testing {
		return
	}
	test := doctor.LastSelfTest(s.o.Data, s.o.Serial)
	first := test.Report == nil
	if first && !asked {
		if due, err := test.Begin(s.o.Data); !due || err != nil {
			s.o.Log.Warn("no self test", "began", test.Tries, "err", err)
			return
		}
	}
	s.testing, s.test = true, screen.SelfTest{Running: true}
	tell := func(rep *doctor.Report) {
		select {
		case s.tested <- rep:
		case <-ctx.Done():
		}
	}
	wg.Go(func() {
		defer tell(nil)
		rep := s.doctor.Look(ctx, func(ctx context.Context) bool { return ctx.Err() == nil }, s.examination(), tell)
		if rep == nil {
			return
		}
		s.doctor.Log(rep)
		if first {
			wire := rep.Wire()
			test.Report = &wire
			if err := test.Keep(s.o.Data); err != nil {
				s.o.Log.Warn("self test", "err", err)
				return
			}
		}
		if (first || asked) && rep.Prints() {
			if err := s.doctor.Print(rep); err != nil {
				s.o.Log.Warn("self test", "err", err)
			}
		}
	})
}

// Notice shows a notice of the operating system; one of a restart not while a code is being asked
// for.
func (s *Setup) Notice(_ context.Context, n api.Notice) error {
	s.mu.Lock()
	v := s.shown
	s.mu.Unlock()
	if n.Notice == screen.UpdateRestarting && (v.Asking || v.Busy || v.Done) {
		return api.Errorf(api.Busy, "the terminal is being provisioned")
	}
	s.notices.Put(n)
	s.o.Log.Info("notice", "notice", n.Notice, "reason", n.Reason)
	return nil
}
