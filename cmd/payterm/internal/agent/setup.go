package agent

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"payterm"
	"payterm/cmd/payterm/internal/config"
	"payterm/drivers/scanner"
	"payterm/provision"
	"payterm/screen"
)

// ErrProvisioned ends Run when there is a newer configuration to start with, or the
// parcel of one, to be had from Parcel.
var ErrProvisioned = errors.New("the terminal was provisioned")

const (
	lookForInstalled = 2 * time.Second
	turnLanguage     = 4 * time.Second
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

// scanned hands a frame to the flows, unless it is a parcel.
func (a *Agent) scanned(ctx context.Context, scan scanner.Scan) {
	text := scan.Code.Reveal()
	parcel := provision.LooksLike(text)
	if len(text) > longestCode && !parcel {
		return // garbage
	}
	if _, setup := a.desk.(*Setup); setup || !parcel || a.o.Provisioner == nil {
		a.desk.Scan(scan.Code, scan.Began)
		return
	}
	if _, err := a.o.Provisioner.Offer(text); err != nil {
		a.o.Log.Warn("a parcel was scanned", "err", err)
		var refused provision.Refused
		if !errors.As(err, &refused) || refused.Reason == provision.Unreadable || refused.Reason == provision.Foreign || refused.Reason == provision.Altered {
			return // of nobody who has business here: it does not disturb the counter
		}
	}
	a.mu.Lock()
	a.parcel = text
	a.mu.Unlock()
	if a.atRest(ctx) { // or else a little later
		a.giveWay()
	}
}

// atRest tells whether nobody is being served, and no slip waits for the printer.
func (a *Agent) atRest(ctx context.Context) bool {
	if a.o.Board.Printer != nil && a.unprinted.Load() > 0 {
		return false
	}
	s, err := a.runner.Snapshot(ctx)
	return err == nil && s.State == "idle"
}

// awaitInstalled ends the agent between two sales once somebody has installed a parcel, or
// scanned one.
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
		_, serial, err := config.Provisioned(a.o.Data)
		if (err == nil && serial > a.o.Serial || a.Parcel() != "") && a.atRest(ctx) {
			a.giveWay()
			return
		}
	}
}

// giveWay ends Run with ErrProvisioned.
func (a *Agent) giveWay() {
	select {
	case a.leaving <- struct{}{}:
	default:
	}
}

// Setup is a terminal that waits for a parcel: it has a display, keys and a scanner, and
// neither journal nor gateway.
type Setup struct {
	a      *Agent
	p      Provisioner
	parcel string // that was read already
	sticks string // pattern of the parcels on a stick
	serial uint64 // of what is installed
	keys   chan payterm.Key
	codes  chan payterm.PayCode
	alive  chan chan<- struct{}

	// The rest is the loop's.
	view   screen.SetupView
	at     *provision.Parcel    // whose code is asked for
	wrong  int                  // codes for it
	seen   map[string]time.Time // parcels of sticks, by their path
	tongue int                  // of those spoken
	spoken []string
	until  time.Time // when a refusal, or the question for a code, goes away
}

// Sticks is where parcels on a stick are found that something has mounted.
const Sticks = "/media/*/*.ppv"

// NewSetup makes one. Of the options it takes Board, Sleep, Data, Watermark, Built, Log,
// Serial, Provisioner and Ready. A parcel that was scanned before is asked about at
// once; with one, a terminal that can sell goes back to it when the code does not come.
func NewSetup(o Options, parcel string) (*Setup, error) {
	device, err := config.DeviceKey(o.Data)
	if err != nil {
		return nil, err
	}
	s := &Setup{
		a: newAgent(o), p: *o.Provisioner, parcel: parcel, sticks: Sticks, serial: o.Serial,
		keys: make(chan payterm.Key, 32), codes: make(chan payterm.PayCode, 1), alive: make(chan chan<- struct{}),
		seen: map[string]time.Time{}, spoken: []string{"en", "fr", "zh"},
	}
	if d := o.Board.Profile.Display; d != nil && d.Rows > 0 {
		s.spoken = s.spoken[:2] // such a glass has no Chinese
	}
	s.view.Device = provision.DeviceOf(device).String()
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
func (s *Setup) Scan(c payterm.PayCode, _ time.Duration) { newest(s.codes, c) }

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
	for _, work := range []func(context.Context){s.a.runDisplay, s.a.runLights, s.a.runKeypad, s.a.runScanner, s.a.runTrigger, s.a.runBuzzer} {
		wg.Go(func() { work(ctx) })
	}
	err := s.serve(ctx)
	stop()
	wg.Wait()
	return errors.Join(err, s.a.o.Board.Close())
}

// ErrNoCode ends Setup: a terminal that can sell goes on with it.
var ErrNoCode = errors.New("no code came")

func (s *Setup) serve(ctx context.Context) error {
	again := s.parcel != ""
	if again {
		s.offer(s.parcel)
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
			s.press(k)
		case c := <-s.codes:
			s.offer(c.Reveal())
			turn.Reset(turnLanguage)
		case <-turn.C:
			s.tongue = (s.tongue + 1) % len(s.spoken)
		case <-look.C:
			s.lookAtSticks()
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
			s.a.Play(payterm.SoundApproved)
			return nil
		case again && s.at == nil && s.view.Refused == "":
			return ErrNoCode
		}
	}
}

func (s *Setup) show() {
	n := s.a.notice()
	s.a.Show(screen.Setup(s.view, screen.Options{Language: s.spoken[s.tongue], Watermark: s.a.o.Watermark, Notice: n.Notice, Refusal: n.Reason}))
}

// forget goes back to waiting for a parcel.
func (s *Setup) forget() {
	s.at, s.wrong, s.until = nil, 0, time.Time{}
	s.view = screen.SetupView{Device: s.view.Device}
}

// refuse shows why not.
func (s *Setup) refuse(err error) {
	s.a.o.Log.Warn("provisioning", "err", err)
	s.a.Play(payterm.SoundDeclined)
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
	s.a.Play(payterm.SoundScan)
	s.at, s.view.Asking, s.until = parcel, true, time.Now().Add(codePatience)
}

func (s *Setup) press(k payterm.Key) {
	s.a.Play(payterm.SoundKey)
	if s.at == nil || k == payterm.KeyCancel {
		s.forget()
		return
	}
	s.until = time.Now().Add(codePatience)
	typed := s.view.Digits
	switch {
	case k == payterm.KeyClear && typed != "":
		s.view.Digits = typed[:len(typed)-1]
	case k == payterm.KeyEnter && len(typed) == provision.CodeDigits:
		s.tryCode(provision.Code(typed))
	case k.Digits() != "" && len(typed)+len(k.Digits()) <= provision.CodeDigits:
		s.view.Digits = typed + k.Digits()
	}
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

// lookAtSticks takes a parcel from a stick that was plugged in, once.
func (s *Setup) lookAtSticks() {
	if s.at != nil {
		return
	}
	names, err := filepath.Glob(s.sticks)
	if err != nil {
		return
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil || !info.Mode().IsRegular() || info.Size() > provision.MaxText+2 || s.seen[name].Equal(info.ModTime()) {
			continue
		}
		if len(s.seen) > 64 {
			clear(s.seen)
		}
		s.seen[name] = info.ModTime()
		if text, err := os.ReadFile(name); err == nil {
			s.offer(string(text))
			return
		}
	}
}
