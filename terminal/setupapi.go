package terminal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"

	"payterm"
	"payterm/screen"
	"payterm/terminal/api"

	"golang.org/x/sys/unix"
)

// answer serves the local API. The file that it gives keeps a second one away from the
// data; an agent's lock it does not hold, so that payterm provision can. A socket or a
// data directory that cannot be had keeps nobody from reading on the screen what is wrong.
func (s *Setup) answer(ctx context.Context, wg *sync.WaitGroup) (*os.File, error) {
	agents, err := lockData(s.a.o.Data)
	if err == nil {
		err = agents.Close()
	}
	var lock *os.File
	if err == nil {
		lock, err = lockFile(s.a.o.Data, "setup.lock")
	}
	switch {
	case errors.Is(err, errTaken):
		return nil, err
	case err != nil:
		s.a.o.Log.Error("out of reach", "err", err)
		return nil, nil
	}
	e, err := api.Listen(s.a.o.Data, api.Handler(func() api.Service { return setupService{api.Refusing{Why: s.sells}, s} }, setupNotices{s.a}))
	if err != nil {
		s.a.o.Log.Error("out of reach", "err", err)
		return lock, nil
	}
	e.Serve(ctx, wg, s.a.o.Log)
	return lock, nil
}

// sells is why it does not.
func (s *Setup) sells() error {
	if s.parcel != "" {
		return api.ErrProvisioning
	}
	return api.ErrUnprovisioned
}

// setupService is the local API of a terminal that waits for a parcel: status, doctor, and
// words for everything else.
type setupService struct {
	api.Refusing
	s *Setup
}

func (s setupService) Status(context.Context) (api.Status, error) { return s.s.status(), nil }

func (s *Setup) status() api.Status {
	s.mu.Lock()
	v := s.shown
	s.mu.Unlock()
	st := api.Status{
		State: api.StateUnprovisioned, Waits: "for a parcel: scan one, plug in a stick with one, or payterm provision FILE",
		Setup: &api.Setup{Device: v.Device, Board: s.a.o.Board.Profile.Board},
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
func (s setupService) Doctor(ctx context.Context, r api.DoctorRequest) (api.Report, error) {
	if len(r.Tests) > 0 {
		return api.Report{}, api.Errorf(api.NotNow,
			"the devices can be tried out once the terminal is provisioned; payterm doctor without --test examines them")
	}
	ctx, stop := context.WithTimeout(ctx, doctored)
	defer stop()
	rep := &Report{OK: true}
	s.s.examine(ctx, rep)
	if r.Print {
		if err := s.s.a.devices.Print(s.s.slip(rep)); err != nil {
			rep.add("report", api.Warn, "not printed: "+err.Error(), 0)
		}
	}
	return rep.wire(), nil
}

func (s *Setup) slip(rep *Report) payterm.Receipt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return rep.slip(s.shown.Device)
}

func (s *Setup) examine(ctx context.Context, rep *Report) {
	_, rep.At = s.a.clock.Now()
	if len(s.p.Signers) == 0 { // first, since nothing else matters then
		rep.add("signers", api.Fail, s.unsigned(), 0)
	} else {
		rep.add("signers", api.OK, fmt.Sprintf("parcels of %d are taken", len(s.p.Signers)), 0)
	}
	s.a.examineDevices(ctx, rep)
	s.a.examineSpace(rep)
	s.a.examineClock(rep)
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	rep.put(timeServer(state, t.Status, err))
	link := s.link("")
	link.Name = "network link"
	rep.put(link)
	rep.add("addresses", api.OK, addresses(), 0)
	rep.add("gateway", api.None, "no gateway yet: a parcel brings one", 0)
}

// unsigned says what to do about a terminal that trusts nobody.
func (s *Setup) unsigned() string {
	from := "start with --trust FILE"
	if s.p.Trust != "" {
		from = "there is none in " + s.p.Trust + ": make the image with SIGNERS=FILE, or write the line of payterm provision make --new-signer there and restart"
	}
	return "no signer is trusted; " + from
}

// timeServer says whether somebody sets the clock, by what the kernel knows of it
// (adjtimex(2)).
func timeServer(state int, status int32, err error) Check {
	c := check(api.OK, "the clock is set by one")
	c.Name = "time server"
	switch {
	case err != nil:
		c.Result, c.Says = api.Warn, "the kernel does not say whether the clock is set: "+err.Error()
	case state == unix.TIME_ERROR || status&unix.STA_UNSYNC != 0:
		c.Result, c.Says = api.Warn, "none has set the clock yet: connect the network; the router lets UDP 123 out"
	}
	return c
}

// networkTime reports whether one does.
func networkTime() (bool, error) {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err == nil && timeServer(state, t.Status, nil).Result == api.OK, err
}

// addresses are those of this machine that others can reach it by.
func addresses() string {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return err.Error()
	}
	var list []string
	for _, a := range all {
		if ip, is := a.(*net.IPNet); is && ip.IP.IsGlobalUnicast() {
			list = append(list, ip.String())
		}
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// testSelf has the terminal examine itself, beside the loop; asked by somebody, or at a
// start. One that runs is not disturbed.
func (s *Setup) testSelf(ctx context.Context, wg *sync.WaitGroup, asked bool) {
	if s.testing {
		return
	}
	test := lastSelfTest(s.a.o.Data, s.serial)
	first := test.Report == nil
	if first && !asked {
		if due, err := test.begin(s.a.o.Data); !due || err != nil {
			s.a.o.Log.Warn("no self test", "began", test.Tries, "err", err)
			return
		}
	}
	s.testing, s.test = true, screen.SelfTest{Running: true}
	tell := func(rep *Report) {
		select {
		case s.tested <- rep:
		case <-ctx.Done():
		}
	}
	wg.Go(func() {
		defer tell(nil)
		rep := look(ctx, s.a.o.lookAgain, func(ctx context.Context) bool { return ctx.Err() == nil }, s.examine, tell)
		if rep == nil {
			return
		}
		s.a.logged(rep)
		if first {
			test.Report = rep
			if err := test.keep(s.a.o.Data); err != nil {
				s.a.o.Log.Warn("self test", "err", err)
				return
			}
		}
		if (first || asked) && rep.prints() {
			if err := s.a.devices.Print(s.slip(rep)); err != nil {
				s.a.o.Log.Warn("self test", "err", err)
			}
		}
	})
}

// setupNotices takes notices while a terminal waits for a parcel.
type setupNotices struct{ a *Agent }

func (s setupNotices) Notice(ctx context.Context, n api.Notice) error {
	name := s.a.Screen().Name
	if n.Notice == screen.UpdateRestarting && (name == screen.SetupCodeName || name == "setup_busy" || name == "setup_done") {
		return api.Errorf(api.Busy, "the terminal is being provisioned")
	}
	return s.a.Notice(ctx, n)
}
