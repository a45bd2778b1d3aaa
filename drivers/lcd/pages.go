package lcd

import (
	"strings"
	"unicode/utf8"

	"payterm"

	"golang.org/x/text/unicode/norm"
)

// plain is a sign of ASCII: a letter without its accent, and a question mark for
// what has no such letter.
func plain(r rune) rune {
	switch r {
	case '\u2019':
		return '\''
	case '\u2013', '\u2014':
		return '-'
	case '\u00a0', '\u202f':
		return ' '
	}
	base, _ := utf8.DecodeRuneInString(norm.NFD.String(string(r)))
	if base < ' ' || base > '~' {
		return '?'
	}
	return base
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

// textPages lays a screen out in rows of characters. The first rows, with the
// amount, are on each page; what has no room below them follows on the next
// pages. Nothing is cut; false when an amount has to be broken over two rows.
func textPages(s payterm.Screen, columns, rows int) (pages [][]string, ok bool) {
	head, rest, ok := textHead(s, columns, rows)
	for _, line := range s.Lines {
		rest = append(rest, wrapCells(line, columns)...)
	}
	rest = append(rest, wrapCells(s.Small, columns)...)
	rest = append(rest, keyRows(s.Keys, columns)...)
	beside, fits := "", false
	if len(head) > 0 {
		beside, fits = apart(head[0], s.Status, columns)
	}
	if fits {
		head[0] = beside
	} else {
		rest = append(rest, wrapCells(s.Status, columns)...)
	}
	return cut(head, rest, rows), ok
}

// textHead gives the rows of each page, and those that come first after them.
func textHead(s payterm.Screen, columns, rows int) (head, rest []string, ok bool) {
	ok = utf8.RuneCountInString(s.Amount) <= columns
	top, beside := s.Amount, []string{s.Watermark, s.Elapsed}
	if s.Watermark != "" && s.Amount != "" {
		if _, fits := apart(s.Amount, s.Watermark, columns); !fits {
			top, beside[0] = s.Watermark, s.Amount
		}
	}
	for _, word := range beside {
		if joined, fits := apart(top, word, columns); fits {
			top = joined
		} else {
			rest = append(rest, wrapCells(word, columns)...)
		}
	}
	head = wrapCells(top, columns)
	if utf8.RuneCountInString(top) == columns {
		head = []string{top} // with its gap
	}
	title := wrapCells(s.Title, columns)
	if len(head)+len(title) < rows {
		return append(head, title...), rest, ok
	}
	return head, append(title, rest...), ok
}

// apart puts two words at the ends of a row.
func apart(left, right string, columns int) (string, bool) {
	room := columns - utf8.RuneCountInString(left) - utf8.RuneCountInString(right)
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

// keyRows sets what the keys do, as many in a row as fit.
func keyRows(keys []payterm.KeyHint, columns int) []string {
	var out []string
	for _, k := range keys {
		word := string(k.Key) + " " + k.Does
		if n := len(out) - 1; n >= 0 && utf8.RuneCountInString(out[n]+word)+2 <= columns {
			out[n] += "  " + word
			continue
		}
		out = append(out, wrapCells(word, columns)...)
	}
	return out
}

// cut makes pages of so many rows, each with the head.
func cut(head, rest []string, rows int) [][]string {
	if len(head) >= rows { // nothing would have room below it
		head, rest = nil, append(head, rest...)
	}
	room := rows - len(head)
	pages := [][]string{head}
	for i, line := range rest {
		if i > 0 && i%room == 0 {
			pages = append(pages, head)
		}
		n := len(pages) - 1
		pages[n] = append(pages[n][:len(pages[n]):len(pages[n])], line)
	}
	return pages
}

// wrapCells breaks a text between words, and a word that is longer than a row
// within.
func wrapCells(text string, columns int) []string {
	var out []string
	row := ""
	for _, word := range strings.Fields(text) {
		if row != "" && utf8.RuneCountInString(row+word) < columns {
			row += " " + word
			continue
		}
		if row != "" {
			out = append(out, row)
		}
		letters := []rune(word)
		for ; len(letters) > columns; letters = letters[columns:] {
			out = append(out, string(letters[:columns]))
		}
		row = string(letters)
	}
	if row != "" {
		out = append(out, row)
	}
	return out
}
