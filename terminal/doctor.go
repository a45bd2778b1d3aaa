package terminal

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"payterm"
	"payterm/hal"
	"payterm/screen"
	"payterm/terminal/api"
	"payterm/terminal/devices"

	"golang.org/x/sys/unix"
)

// Report is what the doctor found.
type Report struct {
	At     time.Time `json:"at,omitzero"`
	OK     bool      `json:"ok"` // nothing failed
	Checks []Check   `json:"checks"`
}

// Check is one finding.
type Check struct {
	api.Check
	about  string // which of screen.Findings it is where its name does not tell
	silent bool   // a device that has not answered, and may do so the next time
}

// check makes a finding.
func check(result api.Result, says string) Check {
	return Check{Check: api.Check{Result: result, Says: says}}
}

// as gives a finding another one of screen.Findings than its name does.
func (c Check) as(about string) Check { c.about = about; return c }

// unanswered says that the device has not answered, and may do so the next time.
func (c Check) unanswered() Check { c.silent = true; return c }

// wire is the report as the local API gives it.
func (rep *Report) wire() api.Report {
	w := api.Report{At: rep.At, OK: rep.OK}
	for _, c := range rep.Checks {
		w.Checks = append(w.Checks, c.Check)
	}
	return w
}

const (
	lowSpace      = 64 << 20 // bytes: time to do something
	noSpace       = 8 << 20
	doctored      = 30 * time.Second
	newestRecords = 200 // records of the journal that are held against its chain
)

// paperFindings are those that have words of their own.
var paperFindings = map[payterm.PaperCondition]string{
	payterm.PaperOut: screen.FindingPaperOut, payterm.PaperCoverOpen: screen.FindingCoverOpen,
}

// doctor examines the terminal while it runs. A request with tests walks a person through
// them first, and with print puts the report on the terminal's own paper.
func (a *Agent) doctor(ctx context.Context, r api.DoctorRequest) (api.Report, error) {
	rep := &Report{OK: true}
	if len(r.Tests) > 0 {
		if err := a.try(ctx, rep, r.Tests, r.Step); err != nil {
			return api.Report{}, coded(err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, doctored)
	defer cancel()
	a.examine(ctx, rep)
	if r.Print {
		if err := a.devices.Print(rep.slip(a.o.Config.Terminal.ID)); err != nil {
			rep.add("report", api.Warn, "not printed: "+err.Error(), 0)
		}
	}
	return rep.wire(), nil
}

func (a *Agent) examine(ctx context.Context, rep *Report) {
	_, rep.At = a.clock.Now()
	snap, err := a.runner.Snapshot(ctx)
	if err != nil {
		rep.add("agent", api.Fail, err.Error(), 0)
		return
	}
	a.examineDevices(ctx, rep)
	a.examineSigns(rep)
	a.examineStorage(ctx, rep)
	a.examineSpace(rep)
	a.examineClock(rep)
	a.examineNetwork(ctx, rep)
	if n := snap.Status.Unprinted; n > 0 {
		rep.add("slips", api.Warn, fmt.Sprintf("%d did not come out: print them again (F2 at the order; payterm totals z --number)", n), 0)
	}
	rep.add("queue", api.OK, fmt.Sprintf("%d orders are being asked about", snap.Status.Queue), 0)
	if n := snap.Status.Late + snap.Status.Doubts + snap.Status.Alarms; n > 0 {
		rep.add("decisions", api.Warn, fmt.Sprintf("%d orders wait for a supervisor: payterm journal list", n), 0)
	}
}

// examineDevices says how each device of the board is.
func (a *Agent) examineDevices(ctx context.Context, rep *Report) {
	paper, _ := a.devices.AskPaper(ctx) // a printer that is busy has said it before
	for _, device := range append(slices.Clip(api.Devices), "leds") {
		c := a.examineDevice(device, paper)
		c.Name, c.Errors = device, a.devices.Trouble(device).N
		rep.put(c)
		if c.Result == api.None {
			continue // no wire either
		}
		switch device {
		case "display":
			a.examineGlass(ctx, rep, c)
		case "scanner":
			examineLine(rep, "scanner line", a.o.Board.Scanner, a.devices.Wire(device))
		case "printer":
			examineLine(rep, "printer line", a.o.Board.Printer, a.devices.Wire(device))
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
		rep.add("signs", api.Warn, strings.Join(says, "; "), 0)
		return
	}
	rep.add("signs", api.OK, "the shop's own texts come out as they are written", 0)
}

func (rep *Report) add(name string, result api.Result, says string, took time.Duration) {
	rep.put(Check{Check: api.Check{Name: name, Result: result, Says: says, TookMS: took.Milliseconds()}})
}

func (rep *Report) put(c Check) {
	rep.Checks = append(rep.Checks, c)
	rep.OK = rep.OK && c.Result != api.Fail
}

// examineDevice says how a device is, from what its driver met.
func (a *Agent) examineDevice(device string, paper payterm.PaperCondition) Check {
	b, t := a.o.Board, a.devices.Trouble(device)
	if err := a.devices.Absent(device); err != nil {
		return check(api.Fail, err.Error())
	}
	if !a.devices.Has(device) {
		return check(api.None, "the board profile has none")
	}
	ago := (a.devices.Now() - t.At).Round(time.Second)
	back := errors.Is(t.Err, hal.ErrUnplugged) && b.Lines()[device] != nil // its line is there
	switch {
	case t.N > 0 && ago < devices.Recently && !back:
		return check(api.Fail, t.Err.Error())
	case device == "printer" && paper == payterm.PaperUnknown && b.Profile.Printer.Status:
		return check(api.Warn, "it does not answer when it is asked for its paper: check baud and cable, or say status = false in the board profile").unanswered()
	case device == "printer" && paper == payterm.PaperNearEnd:
		return check(api.Warn, devices.PaperAdvice(paper))
	case device == "printer" && devices.PaperAdvice(paper) != "":
		return check(api.Fail, devices.PaperAdvice(paper)).as(paperFindings[paper])
	case back && ago < devices.Recently:
		return check(api.Warn, fmt.Sprintf("it works again, and was away %s ago: look after the plug", ago))
	case t.N > 0:
		return check(api.Warn, fmt.Sprintf("%d errors since the start, the last %s ago: %s", t.N, ago, t.Err))
	case device == "printer":
		return check(api.OK, "paper: "+string(paper))
	}
	return check(api.OK, a.devices.Wire(device))
}

// examineGlass sends the frame once more, so that a bus that fails is noticed now,
// and says what drives the backlight.
func (a *Agent) examineGlass(ctx context.Context, rep *Report, display Check) {
	if display.Result == api.None || display.Result == api.Fail {
		return
	}
	began := a.devices.Now()
	err := a.devices.Resend(ctx)
	switch light := a.o.Board.Profile.Display.Backlight; {
	case err != nil:
		rep.add("display bus", api.Fail, err.Error(), a.devices.Now()-began)
	case light == "":
		rep.add("display bus", api.OK, "a frame was sent", a.devices.Now()-began)
		rep.add("backlight", api.None, "the board profile has none", 0)
	default:
		rep.add("display bus", api.OK, "a frame was sent", a.devices.Now()-began)
		rep.add("backlight", api.OK, "on, by "+light, 0)
	}
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
	result := api.OK
	warn := func(what string) { result, says = api.Warn, says+"; "+what }
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
	began := a.devices.Now()
	if err := a.store.Writable(); err != nil {
		rep.add("journal", api.Fail, err.Error(), a.devices.Now()-began)
	} else {
		rep.add("journal", api.OK, "written and synced", a.devices.Now()-began)
	}
	began = a.devices.Now()
	if h, err := a.store.Check(ctx, newestRecords); err != nil {
		rep.add("records", api.Fail, err.Error()+": payterm journal verify tells more", a.devices.Now()-began)
	} else {
		rep.add("records", api.OK, fmt.Sprintf("journal_mode %s, synchronous %d, the newest %d records fit their chain", h.JournalMode, h.Synchronous, h.Records), a.devices.Now()-began)
	}
}

// examineSpace looks at the room that is left for the data.
func (a *Agent) examineSpace(rep *Report) {
	var fs unix.Statfs_t
	if err := unix.Statfs(filepath.Clean(a.o.Data), &fs); err != nil {
		rep.add("space", api.Warn, err.Error(), 0)
		return
	}
	rep.put(space(fs.Bavail * uint64(fs.Bsize))) //nolint:gosec // block sizes are positive
}

// space judges how many bytes are left.
func space(left uint64) Check {
	c := check(api.OK, fmt.Sprintf("%d MB are left", left>>20))
	c.Name = "space"
	switch {
	case left < noSpace:
		c.Result, c.Says = api.Fail, c.Says+": free some, sales stop soon"
	case left < lowSpace:
		c.Result, c.Says = api.Warn, c.Says+": free some"
	}
	return c
}

func (a *Agent) examineClock(rep *Report) {
	if rep.At.IsZero() {
		rep.add("clock", api.Fail, "the clock is not set: connect the network, or set it by hand; certificates cannot be checked", 0)
		return
	}
	rep.add("clock", api.OK, rep.At.Format(time.RFC3339), 0)
}

// examineNetwork goes to the gateway hop by hop, from the socket in the wall on.
func (a *Agent) examineNetwork(ctx context.Context, rep *Report) {
	link := linkTo(a.o.Config.Gateway.URL)
	link.Name = "network link"
	rep.put(link)
	for _, hop := range a.gateway.Probe(ctx, a.o.Config.Merchant.Currency) {
		if hop.Err != nil {
			rep.add("network "+hop.Name, api.Fail, hop.Err.Error(), hop.Took)
			continue
		}
		says := ""
		if hop.Name == "key" {
			says = "merchant id and sign key are accepted"
		}
		rep.add("network "+hop.Name, api.OK, says, hop.Took)
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
		add(payterm.ReceiptLine{Kind: payterm.LinePair, Text: c.Name, Right: string(c.Result), Bold: c.Result == api.Fail})
		if c.Result != api.OK && c.Says != "" {
			add(payterm.ReceiptLine{Text: c.Says})
		}
	}
	add(payterm.ReceiptLine{Kind: payterm.LineCut})
	return r
}
