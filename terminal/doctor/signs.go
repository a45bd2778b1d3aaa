package doctor

import (
	"fmt"
	"strconv"
	"strings"

	"payterm/board"
	"payterm/config"
	"payterm/glass"
	"payterm/unifont"
)

// Signs lists characters of the shop's own texts that the printer or the display cannot show as
// written, with their places. They are replaced: no slip or screen fails because of a character.
func Signs(c config.Config, profile board.Profile) []config.Problem {
	var list []config.Problem
	for _, t := range c.Texts() {
		on := ""
		if profile.Printer != nil && t.OnPaper {
			on = "the printer"
			if lacks := unifont.Lacking(t.Text); len(lacks) > 0 {
				list = append(list, t.Problem("the printer has no sign for "+listed(lacks, unifont.Legible)))
			}
		}
		if profile.Display != nil && t.OnGlass {
			on = strings.TrimPrefix(on+" and the display", " and ")
			rom := unifont.ROM(profile.Display.ROM)
			if altered := glass.Altered(t.Text, rom); len(altered) > 0 {
				shown := unifont.Legible
				if profile.LettersOnly() {
					shown = func(text string) string { return glass.Letters(text, rom) }
				}
				list = append(list, t.Problem("the display has no sign for "+listed(altered, shown)))
			}
		}
		if on != "" && unifont.OneByOne(t.Text) {
			list = append(list, t.Problem(
				"it comes out sign by sign from the left, unjoined, on "+on+": its script is written otherwise"))
		}
	}
	return list
}

// most is how many characters of a text are named; the others are counted.
const most = 8

// listed names characters, each with its replacement.
func listed(signs []string, shown func(string) string) string {
	var words []string
	for _, sign := range signs[:min(most, len(signs))] {
		name := strings.Trim(strconv.QuoteToGraphic(sign), `"`)
		words = append(words, fmt.Sprintf("%s (there it is %s)", name, shown(sign)))
	}
	if more := len(signs) - most; more > 0 {
		words = append(words, fmt.Sprintf("%d more", more))
	}
	return strings.Join(words, ", ")
}
