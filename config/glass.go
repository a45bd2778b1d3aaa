package config

import (
	"fmt"
	"slices"
	"strings"

	"payterm"
)

// Text is a text of the shop's own that is printed on slips or shown on the display.
type Text struct {
	Text    string
	OnPaper bool
	OnGlass bool
	// Problem returns a problem of this text with its place.
	Problem func(text string) Problem
}

// Texts returns all texts of the shop.
func (c Config) Texts() []Text {
	m := c.Merchant
	add := func(list []Text, dotted, text string, onPaper, onGlass bool) []Text {
		return append(list, Text{text, onPaper, onGlass, func(text string) Problem { return c.problem(dotted, text) }})
	}
	list := add(nil, "merchant.name", m.Name, true, true)
	list = add(list, "merchant.address", m.Address, true, false)
	list = add(list, "merchant.phone", m.Phone, true, false)
	list = add(list, "merchant.tax_id", m.TaxID, true, false)
	for i, o := range c.Operators {
		list = add(list, fmt.Sprintf("%s.%d.name", operatorsKey, i+1), o.Name, false, true)
	}
	return list
}

// Unshown returns a problem, with its line, if the board's display cannot show the configured language
// (payterm.ScreenLanguages). A terminal that runs with it all the same has English screens. The language of
// slips (receipt_languages) is not affected.
func (c Config) Unshown(lettersOnly bool) []Problem {
	speaks := payterm.ScreenLanguages(lettersOnly)
	if slices.Contains(speaks, c.Terminal.Language) {
		return nil
	}
	return []Problem{c.problem("terminal.language", c.Terminal.Language+
		": the board's character display has Latin letters only, and cannot show this language; it can show "+
		strings.Join(speaks, ", ")+"; slips may be in it (receipt_languages)")}
}
