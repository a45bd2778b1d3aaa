package payterm_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "draw the map in docs/ARCHITECTURE.md anew")

const (
	mapFile  = "docs/ARCHITECTURE.md"
	mapBegin = "<!-- drawn by go test . -run Map -update -->\n"
	mapEnd   = "<!-- end of the drawing -->\n"
)

// isTestPackage tells the packages that only tests import, which the map leaves out.
func isTestPackage(where string) bool {
	return fits(where, "flows/flowstest hal/haltest internal/tooltest")
}

// drawMap draws who imports whom among our packages, without what follows by
// itself: an arrow is left out where a longer way leads there too. Everybody knows
// the words of the root package, so that one has no arrows.
func drawMap(packages []listed) string {
	needs := map[string][]string{}
	for _, p := range packages {
		if isTestPackage(p.below()) || len(p.GoFiles) == 0 || p.below() == "boards" {
			continue
		}
		var ours []string
		for _, imported := range p.Imports {
			below := listed{ImportPath: imported}.below()
			if strings.HasPrefix(imported, module+"/") && !isTestPackage(below) && below != "boards" {
				ours = append(ours, below)
			}
		}
		if p.below() != "." {
			needs[p.below()] = ours
		}
	}
	var reaches func(from, to string) bool
	reaches = func(from, to string) bool {
		return slices.ContainsFunc(needs[from], func(next string) bool { return next == to || reaches(next, to) })
	}
	var b strings.Builder
	b.WriteString("```mermaid\nflowchart TD\n")
	name := func(below string) string { return strings.NewReplacer("/", "_", "-", "_").Replace(below) }
	for _, from := range slices.Sorted(maps.Keys(needs)) {
		fmt.Fprintf(&b, "    %s[%s]\n", name(from), from)
	}
	for _, from := range slices.Sorted(maps.Keys(needs)) {
		for _, to := range slices.Sorted(slices.Values(needs[from])) {
			longer := slices.ContainsFunc(needs[from], func(next string) bool {
				return next != to &&
					reaches(next, to)
			})
			if !longer {
				fmt.Fprintf(&b, "    %s --> %s\n", name(from), name(to))
			}
		}
	}
	b.WriteString("```\n")
	return b.String()
}

// TestMap holds the drawing in docs/ARCHITECTURE.md to the code.
func TestMap(t *testing.T) {
	text, err := os.ReadFile(mapFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), mapBegin)
	_, after, ends := strings.Cut(rest, mapEnd)
	if !begins || !ends {
		t.Fatalf("%s has no place for the map", mapFile)
	}
	drawn := before + mapBegin + drawMap(packages(t)) + mapEnd + after
	if *update {
		if err := os.WriteFile(mapFile, []byte(drawn), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if drawn != string(text) {
		t.Errorf("%s does not show the packages as they are: go test . -run Map -update", mapFile)
	}
}
