package screen_test

import (
	"testing"

	"payterm"
	"payterm/flows/counter"
	"payterm/glass"
	"payterm/screen"
)

const trialCode = "PAYTERM-TEST-7K2Q9A"

// trials are the screens of a person who tests the devices.
func trials() []shot {
	var all []shot
	for _, s := range []struct {
		name  string
		trial counter.Trial
	}{
		{"next", counter.Trial{}},
		{"pattern", counter.Trial{Step: counter.TrialPattern}},
		{"code", counter.Trial{Step: counter.TrialCode, Code: trialCode}},
		{"key", counter.Trial{Step: counter.TrialKey, Key: payterm.KeyCancel, At: 4, Of: 16}},
		{"scan, on paper", counter.Trial{Step: counter.TrialScan}},
		{"scan, on the glass", counter.Trial{Step: counter.TrialScan, Code: trialCode}},
		{"print", counter.Trial{Step: counter.TrialPrint}},
		{"paper", counter.Trial{Step: counter.TrialPaper}},
		{"sound", counter.Trial{Step: counter.TrialSound, At: 3, Of: 6}},
	} {
		all = append(all, shot{"service, " + s.name, counter.View{Name: counter.ViewService, Trial: s.trial}})
	}
	return all
}

// TestTrialsSaySomething: each test says what to do, and no two have the same text.
func TestTrialsSaySomething(t *testing.T) {
	for _, language := range payterm.Languages {
		said := map[string]counter.TrialStep{}
		for _, step := range counter.TrialSteps {
			s := screen.Compose(counter.View{Name: counter.ViewService, Trial: counter.Trial{Step: step}},
				screen.Options{Language: language})
			words := s.Title
			if len(s.Lines) > 0 {
				words += "\n" + s.Lines[0]
			}
			if other, twice := said[words]; twice || s.Title == "" {
				t.Errorf("%s: %q says %q, as %q does", language, step, words, other)
			}
			said[words] = step
		}
	}
}

// TestServicePictures compares the screens and slips of the doctor with their picture in docs/screens.
func TestServicePictures(t *testing.T) {
	r := newRoll(t)
	p, err := glass.NewPainter(240, 320)
	if err != nil {
		t.Fatal(err)
	}
	sheet := sheet{colours: 40} // including the pattern's
	for _, language := range payterm.Languages {
		o := screen.Options{Language: language, Watermark: "SIMULATION"}
		for _, s := range trials() {
			img, err := p.Paint(screen.Compose(s.view, o))
			if err != nil {
				t.Errorf("%s %s: %v", language, s.name, err)
			}
			sheet.add(language+" "+s.name, img, 9)
		}
		sheet.row()
	}
	for _, language := range payterm.Languages {
		o := screen.Options{Language: language, Watermark: "SIMULATION"}
		sheet.add(language+" scan", r.print(t, screen.ScanSlip(trialCode, o)), 6)
		sheet.add(language+" test", r.print(t, screen.TestSlip(trialCode, o)), 6)
	}
	sheet.hold(t, "service")
}
