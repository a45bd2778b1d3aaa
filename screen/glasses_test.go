package screen_test

import (
	"errors"
	"testing"

	"payterm/board"
	"payterm/boards"
	"payterm/flows/counter"
	"payterm/glass"
	"payterm/screen"
)

// TestGlassPictures draws each kind of display that a built-in board has, with its own driver and emulated
// chip: docs/screens/glasses.png.
func TestGlassPictures(t *testing.T) {
	sheet := sheet{colours: 48}
	seen := map[string]bool{}
	for _, name := range boards.Names() {
		text, err := boards.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := board.ReadProfile(name, text)
		if err != nil {
			t.Fatal(err)
		}
		if p.Display == nil || p.Display.Device != "" || seen[p.Display.Controller] {
			continue
		}
		seen[p.Display.Controller] = true
		e, d := newGlass(t, name)
		small := p.LettersOnly() || glass.Small(p.Display.Width, p.Display.Height)
		for _, s := range shots() {
			if s.name != "idle" && s.name != "show_code" && s.name != "approved" {
				continue
			}
			o := screen.Options{Language: "en", Merchant: "Thé & Cie", Small: small, LettersOnly: p.LettersOnly(),
				Link: counter.NetworkUp, Now: noon}
			frames, unfit := pages(t, e, d, screen.Compose(s.view, o))
			if unfit != nil && !errors.Is(unfit, glass.ErrQRTooSmall) {
				t.Errorf("%s, %s: %v", name, s.name, unfit)
			}
			sheet.add(p.Display.Controller, frames[0], 6)
		}
	}
	sheet.hold(t, "glasses")
}
