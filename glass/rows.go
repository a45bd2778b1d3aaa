package glass

import (
	"fmt"

	"payterm"
	"payterm/unifont"
)

// Rows lays screens out for a character display, with the characters that it has (Letters). It is not safe for
// concurrent use.
type Rows struct {
	grid  grid
	rom   unifont.ROM
	pages [][]string // of the current screen
	at    pager
}

// NewRows makes a layout for a display of this size in characters, with this ROM.
func NewRows(columns, rows int, rom unifont.ROM) *Rows {
	return &Rows{grid: cells(columns, rows), rom: rom}
}

// Set lays a screen out and returns the rows of the page to show: the first page or, if the previous screen had
// the same name, the page that was shown of it. The rows are usable even if there is an error: an amount wider
// than a row is broken over two rows, and a QR code is left out.
func (r *Rows) Set(s payterm.Screen) ([]string, error) {
	var fits bool
	s = legible(s, func(text string) string { return Letters(text, r.rom) })
	if r.pages, fits = r.grid.pages(s); s.Pattern {
		r.pages = r.grid.patternPages(s)
	}
	rows := r.pages[r.at.of(s.Name, len(r.pages))]
	switch {
	case s.QR != "":
		return rows, fmt.Errorf("%w: this one has characters only", ErrQRTooSmall)
	case !fits:
		return rows, fmt.Errorf("%w: screen %q: %s", ErrDoesNotFit, s.Name, s.Amount)
	}
	return rows, nil
}

// Turn returns the rows of the next page, or false if there is only one page.
func (r *Rows) Turn() ([]string, bool) {
	if !r.at.turn(len(r.pages)) {
		return nil, false
	}
	return r.pages[r.at.page], true
}
