package screen

import (
	"maps"
	"slices"

	"payterm"
)

// Reasons are those that a screen has words for.
func Reasons() []payterm.Reason { return slices.Sorted(maps.Keys(english.reasons)) }

// Finding is what the idle screen says of a self test; nothing when all is well.
func Finding(r SelfTest, o Options) string {
	if r.Failed == "" {
		return ""
	}
	return o.pick(finding(r, textsFor(o.Language)))
}
