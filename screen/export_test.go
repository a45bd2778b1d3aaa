package screen

import (
	"maps"
	"slices"

	"payterm"
)

// Reasons are those that a screen has words for.
func Reasons() []payterm.Reason { return slices.Sorted(maps.Keys(english.reasons)) }
