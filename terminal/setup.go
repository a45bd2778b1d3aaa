package terminal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"payterm"
	"payterm/config"
	"payterm/provision"
	"payterm/screen"
	"payterm/storage"
	"payterm/terminal/api"
	"payterm/terminal/devices"
	"payterm/terminal/doctor"
)

// ErrProvisioned ends Run when there is a newer configuration to start with, or the
// parcel of one, to be had from Parcel.
var ErrProvisioned = errors.New("the terminal was provisioned")

const (
	lookForInstalled = 2 * time.Second
	turnLanguage     = 2*devices.PageTime + time.Second // both pages of a small glass
	showRefusal      = time.Minute
	showInPassing    = 10 * time.Second // a refusal, to a terminal that could sell
	codePatience     = 3 * time.Minute  // for typing the code
	wrongCodes       = 5
	longestCode      = 512 // of what is no parcel
)

// Parcel is what Run ended for; empty when a parcel was installed already.
func (a *Agent) Parcel() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.parcel
}

// Scan hands a code to the flows, unless it is a parcel.
func (a *Agent) Scan(ctx context.Context, code payterm.PayCode, began time.Duration) {
	text := code.Reveal()
	parcel := provision.LooksLike(text)
	if len(text) > longestCode && !parcel {
		return // garbage
	}
	if _, setup := a.desk.(*Setup); setup || !parcel || a.o.Provisioner == nil {
		a.desk.Scan(code, began)
		return
	}
	if a.offered(text, nobodys...) {
		a.giveWay(ctx) //nolint:errcheck // or else a little later: awaitInstalled
	}
}

// nobodys are the refusals of parcels of nobody who has business here: they do not
// disturb the counter.
var nobodys = []provision.Reason{provision.Unreadable, provision.Foreign, provision.Altered}

// offered looks at a parcel that came while the terminal sells, and keeps it for Setup to
// ask about, or to say why not. Some refusals end in the log.
func (a *Agent) offered(text string, inSilence ...provision.Reason) bool {
	if _, err := a.o.Provisioner.Offer(text); err != nil {
		a.o.Log.Warn("a parcel came", "err", err)
		var refused provision.Refused
		if !errors.As(err, &refused) || slices.Contains(inSilence, refused.Reason) {
			return false
		}
	}
	a.mu.Lock()
	a.parcel = text
	a.mu.Unlock()
	return true
}

// atRest tells whether nothing at the counter needs anybody, and no slip waits for the
// printer.
func (a *Agent) atRest(ctx context.Context) bool {
	s, err := a.runner.Snapshot(ctx)
	return err == nil && s.AtRest && a.printed() == nil
}

// printed says which slips have yet to come.
func (a *Agent) printed() error {
	if a.devices.Waiting() > 0 {
		return api.Errorf(api.Busy, "slips are still to be printed")
	}
	return nil
}

// awaitInstalled ends the agent between two sales once somebody has installed a parcel,
// scanned one, or plugged in a stick with one. A stick may stay in: what it has brought
// already is no refusal.
func (a *Agent) awaitInstalled(ctx context.Context) {
	if a.o.Provisioner == nil {
		return
	}
	tick := time.NewTicker(lookForInstalled)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if a.atRest(ctx) {
			if text := a.o.Sticks.next(!a.o.Provisioner.Now().IsZero()); text != "" {
				a.offered(text, append(nobodys, provision.Older)...)
			}
		}
		_, serial, err := config.Provisioned(a.o.Data)
		if (err == nil && serial > a.o.Serial || a.Parcel() != "") && a.giveWay(ctx) == nil {
			return
		}
		if a.waitsNow() == WaitsForAgent && a.giveWay(ctx, a.doneWith) == nil {
			return
		}
	}
}

// waitsNow looks after a parcel that waits, and has the idle screen say what for. One that
// waits for nothing but the counter waits for the agent.
func (a *Agent) waitsNow() Waits {
	waits := WaitsForNothing
	next, serial, err := config.Waiting(a.o.Data)
	if err == nil && serial != 0 && serial != a.o.Passed {
		var held []storage.Held
		if held, err = a.store.Held(); err == nil {
			waits = cmp.Or(a.o.Provisioner.waitsFor(held, next), WaitsForAgent)
		}
	}
	if err != nil {
		a.o.Log.Warn("a parcel that waits", "err", err)
	}
	a.mu.Lock()
	a.waits = waits
	a.mu.Unlock()
	switch waits {
	case WaitsForZ:
		a.o.notices.put(api.Notice{Notice: screen.ParcelWaitsForZ})
	case WaitsForOrders:
		a.o.notices.put(api.Notice{Notice: screen.ParcelWaitsForOrders})
	case WaitsForNothing, WaitsForAgent:
	}
	return waits
}

// doneWith says what a parcel still waits for; asked where nobody can begin anything.
func (a *Agent) doneWith() error {
	if waits := a.waitsNow(); waits != WaitsForAgent {
		return fmt.Errorf("the parcel waits: %s", waits)
	}
	return nil
}

// giveWay ends Run with ErrProvisioned, unless somebody is being served or something else
// keeps it. Nobody begins anything between that look and the end.
func (a *Agent) giveWay(ctx context.Context, may ...func() error) error {
	if err := a.runner.Leave(ctx, func() error {
		for _, ask := range append(may, a.printed) {
			if err := ask(); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	select {
	case a.leaving <- struct{}{}:
	default:
	}
	return nil
}

// Setup is a terminal that waits for a parcel: it has a display, keys and a scanner, and
// neither journal nor gateway.
type Setup struct {
	a      *Agent
	doctor *doctor.Doctor
	p      Provisioner
	parcel string // that was read already
	serial uint64 // of what is installed
	keys   chan payterm.Key
	codes  chan payterm.PayCode
	alive  chan chan<- struct{}
	tested chan *doctor.Report         // of the self test, as far as it has come; nil at its end
	link   func(string) doctor.Finding // doctor.Link
	spoilt error                       // why the data directory cannot be used
	mu     sync.Mutex
	shown  screen.SetupView // for whoever asks on the socket

	// The rest is the loop's.
	view    screen.SetupView
	at      *provision.Parcel // whose code is asked for
	wrong   int               // codes for it
	test    screen.SelfTest
	testing bool // it runs
	tongue  int  // of those spoken
	spoken  []string
	until   time.Time // when a refusal, or the question for a code, goes away
}

// NewSetup makes one. Of the options it takes Board, Sleep, Data, Watermark, Built, Log,
// Serial, Provisioner, Sticks and Ready. A parcel that was scanned before is asked about at
// once; with one, a terminal that can sell goes back to it when the code does not come.
func NewSetup(o Options, parcel string) (*Setup, error) {
	s := &Setup{
		a: newAgent(o), p: *o.Provisioner, parcel: parcel, serial: o.Serial,
		keys: make(chan payterm.Key, 32), codes: make(chan payterm.PayCode, 1), alive: make(chan chan<- struct{}),
		tested: make(chan *doctor.Report), link: doctor.Link, spoken: payterm.Languages[:],
	}
	if o.Board.Profile.LettersOnly() {
		s.spoken = slices.DeleteFunc(slices.Clone(s.spoken), func(l string) bool { return l == "zh" }) // it has no Chinese signs
	}
	device, err := config.DeviceKey(o.Data)
	if err == nil {
		s.view.Device = provision.DeviceOf(device).String()
	}
	s.spoilt = err
	s.doctor = doctor.New(doctor.Options{
		Devices: s.a.devices, Name: s.view.Device, Data: o.Data, Screens: s.a.screenOptions, Log: o.Log, Clock: s.a.wall, LookAgain: s.a.o.lookAgain,
	})
	s.view.CanTest = parcel == "" && slices.Contains(s.a.devices.Keys(), screen.SetupTestKey)
	s.a.desk = s
	return s, nil
}

// Press takes a key; one that comes faster than they are dealt with is lost.
func (s *Setup) Press(k payterm.Key) {
	select {
	case s.keys <- k:
	default:
	}
}

// Scan takes what was read; the newest counts.
func (s *Setup) Scan(c payterm.PayCode, _ time.Duration) {
	for {
		select {
		case s.codes <- c:
			return
		default:
		}
		select {
		case <-s.codes:
		default:
		}
	}
}

// Screen is the newest screen.
func (s *Setup) Screen() payterm.Screen { return s.a.Screen() }

// Alive returns once the loop has answered, or with the context's error.
func (s *Setup) Alive(ctx context.Context) error {
	answer := make(chan struct{}, 1)
	select {
	case s.alive <- answer:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// Run shows what to do and takes parcels, until one is installed (nil) or the context
// ends (its error). The board is closed then.
func (s *Setup) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	s.a.devices.RunGlass(ctx, &wg)
	s.a.devices.RunInput(ctx, &wg)
	wg.Go(func() { s.a.devices.RunPrinter(ctx) })
	let, err := s.answer(ctx, &wg)
	if err == nil {
		err = s.serve(ctx, &wg)
	}
	stop()
	wg.Wait()
	if let != nil {
		err = errors.Join(err, let.Close())
	}
	return errors.Join(err, s.a.o.Board.Close())
}

// ErrNoCode ends Setup: a terminal that can sell goes on with it.
var ErrNoCode = errors.New("no code came")

func (s *Setup) serve(ctx context.Context, wg *sync.WaitGroup) error {
	again := s.parcel != ""
	switch {
	case again:
		s.offer(s.parcel)
	case s.spoilt != nil: // it stands there until somebody does something about it
		s.refuse(notWritten(s.spoilt))
		s.until = time.Time{}
	default:
		s.testSelf(ctx, wg, false)
	}
	s.show()
	if s.a.o.Ready != nil {
		if err := s.a.o.Ready(); err != nil {
			return err
		}
	}
	turn, look := time.NewTicker(turnLanguage), time.NewTicker(lookForInstalled)
	defer turn.Stop()
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case answer := <-s.alive:
			answer <- struct{}{}
		case k := <-s.keys:
			if s.view.CanTest && s.at == nil && k == screen.SetupTestKey {
				s.testSelf(ctx, wg, true)
			}
			s.press(k)
		case rep := <-s.tested:
			if s.testing = rep != nil; rep != nil {
				s.test = rep.Brief()
			}
		case c := <-s.codes:
			s.offer(c.Reveal())
			turn.Reset(turnLanguage)
		case <-turn.C:
			s.tongue = (s.tongue + 1) % len(s.spoken)
		case <-look.C:
			if s.at == nil {
				if text := s.a.o.Sticks.next(!s.p.Now().IsZero()); text != "" {
					s.offer(text)
				}
			}
			if _, serial, err := config.Provisioned(s.p.Data); err == nil && serial > s.serial {
				s.view.Done = true
			}
			if !s.until.IsZero() && time.Now().After(s.until) {
				s.forget()
			}
		}
		s.show()
		switch {
		case s.view.Done:
			s.a.devices.Play(payterm.SoundApproved)
			return nil
		case again && s.at == nil && s.view.Refused == "":
			return ErrNoCode
		}
	}
}

func (s *Setup) show() {
	v := s.view
	v.Test = s.test
	s.mu.Lock()
	s.shown = v
	s.mu.Unlock()
	o := s.a.screenOptions()
	o.Language = s.spoken[s.tongue]
	s.a.Show(screen.Setup(v, o))
	s.a.devices.Arm(v.Scans())
}

// forget goes back to waiting for a parcel.
func (s *Setup) forget() {
	s.at, s.wrong, s.until = nil, 0, time.Time{}
	s.view = screen.SetupView{Device: s.view.Device, CanTest: s.view.CanTest}
}

// refuse shows why not.
func (s *Setup) refuse(err error) {
	s.a.o.Log.Warn("provisioning", "err", err)
	s.a.devices.Play(payterm.SoundDeclined)
	reason := provision.NotWritten
	var refused provision.Refused
	if errors.As(err, &refused) {
		reason = refused.Reason
	}
	s.view.Refused = string(reason)
	s.until = time.Now().Add(showRefusal)
	if s.parcel != "" {
		s.until = time.Now().Add(showInPassing)
	}
}

// offer looks at a parcel and asks for its code.
func (s *Setup) offer(text string) {
	s.forget()
	s.tongue = 0
	parcel, err := s.p.Offer(text)
	if err == nil && s.a.o.Board.Keypad == nil {
		err = provision.Refused{Reason: provision.CannotConfirm, Detail: "the board has no keys to type its code at: payterm provision FILE"}
	}
	if err != nil {
		s.refuse(err)
		return
	}
	s.a.devices.Play(payterm.SoundScan)
	s.at, s.view.Asking, s.until = parcel, true, time.Now().Add(codePatience)
}

func (s *Setup) press(k payterm.Key) {
	s.a.devices.Play(payterm.SoundKey)
	if s.at == nil || k == payterm.KeyCancel {
		s.forget()
		return
	}
	typed := s.view.Digits
	switch {
	case k == payterm.KeyClear && typed != "":
		s.typed(typed[:len(typed)-1])
	case k == payterm.KeyEnter && len(typed) == provision.CodeDigits:
		s.tryCode(provision.Code(typed))
	case k.Digits() != "" && len(typed)+len(k.Digits()) <= provision.CodeDigits:
		s.typed(typed + k.Digits())
	}
}

// typed has the digits so far, and gives time for the next. A key that is stuck, or of
// somebody who takes this for a sale, soon types none.
func (s *Setup) typed(digits string) {
	s.view.Digits, s.until = digits, time.Now().Add(codePatience)
}

// tryCode opens the parcel, which takes a slow board some seconds.
func (s *Setup) tryCode(code provision.Code) {
	s.view.Digits, s.view.Busy, s.view.Refused = "", true, ""
	s.show()
	_, err := s.p.Accept(s.at, code)
	s.view.Busy = false
	var refused provision.Refused
	switch {
	case err == nil:
		s.view.Done = true
	case errors.As(err, &refused) && refused.Reason == provision.WrongCode && s.wrong+1 < wrongCodes:
		s.wrong++
		s.refuse(err)
	case errors.As(err, &refused) && refused.Reason == provision.WrongCode:
		s.forget()
		s.refuse(provision.Refused{Reason: provision.TooManyWrong, Detail: "the code was wrong too often"})
	default:
		s.forget()
		s.refuse(err)
	}
}
