package terminal

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"payterm"
	"payterm/flows"
	"payterm/internal/beneath"
	"payterm/internal/durable"
	"payterm/screen"
	"payterm/terminal/api"
)

// The self test is the doctor, by itself, when a terminal is new or has a new parcel.

const (
	selfTestFile  = "doctor.json"
	mostSelfTest  = 1 << 20 // bytes of it, far more than a report has
	selfTestTries = 2       // starts that may die in it before it is left alone
	looks         = 5       // devices and networks come up after the agent
	findingStands = 10 * time.Minute
)

// SelfTest is DATA/doctor.json, the last self test. It holds no secrets.
type SelfTest struct {
	Serial uint64  `json:"serial"` // of the parcel; 0 before there was one
	Tries  int     `json:"tries"`  // how often it began
	Report *Report `json:"report,omitempty"`
}

// lastSelfTest reads what a parcel's self test has come to; nothing where there was none,
// or where its file is damaged.
func lastSelfTest(data string, serial uint64) SelfTest {
	var t SelfTest
	text, err := beneath.Read(data, selfTestFile, mostSelfTest)
	if err != nil || json.Unmarshal(text, &t) != nil || t.Serial != serial {
		return SelfTest{Serial: serial}
	}
	return t
}

// begin notes that the self test begins. It is false once there is a report, and when
// this has not come to an end too often: a terminal that a test brings down is no use to
// anybody.
func (t *SelfTest) begin(data string) (bool, error) {
	if t.Report != nil || t.Tries >= selfTestTries {
		return false, nil
	}
	t.Tries++
	return true, t.keep(data)
}

// keep writes the file so that a cut leaves the old one or the new one.
func (t *SelfTest) keep(data string) error {
	text, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("self test: %w", err)
	}
	if err := durable.Replace(filepath.Join(data, selfTestFile), append(text, '\n')); err != nil {
		return fmt.Errorf("self test: %w", err)
	}
	return nil
}

// look has the terminal examined until all is well and has answered, a few times, whenever it is at rest.
// Told hears of each report. One that the context's end has spoilt is nil.
func look(ctx context.Context, again time.Duration, rest func(context.Context) bool, examine func(context.Context, *Report), told func(*Report)) *Report {
	for n := 1; rest(ctx); n++ {
		rep := &Report{OK: true}
		looking, stop := context.WithTimeout(ctx, doctored)
		examine(looking, rep)
		stop()
		if ctx.Err() != nil {
			return nil
		}
		told(rep)
		if rep.OK && !slices.ContainsFunc(rep.Checks, func(c Check) bool { return c.silent }) || n == looks {
			return rep
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(again):
		}
	}
	return nil
}

// failed names what failed, in a report's order.
func (rep *Report) failed() []Check {
	var list []Check
	for _, c := range rep.Checks {
		if c.Result == api.Fail {
			list = append(list, c)
		}
	}
	return list
}

// toldAnyway is what the idle screen says by itself, for as long as it is so.
var toldAnyway = []string{screen.FindingScanner, screen.FindingPrinter, screen.FindingPaperOut, screen.FindingCoverOpen, screen.FindingNetwork, screen.FindingGateway}

// inBrief is a report for a screen. What follows from the same fault counts once, and
// some findings may be left out.
func (rep *Report) inBrief(without ...string) screen.SelfTest {
	r, seen := screen.SelfTest{Done: true}, map[string]bool{}
	for _, finding := range without {
		seen[finding] = true
	}
	for _, c := range rep.failed() {
		finding := c.finding()
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

// finding is one of screen.Findings.
func (c Check) finding() string {
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

// prints tells whether a report has found a printer that works: not one that gives no
// answer, whose slip would come out of the blue one day.
func (rep *Report) prints() bool {
	for _, c := range rep.Checks {
		if c.Name == "printer" {
			return !c.silent && (c.Result == api.OK || c.Result == api.Warn)
		}
	}
	return false
}

// logged puts a report into one line of the log.
func (a *Agent) logged(rep *Report) {
	var failed []string
	for _, c := range rep.failed() {
		failed = append(failed, c.Name+": "+c.Says)
	}
	if len(failed) > 0 {
		a.o.Log.Warn("self test", "ok", false, "failed", strings.Join(failed, "; "))
		return
	}
	a.o.Log.Info("self test", "ok", true)
}

// selfTest examines the terminal at the first start with a parcel, whenever nobody is
// being served.
func (a *Agent) selfTest(ctx context.Context) {
	test := lastSelfTest(a.o.Data, a.o.Serial)
	if a.o.Serial == 0 || a.training != nil || !a.rest(ctx) {
		return
	}
	if due, err := test.begin(a.o.Data); err != nil || !due {
		if err != nil {
			a.o.Log.Warn("self test", "err", err)
		}
		return
	}
	test.Report = look(ctx, a.o.lookAgain, a.rest, a.examine, func(rep *Report) { a.tell(rep.inBrief(toldAnyway...)) })
	if test.Report == nil {
		return
	}
	defer a.follow(ctx, *test.Report)
	a.logged(test.Report)
	// Kept first: it comes on paper once, or not at all.
	if err := test.keep(a.o.Data); err != nil {
		a.o.Log.Warn("self test", "err", err)
		return
	}
	if test.Report.prints() && a.rest(ctx) {
		if err := a.devices.Print(test.Report.slip(a.o.Config.Terminal.ID)); err != nil {
			a.o.Log.Warn("self test", "err", err)
		}
	}
}

// follow looks again at what failed in a report, for as long as it stands on the idle
// screen, and takes away what is well. Journal and gateway it leaves to the doctor.
func (a *Agent) follow(ctx context.Context, rep Report) {
	rep.Checks = slices.Clone(rep.Checks)
	for a.standing() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(a.o.lookAgain):
		}
		if !a.rest(ctx) {
			return
		}
		var now Report
		_, now.At = a.clock.Now()
		looking, stop := context.WithTimeout(ctx, doctored)
		a.examineDevices(looking, &now)
		stop()
		a.examineSpace(&now)
		a.examineClock(&now)
		for i, c := range rep.Checks {
			if at := slices.IndexFunc(now.Checks, func(n Check) bool { return n.Name == c.Name }); at >= 0 && c.Result == api.Fail {
				rep.Checks[i] = now.Checks[at]
			}
		}
		a.mu.Lock()
		was, is := a.found.what, rep.inBrief(toldAnyway...)
		a.found.what = is
		a.mu.Unlock()
		if is != was {
			a.runner.Redraw()
		}
	}
}

// standing tells whether the idle screen says what the self test has found.
func (a *Agent) standing() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.found.what.Failed != "" && a.devices.Now() < a.found.until
}

// rest waits until nobody is being served; false when the context ends before.
func (a *Agent) rest(ctx context.Context) bool {
	for !a.atRest(ctx) {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(lookForInstalled):
		}
	}
	return ctx.Err() == nil
}

// found is what stands below the idle screen for a while.
type found struct {
	what  screen.SelfTest
	until time.Duration // since the agent's start
}

// tell has the idle screen say what failed, or no longer.
func (a *Agent) tell(r screen.SelfTest) {
	a.mu.Lock()
	a.found = found{r, a.devices.Now() + findingStands}
	a.mu.Unlock()
	a.runner.Redraw()
}

// withFinding adds to the idle screen what the self test has found.
func (a *Agent) withFinding(s payterm.Screen, o screen.Options) payterm.Screen {
	a.mu.Lock()
	f := a.found
	a.mu.Unlock()
	line := screen.Finding(f.what, o)
	if s.Name == string(flows.ViewIdle) && line != "" && a.devices.Now() < f.until {
		s.Lines = append(s.Lines[:len(s.Lines):len(s.Lines)], line)
	}
	return s
}
