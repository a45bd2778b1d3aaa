package emulated_test

import (
	"errors"
	"image"
	"strings"
	"testing"

	"payterm"
	"payterm/glass"
	"payterm/hal/emulated"
	"payterm/unifont"

	"pgregory.net/rapid"
)

// TestEveryTextIsShown: each glass shows any texts of a screen: every page has something on it, a
// character display has each ordinary word, and the only error is a text that is too long.
func TestEveryTextIsShown(t *testing.T) {
	t.Parallel()
	type device struct {
		e     *emulated.Board
		d     *glass.Display
		blank *image.RGBA
	}
	var all []device
	for _, g := range glasses {
		e, b := newGlass(t, g.display, 1e6)
		d := newDisplay(t, e, b)
		show(t, d, payterm.Screen{Name: "blank"})
		all = append(all, device{e, d, e.Frame()})
	}
	rapid.Check(t, func(rt *rapid.T) {
		g := rapid.SampledFrom(all).Draw(rt, "glass")
		word := rapid.StringMatching(`[a-z]{4,8}`)
		var words []string
		field := func(label string) string {
			words = append(words, word.Draw(rt, label))
			return emulated.Anything(rt, label+", before") + " " + words[len(words)-1] + " " +
				emulated.Anything(rt, label+", after")
		}
		s := payterm.Screen{
			Name: emulated.Anything(rt, "name"), Tone: payterm.Tone(rapid.IntRange(0, 4).Draw(rt, "tone")),
			Title: field("title"), Status: emulated.Anything(rt, "status"),
			Amount: "12.34 " + emulated.Anything(rt, "amount"),
			Lines:  []string{field("line"), emulated.Anything(rt, "another")}, Small: field("small"),
			Elapsed: "0:41", Keys: []payterm.KeyHint{{Key: payterm.KeyEnter, Does: emulated.Anything(rt, "key")}},
			Watermark: rapid.SampledFrom([]string{"", "SIMULATION"}).Draw(rt, "mark"),
		}
		if err := g.d.Show(s); err != nil && !errors.Is(err, glass.ErrDoesNotFit) {
			rt.Error(err)
		}
		read := ""
		for page, first := 0, g.e.Frame(); page == 0 || unlike(g.e.Frame(), first); page++ {
			if page > 200 {
				rt.Fatal("there is no last page")
			}
			if !unlike(g.e.Frame(), g.blank) {
				rt.Errorf("page %d is blank", page)
			}
			read += strings.Join(g.e.Text(), "")
			if err := g.d.Turn(); err != nil {
				rt.Fatal(err)
			}
		}
		// it may be between two halves of a word
		read = strings.ReplaceAll(strings.ReplaceAll(read, " ", ""), glass.Letters(s.Watermark, unifont.A00), "")
		for _, w := range words {
			if g.e.Text() != nil && !strings.Contains(read, w) {
				rt.Errorf("%q is not shown: %q", w, read)
			}
		}
	})
}
