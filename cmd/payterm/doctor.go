package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"payterm/hal"
	"payterm/terminal/api"
	"payterm/terminal/doctor"

	"github.com/alecthomas/kong"
)

type doctorCmd struct {
	store
	Print bool          `help:"Also print the report on the terminal's paper."`
	Test  trialsFlag    `help:"Test the display, keypad, scanner, printer and buzzer with a person at the terminal; all of them if none is named. No sale is possible meanwhile." placeholder:"DEVICE,..."`
	Step  time.Duration `help:"How long each step of a test waits for the person." default:"30s"`

	shared map[string][]hal.Holder // the agent's ttys that others have open, as root sees it
}

// asOwner finds, as root, who else has the agent's ttys open: the agent's sandbox hides other
// processes from it.
func (c *doctorCmd) asOwner() error {
	c.shared = hal.Shared("payterm")
	return c.store.asOwner()
}

// addShared adds what root found to the report, unless the agent found it too.
func (c *doctorCmd) addShared(rep *api.Report) {
	for _, tty := range slices.Sorted(maps.Keys(c.shared)) {
		names := hal.Names(c.shared[tty])
		if slices.ContainsFunc(rep.Checks, func(check api.Check) bool { return strings.Contains(check.Says, names) }) {
			continue
		}
		rep.Checks = append(rep.Checks, api.Check{Name: "other programs", Result: api.Warn,
			Says: doctor.Shared(tty, names)})
	}
}

// trialsFlag is --test, with a list of devices or without.
type trialsFlag struct {
	asked   bool
	devices string
}

// IsBool allows the flag without a value.
func (trialsFlag) IsBool() bool { return true }

// Decode parses --test, --test=LIST and --test LIST.
func (f *trialsFlag) Decode(ctx *kong.DecodeContext) error {
	f.asked = true
	next := ctx.Scan.Peek()
	word, is := next.Value.(string)
	if !is || next.Type != kong.FlagValueToken && !deviceList(word) {
		return nil
	}
	ctx.Scan.Pop()
	if !deviceList(word) {
		return fmt.Errorf("%q: a list of %s", word, strings.Join(api.Devices, ","))
	}
	f.devices = word
	return nil
}

func deviceList(text string) bool {
	for name := range strings.SplitSeq(text, ",") {
		if !slices.Contains(api.Devices, name) {
			return false
		}
	}
	return true
}

func (c *doctorCmd) Run() error {
	req := api.DoctorRequest{Print: c.Print}
	if c.Test.asked {
		req.Tests, req.Step = api.Devices, c.Step
		if c.Test.devices != "" {
			req.Tests = strings.Split(c.Test.devices, ",")
		}
		// A terminal without a merchant reports what is needed itself.
		if now, err := c.agent().Status(context.Background()); err != nil || now.State != api.StateUnprovisioned {
			fmt.Fprintln(os.Stderr,
				"payterm: the tests are on the terminal's screen; ENTER says good, CANCEL says bad or leaves a test; nothing can be sold until they end")
		}
	}
	rep, err := c.agent().Doctor(context.Background(), req)
	if err != nil {
		return err
	}
	c.addShared(&rep)
	err = c.print(rep, func() {
		for _, check := range rep.Checks {
			took := ""
			if check.TookMS > 0 {
				took = fmt.Sprintf("%d ms", check.TookMS)
			}
			fmt.Printf("%-5s %-20s %7s  %s\n", check.Result, check.Name, took, check.Says)
		}
	})
	if err == nil && !rep.OK {
		return exitStatus(1)
	}
	return err
}
