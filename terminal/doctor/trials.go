package doctor

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"payterm"
	"payterm/board"
	"payterm/flows/counter"
	"payterm/screen"
	"payterm/terminal/api"
	"payterm/terminal/devices"
)

// The trials of payterm doctor --test: what only a person can judge, asked on the terminal's
// glass. ENTER means good and CANCEL bad; where something else is asked for, CANCEL leaves the
// device. Each step has a time limit.

// lookEvery is how often a step is checked for an end without a person.
const lookEvery = 100 * time.Millisecond

// ending is how a step ended.
type ending int

const (
	answered ending = iota
	late            // no reaction in time
	broken          // the caller has gone, or the service has ended
)

// trials is one run through the devices.
type trials struct {
	d       *Doctor
	devices Devices
	counter Counter
	step    time.Duration
	gone    bool          // the rest is not tested either
	tried   string        // the current device
	began   time.Duration // when its trial began
}

// try guides a person through tests of devices and adds the findings to the report. It holds the
// counter meanwhile, and returns an error if that is in use.
func (d *Doctor) try(ctx context.Context, rep *Report, tests []string, step time.Duration,
	take func(context.Context) (Counter, error)) error {
	counter, err := take(ctx)
	if err != nil {
		return fmt.Errorf("the devices cannot be tried out now: %w", err)
	}
	defer counter.End()
	t := &trials{d: d, devices: d.o.Devices, counter: counter, step: step}
	for _, device := range api.Devices {
		if !slices.Contains(tests, device) {
			continue
		}
		began := t.devices.Now()
		t.tried, t.began = device, began
		f := t.device(ctx, device)
		f.Name, f.TookMS = "test "+device, (t.devices.Now() - began).Milliseconds()
		rep.put(f)
	}
	return nil
}

func (t *trials) device(ctx context.Context, device string) Finding {
	switch {
	case t.gone:
		return finding(api.Skip, "broken off")
	case !t.devices.Has(device):
		return finding(api.None, "the board profile has none")
	case t.devices.Trouble(device).GaveUp:
		return finding(api.Fail, t.devices.Trouble(device).Err.Error())
	case !t.canAnswer() && device != devices.Keypad && device != devices.Scanner:
		return finding(api.Skip, "there is no ENTER and no CANCEL to answer with")
	}
	t.counter.Show(counter.Trial{})
	switch device {
	case devices.Display:
		return t.display(ctx)
	case devices.Keypad:
		return t.keypad(ctx)
	case devices.Scanner:
		return t.scanner(ctx)
	case devices.Printer:
		return t.printer(ctx)
	}
	return t.buzzer(ctx)
}

// canAnswer reports whether there are keys for yes and no.
func (t *trials) canAnswer() bool {
	keys := t.devices.Keys()
	return slices.Contains(keys, payterm.KeyEnter) && slices.Contains(keys, payterm.KeyCancel)
}

// show shows a trial. Keys pressed before it do not count.
func (t *trials) show(trial counter.Trial) {
	for {
		select {
		case _, open := <-t.counter.Input():
			if open {
				continue
			}
			t.gone = true
			return
		default:
			t.counter.Show(trial)
			return
		}
	}
}

// await passes input to take until that returns true, for one step's time; look, which may be
// nil, is polled for another end.
func (t *trials) await(ctx context.Context, take func(counter.Event) bool, look func() bool) ending {
	deadline, tick := time.NewTimer(t.step), time.NewTicker(lookEvery)
	defer deadline.Stop()
	defer tick.Stop()
	for !t.gone {
		select {
		case e, open := <-t.counter.Input():
			if !open {
				t.gone = true
			} else if take(e) {
				return answered
			}
		case <-tick.C:
			if look != nil && look() {
				return answered
			}
		case <-deadline.C:
			return late
		case <-ctx.Done():
			t.gone = true
		}
	}
	return broken
}

// judge asks a question and returns a finding for every answer but yes.
func (t *trials) judge(ctx context.Context, trial counter.Trial, no string) (Finding, bool) {
	t.show(trial)
	yes := false
	switch t.await(ctx, func(e counter.Event) bool {
		k, _ := e.(counter.KeyPressed)
		yes = k.Key == payterm.KeyEnter
		return yes || k.Key == payterm.KeyCancel
	}, t.fails) {
	case late:
		return t.nobody("nobody pressed ENTER or CANCEL"), false
	case broken:
		return finding(api.Skip, "broken off"), false
	}
	switch {
	case t.fails():
		return t.failed(), false
	case !yes:
		return finding(api.Fail, no), false
	}
	return Finding{}, true
}

// fails reports whether the driver has had an error since the device's trial began.
func (t *trials) fails() bool {
	met := t.devices.Trouble(t.tried)
	return met.N > 0 && met.At >= t.began
}

func (t *trials) failed() Finding {
	return finding(api.Fail, t.devices.Trouble(t.tried).Err.Error())
}

// nobody is the finding of a step without a reaction.
func (t *trials) nobody(what string) Finding {
	return finding(api.Fail, fmt.Sprintf("%s within %s", what, t.step))
}

// see asks a question about the glass. A yes counts only if the driver worked before the question
// and has sent the question's frame: ENTER before a dark glass proves nothing.
func (t *trials) see(ctx context.Context, trial counter.Trial, no string) (Finding, bool) {
	if err := t.devices.Resend(ctx); err != nil {
		return t.unsent(ctx, err), false
	}
	c, good := t.judge(ctx, trial, no)
	if !good {
		return c, false
	}
	if err := t.devices.Resend(ctx); err != nil {
		return t.unsent(ctx, err), false
	}
	return c, true
}

// unsent is the finding of a frame that was not sent; the driver's error says more.
func (t *trials) unsent(ctx context.Context, err error) Finding {
	switch {
	case ctx.Err() != nil:
		t.gone = true
		return finding(api.Skip, "broken off")
	case t.fails():
		return t.failed()
	}
	return finding(api.Fail, err.Error())
}

func (t *trials) display(ctx context.Context) Finding {
	c, good := t.see(ctx, counter.Trial{Step: counter.TrialPattern},
		"the pattern is not right: compare rotation, offset_x, offset_y, mirror, inverted and bgr "+
			"of the board profile, then the ribbon cable")
	if !good {
		return c
	}
	code := testCode()
	if !t.devices.CanShow(code) {
		return finding(api.OK, "the pattern is right; a QR code has no room on this glass")
	}
	c, good = t.see(ctx, counter.Trial{Step: counter.TrialCode, Code: code},
		"the code is not readable: clean the glass, raise contrast and backlight")
	if !good {
		return c
	}
	return finding(api.OK, "the pattern is right and the code readable")
}

// keypad asks for each key in turn.
func (t *trials) keypad(ctx context.Context) Finding {
	keys := t.devices.Keys()
	var dead, stuck []payterm.Key
	var strays []string
	row, pressed := len(t.devices.Board().Profile.Keypad.Layout()[0]), 0
	for i, want := range keys {
		if slices.Contains(stuck, want) {
			continue
		}
		var others []payterm.Key
		left := false
		t.show(counter.Trial{Step: counter.TrialKey, Key: want, At: i + 1, Of: len(keys)})
		end := t.await(ctx, func(e counter.Event) bool {
			k, is := e.(counter.KeyPressed)
			switch {
			case !is || k.Key == want:
			case k.Key == payterm.KeyCancel:
				left = true
			default:
				others = append(others, k.Key)
			}
			return is && k.Key == want || left
		}, t.fails)
		if len(others) > 0 {
			strays = append(strays, fmt.Sprintf("%s for %s", words(others), want))
		}
		switch {
		case end == broken:
			return finding(api.Skip, "broken off")
		case t.fails():
			return t.failed()
		case left:
			return t.keysSay(dead, stuck, strays, fmt.Sprintf("left at %s", want))
		case end == late:
			for _, k := range t.devices.Held() {
				if !slices.Contains(stuck, k) {
					stuck = append(stuck, k)
				}
			}
			if !slices.Contains(stuck, want) {
				dead = append(dead, want)
			}
		default:
			pressed++
		}
		if pressed == 0 && len(strays) == 0 && len(stuck) == 0 && len(dead) > row {
			return t.nobody("nobody pressed a key, or the keypad is dead (check its ribbon): none came")
		}
	}
	return t.keysSay(dead, stuck, strays, "")
}

// keysSay describes the result of the keys.
func (t *trials) keysSay(dead, stuck []payterm.Key, strays []string, left string) Finding {
	c := finding(api.OK, fmt.Sprintf("all %d keys", len(t.devices.Keys())))
	var says []string
	if left != "" {
		c.Result = api.Skip
		says = append(says, left)
	}
	if len(strays) > 0 {
		if left == "" {
			c.Result = api.Warn
		}
		says = append(says, "others came: "+strings.Join(strays, ", ")+": pressed by mistake, or two lines touch")
	}
	if len(dead) > 0 {
		c.Result = api.Fail
		says = append(says, fmt.Sprintf("dead: %s: check %s", words(dead), t.lineOf(dead)))
	}
	if len(stuck) > 0 {
		c.Result = api.Fail
		says = append(says, fmt.Sprintf("stuck: %s: free or replace them; the contacts stay closed", words(stuck)))
	}
	if len(says) > 0 {
		c.Says = strings.Join(says, "; ")
	}
	return c
}

// lineOf names the line to check, if all keys of a row or column are dead.
func (t *trials) lineOf(dead []payterm.Key) string {
	k := t.devices.Board().Profile.Keypad
	if k.Kind == board.KindEvdev {
		return "the map of the board profile, and the pad"
	}
	all := func(keys []payterm.Key) bool {
		n := 0
		for _, key := range keys {
			if key != "" {
				n++
			}
		}
		elsewhere := func(d payterm.Key) bool { return !slices.Contains(keys, d) }
		return n == len(dead) && n > 1 && !slices.ContainsFunc(dead, elsewhere)
	}
	for r, row := range k.Keys {
		if all(row) {
			return fmt.Sprintf("the line of row %d, %s", r+1, k.Rows[r])
		}
	}
	for c := range k.Columns {
		var column []payterm.Key
		for _, row := range k.Keys {
			column = append(column, row[c])
		}
		if all(column) {
			return fmt.Sprintf("the line of column %d, %s", c+1, k.Columns[c])
		}
	}
	return "these contacts"
}

func words(keys []payterm.Key) string {
	var list []string
	for _, k := range keys {
		list = append(list, string(k))
	}
	return strings.Join(list, " ")
}

// scanner has the terminal's scanner read a code: from paper, since many cannot see the glass, or
// from the glass without paper.
func (t *trials) scanner(ctx context.Context) Finding {
	unplugged := func() bool { _, err := t.devices.Board().Scanner.Plugged(); return err != nil }
	gone := finding(api.Fail, "it is unplugged: check the cable of "+t.devices.Wire(devices.Scanner))
	if unplugged() {
		return gone
	}
	code := testCode()
	trial := counter.Trial{Step: counter.TrialScan}
	if c, printed := t.print(ctx, screen.ScanSlip(code, t.d.o.Screens())); !printed {
		switch {
		case t.gone:
			return c
		case !t.devices.CanShow(code):
			return finding(api.Skip, "there is nothing to show a code on: "+c.Says)
		}
		trial.Code = code
	}
	t.show(trial)
	equal, left, known, other := false, false, false, "" // known: another code would tell nothing more
	switch t.await(ctx, func(e counter.Event) bool {
		switch e := e.(type) {
		case counter.KeyPressed:
			left = e.Key == payterm.KeyCancel
		case counter.Scanned: // it may be a customer's payment code, so it is not reported
			if text := e.Code.Reveal(); text == code {
				equal = true
			} else if strings.Contains(text, code) {
				known, other = true, "it adds a prefix or a suffix to what it reads: set it to none"
			} else if layout, is := t.devices.OtherLayout(text, code); is {
				known, other = true, devices.Mistyped(layout, t.devices.Board().Profile.Scanner.Layout)
			} else {
				other = fmt.Sprintf("it read %d characters of another code, not the %d of this one",
					len(text), len(code))
			}
		}
		return equal || left || known
	}, unplugged) {
	case broken:
		return finding(api.Skip, "broken off")
	case late:
		if other != "" {
			return finding(api.Fail, other)
		}
		return t.nobody("nobody scanned the code, or the reader is not heard " +
			"(is it lit? are framing and baud those of the profile?): nothing came")
	}
	switch {
	case known, left && other != "":
		return finding(api.Fail, other)
	case left:
		return finding(api.Skip, "left by CANCEL")
	case !equal:
		return gone
	}
	return finding(api.OK, "it read the code, letter by letter")
}

func (t *trials) printer(ctx context.Context) Finding {
	if c, printed := t.print(ctx, screen.TestSlip(testCode(), t.d.o.Screens())); !printed {
		return c
	}
	c, good := t.judge(ctx, counter.Trial{Step: counter.TrialPaper},
		"the slip is not right: compare columns, dots, code_page, cut and baud of the board profile")
	if !good {
		return c
	}
	paper, asked := t.devices.AskPaper(ctx)
	if !asked {
		return finding(api.Fail, "the slip is right, and then its driver does not come round: "+
			"restart payterm; where it stays so, check its cable")
	}
	switch paper {
	case payterm.PaperOut, payterm.PaperCoverOpen, payterm.PaperUnreachable:
		return finding(api.Fail, "the slip is right; now "+devices.PaperAdvice(paper))
	case payterm.PaperNearEnd:
		return finding(api.Warn, "the slip is right; "+devices.PaperAdvice(paper))
	case payterm.PaperOK, payterm.PaperUnknown:
	}
	return finding(api.OK, "the slip is right; paper: "+string(paper))
}

// print prints a slip, and returns a finding if that failed.
func (t *trials) print(ctx context.Context, slip payterm.Receipt) (Finding, bool) {
	if !t.devices.Has(devices.Printer) {
		return finding(api.None, "the board has no printer"), false
	}
	began := t.devices.Now()
	wanted, ended := t.d.slip.begin()
	defer t.d.slip.end()
	t.show(counter.Trial{Step: counter.TrialPrint})
	if err := t.devices.PrintJob(devices.Job{Slip: slip, Wanted: wanted, Ended: ended, Trial: true}); err != nil {
		return finding(api.Fail, err.Error()), false
	}
	var trouble devices.Trouble
	end := t.await(ctx, func(counter.Event) bool { return false }, func() bool {
		trouble = t.devices.Trouble(devices.Printer)
		return t.d.slip.done() || trouble.N > 0 && trouble.At >= began
	})
	switch {
	case end == broken:
		return finding(api.Skip, "broken off"), false
	case end == late:
		return finding(api.Fail, fmt.Sprintf(
			"the slip was not printed within %s: what is in front of it? check the printer", t.step)), false
	case !t.d.slip.done():
		return finding(api.Fail, trouble.Err.Error()), false
	}
	return Finding{}, true
}

// trialSounds are all sounds, shortest first.
var trialSounds = []payterm.Sound{
	payterm.SoundKey, payterm.SoundScan, payterm.SoundApproved,
	payterm.SoundDeclined, payterm.SoundDoubt, payterm.SoundAlarm,
}

func (t *trials) buzzer(ctx context.Context) Finding {
	for i, sound := range trialSounds {
		t.devices.Play(sound)
		c, good := t.judge(ctx, counter.Trial{Step: counter.TrialSound, At: i + 1, Of: len(trialSounds)},
			fmt.Sprintf("the sound %q was not heard: check the line %s and the buzzer's supply",
				sound, t.devices.Wire(devices.Buzzer)))
		if !good {
			return c
		}
	}
	return finding(api.OK, fmt.Sprintf("%d sounds were heard", len(trialSounds)))
}

// testCode is a text that is no wallet's, different each time, so that an old code is noticed.
func testCode() string { return "PAYTERM-TEST-" + rand.Text()[:6] }
