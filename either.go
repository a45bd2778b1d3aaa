package payterm

import "strings"

// Either joins words for a message that says what is possible: "a, b or c".
func Either[S ~string](words ...S) string {
	var b strings.Builder
	for i, word := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(string(word))
	}
	return b.String()
}
