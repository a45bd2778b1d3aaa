package payterm

// Languages are those that screens and slips are in, by ISO 639-1, in the order of the
// digits that choose them at the keys.
var Languages = [...]string{"en", "fr", "zh"}

// ScreenLanguages returns the languages that a display can show: all of Languages or, on a character display
// (lettersOnly), those in Latin letters. An HD44780 has no Chinese characters. The order is that of Languages.
func ScreenLanguages(lettersOnly bool) []string {
	if lettersOnly {
		return Languages[:2]
	}
	return Languages[:]
}
