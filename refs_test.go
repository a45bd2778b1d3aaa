package payterm_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Comments and documents cite the gateway's protocol and the invariants by
// number. Whoever follows a number must find its heading.

const (
	protocolFile   = "docs/protocol.md"
	invariantsFile = "docs/invariants.md"
)

var (
	// "1 and 16", "13.1, 13.2", "15 no. 8".
	numbers     = `\d+(?:\.\d+)*(?: no\. \d+)?`
	numberList  = `(` + numbers + `(?:(?:,| and| or| to|, and) ` + numbers + `)*)`
	aNumber     = regexp.MustCompile(numbers)
	sectionRefs = regexp.MustCompile(`(?i)\b(?:sections? |sheet )` + numberList)
	channelRefs = regexp.MustCompile(`(?i)\bchannels(?: sheet)?,? sections? ` + numberList)
	invariants  = regexp.MustCompile(`(?i)\binvariants? ` + numberList)
	// What stands before a section of somebody else's document.
	elsewhere = regexp.MustCompile(`(?i)(?:\bRFC \d+,?|\.html,|\.md,?|data sheet,|\bISO \d+,?|channels(?: sheet)?,?) $`)
	heading   = regexp.MustCompile(`(?m)^#+ (Channels )?(\d+(?:\.\d+)*)\.? `)
	tableRow  = regexp.MustCompile(`(?m)^\| (\d+) \|`)
	commented = regexp.MustCompile(`\n[ \t]*(?://|#|--)?[ \t]*`)
)

// anchors are the headings of a document by their numbers, those of its second
// part behind "Channels ", and of section 15 the numbered rows.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	all := heading.FindAllStringSubmatchIndex(text, -1)
	for i, at := range all {
		part, number := "", text[at[4]:at[5]]
		if at[2] >= 0 {
			part = "Channels "
		}
		found[part+number] = true
		end := len(text)
		if i+1 < len(all) {
			end = all[i+1][0]
		}
		for _, row := range tableRow.FindAllStringSubmatch(text[at[0]:end], -1) {
			found[part+number+" no. "+row[1]] = true
		}
	}
	return found
}

// refs are the numbers that a text cites: of the protocol as in anchors, and of
// the invariants. Line breaks inside comments are blanks.
func refs(text string) (protocol, ofInvariants []string) {
	text = commented.ReplaceAllString(text, " ")
	for _, at := range sectionRefs.FindAllStringSubmatchIndex(text, -1) {
		if elsewhere.MatchString(text[max(0, at[0]-30):at[0]]) {
			continue
		}
		protocol = append(protocol, aNumber.FindAllString(text[at[2]:at[3]], -1)...)
	}
	for _, m := range channelRefs.FindAllStringSubmatch(text, -1) {
		for _, n := range aNumber.FindAllString(m[1], -1) {
			protocol = append(protocol, "Channels "+n)
		}
	}
	for _, m := range invariants.FindAllStringSubmatch(text, -1) {
		ofInvariants = append(ofInvariants, aNumber.FindAllString(m[1], -1)...)
	}
	return protocol, ofInvariants
}

// walk hands over each file of the tree that has one of these endings.
func walk(read func(name, text string), endings ...string) error {
	return filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || name == "build" ||
			entry.Name() == "testdata"):
			return filepath.SkipDir
		case entry.IsDir(), name == "refs_test.go", !slices.Contains(endings, filepath.Ext(name)):
			return nil
		}
		text, err := os.ReadFile(name)
		if err == nil {
			read(name, string(text))
		}
		return err
	})
}

func TestReferencesExist(t *testing.T) {
	t.Parallel()
	headings := map[string]map[string]bool{}
	for _, name := range []string{protocolFile, invariantsFile} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		headings[name] = anchors(string(text))
	}
	cited := 0
	err := walk(func(name, text string) {
		sections, ofInvariants := refs(text)
		cited += len(sections) + len(ofInvariants)
		for _, n := range sections {
			if !headings[protocolFile][n] {
				t.Errorf("%s cites section %s: %s has no such heading", name, n, protocolFile)
			}
		}
		for _, n := range ofInvariants {
			if !headings[invariantsFile][n] {
				t.Errorf("%s cites invariant %s: %s has no such heading", name, n, invariantsFile)
			}
		}
	}, ".go", ".md", ".sql")
	if err != nil {
		t.Fatal(err)
	}
	if cited < 40 {
		t.Errorf("only %d references were found: how they are written has changed", cited)
	}
}

var (
	citedHeading  = regexp.MustCompile(`\b(docs/[\w/-]+\.md), ([a-z][a-z ]*[a-z])\)`)
	citedDecision = regexp.MustCompile(`\bdocs/decisions/(\d{4})`)
)

// deadCitations are the headings and decisions that a Go file cites and that are not there.
func deadCitations(text string) []string {
	var dead []string
	text = commented.ReplaceAllString(text, " ")
	for _, m := range citedHeading.FindAllStringSubmatch(text, -1) {
		cited, err := os.ReadFile(m[1])
		if err != nil || !slugs(string(cited))[strings.ReplaceAll(m[2], " ", "-")] {
			dead = append(dead, m[0])
		}
	}
	for _, m := range citedDecision.FindAllStringSubmatch(text, -1) {
		if files, err := filepath.Glob("docs/decisions/" + m[1] + "-*.md"); err != nil || len(files) != 1 {
			dead = append(dead, m[0])
		}
	}
	return dead
}

// TestCitations: the headings and decisions that the code cites are there.
func TestCitations(t *testing.T) {
	t.Parallel()
	cited := 0
	err := walk(func(name, text string) {
		cited += len(citedDecision.FindAllString(text, -1)) + len(citedHeading.FindAllString(text, -1))
		for _, dead := range deadCitations(text) {
			t.Errorf("%s cites %s, which is not there", name, dead)
		}
	}, ".go")
	if err != nil {
		t.Fatal(err)
	}
	if cited < 10 {
		t.Errorf("only %d citations were found: how they are written has changed", cited)
	}
	planted := "// x (docs/ARCHITECTURE.md, order\n// ids), y (docs/ARCHITECTURE.md, timings), docs/decisions/0014, " +
		"z (docs/decisions/9999)"
	want := []string{"docs/ARCHITECTURE.md, timings)", "docs/decisions/9999"}
	if dead := deadCitations(planted); !slices.Equal(dead, want) {
		t.Errorf("planted: %q, want %q", dead, want)
	}
}

var (
	inlineLink = regexp.MustCompile(`\]\(([^()\s]*)\)`)
	notInSlug  = regexp.MustCompile(`[^a-z0-9 _-]`)
	anyHeading = regexp.MustCompile(`(?m)^#+ +(.*?) *$`)
)

// slugs are the fragments by which a document's headings are linked to.
func slugs(text string) map[string]bool {
	found := map[string]bool{}
	for _, m := range anyHeading.FindAllStringSubmatch(text, -1) {
		found[strings.ReplaceAll(notInSlug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return found
}

// deadLinks are the links of a document that lead nowhere inside the repository.
func deadLinks(name, text string) []string {
	var dead []string
	for _, m := range inlineLink.FindAllStringSubmatch(text, -1) {
		file, fragment, _ := strings.Cut(m[1], "#")
		if strings.Contains(file, ":") {
			continue // somebody else's page
		}
		target := name
		if file != "" {
			target = filepath.Join(filepath.Dir(name), file)
		}
		if _, err := os.Stat(target); err != nil {
			dead = append(dead, m[1])
			continue
		}
		if fragment == "" {
			continue
		}
		linked, err := os.ReadFile(target)
		if err != nil || !slugs(string(linked))[fragment] {
			dead = append(dead, m[1])
		}
	}
	return dead
}

// outside matches the names of design papers that are not part of the repository, and the folder that they are in.
var outside = regexp.MustCompile(`[\w./-]*\b(?:contract|flows|house|till|fleet|traps)\.md\b|\.\./shared\b`)

// namesOutside returns what a file's text names of those papers. A path of the repository itself is none of them.
func namesOutside(name, text string) []string {
	return slices.DeleteFunc(outside.FindAllString(text, -1), func(path string) bool {
		base := filepath.Base(path)
		if strings.HasSuffix(strings.TrimSuffix(base, ".md"), "-house") {
			return true // a decision's file, which TestLinks looks for
		}
		for _, from := range []string{".", filepath.Dir(name)} {
			file := filepath.Join(from, path)
			if _, err := os.Stat(file); err == nil && filepath.IsLocal(file) {
				return true
			}
		}
		return false
	})
}

// TestNothingOutsideIsNamed: the repository explains itself. Readers do not have the design papers.
func TestNothingOutsideIsNamed(t *testing.T) {
	t.Parallel()
	read := 0
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name == ".git" || name == "build" || name == "data"):
			return filepath.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil || bytes.IndexByte(text, 0) >= 0 { // pictures and databases
			return err
		}
		read++
		for _, named := range namesOutside(name, string(text)) {
			t.Errorf("%s names %s, which is not in the repository", name, named)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read < 500 {
		t.Errorf("only %d files were read", read)
	}
	planted := "see house" + ".md, [x](../" + "shared/design), docs/traps" + ".md; docs/flows.md, " +
		"docs/decisions/0019-a-house.md, and fleet" + ".md."
	want := []string{"house" + ".md", "../" + "shared", "docs/traps" + ".md", "fleet" + ".md"}
	if found := namesOutside("README.md", planted); !slices.Equal(found, want) {
		t.Errorf("planted: %q, want %q", found, want)
	}
	if found := namesOutside("cmd/x.go", "flows"+".md"); len(found) != 1 {
		t.Errorf("a bare name outside of docs is not seen: %q", found)
	}
}

// TestMergedWhole: no file keeps both sides of a merge.
func TestMergedWhole(t *testing.T) {
	t.Parallel()
	halves := func(text string) bool {
		return strings.Contains("\n"+text, "\n"+strings.Repeat("<", 7)+" ") &&
			strings.Contains("\n"+text, "\n"+strings.Repeat(">", 7)+" ")
	}
	err := walk(func(name, text string) {
		if halves(text) {
			t.Errorf("%s holds both sides of a merge", name)
		}
	}, ".md", ".go", ".toml", ".txt", ".yml", ".html", ".js", ".css")
	if err != nil {
		t.Fatal(err)
	}
	if !halves(strings.Repeat("<", 7) + " HEAD\na\n" + strings.Repeat(">", 7) + " b\n") {
		t.Error("a planted one is not seen")
	}
}

// TestLinks: a document that moves, or a heading that is reworded, takes along
// whoever points at it.
func TestLinks(t *testing.T) {
	t.Parallel()
	err := walk(func(name, text string) {
		for _, dead := range deadLinks(name, text) {
			t.Errorf("%s links to %s, which is not there", name, dead)
		}
	}, ".md")
	if err != nil {
		t.Fatal(err)
	}
	planted := "[a](docs/none.md) [b](README.md#none) [c](https://example.com/x) [d](docs/invariants.md#1-journal-first)"
	if dead := deadLinks("README.md", planted); !slices.Equal(dead, []string{"docs/none.md", "README.md#none"}) {
		t.Errorf("planted links: %q", dead)
	}
}

func TestReferencesAreRead(t *testing.T) {
	t.Parallel()
	sections, ofInvariants := refs("// its form (sheet\n\t// section 3.1, 4.1 and 9), (section 15 no. 8), sheet 5.1; RFC 1035 section 4,\n" +
		"// the data sheet, section 7; channels sheet, section 15.2; invariants 8\n// and 21")
	if want := []string{"3.1", "4.1", "9", "15 no. 8", "5.1", "Channels 15.2"}; !slices.Equal(sections, want) {
		t.Errorf("sections %q, want %q", sections, want)
	}
	if want := []string{"8", "21"}; !slices.Equal(ofInvariants, want) {
		t.Errorf("invariants %q, want %q", ofInvariants, want)
	}
	found := anchors("# 1. One\n| no. | x |\n| 8 | x |\n## 1.2 Two\n## Channels 3. Three\n")
	for _, n := range []string{"1", "1 no. 8", "1.2", "Channels 3"} {
		if !found[n] {
			t.Errorf("%s was not found among %v", n, found)
		}
	}
	if found["3"] || found["2"] || found["1.2 no. 8"] {
		t.Errorf("too much was found: %v", found)
	}
}
