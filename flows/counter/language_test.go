package counter

import (
	"testing"

	"payterm"
)

// TestLanguagesThatTheDisplayHas: the keypad menu takes the digits of languages that the display can show, and no
// other: with a character display 3 is not Chinese.
func TestLanguagesThatTheDisplayHas(t *testing.T) {
	for _, c := range []struct {
		lettersOnly bool
		key         payterm.Key
		want        string
	}{
		{false, "2", "fr"}, {false, "3", "zh"}, {false, "4", ""}, {true, "1", "en"}, {true, "2", "fr"}, {true, "3", ""},
	} {
		next, commands := Step(Counter{Settings: Settings{LettersOnly: c.lettersOnly}, Phase: ChoosingLanguage},
			Stamped{Event: KeyPressed{c.key}})
		got := ""
		for _, command := range commands {
			if l, is := command.(SetLanguage); is {
				got = l.Language
			}
		}
		if got != c.want || (next.Phase == ChoosingLanguage) != (c.want == "") {
			t.Errorf("%+v: %q, then %s", c, got, next.Phase)
		}
	}
}
