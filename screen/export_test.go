package screen

import (
	"maps"
	"slices"

	"payterm"
)

// Reasons returns the reasons for which a screen has a text.
func Reasons() []payterm.Reason { return slices.Sorted(maps.Keys(english.reasons)) }

// Finding returns the idle screen's line about a self test, or "" if it passed.
func Finding(r SelfTest, o Options) string {
	if r.Failed == "" {
		return ""
	}
	return o.pick(finding(r, textsFor(o.Language)))
}
