package terminal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"time"

	"payterm"
	"payterm/board"
	"payterm/drivers/keypad"
	"payterm/drivers/lcd"
	"payterm/drivers/printer"
	"payterm/drivers/scanner"
	"payterm/drivers/signal"
	"payterm/flows"
	"payterm/glass"
	"payterm/hal"
	"payterm/provision"
)

// again pauses before a device is tried again; false when the agent ends.
func (a *Agent) again(ctx context.Context, device string, err error) bool {
	// What lasts is said once: a line each second wears out the flash.
	if t := a.trouble(device); t.err == nil || t.err.Error() != err.Error() || a.mono()-t.at > recently {
		a.o.Log.Warn("device", "device", device, "err", err)
	}
	a.met(device, err)
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Second):
		return true
	}
}

// mono is the time of the devices, which begins with the agent.
func (a *Agent) mono() time.Duration {
	mono, _ := a.clock.Now()
	return mono
}

// lived is the loop's time, in which a scan has to say when it began.
func (a *Agent) lived() time.Duration {
	if a.loopClock == nil { // a Setup, which does not ask
		return a.mono()
	}
	lived, _ := a.loopClock.Now()
	return lived
}

// openDisplay makes the driver that the profile names, with the layout for its glass;
// nil without a display.
func openDisplay(b *board.Board, sleep func(time.Duration)) (*glass.Display, error) {
	if b.Display == nil {
		return nil, nil
	}
	p := b.Profile.Display
	w := lcd.Wires{Conn: b.Display.Conn, DC: b.Display.DC, Reset: b.Display.Reset, Backlight: b.Display.Backlight}
	if f := b.Display.Frame; f != nil {
		is := f.Format()
		w.Frame = lcd.Frame{Memory: f, Width: is.Width, Height: is.Height, Stride: is.Stride, Bits: is.Bits, Red: is.Red, Green: is.Green, Blue: is.Blue}
	}
	size := p.Size()
	driver, err := lcd.Open(p.Controller, w, lcd.Options{
		Width: size.Width, Height: size.Height, OffsetX: p.OffsetX, OffsetY: p.OffsetY, Rotation: p.Rotation,
		MirrorX: p.MirrorX, MirrorY: p.MirrorY, Inverted: p.Inverted, BGR: p.BGR, Contrast: p.Contrast, Sleep: sleep,
	})
	if err != nil {
		return nil, err
	}
	return glass.New(driver, size.Width, size.Height, p.Shows() == board.TwoColours)
}

// pageTime is how long a page of a screen stands on a glass that is too small for
// all of it.
const pageTime = 2500 * time.Millisecond

// refreshEach is how often the display is told everything again. Tests have it sooner.
var refreshEach = 30 * time.Second

func (a *Agent) runDisplay(ctx context.Context) {
	panel := a.display
	if panel == nil {
		return
	}
	refresh, page := time.NewTicker(refreshEach), time.NewTicker(pageTime)
	defer refresh.Stop()
	defer page.Stop()
	var err error
	shown := ""
	show := func(s payterm.Screen) error {
		s = a.settled(ctx, s)
		if s.Name != shown {
			page.Reset(pageTime) // the first page of a screen stands as long as the others
			shown = s.Name
		}
		err := panel.Show(s)
		if errors.Is(err, glass.ErrDoesNotFit) || errors.Is(err, glass.ErrQRTooSmall) {
			a.o.Log.Warn("screen", "err", err)
			return nil
		}
		return err
	}
	for err == nil || a.again(ctx, "display", err) {
		if err = panel.Init(); err != nil {
			continue
		}
		for err == nil {
			select {
			case <-ctx.Done():
				return
			case <-refresh.C: // after a spark or a brown-out, of which nobody hears
				err = panel.Refresh()
			case done := <-a.retells:
				select {
				case s := <-a.screens: // the frame that is asked for is the newest screen's
					err = show(s)
				default:
				}
				if err == nil {
					err = panel.Refresh()
				}
				done <- err
			case <-page.C:
				err = panel.Turn()
			case s := <-a.screens:
				err = show(s)
			}
		}
		a.redraw()
	}
}

func (a *Agent) redraw() {
	if a.isOpen() {
		a.runner.Redraw()
		return
	}
	a.Show(a.Screen())
}

// wireFirst is how long a screen waits before it is painted: what the same event
// puts on the wire goes first, on boards whose processor does one thing at a time,
// and of several screens in a row only the last is painted.
const wireFirst = 3 * time.Millisecond

// settled gives the newest screen after that pause.
func (a *Agent) settled(ctx context.Context, s payterm.Screen) payterm.Screen {
	select {
	case <-ctx.Done():
	case <-time.After(wireFirst):
	}
	select {
	case newer := <-a.screens:
		return newer
	default:
		return s
	}
}

func (a *Agent) runKeypad(ctx context.Context) {
	b := a.o.Board
	if b.Keypad == nil {
		return
	}
	press := func(k payterm.Key) {
		newest(a.touched, struct{}{})
		a.desk.Press(k)
	}
	k := b.Profile.Keypad
	if b.Keypad.Events != nil {
		pad := keypad.NewPad(hal.NewKeys(b.Keypad.Events), k.Codes())
		for err := pad.Run(ctx, press); err != nil && a.again(ctx, "keypad", err); err = pad.Run(ctx, press) {
		}
		return
	}
	rows, columns := make([]keypad.Row, len(b.Keypad.Rows)), make([]keypad.Column, len(b.Keypad.Columns))
	for i, p := range b.Keypad.Rows {
		rows[i] = p
	}
	for i, p := range b.Keypad.Columns {
		columns[i] = p
	}
	for ctx.Err() == nil {
		m, err := keypad.New(rows, columns, k.Keys, keypad.Options{Interval: k.ScanInterval.Duration, Debounce: k.Debounce.Duration, Sleep: a.o.Sleep})
		if err == nil {
			a.keypad.Store(m)
			err = m.Run(ctx, press)
		}
		if err != nil && !a.again(ctx, "keypad", err) {
			return
		}
	}
}

func (a *Agent) runScanner(ctx context.Context) {
	b := a.o.Board
	if b.Scanner == nil {
		return
	}
	p := b.Profile.Scanner
	var line scanner.Line = b.Scanner
	framing := scanner.Framing(p.Framing)
	if p.Kind == "evdev" {
		line, framing = scanner.NewKeyboard(hal.NewKeys(b.Scanner)), scanner.CR
	}
	s, err := scanner.New(line, scanner.Options{Framing: framing, Pause: p.Gap.Duration, AIM: p.AIM, MaxLength: provision.MaxText + 4, Now: a.lived}) // and an AIM identifier
	if err != nil {
		a.o.Log.Error("scanner", "err", err)
		a.gaveUp("scanner", err)
		return
	}
	for {
		scan, err := s.Read(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			newest(a.rests, struct{}{})
			if !a.again(ctx, "scanner", err) {
				return
			}
		default:
			newest(a.rests, struct{}{})
			newest(a.touched, struct{}{})
			a.scanned(ctx, scan)
		}
	}
}

// restTime is how long a scanner that is armed rests after it has read a code or was
// pulled: by then the flow has usually moved on.
const restTime = time.Second

// runTrigger tells a scanner that has commands for it when to look for a code: while
// the screen asks for one.
func (a *Agent) runTrigger(ctx context.Context) {
	b := a.o.Board
	if b.Scanner == nil || b.Profile.Scanner.TriggerStart == "" {
		return
	}
	p := b.Profile.Scanner
	start, stop, err := p.Trigger()
	if err != nil {
		a.o.Log.Error("scanner", "err", err)
		return
	}
	t := scanner.NewTrigger(b.Scanner, start, stop)
	armed, told := false, ""
	later := time.NewTimer(time.Hour)
	defer later.Stop()
	later.Stop()
	for {
		select {
		case <-ctx.Done():
			if armed {
				t.Stop() //nolint:errcheck // there is nobody to tell any more
			}
			return
		case want := <-a.arming:
			if want == armed {
				continue
			}
			armed = want
		case <-a.rests:
			if armed {
				later.Reset(restTime)
			}
			continue
		case <-later.C:
		}
		later.Stop()
		tell := t.Stop
		if armed {
			tell = t.Start
		}
		switch err := tell(); {
		case err != nil:
			if told != err.Error() { // a scanner that is away is so for each second of a sale
				told = err.Error()
				a.o.Log.Warn("scanner", "err", err)
			}
			later.Reset(restTime)
			continue
		case armed && p.TriggerAgain.Duration > 0:
			later.Reset(p.TriggerAgain.Duration)
		}
		told = ""
	}
}

// openPrinter makes the driver as the profile says. A logo that cannot be printed
// is an error beside it: slips then come without.
func openPrinter(line printer.Line, p *board.Printer, sleep func(time.Duration)) (*printer.Printer, error) {
	o := printer.Options{
		Columns: p.Columns, CodePage: p.CodePage, Chinese: printer.Chinese(p.Chinese), Columned: p.Raster == "esc_star", RasterQR: p.QR == "raster",
		Cut: p.Cut, CutFeed: p.CutFeed, Status: p.Status, Tells: p.Tells, Baud: p.Baud, Buffer: p.Buffer, Speed: p.Speed, Sleep: sleep,
	}
	if p.Baud == 0 {
		o.Baud = 10_000_000 // neither the network nor USB is what the paper waits for
	}
	if p.Logo == "" {
		return printer.New(line, o)
	}
	logo, err := readLogo(p.Logo)
	if err == nil {
		o.Logo = logo
		pr, tooLarge := printer.New(line, o)
		if pr != nil {
			return pr, nil
		}
		err, o.Logo = tooLarge, nil
	}
	pr, other := printer.New(line, o)
	if pr == nil {
		return nil, other
	}
	return pr, fmt.Errorf("logo %s: %w: slips come without it", p.Logo, err)
}

// CheckLogo refuses a logo that its profile's printer cannot print, by the name of its
// key, at the desk and not at the first slip. A file that is not on this machine
// (fs.ErrNotExist) may be on the terminal.
func CheckLogo(p board.Profile) error {
	if p.Printer == nil || p.Printer.Logo == "" {
		return nil
	}
	if _, err := openPrinter(nil, p.Printer, time.Sleep); err != nil {
		return fmt.Errorf("printer.logo: %w", err)
	}
	return nil
}

// maxLogoBytes is far more than a logo for a roll of paper has.
const maxLogoBytes = 1 << 20

func readLogo(name string) (image.Image, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxLogoBytes+1))
	if err != nil {
		return nil, err
	}
	size, err := png.DecodeConfig(bytes.NewReader(text))
	if err != nil {
		return nil, notPNG(err)
	}
	if len(text) > maxLogoBytes || size.Width > 1000 || size.Height > 1000 { // before it is unpacked
		return nil, fmt.Errorf("%d by %d dots in %d bytes are too many", size.Width, size.Height, len(text))
	}
	img, err := png.Decode(bytes.NewReader(text))
	if err != nil {
		return nil, notPNG(err)
	}
	return img, nil
}

func notPNG(err error) error { return fmt.Errorf("it is no whole PNG file (%w)", err) }

// runPrinter prints what is queued. A slip that met a printer without paper
// before its first byte is tried again; one that broke off is not. After the context's
// end it finishes what was queued, within lastSlips.
func (a *Agent) runPrinter(ctx context.Context) {
	b := a.o.Board
	if b.Printer == nil {
		return
	}
	pr, err := openPrinter(b.Printer, b.Profile.Printer, a.o.Sleep)
	if pr == nil {
		a.o.Log.Error("printer", "err", err)
		a.gaveUp("printer", err)
		a.paperIs(payterm.PaperUnreachable)
		a.refuseSlips(ctx)
		return
	}
	if err != nil {
		a.o.Log.Warn("printer", "err", err)
	}
	condition := payterm.PaperUnknown
	tell := func(c payterm.PaperCondition) {
		if c != condition {
			condition = c
			a.paperIs(c)
		}
	}
	tell(pr.Condition(ctx))
	look := time.NewTicker(5 * time.Second)
	defer look.Stop()
	longer, stop := outlasting(ctx, lastSlips)
	defer stop()
	put := func(slip payterm.Receipt) {
		defer a.unprinted.Add(-1)
		if a.overtaken(slip) {
			return
		}
		err := pr.Print(longer, slip)
		if err != nil {
			a.o.Log.Warn("slip", "slip", slip.Name, "order_id", slip.Order, "err", err)
			a.met("printer", err)
			a.notPrinted(slip)
			a.endedZ(slip, err)
			return
		}
		if b.Profile.Printer.Drawer != "" && a.training == nil && slip.Name == string(flows.SlipMerchant) && !slip.Copy {
			if err := pr.Kick(longer); err != nil { // never behind a slip that broke off: it would open when nobody is there
				a.o.Log.Warn("drawer", "err", err)
				a.met("printer", err)
			}
		}
		a.cameOut(slip)
		a.slip.printed(slip)
		a.endedZ(slip, nil)
	}
	for {
		select {
		case <-ctx.Done():
			for len(a.slips) > 0 && longer.Err() == nil { // the loop, which queues them, has ended
				put(<-a.slips)
			}
			return
		case <-look.C:
			tell(pr.Condition(ctx))
		case done := <-a.asks:
			c := pr.Condition(ctx)
			tell(c)
			done <- c
		case slip := <-a.slips:
			for c := pr.Condition(ctx); c == payterm.PaperOut || c == payterm.PaperCoverOpen || c == payterm.PaperUnreachable; c = pr.Condition(ctx) {
				tell(c)
				if !a.again(ctx, "printer", errors.New(paperAdvice[c])) {
					a.o.Log.Warn("the agent ends before its slips are printed", "slips", a.unprinted.Load())
					return
				}
			}
			put(slip)
			tell(pr.Condition(ctx))
		}
	}
}

// refuseSlips is the printer's goroutine where no driver came about: nothing waits for
// one that will not print in this life.
func (a *Agent) refuseSlips(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case done := <-a.asks:
			done <- payterm.PaperUnreachable
		case slip := <-a.slips:
			a.o.Log.Warn("slip", "slip", slip.Name, "order_id", slip.Order, "err", "the printer cannot be used")
			a.notPrinted(slip)
			a.unprinted.Add(-1)
		}
	}
}

// paperIs tells the loop, where there is one.
func (a *Agent) paperIs(c payterm.PaperCondition) {
	a.mu.Lock()
	a.paper = c
	a.mu.Unlock()
	if a.isOpen() {
		a.runner.Paper(c)
	}
}

// lastSlips is how long an agent that is being ended goes on printing what it owes to
// whoever stands there; systemd waits twice as long before it kills.
const lastSlips = 15 * time.Second

// outlasting is done some time after a context is, or when it is stopped.
func outlasting(ctx context.Context, d time.Duration) (longer context.Context, stop func()) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() { time.AfterFunc(d, cancel) })
	return longer, func() { unhook(); cancel() }
}

func (a *Agent) runBuzzer(ctx context.Context) {
	if a.o.Board.Buzzer == nil {
		return
	}
	made := signal.NewBuzzer
	if a.o.Board.Profile.Signal.Passive() {
		made = signal.NewPassiveBuzzer
	}
	b, err := made(a.o.Board.Buzzer, a.o.Sleep)
	if err != nil {
		a.o.Log.Warn("buzzer", "err", err)
		a.gaveUp("buzzer", err)
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-a.sounds:
			if err := b.Play(ctx, s); err != nil {
				a.o.Log.Warn("buzzer", "err", err)
				a.met("buzzer", err)
			}
		}
	}
}

// newDimmer puts a dimmer between the display's driver and a backlight that dims; nil
// where there is none.
func newDimmer(b *board.Board) *signal.Dimmer {
	if b.Display == nil || b.Display.Backlight == nil || b.Profile.Display.DimAfter.Duration == 0 {
		return nil
	}
	if d, dims := b.Display.Backlight.(*signal.Dimmer); dims {
		return d // of an earlier agent on this board
	}
	d := signal.NewDimmer(b.Display.Backlight)
	b.Display.Backlight = d
	return d
}

// dims tells whether a screen that nobody touches may be dark: it waits for nobody. A
// code that a customer is to scan stays bright, a result until it has been read, and
// what has to be seen from afar.
func (a *Agent) dims(ctx context.Context, s payterm.Screen) bool {
	if s.Tone == payterm.Calm || !a.isOpen() {
		return s.Tone == payterm.Calm
	}
	now, err := a.runner.Snapshot(ctx)
	return err == nil && now.AtRest && now.Fault == ""
}

// runLights repeats the screen's tone with the lamps, and dims the backlight while
// nobody touches the terminal.
func (a *Agent) runLights(ctx context.Context) {
	var lamps signal.Lamps
	if l := a.o.Board.LEDs; l != nil {
		lamps = signal.Lamps{Ready: l.Ready, Approved: l.Approved, Attention: l.Attention}
	}
	told := func(err error) bool {
		if err != nil {
			a.o.Log.Warn("lights", "err", err)
		}
		return err == nil
	}
	told(lamps.Dark())
	var shown payterm.Screen
	idle := time.NewTimer(time.Hour)
	defer idle.Stop()
	idle.Stop()
	bright := func() {
		if a.dimmer != nil {
			told(a.dimmer.Dim(100))
			idle.Reset(a.o.Board.Profile.Display.DimAfter.Duration)
		}
	}
	lit := false // the lamp of shown's tone
	for {
		select {
		case <-ctx.Done():
			told(lamps.Dark())
			return
		case s := <-a.moods:
			if s.Name != shown.Name || s.Tone != shown.Tone {
				bright()
			}
			if !lit || s.Tone != shown.Tone {
				lit = told(lamps.Show(s.Tone))
			}
			shown = s
		case <-a.touched:
			bright()
		case <-idle.C:
			if !a.dims(ctx, shown) || !told(a.dimmer.Dim(a.o.Board.Profile.Display.DimTo)) {
				bright()
			}
		}
	}
}
