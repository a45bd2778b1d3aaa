package screen_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
	"payterm/glass"
	"payterm/provision"
	"payterm/screen"
)

// setupShot is a screen of a terminal that waits for a parcel.
type setupShot struct {
	name string
	view screen.SetupView
}

// setupShots are the screens of a person who sets a terminal up.
func setupShots() []setupShot {
	shot := func(name string, change func(*screen.SetupView)) setupShot {
		v := screen.SetupView{Device: "K7QX-2MB7", CanTest: true}
		change(&v)
		return setupShot{name, v}
	}
	return []setupShot{
		shot("waiting", func(v *screen.SetupView) { v.Test.Running = true }),
		shot("all well", func(v *screen.SetupView) { v.Test.Done = true }),
		shot("a warning", func(v *screen.SetupView) { v.Test.Done, v.Test.Warned = true, 1 }),
		shot("no paper", func(v *screen.SetupView) {
			v.Test = screen.SelfTest{Done: true, Failed: screen.FindingPaperOut, More: 2}
		}),
		shot("no signers", func(v *screen.SetupView) {
			v.Test = screen.SelfTest{Done: true,
				Failed: screen.FindingSigners}
		}),
		shot("code", func(v *screen.SetupView) { v.Asking, v.Digits = true, "123456" }),
		shot("code, wrong", func(v *screen.SetupView) { v.Asking, v.Refused = true, string(provision.WrongCode) }),
		shot("refused", func(v *screen.SetupView) { v.Refused = string(provision.Expired) }),
		shot("refused, clock", func(v *screen.SetupView) { v.Refused = string(provision.ClockNotSet) }),
		shot("busy", func(v *screen.SetupView) { v.Asking, v.Busy = true, true }),
		shot("done", func(v *screen.SetupView) { v.Done = true }),
	}
}

// allOfSetup adds each refusal and each finding.
func allOfSetup() []setupShot {
	all := setupShots()
	for _, r := range provision.Reasons {
		all = append(all, setupShot{"refused: " + string(r), screen.SetupView{Device: "K7QX-2MB7", Refused: string(r)}})
	}
	for _, f := range screen.Findings {
		all = append(all, setupShot{"found: " + f, screen.SetupView{Device: "K7QX-2MB7", CanTest: true,
			Test: screen.SelfTest{Done: true, Failed: f, More: 12}}})
	}
	return all
}

// TestSetupFits is TestEveryTextFits for the screens that have no view.
func TestSetupFits(t *testing.T) {
	for _, size := range []struct{ w, h, pages int }{
		{240, 320, 1}, {320, 240, 1}, {480, 320, 1}, {240, 240, 1}, {240, 135, 2}, {135, 240, 2}, {160, 128, 2},
		{128, 64, 3},
	} {
		p, err := glass.NewPainter(size.w, size.h)
		if err != nil {
			t.Fatal(err)
		}
		for _, language := range payterm.Languages {
			for _, s := range allOfSetup() {
				composed := screen.Setup(s.view, screen.Options{Language: language, Small: glass.Small(size.w, size.h)})
				composed.Name += s.name + language
				for page, pages := 1, 1; page <= pages; page++ {
					if _, err := p.Paint(composed); err != nil {
						t.Errorf("%dx%d %s %s, page %d: %v", size.w, size.h, language, s.name, page, err)
					}
					if pages = p.Pages(); pages > size.pages {
						t.Errorf("%dx%d %s %s: %d pages", size.w, size.h, language, s.name, pages)
					}
					p.Turn()
				}
			}
		}
	}
	e, d := newGlass(t, "raspberrypi-i2c-hd44780")
	for _, language := range []string{"en", "fr"} {
		for _, s := range allOfSetup() {
			composed := screen.Setup(s.view, screen.Options{Language: language, Small: true, LettersOnly: true})
			composed.Name += s.name + language
			if frames, unfit := pages(t, e, d, composed); unfit != nil || len(frames) > 4 {
				t.Errorf("%s %s: %d pages, %v", language, s.name, len(frames), unfit)
			}
		}
	}
}

// TestFindingFitsBesideIdle: a finding fits below the other texts of the idle screen.
func TestFindingFitsBesideIdle(t *testing.T) {
	for _, size := range []struct{ w, h, pages int }{{240, 320, 1}, {320, 240, 1}, {240, 240, 1}, {160, 128, 2},
		{128, 64, 3}} {
		p, err := glass.NewPainter(size.w, size.h)
		if err != nil {
			t.Fatal(err)
		}
		for _, language := range payterm.Languages {
			o := screen.Options{Language: language, Merchant: "Dépanneur Côte-des-Neiges",
				Small: glass.Small(size.w, size.h), Link: counter.NetworkUp, Now: noon}
			for _, f := range screen.Findings {
				o.Found = screen.SelfTest{Failed: f, More: 3}
				s := screen.Compose(counter.View{Name: counter.ViewIdle, Total: cad(0),
					Status: counter.Status{Network: counter.NetworkDown, Doubts: 2, Paper: payterm.PaperNearEnd}}, o)
				s.Name += f + language
				if line := screen.Finding(o.Found, o); s.Lines[len(s.Lines)-1] != line {
					t.Errorf("%s %s: %q does not end with %q", language, f, s.Lines, line)
				}
				for page, pages := 1, 1; page <= pages; page++ {
					if _, err := p.Paint(s); err != nil {
						t.Errorf("%dx%d %s %s: %v", size.w, size.h, language, f, err)
					}
					if pages = p.Pages(); pages > size.pages {
						t.Errorf("%dx%d %s %s: %d pages", size.w, size.h, language, f, pages)
					}
					p.Turn()
				}
			}
		}
	}
}

// TestScannerAway: the idle screen and the scan screen tell the seller, and nobody is asked to show a code to
// the scanner. Screens about a payment's result do not mention it.
func TestScannerAway(t *testing.T) {
	for _, language := range payterm.Languages {
		o := screen.Options{Language: language, Merchant: "Tea & Co", ScannerAway: true, Link: counter.NetworkUp,
			Now: noon}
		line := screen.Finding(screen.SelfTest{Failed: screen.FindingScanner}, o)
		for _, s := range variants() {
			away := screen.Compose(s.view, o)
			o.ScannerAway = false
			well := screen.Compose(s.view, o)
			o.ScannerAway = true
			told := slices.Contains(away.Lines, line)
			if idle, scan := s.view.Name == counter.ViewIdle, s.view.Name == counter.ViewScan; told != (idle || scan) &&
				s.view.Lesson == (counter.Lesson{}) {
				t.Errorf("%s %s: %q", language, s.name, away.Lines)
			} else if scan && s.view.Hint == order.HintNone && len(away.Lines) != 1 || s.view.Hint != order.HintNone &&
				away.Lines[0] != well.Lines[0] {
				t.Errorf("%s %s: %q, and %q with a scanner", language, s.name, away.Lines, well.Lines)
			} else if (!idle && !scan || s.view.Lesson != (counter.Lesson{})) && !told &&
				!reflect.DeepEqual(away, well) {
				t.Errorf("%s %s: it changes to %+v", language, s.name, away)
			}
		}
	}
}

// TestScannerAwayFits: that text fits beside all others of the idle screen and the scan screen.
func TestScannerAwayFits(t *testing.T) {
	for _, size := range []struct{ w, h, pages int }{
		{240, 320, 1}, {320, 240, 1}, {480, 320, 1}, {240, 240, 1}, {240, 135, 2}, {135, 240, 2}, {160, 128, 2},
		{128, 64, 3},
	} {
		p, err := glass.NewPainter(size.w, size.h)
		if err != nil {
			t.Fatal(err)
		}
		for _, language := range payterm.Languages {
			for _, s := range variants() {
				if s.view.Name != counter.ViewIdle && s.view.Name != counter.ViewScan {
					continue
				}
				o := screen.Options{Language: language, Merchant: "Dépanneur Côte-des-Neiges", ScannerAway: true,
					Small: glass.Small(size.w, size.h), Link: counter.NetworkUp, Now: noon}
				composed := onGlass(s, size.h, o)
				composed.Name += s.name + language
				for page, pages := 1, 1; page <= pages; page++ {
					if _, err := p.Paint(composed); err != nil {
						t.Errorf("%dx%d %s %s: %v", size.w, size.h, language, s.name, err)
					}
					if pages = p.Pages(); pages > size.pages {
						t.Errorf("%dx%d %s %s: %d pages", size.w, size.h, language, s.name, pages)
					}
					p.Turn()
				}
			}
		}
	}
	e, d := newGlass(t, "raspberrypi-i2c-hd44780")
	for _, language := range payterm.Languages {
		for _, s := range variants() {
			if s.view.Name == counter.ViewIdle || s.view.Name == counter.ViewScan {
				composed := onGlass(s, 64, screen.Options{Language: language, Merchant: "Dépanneur", ScannerAway: true,
					Small: true, LettersOnly: true, Link: counter.NetworkUp, Now: noon})
				composed.Name += s.name + language
				if frames, unfit := pages(t, e, d, composed); unfit != nil || len(frames) > 4 {
					t.Errorf("letters, %s %s: %d pages, %v", language, s.name, len(frames), unfit)
				}
			}
		}
	}
}

// TestFindings: each finding has a text of its own in each language, and an unknown one has some text, too.
func TestFindings(t *testing.T) {
	for _, language := range payterm.Languages {
		for _, small := range []bool{false, true} {
			o, seen := screen.Options{Language: language, Small: small}, map[string]string{}
			for _, f := range screen.Findings {
				text := screen.Finding(screen.SelfTest{Failed: f}, o)
				if other, twice := seen[text]; twice || text == "" {
					t.Errorf("%s: %s says %q, as %q does", language, f, text, other)
				}
				seen[text] = f
				if more := screen.Finding(screen.SelfTest{Failed: f, More: 3}, o); more != text+" (+3)" {
					t.Errorf("%s: and three more: %q", language, more)
				}
			}
			if text := screen.Finding(screen.SelfTest{Failed: "the dog"}, o); seen[text] != screen.FindingOther {
				t.Errorf("%s: the unknown is %q", language, text)
			}
		}
	}
	if text := screen.Finding(screen.SelfTest{Done: true}, screen.Options{}); text != "" {
		t.Errorf("all well: %q", text)
	}
}

// TestSetupPictures compares these screens with docs/screens, on a large display, and on the smallest
// monochrome one with all pages.
func TestSetupPictures(t *testing.T) {
	p, err := glass.NewPainter(240, 320)
	if err != nil {
		t.Fatal(err)
	}
	e, d := newGlass(t, "raspberrypi-i2c-ssd1306")
	var large, small sheet
	for _, language := range payterm.Languages {
		for _, s := range setupShots() {
			img, err := p.Paint(screen.Setup(s.view, screen.Options{Language: language}))
			if err != nil {
				t.Errorf("%s %s: %v", language, s.name, err)
			}
			large.add(language+" "+s.name, img, 10)
			frames, unfit := pages(t, e, d, screen.Setup(s.view, screen.Options{Language: language, Small: true}))
			if unfit != nil {
				t.Errorf("%s %s: %v", language, s.name, unfit)
			}
			for i, frame := range frames {
				name := language + " " + s.name
				if i > 0 {
					name = fmt.Sprintf("  page %d", i+1)
				}
				small.add(name, frame, 10)
			}
		}
		large.row()
		small.row()
	}
	large.hold(t, "setup")
	small.hold(t, "setup-small")
}

// TestClockWrong: if the gateway cannot be asked because the clock is wrong, the idle screen says so, once.
func TestClockWrong(t *testing.T) {
	for _, language := range payterm.Languages {
		v := counter.View{Name: counter.ViewIdle, Status: counter.Status{Network: counter.NetworkDown}}
		o := screen.Options{Language: language, Link: counter.NetworkUp}
		clock := screen.Finding(screen.SelfTest{Failed: screen.FindingClock}, o)
		lines := func() []string { return screen.Compose(v, o).Lines }
		if got := lines(); slices.Contains(got, clock) || len(got) != 2 {
			t.Errorf("%s: %q", language, got)
		}
		o.ClockWrong = true
		if got := lines(); !slices.Contains(got, clock) || len(got) != 2 {
			t.Errorf("%s: %q, want %q", language, got, clock)
		}
		o.Found = screen.SelfTest{Failed: screen.FindingClock}
		if got := lines(); len(got) != 3 || got[1] == clock || got[2] != clock {
			t.Errorf("%s: %q", language, got)
		}
		v.Status.Network, o.Found = counter.NetworkUp, screen.SelfTest{}
		if got := lines(); slices.Contains(got, clock) {
			t.Errorf("%s: answered, and %q", language, got)
		}
	}
}
