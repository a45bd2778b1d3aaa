package terminal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"payterm"
	"payterm/hal"
	"payterm/screen"

	"golang.org/x/sys/unix"
)

// Report is what the doctor found.
type Report struct {
	At     time.Time `json:"at,omitzero"`
	OK     bool      `json:"ok"` // nothing failed
	Checks []Check   `json:"checks"`
}

// Check is one finding. Says tells what is so, and with fail or warn what to do.
type Check struct {
	Name   string `json:"name"`
	Result string `json:"result"` // ok, warn, fail; skip of a test that a person left; none where the board has no such device
	Says   string `json:"says,omitempty"`
	TookMS int64  `json:"took_ms,omitempty"`
	Errors int    `json:"errors,omitempty"` // of a device, since the agent's start

	about  string // which of screen.Findings it is where its name does not tell
	silent bool   // a device that has not answered, and may do so the next time
}

const (
	lowSpace      = 64 << 20 // bytes: time to do something
	noSpace       = 8 << 20
	recently      = time.Minute // a device that had trouble since then is not called well
	doctored      = 30 * time.Second
	answers       = 10 * time.Second // a frame over a slow bus, two looks at a silent printer and a line that holds are over by then
	newestRecords = 200              // records of the journal that are held against its chain
)

// Devices are what a board may have, in the order of the report.
var Devices = []string{"display", "keypad", "scanner", "printer", "buzzer"}

// trouble is what a device has met.
type trouble struct {
	err    error         // the last
	at     time.Duration // of the last
	n      int
	gaveUp bool // it is not tried again
}

// met notes an error of a device.
func (a *Agent) met(device string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.troubles[device]
	a.troubles[device] = trouble{err, a.mono(), t.n + 1, t.gaveUp}
}

// gaveUp notes that a device is not used in this life.
func (a *Agent) gaveUp(device string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.troubles[device] = trouble{err, a.mono(), a.troubles[device].n + 1, true}
}

func (a *Agent) trouble(device string) trouble {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.troubles[device]
}

// paperAdvice says what to do about a printer.
var paperAdvice = map[payterm.PaperCondition]string{
	payterm.PaperOut:         "there is no paper: put in a new roll",
	payterm.PaperCoverOpen:   "the cover is open: close it",
	payterm.PaperUnreachable: "the printer does not print: check its cable, switch it off and on",
	payterm.PaperNearEnd:     "the paper is nearly out: have a new roll at hand",
}

// paperFindings are those that have words of their own.
var paperFindings = map[payterm.PaperCondition]string{
	payterm.PaperOut: screen.FindingPaperOut, payterm.PaperCoverOpen: screen.FindingCoverOpen,
}

// doctor examines the terminal while it runs. A request with tests walks a person
// through them first, and with print puts the report on the terminal's own paper.
func (a *Agent) doctor(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	rep := &Report{OK: true}
	if q.Has("test") {
		tests, step, err := trialsOf(q)
		if err == nil {
			err = a.try(r.Context(), rep, tests, step)
		}
		if err != nil {
			reply(w, nil, err)
			return
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), doctored)
	defer cancel()
	a.examine(ctx, rep)
	if q.Get("print") == "1" {
		if err := a.Print(rep.slip(a.o.Config.Terminal.ID)); err != nil {
			rep.add("report", "warn", "not printed: "+err.Error(), 0)
		}
	}
	reply(w, rep, nil)
}

// trialsOf reads which devices are to be tried out, and how long each step waits
// for a person.
func trialsOf(q url.Values) (tests []string, step time.Duration, err error) {
	tests, step = Devices, defaultStep
	if text := q.Get("test"); text != "" {
		tests = strings.Split(text, ",")
	}
	for _, t := range tests {
		if !slices.Contains(Devices, t) {
			return nil, 0, fmt.Errorf("test %q: %s", t, strings.Join(Devices, ", "))
		}
	}
	if text := q.Get("step"); text != "" {
		if step, err = time.ParseDuration(text); err != nil || step <= 0 || step > maxStep {
			return nil, 0, fmt.Errorf("step %q: a time such as 30s, at most %s", text, maxStep)
		}
	}
	return tests, step, nil
}

func (a *Agent) examine(ctx context.Context, rep *Report) {
	_, rep.At = a.clock.Now()
	snap, err := a.runner.Snapshot(ctx)
	if err != nil {
		rep.add("agent", "fail", err.Error(), 0)
		return
	}
	a.examineDevices(ctx, rep)
	a.examineSigns(rep)
	a.examineStorage(ctx, rep)
	a.examineSpace(rep)
	a.examineClock(rep)
	a.examineNetwork(ctx, rep)
	if n := snap.Status.Unprinted; n > 0 {
		rep.add("slips", "warn", fmt.Sprintf("%d did not come out: print them again (F2 at the order; payterm totals z --number)", n), 0)
	}
	rep.add("queue", "ok", fmt.Sprintf("%d orders are being asked about", snap.Status.Queue), 0)
	if n := snap.Status.Late + snap.Status.Doubts + snap.Status.Alarms; n > 0 {
		rep.add("decisions", "warn", fmt.Sprintf("%d orders wait for a supervisor: payterm journal list", n), 0)
	}
}

// examineDevices says how each device of the board is.
func (a *Agent) examineDevices(ctx context.Context, rep *Report) {
	a.mu.Lock()
	paper := a.paper // a printer that is busy has said it before
	a.mu.Unlock()
	if paper == "" {
		paper = payterm.PaperUnknown
	}
	if now, asked := a.askPrinter(ctx); asked {
		paper = now
	}
	for _, device := range append(slices.Clip(Devices), "leds") {
		c := a.examineDevice(device, paper)
		c.Name, c.Errors = device, a.trouble(device).n
		rep.put(c)
		if c.Result == "none" {
			continue // no wire either
		}
		switch device {
		case "display":
			a.examineGlass(ctx, rep, c)
		case "scanner":
			examineLine(rep, "scanner line", a.o.Board.Scanner, a.wireOf(device))
		case "printer":
			examineLine(rep, "printer line", a.o.Board.Printer, a.wireOf(device))
		}
	}
}

// examineSigns says which of the shop's own texts do not come out as they are written.
func (a *Agent) examineSigns(rep *Report) {
	var says []string
	for _, p := range Signs(a.o.Config, a.o.Board.Profile) {
		says = append(says, p.Key+": "+p.Text)
	}
	if len(says) > 0 {
		rep.add("signs", "warn", strings.Join(says, "; "), 0)
		return
	}
	rep.add("signs", "ok", "the shop's own texts come out as they are written", 0)
}

func (rep *Report) add(name, result, says string, took time.Duration) {
	rep.put(Check{Name: name, Result: result, Says: says, TookMS: took.Milliseconds()})
}

func (rep *Report) put(c Check) {
	rep.Checks = append(rep.Checks, c)
	rep.OK = rep.OK && c.Result != "fail"
}

// there tells whether the board has a device.
func (a *Agent) there(device string) bool {
	b := a.o.Board
	switch device {
	case "display":
		return b.Display != nil
	case "keypad":
		return b.Keypad != nil
	case "scanner":
		return b.Scanner != nil
	case "printer":
		return b.Printer != nil
	case "leds":
		return b.LEDs != nil
	}
	return b.Buzzer != nil
}

// examineDevice says how a device is, from what its driver met.
func (a *Agent) examineDevice(device string, paper payterm.PaperCondition) Check {
	b, t := a.o.Board, a.trouble(device)
	if err := a.absent(device); err != nil {
		return Check{Result: "fail", Says: err.Error()}
	}
	if !a.there(device) {
		return Check{Result: "none", Says: "the board profile has none"}
	}
	ago := (a.mono() - t.at).Round(time.Second)
	back := errors.Is(t.err, hal.ErrUnplugged) && b.Lines()[device] != nil // its line is there
	switch {
	case t.n > 0 && ago < recently && !back:
		return Check{Result: "fail", Says: t.err.Error()}
	case device == "printer" && paper == payterm.PaperUnknown && b.Profile.Printer.Status:
		return Check{Result: "warn", Says: "it does not answer when it is asked for its paper: check baud and cable, or say status = false in the board profile", silent: true}
	case device == "printer" && paper == payterm.PaperNearEnd:
		return Check{Result: "warn", Says: paperAdvice[paper]}
	case device == "printer" && paperAdvice[paper] != "":
		return Check{Result: "fail", Says: paperAdvice[paper], about: paperFindings[paper]}
	case back && ago < recently:
		return Check{Result: "warn", Says: fmt.Sprintf("it works again, and was away %s ago: look after the plug", ago)}
	case t.n > 0:
		return Check{Result: "warn", Says: fmt.Sprintf("%d errors since the start, the last %s ago: %s", t.n, ago, t.err)}
	case device == "printer":
		return Check{Result: "ok", Says: "paper: " + string(paper)}
	}
	return Check{Result: "ok", Says: a.wireOf(device)}
}

// absent says why a device of the board cannot be used now; nil for one that the board
// does not have.
func (a *Agent) absent(device string) error {
	b, t := a.o.Board, a.trouble(device)
	switch l := b.Lines()[device]; {
	case b.Faults[device] != nil:
		return b.Faults[device]
	case !a.there(device):
	case t.gaveUp:
		return fmt.Errorf("%w: it is not used before the next start", t.err)
	case l != nil:
		if _, err := l.Plugged(); err != nil {
			return fmt.Errorf("%w: check the cable of %s", err, a.wireOf(device))
		}
	}
	return nil
}

// wireOf says on which wire a device hangs.
func (a *Agent) wireOf(device string) string {
	p := a.o.Board.Profile
	switch device {
	case "display":
		d := p.Display
		return d.Controller + " on " + d.SPI + d.I2C + d.Device
	case "keypad":
		if k := p.Keypad; k.Kind == "evdev" {
			return "keyboard " + k.Device + k.Name + k.USB
		}
		return fmt.Sprintf("%d rows, %d columns", len(p.Keypad.Rows), len(p.Keypad.Columns))
	case "scanner":
		if s := p.Scanner; s.Kind == "evdev" {
			return "keyboard " + s.Device + s.Name + s.USB
		}
		return fmt.Sprintf("%s at %d baud", p.Scanner.Device, p.Scanner.Baud)
	case "printer":
		if p.Printer.Network+p.Printer.USB != "" {
			return p.Printer.Network + p.Printer.USB
		}
		return fmt.Sprintf("%s at %d baud", p.Printer.Device, p.Printer.Baud)
	}
	if device == "leds" {
		return strings.Join(strings.Fields(p.Signal.Ready+" "+p.Signal.Approved+" "+p.Signal.Attention), " ")
	}
	return p.Signal.Buzzer
}

// askPrinter asks the printer now. It is false where the printer is busy for longer
// than answers, or there is none.
func (a *Agent) askPrinter(ctx context.Context) (payterm.PaperCondition, bool) {
	if a.o.Board.Printer == nil {
		return payterm.PaperUnknown, false
	}
	ctx, cancel := context.WithTimeout(ctx, answers)
	defer cancel()
	done := make(chan payterm.PaperCondition, 1)
	select {
	case a.asks <- done:
	case <-ctx.Done():
		return payterm.PaperUnknown, false
	}
	select {
	case c := <-done:
		return c, true
	case <-ctx.Done():
		return payterm.PaperUnknown, false
	}
}

// examineGlass sends the frame once more, so that a bus that fails is noticed now,
// and says what drives the backlight.
func (a *Agent) examineGlass(ctx context.Context, rep *Report, display Check) {
	if display.Result == "none" || display.Result == "fail" {
		return
	}
	began := a.mono()
	err := a.retell(ctx)
	switch light := a.o.Board.Profile.Display.Backlight; {
	case err != nil:
		rep.add("display bus", "fail", err.Error(), a.mono()-began)
	case light == "":
		rep.add("display bus", "ok", "a frame was sent", a.mono()-began)
		rep.add("backlight", "none", "the board profile has none", 0)
	default:
		rep.add("display bus", "ok", "a frame was sent", a.mono()-began)
		rep.add("backlight", "ok", "on, by "+light, 0)
	}
}

// retell has the newest screen sent to the glass whole, and tells whether it went.
func (a *Agent) retell(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answers)
	defer cancel()
	done := make(chan error, 1)
	select {
	case a.retells <- done:
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
		}
	case <-ctx.Done():
	}
	return errors.New("its driver does not come round: restart payterm; where it stays so, check the bus")
}

// examineLine says what a serial line has carried.
func examineLine(rep *Report, name string, l *hal.Line, wire string) {
	if l == nil {
		return
	}
	s := l.Stats()
	says := fmt.Sprintf("%s: opened %d times, %d bytes came, %d went", wire, s.Opens, s.In, s.Out)
	if s.Opens == 1 {
		says = strings.Replace(says, "1 times", "once", 1)
	}
	result := "ok"
	warn := func(what string) { result, says = "warn", says+"; "+what }
	if s.Opens > 1 {
		warn("it was lost in between: look after the plug")
	}
	if s.Lost > 0 {
		warn(fmt.Sprintf("%d bytes were lost, as nobody read them", s.Lost))
	}
	if u := s.UART; u != nil && u.Overruns > 0 {
		warn(fmt.Sprintf("%d overruns: the processor is too busy, or the speed too high", u.Overruns))
	}
	if u := s.UART; u != nil && u.Framing+u.Parity > 0 {
		warn(fmt.Sprintf("%d broken characters: check baud and parity of the device", u.Framing+u.Parity))
	}
	rep.add(name, result, says, 0)
}

// examineStorage writes to the journal, reads back how, and looks at the newest
// records.
func (a *Agent) examineStorage(ctx context.Context, rep *Report) {
	began := a.mono()
	if err := a.store.Writable(); err != nil {
		rep.add("journal", "fail", err.Error(), a.mono()-began)
	} else {
		rep.add("journal", "ok", "written and synced", a.mono()-began)
	}
	began = a.mono()
	if h, err := a.store.Check(ctx, newestRecords); err != nil {
		rep.add("records", "fail", err.Error()+": payterm journal verify tells more", a.mono()-began)
	} else {
		rep.add("records", "ok", fmt.Sprintf("journal_mode %s, synchronous %d, the newest %d records fit their chain", h.JournalMode, h.Synchronous, h.Records), a.mono()-began)
	}
}

// examineSpace looks at the room that is left for the data.
func (a *Agent) examineSpace(rep *Report) {
	var fs unix.Statfs_t
	if err := unix.Statfs(filepath.Clean(a.o.Data), &fs); err != nil {
		rep.add("space", "warn", err.Error(), 0)
		return
	}
	rep.put(space(fs.Bavail * uint64(fs.Bsize))) //nolint:gosec // block sizes are positive
}

// space judges how many bytes are left.
func space(left uint64) Check {
	c := Check{Name: "space", Result: "ok", Says: fmt.Sprintf("%d MB are left", left>>20)}
	switch {
	case left < noSpace:
		c.Result, c.Says = "fail", c.Says+": free some, sales stop soon"
	case left < lowSpace:
		c.Result, c.Says = "warn", c.Says+": free some"
	}
	return c
}

func (a *Agent) examineClock(rep *Report) {
	if rep.At.IsZero() {
		rep.add("clock", "fail", "the clock is not set: connect the network, or set it by hand; certificates cannot be checked", 0)
		return
	}
	rep.add("clock", "ok", rep.At.Format(time.RFC3339), 0)
}

// examineNetwork goes to the gateway hop by hop, from the socket in the wall on.
func (a *Agent) examineNetwork(ctx context.Context, rep *Report) {
	link := linkTo(a.o.Config.Gateway.URL)
	link.Name = "network link"
	rep.put(link)
	for _, hop := range a.gateway.Probe(ctx, a.o.Config.Merchant.Currency) {
		if hop.Err != nil {
			rep.add("network "+hop.Name, "fail", hop.Err.Error(), hop.Took)
			continue
		}
		says := ""
		if hop.Name == "key" {
			says = "merchant id and sign key are accepted"
		}
		rep.add("network "+hop.Name, "ok", says, hop.Took)
	}
}

// slip is the report on paper, with the name of the terminal.
func (rep *Report) slip(name string) payterm.Receipt {
	r := payterm.Receipt{Name: "doctor"}
	at := "" // the clock is not set
	if !rep.At.IsZero() {
		at = rep.At.Format("2006-01-02 15:04:05")
	}
	add := func(l payterm.ReceiptLine) { r.Lines = append(r.Lines, l) }
	add(payterm.ReceiptLine{Text: "DOCTOR", Align: payterm.AlignCenter, Bold: true, Large: true})
	add(payterm.ReceiptLine{Kind: payterm.LinePair, Text: name, Right: at})
	add(payterm.ReceiptLine{Kind: payterm.LineRule})
	for _, c := range rep.Checks {
		add(payterm.ReceiptLine{Kind: payterm.LinePair, Text: c.Name, Right: c.Result, Bold: c.Result == "fail"})
		if c.Result != "ok" && c.Says != "" {
			add(payterm.ReceiptLine{Text: c.Says})
		}
	}
	add(payterm.ReceiptLine{Kind: payterm.LineCut})
	return r
}
