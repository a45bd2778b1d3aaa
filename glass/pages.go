package glass

import (
	"slices"
	"strings"

	"payterm"
	"payterm/unifont"
)

// legible has each text of a screen made of signs that the display has.
func legible(s payterm.Screen, text func(string) string) payterm.Screen {
	for _, one := range []*string{&s.Title, &s.Status, &s.Amount, &s.Elapsed, &s.Small, &s.Watermark} {
		*one = text(*one)
	}
	s.Lines, s.Keys = slices.Clone(s.Lines), slices.Clone(s.Keys)
	for i := range s.Lines {
		s.Lines[i] = text(s.Lines[i])
	}
	for i := range s.Keys {
		s.Keys[i].Does = text(s.Keys[i].Does)
	}
	return s
}

// pager remembers which page of which screen is shown, so that a clock that ticks
// on a screen does not send its reader back to the first page.
type pager struct {
	screen string
	page   int
}

// of gives the page to show of so many.
func (p *pager) of(screen string, pages int) int {
	if screen != p.screen {
		p.screen, p.page = screen, 0
	}
	p.page = min(p.page, pages-1)
	return p.page
}

// turn goes to the next page; false where there is one only.
func (p *pager) turn(pages int) bool {
	if pages < 2 {
		return false
	}
	p.page = (p.page + 1) % pages
	return true
}

// grid is a glass of rows, in its own measure: characters of a display that has
// nothing else, or dots.
type grid struct {
	width, height int
	wide          func(string) int // how much of a row a sign takes
	high          func(string) int // what a row takes of the height
}

// cells is the grid of a display of characters.
func cells(columns, rows int) grid {
	return grid{columns, rows, func(string) int { return 1 }, func(string) int { return 1 }}
}

func (g grid) measure(text string) (w int) {
	for sign := range unifont.Signs(text) {
		w += g.wide(sign)
	}
	return w
}

func (g grid) heightOf(rows []string) (h int) {
	for _, row := range rows {
		h += g.high(row)
	}
	return h
}

// fits tells whether a text has room in one row.
func (g grid) fits(text string) bool { return g.measure(text) <= g.width }

// pages lays a screen out in rows. The first page begins with amount and title. Each
// page after it has its height for the rest, below the mark where there is one.
// Nothing is cut; false when an amount has to be broken over two rows.
func (g grid) pages(s payterm.Screen) (pages [][]string, ok bool) {
	head, rest, ok := g.head(s)
	status := s.Status
	if len(head) > 0 {
		if joined, fits := g.apart(head[0], status); fits {
			head[0], status = joined, ""
		}
	}
	words, keys := g.body(s, status)
	return g.cut(head, append(append(rest, words...), keys...), s.Watermark), ok
}

// body is what stands below amount and title: the words, and from the keys on what
// matters less.
func (g grid) body(s payterm.Screen, status string) (words, rest []string) {
	for _, line := range s.Lines {
		words = append(words, g.wrap(line)...)
	}
	return words, slices.Concat(g.keys(s.Keys), g.wrap(status), g.wrap(s.Small))
}

// head gives the rows of the first page, and those that come first after them.
func (g grid) head(s payterm.Screen) (head, rest []string, ok bool) {
	ok = g.fits(s.Amount)
	top, beside := s.Amount, []string{s.Watermark, s.Elapsed}
	if s.Watermark != "" && s.Amount != "" {
		if _, fits := g.apart(s.Amount, s.Watermark); !fits {
			top, beside[0] = s.Watermark, s.Amount
		}
	}
	for _, word := range beside {
		if joined, fits := g.apart(top, word); fits {
			top = joined
		} else {
			rest = append(rest, g.wrap(word)...)
		}
	}
	if head = []string{top}; !g.fits(top) || top == "" {
		head = g.wrap(top)
	}
	title := g.wrap(s.Title)
	if g.heightOf(head)+g.heightOf(title) < g.height {
		return append(head, title...), rest, ok
	}
	return head, append(title, rest...), ok
}

// apart puts two words at the ends of a row.
func (g grid) apart(left, right string) (string, bool) {
	room := (g.width - g.measure(left) - g.measure(right)) / g.wide(" ")
	switch {
	case right == "":
		return left, true
	case left == "":
		return right, room >= 0
	case room < 1:
		return "", false
	}
	return left + strings.Repeat(" ", room) + right, true
}

// keys sets what the keys do, as many in a row as fit.
func (g grid) keys(keys []payterm.KeyHint) []string {
	var out []string
	for _, k := range keys {
		word := string(k.Key) + " " + k.Does
		if n := len(out) - 1; n >= 0 && g.fits(out[n]+"  "+word) {
			out[n] += "  " + word
			continue
		}
		out = append(out, g.wrap(word)...)
	}
	return out
}

// cut makes pages: the first with the head, each other one with the mark.
func (g grid) cut(head, rest []string, mark string) [][]string {
	if g.heightOf(head) >= g.height { // nothing would have room below it
		head, rest = nil, append(head, rest...)
	}
	again := g.wrap(mark)
	if g.heightOf(again) >= g.height {
		again = nil
	}
	if len(head) == 0 && mark != "" && !slices.Contains(rest, mark) {
		head = again
	}
	pages, empty := [][]string{head}, len(head) == 0
	for _, row := range rest {
		n := len(pages) - 1
		if !empty && g.heightOf(pages[n])+g.high(row) > g.height {
			pages, n = append(pages, again), n+1
		}
		pages[n], empty = append(slices.Clip(pages[n]), row), false
	}
	return pages
}

// wrap breaks a text between words and Chinese signs, and a word that is longer than
// a row within.
func (g grid) wrap(text string) []string {
	var out []string
	row := ""
	for word := range unifont.Words(text) {
		if try := strings.TrimLeft(row+word, " "); g.fits(try) {
			row = try
			continue
		}
		if row != "" {
			out = append(out, row)
		}
		row = ""
		used := 0
		for sign := range unifont.Signs(strings.TrimLeft(word, " ")) {
			if used += g.wide(sign); used > g.width && row != "" {
				out, row, used = append(out, row), "", g.wide(sign)
			}
			row += sign
		}
	}
	if row != "" {
		out = append(out, row)
	}
	return out
}
