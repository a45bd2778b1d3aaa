package payterm_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"payterm/unifont"
)

// The texts of screens and slips are held against docs/words.md, which says which word of a
// language is right and which is not.

const wordsFile = "docs/words.md"

// tables are the variables that hold a language's texts.
var tables = map[string]string{
	"english": "en", "englishTrials": "en", "french": "fr", "frenchTrials": "fr",
	"chinese": "zh", "chineseTrials": "zh",
}

// spoken gives the texts of screens and slips by language, out of the source: each with its place.
func spoken(t *testing.T) map[string]map[string]string {
	t.Helper()
	found := map[string]map[string]string{"en": {}, "fr": {}, "zh": {}}
	for _, room := range []string{"screen", "receipt"} {
		files, err := filepath.Glob(room + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatal(room, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			set := token.NewFileSet()
			parsed, err := parser.ParseFile(set, file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				v, ok := n.(*ast.ValueSpec)
				if !ok || tables[v.Names[0].Name] == "" {
					return true
				}
				ast.Inspect(v, func(n ast.Node) bool {
					if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
						value, err := strconv.Unquote(text.Value)
						if err != nil {
							t.Fatal(err)
						}
						found[tables[v.Names[0].Name]][set.Position(text.Pos()).String()] = value
					}
					return true
				})
				return false
			})
		}
	}
	for language, texts := range found {
		if len(texts) < 200 {
			t.Fatalf("%d texts in %s", len(texts), language)
		}
	}
	return found
}

// wordRow is a row of docs/words.md: | ours | never | why | source |.
type wordRow struct{ right, wrong []string }

var quoted = regexp.MustCompile("`([^`]+)`")

// wordList reads the rows of a language's part of docs/words.md.
func wordList(t *testing.T, language string) []wordRow {
	t.Helper()
	text, err := os.ReadFile(wordsFile)
	if err != nil {
		t.Fatal(err)
	}
	_, part, ok := strings.Cut(string(text), "<!-- words: "+language+" -->")
	if !ok {
		t.Fatalf("%s has no words of %s", wordsFile, language)
	}
	part, _, _ = strings.Cut(part, "\n## ")
	var rows []wordRow
	for line := range strings.Lines(part) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 6 || strings.HasPrefix(cells[1], "-") || !strings.Contains(cells[1], "`") {
			continue
		}
		in := func(cell string) (list []string) {
			for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
				list = append(list, m[1])
			}
			return list
		}
		rows = append(rows, wordRow{in(cells[1]), in(cells[2])})
		if strings.TrimSpace(cells[3]) == "" || strings.TrimSpace(cells[4]) == "" {
			t.Errorf("%s: no reason or no source: %s", wordsFile, line)
		}
	}
	if len(rows) < 10 {
		t.Fatalf("%s: %d rows of %s", wordsFile, len(rows), language)
	}
	return rows
}

// has tells whether a text has a word, in whatever case and with an end of its own where it is
// in letters.
func has(text, word string) bool {
	if !strings.Contains(strings.ToLower(text), strings.ToLower(word)) {
		return false
	}
	pattern := `(?i)` + regexp.QuoteMeta(word)
	if r := []rune(word); r[0] < 0x2e80 {
		pattern = `(?i)(?:^|[^\pL])` + regexp.QuoteMeta(word) + `(?:$|[^\pL])`
	}
	return regexp.MustCompile(pattern).MatchString(text)
}

// wrongWords names the texts that have a word which their language's list calls wrong.
func wrongWords(texts map[string]string, rows []wordRow) (out []string) {
	for place, whole := range texts {
		for _, row := range rows {
			text := whole
			for _, right := range row.right { // which a wrong word may be a part of
				text = strings.ReplaceAll(text, right, "\x00")
			}
			for _, wrong := range row.wrong {
				if has(text, wrong) {
					out = append(out, fmt.Sprintf("%s: %q has %q: %q is right", place, whole, wrong, row.right))
				}
			}
		}
	}
	return out
}

// No text has a word that its language's list calls wrong, and each word of the list is in use.
func TestWordsAreThoseOfTheList(t *testing.T) {
	for language, texts := range spoken(t) {
		rows := wordList(t, language)
		for _, wrong := range wrongWords(texts, rows) {
			t.Error(wrong)
		}
		all := strings.Join(slices.Collect(maps.Values(texts)), "\n")
		for _, row := range rows {
			for _, right := range row.right {
				if !has(all, right) {
					t.Errorf("%s: no text of %s has %q", wordsFile, language, right)
				}
			}
		}
	}
	for text, want := range map[string]int{"Une remise": 1, "REMISE faite": 1, "Remises": 0, "déremise": 0} {
		if got := wrongWords(map[string]string{"x": text}, []wordRow{{nil, []string{"remise"}}}); len(got) != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// alone are the Chinese words of one sign that our texts have. A pair of signs that is neither a
// word of unifont's list nor two of these would be broken in its middle.
var alone = regexp.MustCompile("(?m)^Words of one sign: (.*)$")

// Every Chinese text is made of words that a line is not broken inside of, and no other.
func TestChineseWordsAreKnown(t *testing.T) {
	doc, err := os.ReadFile(wordsFile)
	if err != nil {
		t.Fatal(err)
	}
	listed := alone.FindStringSubmatch(string(doc))
	if listed == nil {
		t.Fatalf("%s has no list of words of one sign", wordsFile)
	}
	seen := map[string]bool{}
	for place, text := range spoken(t)["zh"] {
		for _, part := range strings.Split(text, "|") {
			for word := range unifont.Words(part) {
				ideographs := strings.Map(func(r rune) rune {
					if r < 0x3400 || r > 0x9fff {
						return -1
					}
					return r
				}, word)
				seen[ideographs] = true
				one := len([]rune(ideographs)) == 1 && len(word) == len(ideographs)
				if one && !strings.Contains(listed[1], ideographs) {
					t.Errorf("%s: %q is broken at %q: is it a part of a word?", place, part, word)
				}
				if strings.ContainsAny(part, "（）") {
					t.Errorf("%s: %q has full-width brackets, which stand apart from what is in them", place, part)
				}
			}
		}
	}
	for sign := range strings.FieldsSeq(listed[1]) {
		if !seen[sign] {
			t.Errorf("%s: no text has %q by itself", wordsFile, sign)
		}
	}
}
