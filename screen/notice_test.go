package screen_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"payterm"
	"payterm/flows/counter"
	"payterm/glass"
	"payterm/screen"
)

// news returns all notices, with each of their reasons.
func news() []screen.Options {
	var all []screen.Options
	for _, n := range screen.Notices {
		if n.Refusals() == nil {
			all = append(all, screen.Options{Notice: n})
		}
		for _, r := range n.Refusals() {
			all = append(all, screen.Options{Notice: n, Refusal: r})
		}
	}
	return all
}

// atRest returns the shots on which a notice may be shown.
func atRest() []shot {
	return slices.DeleteFunc(shots(), func(s shot) bool {
		return s.name != "idle" && s.name != "idle, much to do" && s.name != "idle, a day open" &&
			s.name != "idle, signed on" && s.name != "fault"
	})
}

var signOn = shot{"sign on", counter.View{Name: counter.ViewNumber, For: payterm.ForSignOn,
	Status: counter.Status{Network: counter.NetworkUp}}}

// lines joins the texts that a person reads.
func lines(s payterm.Screen) string { return s.Title + "\n" + strings.Join(s.Lines, "\n") }

// TestNoticesStandWhereNobodyIsServed: each notice is shown when there is no customer, hides nothing that needs
// attention, and is not shown over a sale.
func TestNoticesStandWhereNobodyIsServed(t *testing.T) {
	for _, small := range []bool{false, true} {
		for _, language := range payterm.Languages {
			for _, n := range news() {
				with := screen.Options{Language: language, Merchant: "Thé & Cie", Small: small, Link: counter.NetworkUp,
					Now: noon}
				without := with
				with.Notice, with.Refusal = n.Notice, n.Refusal
				begin := screen.Compose(atRest()[0].view, without).Lines[0] // the staff know that line
				for _, s := range slices.Concat(shots(), trials()) {
					plain, told := screen.Compose(s.view, without), screen.Compose(s.view, with)
					v := s.view
					switch {
					case v.Name == counter.ViewNumber && v.For == payterm.ForSignOn && v.Number == "":
						if lines(plain) == lines(told) || !slices.Equal(plain.Lines, told.Lines[:len(plain.Lines)]) {
							t.Errorf("%s %s, small %v, %v: %q", language, s.name, small, n.Notice, told.Lines)
						}
					case v.Name == counter.ViewIdle, v.Name == counter.ViewFault:
						busy := small && s.view.Name == counter.ViewIdle && len(plain.Lines) > 0 && s.name != "idle" &&
							s.name != "idle, signed on" && s.name != "idle, a drill"
						if same := lines(plain) == lines(told); same != (busy && n.Notice != screen.UpdateRestarting) {
							t.Errorf("%s %s, small %v, %v: %q", language, s.name, small, n.Notice, told.Lines)
						}
						for _, line := range plain.Lines {
							if line != begin && !slices.Contains(told.Lines, line) {
								t.Errorf("%s %s, small %v: %s hides %q", language, s.name, small, n.Notice, line)
							}
						}
					default:
						if fmt.Sprint(plain) != fmt.Sprint(told) {
							t.Errorf("%s: %s is seen over %s", language, n.Notice, s.name)
						}
					}
				}
				for _, v := range []screen.SetupView{{}, {Asking: true}, {Busy: true}} {
					told := lines(screen.Setup(v, with)) != lines(screen.Setup(v, without))
					if strings.Contains(lines(screen.Setup(v, with)), "|") || told != (!v.Asking && !v.Busy) {
						t.Errorf("%s on the setup screen %+v: %v", n.Notice, v, told)
					}
				}
			}
		}
	}
	s := screen.Compose(atRest()[0].view, screen.Options{Notice: screen.UpdateRestarting, Merchant: "Thé & Cie"})
	if s.Title != "Restarting for an update" || len(s.Keys) > 0 || s.Tone != payterm.Busy {
		t.Errorf("a cashier would begin: %+v", s)
	}
}

// TestNoticesFit: each notice fits on each display.
func TestNoticesFit(t *testing.T) {
	for _, size := range []struct{ w, h, pages int }{{240, 320, 1}, {320, 240, 1}, {240, 240, 1}, {240, 135, 2},
		{160, 128, 2}, {128, 64, 2}} {
		p, err := glass.NewPainter(size.w, size.h)
		if err != nil {
			t.Fatal(err)
		}
		for _, language := range payterm.Languages {
			for _, n := range news() {
				for _, s := range append(atRest(), signOn) {
					o := screen.Options{
						Language: language, Merchant: "Dépanneur Côte-des-Neiges", Small: glass.Small(size.w, size.h),
						Link: counter.NetworkUp, Now: noon,
						Notice: n.Notice, Refusal: n.Refusal, Watermark: "SIMULATION",
					}
					composed := screen.Compose(s.view, o)
					composed.Name += s.name + language + string(n.Notice) + string(n.Refusal)
					for page, pages := 1, 1; page <= pages; page++ {
						if _, err := p.Paint(composed); err != nil {
							t.Errorf("%dx%d %s %s %s %s: %v", size.w, size.h, language, s.name, n.Notice, n.Refusal,
								err)
						}
						most := size.pages
						if s.name == "idle, much to do" || s.name == "fault" {
							most++ // with all of it at once
						}
						if pages = p.Pages(); pages > most {
							t.Errorf("%dx%d %s %s %s %s: %d pages", size.w, size.h, language, s.name, n.Notice,
								n.Refusal, pages)
						}
						p.Turn()
					}
				}
			}
		}
	}
}

// TestNoticePictures draws docs/screens/notices.png.
func TestNoticePictures(t *testing.T) {
	p, err := glass.NewPainter(240, 320)
	if err != nil {
		t.Fatal(err)
	}
	e, d := newGlass(t, "raspberrypi-i2c-ssd1306")
	var sheet sheet
	for _, language := range payterm.Languages {
		for _, n := range []screen.Options{
			{Notice: screen.UpdateInstalling}, {Notice: screen.UpdateRestarting},
			{Notice: screen.UpdateRefused, Refusal: screen.NotOurs}, {Notice: screen.StickDone},
		} {
			for _, s := range atRest()[:2] {
				if s.name != "idle" && n.Notice != screen.UpdateRefused {
					continue
				}
				o := screen.Options{Language: language, Merchant: "Thé & Cie", Link: counter.NetworkUp, Now: noon,
					Notice: n.Notice, Refusal: n.Refusal}
				img, err := p.Paint(screen.Compose(s.view, o))
				if err != nil {
					t.Errorf("%s %s: %v", language, n.Notice, err)
				}
				sheet.add(s.name, img, 5)
			}
		}
	}
	for _, language := range payterm.Languages {
		o := screen.Options{Language: language, Merchant: "Thé & Cie", Small: true, Link: counter.NetworkUp, Now: noon}
		plain, _ := pages(t, e, d, screen.Compose(atRest()[0].view, o))
		for _, n := range news() {
			o.Notice, o.Refusal = n.Notice, n.Refusal
			frames, unfit := pages(t, e, d, screen.Compose(atRest()[0].view, o))
			if unfit != nil || len(frames) > len(plain) {
				t.Errorf("%s %s %s: %v, %d pages", language, n.Notice, n.Refusal, unfit, len(frames))
			}
			sheet.add(string(n.Notice), frames[0], 10)
		}
	}
	sheet.hold(t, "notices")
}
