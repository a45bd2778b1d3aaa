// Package setup is a terminal that was not provisioned yet, or that is offered a newer parcel: it
// has display, keys and scanner, but neither journal nor gateway. Parcels come by scanner, on a
// stick, or as a file with payterm provision; a Provisioner takes them.
package setup

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"payterm"
	"payterm/board"
	"payterm/config"
	"payterm/provision"
	"payterm/screen"
	"payterm/terminal/devices"
	"payterm/terminal/doctor"
	"payterm/terminal/notice"
)

// LookEvery is how often it checks for an installed parcel or a stick.
const LookEvery = 2 * time.Second

// LongestCode is the longest scan that is no parcel; more is garbage.
const LongestCode = 512

const (
	turnLanguage  = 2*devices.PageTime + time.Second // both pages of a small glass
	showRefusal   = time.Minute
	showInPassing = 10 * time.Second // a refusal, if the terminal could sell
	codePatience  = 3 * time.Minute  // for typing the code
	wrongCodes    = 5
)

// Options are what a setup is started with.
type Options struct {
	Board       *board.Board
	Sleep       func(time.Duration) // of the drivers
	Data        string
	Watermark   string
	Log         *slog.Logger
	Serial      uint64 // of the installed parcel; 0 for none
	Provisioner *Provisioner
	Sticks      *Sticks      // nil for none
	Ready       func() error // called after the first screen; may be nil

	// Link checks this machine's network; nil for doctor.Link.
	Link func(gateway string) doctor.Finding
	// NetworkTime reports whether a time server sets the clock; nil to ask the kernel.
	NetworkTime func() (bool, error)
	// Refresh is devices.Options.Refresh, LookAgain doctor.Options.LookAgain.
	Refresh, LookAgain time.Duration
}

// Setup is a terminal that waits for a parcel.
type Setup struct {
	o       Options
	p       Provisioner
	parcel  string // that was read before
	devices *devices.Set
	doctor  *doctor.Doctor
	notices *notice.Notices
	keys    chan payterm.Key
	codes   chan payterm.PayCode // the newest
	alive   chan chan<- struct{}
	tested  chan *doctor.Report // reports of the self test; nil at its end
	unread  error               // why the data directory cannot be used
	alarm   sync.Once           // at the first slip that fails

	mu    sync.Mutex
	shown screen.SetupView // for status

	// Used by the loop only.
	view     screen.SetupView
	at       *provision.Parcel // its code is asked for
	wrong    int               // wrong codes for it
	test     screen.SelfTest
	testing  bool // the self test runs
	language int  // index in spoken
	spoken   []string
	until    time.Time // end of a refusal, or of the question for a code
}

// New makes a Setup. A parcel that was read before is asked about at once; then a terminal that
// can sell goes back to selling if no code comes.
func New(o Options, parcel string) (*Setup, error) {
	if o.Link == nil {
		o.Link = doctor.Link
	}
	s := &Setup{
		o: o, p: *o.Provisioner, parcel: parcel, notices: notice.New(),
		keys: make(chan payterm.Key, 32), codes: make(chan payterm.PayCode, 1), alive: make(chan chan<- struct{}),
		tested: make(chan *doctor.Report), spoken: payterm.ScreenLanguages(o.Board.Profile.LettersOnly()),
	}
	device, err := config.DeviceKey(o.Data)
	if err == nil {
		s.view.Device = provision.DeviceOf(device).String()
	}
	s.unread = err
	s.devices = devices.New(devices.Options{
		Board: o.Board, Sleep: o.Sleep, Log: o.Log, Owner: s, MaxScan: MaxScan, Refresh: o.Refresh,
		Known: o.Provisioner.Knows, Misread: func(how devices.Misread) { s.notices.Scanner(ScannerNotice(how)) },
	})
	s.doctor = doctor.New(doctor.Options{
		Devices: s.devices, Name: s.view.Device, Data: o.Data, Clock: s.p.Now, Screens: s.screenOptions, Log: o.Log,
		LookAgain: o.LookAgain, NetworkTime: o.NetworkTime,
	})
	s.view.CanTest = parcel == "" && slices.Contains(s.devices.Keys(), screen.SetupTestKey)
	return s, nil
}

// MaxScan is the longest scan: a parcel with an AIM identifier.
const MaxScan = provision.MaxText + 4

// The devices' owner.
var _ devices.Owner = (*Setup)(nil)

// ScannerNotice is what the screen says about the scanner's settings.
func ScannerNotice(how devices.Misread) screen.Notice {
	switch how {
	case devices.OtherKeyboard:
		return screen.ScannerLayout
	case devices.NoCodes:
		return screen.ScannerFraming
	case devices.ReadsWell:
	}
	return screen.NoNotice
}

// Press takes a key; one that comes too fast is dropped.
func (s *Setup) Press(k payterm.Key) {
	select {
	case s.keys <- k:
	default:
	}
}

// Scan takes a scan; the newest counts.
func (s *Setup) Scan(_ context.Context, code payterm.PayCode, _ time.Duration) {
	if text := code.Reveal(); len(text) > LongestCode && !provision.LooksLike(text) {
		return // garbage
	}
	for {
		select {
		case s.codes <- code:
			return
		default:
		}
		select {
		case <-s.codes:
		default:
		}
	}
}

// Lived is the time of scans, whose age does not matter here.
func (s *Setup) Lived() time.Duration { return s.devices.Now() }

// Redraw shows the newest screen again.
func (s *Setup) Redraw() { s.devices.Show(s.Screen()) }

// MayDim reports whether the screen may be dimmed: not one with good or bad news.
func (s *Setup) MayDim(_ context.Context, shown payterm.Screen) bool {
	return shown.Tone == payterm.Calm
}

// Printed does nothing.
func (s *Setup) Printed(payterm.Receipt) {}

// Lost sounds an alarm, once.
func (s *Setup) Lost(payterm.Receipt) { s.alarm.Do(func() { s.devices.Play(payterm.SoundAlarm) }) }

// Paper does nothing: the doctor asks the printer itself.
func (s *Setup) Paper(payterm.PaperCondition) {}

// Screen is the newest screen.
func (s *Setup) Screen() payterm.Screen { return s.devices.Screen() }

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

// Run shows what to do and takes parcels, until one is installed (nil) or the context ends (its
// error). It closes the board.
func (s *Setup) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	s.devices.RunGlass(ctx, &wg)
	s.devices.RunInput(ctx, &wg)
	wg.Go(func() { s.devices.RunPrinter(ctx) })
	let, err := s.answer(ctx, &wg)
	if err == nil {
		err = s.serve(ctx, &wg)
	}
	stop()
	wg.Wait()
	if let != nil {
		err = errors.Join(err, let.Close())
	}
	return errors.Join(err, s.o.Board.Close())
}

// ErrNoCode ends Setup: a terminal that can sell goes on selling.
var ErrNoCode = errors.New("no code came")

func (s *Setup) serve(ctx context.Context, wg *sync.WaitGroup) error {
	again := s.parcel != ""
	switch {
	case again:
		s.offer(s.parcel)
	case s.unread != nil: // shown until it is repaired
		s.refuse(notWritten(s.unread))
		s.until = time.Time{}
	default:
		s.testSelf(ctx, wg, false)
	}
	s.show()
	if s.o.Ready != nil {
		if err := s.o.Ready(); err != nil {
			return err
		}
	}
	turn, look := time.NewTicker(turnLanguage), time.NewTicker(LookEvery)
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
			s.language = (s.language + 1) % len(s.spoken)
		case <-look.C:
			if s.at == nil {
				if text := s.o.Sticks.Next(!s.p.Now().IsZero()); text != "" {
					s.offer(text)
				}
			}
			if _, serial, err := config.Provisioned(s.p.Data); err == nil && serial > s.o.Serial {
				s.view.Done = true
			}
			if !s.until.IsZero() && time.Now().After(s.until) {
				s.forget()
			}
		}
		s.show()
		switch {
		case s.view.Done:
			s.devices.Play(payterm.SoundApproved)
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
	s.devices.Show(screen.Setup(v, s.screenOptions()))
	s.devices.Arm(v.Scans())
}

func (s *Setup) screenOptions() screen.Options {
	lettersOnly, small := s.devices.Glass()
	now := s.notices.Now()
	return screen.Options{
		Language: s.spoken[s.language], Watermark: s.o.Watermark, LettersOnly: lettersOnly, Small: small,
		NoPrinter: !s.devices.Has(devices.Printer), Notice: now.Notice, Refusal: now.Reason,
	}
}

// forget goes back to waiting for a parcel.
func (s *Setup) forget() {
	s.at, s.wrong, s.until = nil, 0, time.Time{}
	s.view = screen.SetupView{Device: s.view.Device, CanTest: s.view.CanTest}
}

// refuse shows a refusal.
func (s *Setup) refuse(err error) {
	s.o.Log.Warn("provisioning", "err", err)
	s.devices.Play(payterm.SoundDeclined)
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

// offer checks a parcel and asks for its code.
func (s *Setup) offer(text string) {
	s.forget()
	s.language = 0
	parcel, err := s.p.Offer(text)
	if err == nil && s.o.Board.Keypad == nil {
		err = provision.Refused{
			Reason: provision.CannotConfirm,
			Detail: "the board has no keys to type its code at: payterm provision FILE",
		}
	}
	if err != nil {
		s.refuse(err)
		return
	}
	s.o.Log.Info("a parcel came", "serial", parcel.Serial())
	s.devices.Play(payterm.SoundScan)
	s.at, s.view.Asking, s.until = parcel, true, time.Now().Add(codePatience)
}

func (s *Setup) press(k payterm.Key) {
	s.devices.Play(payterm.SoundKey)
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

// typed stores the digits so far and restarts the time limit. A stuck key soon adds no more
// digits.
func (s *Setup) typed(digits string) {
	s.view.Digits, s.until = digits, time.Now().Add(codePatience)
}

// tryCode opens the parcel, which takes seconds on a slow board.
func (s *Setup) tryCode(code provision.Code) {
	s.view.Digits, s.view.Busy, s.view.Refused = "", true, ""
	s.show()
	serial := s.at.Serial()
	accepted, err := s.p.Accept(s.at, code)
	s.view.Busy = false
	var refused provision.Refused
	switch {
	case err == nil:
		s.o.Log.Info("a parcel is taken", "serial", serial, "terminal", accepted.Config.Terminal.ID, "waits",
			accepted.Waits)
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
