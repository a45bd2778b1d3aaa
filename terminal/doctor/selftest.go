package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"payterm/internal/beneath"
	"payterm/internal/durable"
	"payterm/screen"
	"payterm/terminal/api"
	"payterm/terminal/devices"
)

// The self test is a doctor's examination without a request, when a terminal is new or has a new
// parcel.

// SelfTestFile is the file of the last self test in the data directory.
const SelfTestFile = "doctor.json"

const (
	mostSelfTest  = 1 << 20 // bytes, much more than a report has
	selfTestTries = 2       // starts that may end during it before it is given up
	looks         = 5       // devices and networks may come up after the terminal
	findingStands = 10 * time.Minute
)

// SelfTest is DATA/doctor.json, the last self test. It holds no secrets.
type SelfTest struct {
	Serial uint64      `json:"serial"` // of the parcel; 0 before there was one
	Tries  int         `json:"tries"`  // how often it began
	Report *api.Report `json:"report,omitempty"`
}

// LastSelfTest reads the self test of a parcel; empty if there was none, or if its file is
// damaged.
func LastSelfTest(data string, serial uint64) SelfTest {
	var t SelfTest
	text, err := beneath.Read(data, SelfTestFile, mostSelfTest)
	if err != nil || json.Unmarshal(text, &t) != nil || t.Serial != serial {
		return SelfTest{Serial: serial}
	}
	return t
}

// Begin records that the self test begins. It returns false if there is a report already, or if
// the self test was interrupted too often: it may be what ends the terminal.
func (t *SelfTest) Begin(data string) (bool, error) {
	if t.Report != nil || t.Tries >= selfTestTries {
		return false, nil
	}
	t.Tries++
	return true, t.Keep(data)
}

// Keep writes the file atomically.
func (t *SelfTest) Keep(data string) error {
	text, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("self test: %w", err)
	}
	if err := durable.Replace(filepath.Join(data, SelfTestFile), append(text, '\n')); err != nil {
		return fmt.Errorf("self test: %w", err)
	}
	return nil
}

// Look examines the terminal until all is well and has answered, a few times, whenever it is at
// rest, which rest waits for. Each report is passed on; one that the context's end interrupted is
// nil.
func (d *Doctor) Look(ctx context.Context, rest func(context.Context) bool, examine Examination,
	tell func(*Report)) *Report {
	for n := 1; rest(ctx); n++ {
		rep := &Report{OK: true}
		looking, stop := context.WithTimeout(ctx, doctored)
		examine(looking, rep)
		stop()
		if ctx.Err() != nil {
			return nil
		}
		tell(rep)
		if rep.OK && !slices.ContainsFunc(rep.Findings, func(f Finding) bool { return f.silent }) || n == looks {
			return rep
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(d.o.LookAgain):
		}
	}
	return nil
}

// failed are the failures of a report, in order.
func (rep *Report) failed() []Finding {
	var list []Finding
	for _, c := range rep.Findings {
		if c.Result == api.Fail {
			list = append(list, c)
		}
	}
	return list
}

// shownAnyway are findings that the idle screen shows by itself.
var shownAnyway = []string{
	screen.FindingScanner, screen.FindingPrinter, screen.FindingPaperOut, screen.FindingCoverOpen,
	screen.FindingNetwork, screen.FindingGateway,
}

// Brief is a report for a screen. Consequences of one fault count once, and the findings in
// without are left out.
func (rep *Report) Brief(without ...string) screen.SelfTest {
	r, seen := screen.SelfTest{Done: true}, map[string]bool{}
	for _, finding := range without {
		seen[finding] = true
	}
	for _, c := range rep.Findings {
		if c.Result == api.Warn && !c.silent {
			r.Warned++
		}
	}
	for _, c := range rep.failed() {
		finding := c.word()
		if seen[finding] {
			continue
		}
		if seen[finding] = true; r.Failed == "" {
			r.Failed = finding
		} else {
			r.More++
		}
	}
	return r
}

// word is the finding's word of screen.Findings.
func (c Finding) word() string {
	if c.about != "" {
		return c.about
	}
	switch c.Name {
	case "display bus":
		return screen.FindingDisplay
	case "records":
		return screen.FindingJournal
	case "network link":
		return screen.FindingNetwork
	case "network key":
		return screen.FindingKey
	}
	if strings.HasPrefix(c.Name, "network ") {
		return screen.FindingGateway
	}
	return c.Name
}

// Prints reports whether a report found a working printer: a printer that did not answer does not
// count, as it would print the slip whenever it comes back.
func (rep *Report) Prints() bool {
	for _, c := range rep.Findings {
		if c.Name == devices.Printer {
			return !c.silent && (c.Result == api.OK || c.Result == api.Warn)
		}
	}
	return false
}

// Log logs a report in one line.
func (d *Doctor) Log(rep *Report) {
	var failed []string
	for _, c := range rep.failed() {
		failed = append(failed, c.Name+": "+c.Says)
	}
	if len(failed) > 0 {
		d.o.Log.Warn("self test", "ok", false, "failed", strings.Join(failed, "; "))
		return
	}
	d.o.Log.Info("self test", "ok", true)
}

// FirstTest examines the terminal at the first start with the parcel of this serial number, at
// rest. redraw shows the idle screen again, with Standing.
func (d *Doctor) FirstTest(ctx context.Context, serial uint64, examine Examination,
	rest func(context.Context) bool, redraw func()) {
	if serial == 0 || !rest(ctx) {
		return
	}
	test := LastSelfTest(d.o.Data, serial)
	if due, err := test.Begin(d.o.Data); err != nil || !due {
		if err != nil {
			d.o.Log.Warn("self test", "err", err)
		}
		return
	}
	rep := d.Look(ctx, rest, examine, func(rep *Report) { d.stand(rep.Brief(shownAnyway...)); redraw() })
	if rep == nil {
		return
	}
	defer d.follow(ctx, rep, rest, redraw)
	d.Log(rep)
	// Stored first: it is printed once or not at all.
	wire := rep.Wire()
	test.Report = &wire
	if err := test.Keep(d.o.Data); err != nil {
		d.o.Log.Warn("self test", "err", err)
		return
	}
	if rep.Prints() && rest(ctx) {
		if err := d.Print(rep); err != nil {
			d.o.Log.Warn("self test", "err", err)
		}
	}
}

// follow repeats what failed, as long as it is shown on the idle screen, and removes what is
// well. Journal and gateway are not repeated.
func (d *Doctor) follow(ctx context.Context, rep *Report, rest func(context.Context) bool, redraw func()) {
	for d.Standing().Failed != "" {
		select {
		case <-ctx.Done():
			return
		case <-time.After(d.o.LookAgain):
		}
		if !rest(ctx) {
			return
		}
		now := &Report{At: d.o.Clock()}
		looking, stop := context.WithTimeout(ctx, doctored)
		d.examineDevices(looking, now)
		stop()
		d.examineSpace(now)
		d.examineClock(now)
		for i, f := range rep.Findings {
			same := func(n Finding) bool { return n.Name == f.Name }
			if at := slices.IndexFunc(now.Findings, same); at >= 0 && f.Result == api.Fail {
				rep.Findings[i] = now.Findings[at]
			}
		}
		if is := rep.Brief(shownAnyway...); d.changes(is) {
			redraw()
		}
	}
}

// stand shows failures on the idle screen, or none.
func (d *Doctor) stand(found screen.SelfTest) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.found, d.until = found, d.o.Devices.Now()+findingStands
}

// changes replaces the failures that are shown, until the same time, and reports whether they
// differ.
func (d *Doctor) changes(found screen.SelfTest) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	was := d.found
	d.found = found
	return was != found
}

// Standing is what the idle screen shows of the self test.
func (d *Doctor) Standing() screen.SelfTest {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.o.Devices.Now() >= d.until {
		return screen.SelfTest{}
	}
	return d.found
}
