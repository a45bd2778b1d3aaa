package glass

import (
	"slices"
	"strings"

	"payterm"
	"payterm/unifont"
)

// legible applies a function to each text of a screen, such as Letters.
func legible(s payterm.Screen, text func(string) string) payterm.Screen {
	for _, one := range []*string{&s.Title, &s.Status, &s.Amount, &s.Elapsed, &s.Small, &s.Watermark} {
		*one = text(*one)
	}
	s.Lines, s.Keys = slices.Clone(s.Lines), slices.Clone(s.Keys)
	for i := range s.Lines {
		s.Lines[i] = text(s.Lines[i])
	}
	s.Items = slices.Clone(s.Items)
	for i := range s.Items {
		s.Items[i].Text = text(s.Items[i].Text)
	}
	for i := range s.Keys {
		s.Keys[i].Does = text(s.Keys[i].Does)
	}
	return s
}

// pager remembers which page of which screen is shown. When only the clock of a screen changes, its page stays.
type pager struct {
	screen string
	page   int
}

// of returns the page to show, given the number of pages.
func (p *pager) of(screen string, pages int) int {
	if screen != p.screen {
		p.screen, p.page = screen, 0
	}
	p.page = min(p.page, pages-1)
	return p.page
}

// turn goes to the next page. It returns false if there is only one.
func (p *pager) turn(pages int) bool {
	if pages < 2 {
		return false
	}
	p.page = (p.page + 1) % pages
	return true
}

// grid is a display of rows. Its unit is a character on a character display, and a dot otherwise.
type grid struct {
	width, height int
	wide          func(string) int // width of a character in a row
	high          func(string) int // height of a row
}

// cells returns the grid of a character display.
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

// fits reports whether a text fits into one row.
func (g grid) fits(text string) bool { return g.measure(text) <= g.width }

// pages arranges a screen in rows. The first page begins with amount and title. The later pages show only the
// rest, below the watermark if there is one. No text is cut. It returns false if an amount had to be broken
// over two rows.
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

// body returns what is below amount and title: the words, and then the keys and everything less important.
func (g grid) body(s payterm.Screen, status string) (words, rest []string) {
	for _, line := range s.Lines {
		words = append(words, g.wrap(line)...)
	}
	for _, item := range s.Items {
		words = append(words, g.wrap(item.String())...)
	}
	return words, slices.Concat(g.keys(s.Keys), g.wrap(status), g.wrap(s.Small))
}

// head returns the top rows of the first page, and rows that did not fit there and come right after it.
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

// apart puts two words at the two ends of a row.
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

// keys arranges the key hints, as many in a row as fit.
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

// cut divides rows into pages: the first begins with head, each later one with mark.
func (g grid) cut(head, rest []string, mark string) [][]string {
	if g.heightOf(head) >= g.height { // nothing would fit below it
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

// wrap breaks a text between words and Chinese characters, and within a word only if it is longer than a row.
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
