package glass

import (
	"fmt"

	"payterm"
)

// Rows lays screens out for a display of characters, in signs that it has (Letters). It
// is not safe for use by several goroutines.
type Rows struct {
	grid  grid
	pages [][]string // of the screen that is shown
	at    pager
}

// NewRows makes a layout for a display of this many characters.
func NewRows(columns, rows int) *Rows { return &Rows{grid: cells(columns, rows)} }

// Set lays a screen out and gives the rows of the page to show: the first, or where the
// screen before had the same name the page that was shown of it. The rows are right
// even with an error: an amount that is wider than a row is broken over two, and a QR
// code is left out.
func (r *Rows) Set(s payterm.Screen) ([]string, error) {
	var fits bool
	s = legible(s, Letters)
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

// Turn gives the rows of the next page; false where there is one only.
func (r *Rows) Turn() ([]string, bool) {
	if !r.at.turn(len(r.pages)) {
		return nil, false
	}
	return r.pages[r.at.page], true
}
