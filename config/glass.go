package config

import "fmt"

// Text is something that the shop has written itself, for a slip or for the glass.
type Text struct {
	Text    string
	OnPaper bool
	OnGlass bool
	// Problem is something to say of it, with its place.
	Problem func(text string) Problem
}

// Texts are all of them.
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

// Unshown says, with the line where it stands, what a glass that has letters only
// will not show: the screens come in English there. Slips are not concerned.
func (c Config) Unshown(lettersOnly bool) []Problem {
	if !lettersOnly || c.Terminal.Language != "zh" {
		return nil
	}
	return []Problem{c.problem("terminal.language",
		"zh: the display of this board has no Chinese signs and shows English instead; slips are in Chinese")}
}
