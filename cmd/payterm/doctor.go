package main

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"payterm/terminal"

	"github.com/alecthomas/kong"
)

type doctorCmd struct {
	store
	Print bool          `help:"Print the report on the terminal's own paper as well."`
	Test  trialsFlag    `help:"Walk somebody at the terminal through tests of display, keypad, scanner, printer, buzzer; of all, when none is named. The counter is taken meanwhile." placeholder:"DEVICE,..."`
	Step  time.Duration `help:"How long each step of a test waits for somebody." default:"30s"`
}

// trialsFlag is --test, with a list of devices or without.
type trialsFlag struct {
	asked   bool
	devices string
}

// IsBool lets the flag stand alone.
func (trialsFlag) IsBool() bool { return true }

// Decode takes --test, --test=LIST and --test LIST.
func (f *trialsFlag) Decode(ctx *kong.DecodeContext) error {
	f.asked = true
	next := ctx.Scan.Peek()
	word, is := next.Value.(string)
	if !is || next.Type != kong.FlagValueToken && !deviceList(word) {
		return nil
	}
	ctx.Scan.Pop()
	if !deviceList(word) {
		return fmt.Errorf("%q: a list of %s", word, strings.Join(terminal.Devices, ","))
	}
	f.devices = word
	return nil
}

func deviceList(text string) bool {
	for name := range strings.SplitSeq(text, ",") {
		if !slices.Contains(terminal.Devices, name) {
			return false
		}
	}
	return true
}

func (c doctorCmd) Run() error {
	q := url.Values{}
	if c.Print {
		q.Set("print", "1")
	}
	if c.Test.asked {
		q.Set("test", c.Test.devices)
		q.Set("step", c.Step.String())
		var now struct{ State string }
		// Without a merchant there are none: what the terminal says of it is enough.
		if err := c.ask("GET", "/status", nil, &now); err != nil || now.State != terminal.Unprovisioned {
			fmt.Fprintln(os.Stderr, "payterm: the tests are on the terminal's screen; ENTER says good, CANCEL says bad or leaves a test; nothing can be sold until they end")
		}
	}
	var rep terminal.Report
	if err := c.ask("POST", "/doctor?"+q.Encode(), nil, &rep); err != nil {
		return err
	}
	err := c.print(rep, func() {
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
