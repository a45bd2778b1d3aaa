package agent

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"payterm"

	"golang.org/x/sys/unix"
)

// Report is what the doctor found.
type Report struct {
	At     time.Time `json:"at,omitzero"`
	OK     bool      `json:"ok"`
	Checks []Check   `json:"checks"`
}

// Check is one finding. Says tells what is so, and with fail or warn what to do.
type Check struct {
	Name   string `json:"name"`
	Result string `json:"result"` // ok, warn, fail, or none where the board has no such device
	Says   string `json:"says,omitempty"`
	TookMS int64  `json:"took_ms,omitempty"`
}

const (
	lowSpace = 64 << 20 // bytes: time to do something
	noSpace  = 8 << 20
	recently = time.Minute // a device that had trouble since then is not called well
	doctored = 30 * time.Second
)

// trouble is what a device said last.
type trouble struct {
	err error
	at  time.Duration
}

// doctor examines the terminal while it runs. A print request puts the report on
// the terminal's own paper.
func (a *Agent) doctor(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), doctored)
	defer cancel()
	rep := a.examine(ctx)
	if r.URL.Query().Get("print") == "1" {
		if err := a.Print(rep.slip(a)); err != nil {
			rep.add("report", "warn", "not printed: "+err.Error(), 0)
		}
	}
	reply(w, rep, nil)
}

func (a *Agent) examine(ctx context.Context) *Report {
	rep := &Report{OK: true}
	_, rep.At = a.clock.Now()
	snap, err := a.runner.Snapshot(ctx)
	if err != nil {
		rep.add("agent", "fail", err.Error(), 0)
		return rep
	}
	a.examineDevices(rep, snap.Status.Paper)
	a.examineStorage(rep)
	if rep.At.IsZero() {
		rep.add("clock", "fail", "the clock is not set: connect the network, or set it by hand; certificates cannot be checked", 0)
	} else {
		rep.add("clock", "ok", rep.At.Format(time.RFC3339), 0)
	}
	for _, hop := range a.gateway.Probe(ctx, a.o.Config.Merchant.Currency) {
		if hop.Err != nil {
			rep.add("network "+hop.Name, "fail", hop.Err.Error(), hop.Took)
			continue
		}
		rep.add("network "+hop.Name, "ok", "", hop.Took)
	}
	rep.add("queue", "ok", fmt.Sprintf("%d orders are being asked about", snap.Status.Queue), 0)
	if n := snap.Status.Late + snap.Status.Doubts + snap.Status.Alarms; n > 0 {
		rep.add("decisions", "warn", fmt.Sprintf("%d orders wait for a supervisor: payterm journal list", n), 0)
	}
	return rep
}

func (rep *Report) add(name, result, says string, took time.Duration) {
	rep.Checks = append(rep.Checks, Check{name, result, says, took.Milliseconds()})
	rep.OK = rep.OK && result != "fail"
}

// examineDevices says how each device of the board is, from what its driver met.
func (a *Agent) examineDevices(rep *Report, paper payterm.PaperCondition) {
	b := a.o.Board
	lines := b.Lines()
	there := map[string]bool{
		"display": b.Display != nil, "keypad": b.Keypad != nil, "scanner": b.Scanner != nil, "printer": b.Printer != nil, "buzzer": b.Buzzer != nil, "leds": b.LEDs != nil,
	}
	a.mu.Lock()
	troubles := map[string]trouble{}
	for device, t := range a.troubles {
		troubles[device] = t
	}
	a.mu.Unlock()
	for _, device := range []string{"display", "keypad", "scanner", "printer", "buzzer", "leds"} {
		t, had := troubles[device]
		switch {
		case b.Faults[device] != nil:
			rep.add(device, "fail", b.Faults[device].Error(), 0)
			continue
		case !there[device]:
			rep.add(device, "none", "the board profile has none", 0)
			continue
		case had && a.mono()-t.at < recently:
			rep.add(device, "fail", t.err.Error(), 0)
			continue
		}
		if l := lines[device]; l != nil {
			if _, err := l.Plugged(); err != nil {
				rep.add(device, "fail", err.Error(), 0)
				continue
			}
		}
		says, result := "", "ok"
		if device == "printer" {
			says = "paper: " + string(paper)
			switch paper {
			case payterm.PaperOut, payterm.PaperCoverOpen, payterm.PaperUnreachable:
				result = "fail"
			case payterm.PaperNearEnd:
				result = "warn"
			case payterm.PaperOK, payterm.PaperUnknown:
			}
		}
		rep.add(device, result, says, 0)
	}
}

// examineStorage writes to the journal and looks at the room that is left.
func (a *Agent) examineStorage(rep *Report) {
	began := a.mono()
	if err := a.store.Writable(); err != nil {
		rep.add("journal", "fail", err.Error(), a.mono()-began)
	} else {
		rep.add("journal", "ok", "written and synced", a.mono()-began)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(filepath.Clean(a.o.Data), &fs); err != nil {
		rep.add("space", "warn", err.Error(), 0)
		return
	}
	left := fs.Bavail * uint64(fs.Bsize) //nolint:gosec // block sizes are positive
	says := fmt.Sprintf("%d MB are left", left>>20)
	switch {
	case left < noSpace:
		rep.add("space", "fail", says+": free some, sales stop soon", 0)
	case left < lowSpace:
		rep.add("space", "warn", says+": free some", 0)
	default:
		rep.add("space", "ok", says, 0)
	}
}

// slip is the report on paper.
func (rep *Report) slip(a *Agent) payterm.Receipt {
	r := payterm.Receipt{Name: "doctor"}
	add := func(l payterm.ReceiptLine) { r.Lines = append(r.Lines, l) }
	add(payterm.ReceiptLine{Text: "DOCTOR", Align: payterm.AlignCenter, Bold: true, Large: true})
	add(payterm.ReceiptLine{Kind: payterm.LinePair, Text: a.o.Config.Terminal.ID, Right: rep.At.Format("2006-01-02 15:04:05")})
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
