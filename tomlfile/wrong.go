package tomlfile

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// Messages for the person who writes the file. No message repeats a value: it may be a secret in the wrong
// place.

// What is needed in place of another type.
const (
	NeedsText     = "text in quotes is needed"
	NeedsBool     = "true or false is needed, without quotes"
	NeedsNumber   = "a whole number is needed, without quotes or point"
	NeedsDuration = "a duration in quotes is needed, such as "
	TooLarge      = "the number is too large"
)

// KindOf names the type of a value in plain words.
func KindOf(value any) string {
	switch value.(type) {
	case string:
		return "text"
	case int64:
		return "a number"
	case float64:
		return "a number with a point"
	case bool:
		return "true or false"
	case []any, []map[string]any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a date or time"
}

var (
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
	durationType = reflect.TypeFor[time.Duration]()
)

// fit returns the values whose type is not that of their key.
func (f *File) fit(key string, value any, t reflect.Type) []Problem {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	is := func(needs string) []Problem { return []Problem{f.Problem(key, "is "+KindOf(value)+"; "+needs)} }
	if reflect.PointerTo(t).Implements(textType) {
		return f.fitText(key, value, t)
	}
	switch t.Kind() {
	case reflect.Struct:
		return f.fitTable(key, value, t)
	case reflect.Map:
		table, ok := value.(map[string]any)
		if !ok {
			return is("a section [" + key + "] is needed")
		}
		var problems []Problem
		for _, name := range slices.Sorted(maps.Keys(table)) {
			problems = append(problems, f.fit(key+"."+name, table[name], t.Elem())...)
		}
		return problems
	case reflect.Slice:
		return f.fitList(key, value, t)
	case reflect.String:
		if _, ok := value.(string); !ok {
			return is(NeedsText)
		}
	case reflect.Bool:
		if _, ok := value.(bool); !ok {
			return is(NeedsBool)
		}
	case reflect.Int, reflect.Int64:
		n, ok := value.(int64)
		if !ok {
			return is(NeedsNumber)
		}
		if reflect.Zero(t).OverflowInt(n) {
			return []Problem{f.Problem(key, TooLarge)}
		}
	default: // read reports it
	}
	return nil
}

// fitText is fit for a type that is read from text.
func (f *File) fitText(key string, value any, t reflect.Type) []Problem {
	text, ok := value.(string)
	if !ok {
		needs := NeedsText
		if t.Kind() == reflect.Struct && t.NumField() == 1 && t.Field(0).Type == durationType {
			needs = NeedsDuration + `"5ms"`
		}
		return []Problem{f.Problem(key, "is "+KindOf(value)+"; "+needs)}
	}
	if err := reflect.New(t).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text)); err != nil {
		return []Problem{f.Problem(key, err.Error())}
	}
	return nil
}

// fitTable is fit for a section. Unknown keys are reported by unknown.
func (f *File) fitTable(key string, value any, t reflect.Type) []Problem {
	table, ok := value.(map[string]any)
	if !ok {
		if _, listed := value.([]map[string]any); listed {
			return []Problem{f.Problem(key, "is in double brackets, which are for several sections; one section ["+key+"] is needed")}
		}
		return []Problem{f.Problem(key, "is "+KindOf(value)+"; a section ["+key+"] is needed")}
	}
	var problems []Problem
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("toml"), ",")
		if one, there := table[name]; there && name != "" {
			problems = append(problems, f.fit(strings.TrimPrefix(key+"."+name, "."), one, t.Field(i).Type)...)
		}
	}
	return problems
}

// fitList is fit for a list; it names items by their numbers.
func (f *File) fitList(key string, value any, t reflect.Type) []Problem {
	var list []any
	switch value := value.(type) {
	case []any:
		list = value
	case []map[string]any:
		for _, table := range value {
			list = append(list, table)
		}
	default:
		example := `["a", "b"]`
		if t.Elem().Kind() == reflect.Slice {
			example = `[["a", "b"], ["c", "d"]]`
		}
		return []Problem{f.Problem(key, "is "+KindOf(value)+"; a list is needed, such as "+example)}
	}
	var problems []Problem
	for i, one := range list {
		for _, p := range f.fit(key, one, t.Elem()) {
			p.Text = fmt.Sprintf("item %d: %s", i+1, p.Text)
			problems = append(problems, p)
		}
	}
	return problems
}

// unwritten describes a line that is not TOML. The decoder's own message names its grammar and quotes the text,
// so it is not used.
func (f *File) unwritten(text string, parse toml.ParseError, known []string) Problem {
	lines := strings.Split(text, "\n")
	at := min(max(parse.Position.Line, 1), len(lines))
	for at > 1 && strings.TrimSpace(lines[at-1]) == "" { // the decoder may report a later, empty line
		at--
	}
	begun, open := enclosing(lines, at)
	switch header := begun > 0 && strings.HasPrefix(strings.TrimSpace(lines[begun-1]), "["); {
	case header:
		return Problem{File: f.Name, Line: begun, Key: plain(f.at(begun)), Text: mistake(lines[begun-1], "")}
	case begun > 0 && ends(lines, begun, at, open):
		return Problem{File: f.Name, Line: begun, Key: plain(f.at(begun)), Text: unclosedBy[open]}
	case begun > 0:
		line, words := inside(lines, begun, at, open)
		return Problem{File: f.Name, Line: line, Key: plain(f.at(begun)), Text: words}
	}
	key := f.at(at)
	if before := above(lines, at); key == "" && continued.MatchString(lines[at-1]) && f.at(before) != "" {
		return Problem{File: f.Name, Line: before, Key: plain(f.at(before)), Text: "the list ends on this line, " +
			"and the next line goes on with it: a list of lists stands between [[ and ]], " + needsCommas}
	}
	if key == "" {
		key = nameOn(lines, at, known)
	}
	line := lines[at-1]
	if m := defined.FindStringSubmatch(parse.Message); m != nil {
		name := m[1]
		words := "occurs twice"
		if first := f.lines[name]; first > 0 && first != at {
			words += ", on line " + fmt.Sprint(first) + " too"
		}
		return Problem{File: f.Name, Line: at, Key: plain(name), Text: words}
	}
	return Problem{File: f.Name, Line: at, Key: plain(key), Text: mistake(line, parse.Message)}
}

var (
	begins = regexp.MustCompile(`^\s*(?:[A-Za-z_][A-Za-z0-9_-]*\s*=|\[+\s*[A-Za-z_][A-Za-z0-9_.-]*\s*\]+\s*(?:#.*)?$)`)
	quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'[^']*'|#.*`)
)

// enclosing returns the line on which the value begins that is still open where a line begins, and its bracket; 0
// for none. A list is not open any more where something else begins: there its bracket is missing.
func enclosing(lines []string, at int) (begun int, open byte) {
	var stack []byte
	for i, line := range lines[:at-1] {
		if len(stack) > 0 && stack[0] == '[' && begins.MatchString(line) {
			return begun, '['
		}
		if len(stack) == 0 {
			begun = i + 1
		}
		stack = brackets(stack, line)
	}
	if len(stack) == 0 {
		return 0, 0
	}
	return begun, stack[0]
}

// brackets takes the brackets of a line into account.
func brackets(stack []byte, line string) []byte {
	for _, sign := range []byte(quoted.ReplaceAllString(line, "")) {
		switch sign {
		case '[', '{':
			stack = append(stack, sign)
		case ']', '}':
			stack = stack[:max(0, len(stack)-1)]
		}
	}
	return stack
}

// ends reports whether a value that is open was meant to end before a line.
func ends(lines []string, begun, at int, open byte) bool {
	if open == '[' {
		for _, line := range lines[begun:at] {
			if begins.MatchString(line) {
				return true
			}
		}
		return false
	}
	var stack []byte
	for i, line := range lines[begun-1:] { // a table may go on over several lines
		if i > 0 && section.MatchString(line) {
			return true
		}
		if stack = brackets(stack, line); len(stack) == 0 {
			return false
		}
	}
	return true
}

// inside describes the mistake on a line within a list or a table that began on an earlier one.
func inside(lines []string, begun, at int, open byte) (line int, words string) {
	if open == '[' {
		before := above(lines, at)
		last := strings.TrimSpace(remark.ReplaceAllString(lines[before-1], "$1"))
		if first := strings.TrimSpace(lines[at-1]); strings.ContainsAny(first[:min(1, len(first))], "[\"'") &&
			last != "" && !strings.HasSuffix(last, ",") && !strings.HasSuffix(last, "[") {
			return before, "a comma is missing at the end of this line, before the next item of the list"
		}
	}
	if words = inList(lines[at-1], open); words == "" {
		words = fmt.Sprintf("the list that begins on line %d is not whole: %s", begun, listed)
	}
	return at, words
}

// inList describes what is wrong between the brackets of a list or a table, "" if it is not known.
func inList(value string, open byte) string {
	value = quoted.ReplaceAllStringFunc(value, func(text string) string {
		if strings.HasPrefix(text, "#") {
			return ""
		}
		return `""`
	})
	switch {
	case open == '{' && colon.MatchString(value):
		return "between { and } each name has = and not : before its value"
	case missingComma.MatchString(value), open == '{' && missingCommaIn.MatchString(value):
		return "a comma is missing between two items"
	case strings.Contains(value, ";"):
		return "items have commas between them, and no semicolon"
	case doubleComma.MatchString(value):
		return "there is a comma without an item"
	case strings.Count(value, "]") > strings.Count(value, "["), strings.Count(value, "}") > strings.Count(value, "{"):
		return "a bracket is closed that was not opened"
	case open == '[' && strings.HasSuffix(strings.TrimSpace(value), "],") && len(brackets(nil, value)) == 0 &&
		strings.HasPrefix(value, "["):
		return "the list ends before the comma: a list of lists stands between [[ and ]], " + needsCommas
	case open == '[' && bareItem.MatchString(value):
		return `each item of text needs quotes: ["a", "b"]`
	}
	return ""
}

// above returns the last line before another that has more than a remark.
func above(lines []string, at int) int {
	for at--; at > 1; at-- {
		if line := strings.TrimSpace(lines[at-1]); line != "" && !strings.HasPrefix(line, "#") {
			return at
		}
	}
	return max(at, 1)
}

// plain returns a key if it looks like a name, so that it can be repeated. The file may be no configuration at
// all, and its text somebody's secret.
func plain(key string) string {
	var names []string
	for name := range strings.SplitSeq(key, ".") {
		if !bareKey.MatchString(name) {
			break
		}
		names = append(names, name)
	}
	return strings.Join(names, ".")
}

// at returns the key on a line.
func (f *File) at(line int) string {
	for _, key := range slices.Sorted(maps.Keys(f.lines)) {
		if f.lines[key] == line && !strings.HasSuffix(key, ".") {
			return key
		}
	}
	return ""
}

// nameOn returns, for a line without =, its section and the known key that it begins with. Any other word may
// be a secret.
func nameOn(lines []string, at int, known []string) string {
	name := firstWord.FindString(strings.TrimSpace(lines[at-1]))
	keyIn := func(section string) string {
		if key := strings.Trim(section+"."+name, "."); slices.Contains(known, key) {
			return key
		}
		return section
	}
	for i := at - 2; i >= 0; i-- {
		if line := strings.TrimSpace(lines[i]); strings.HasPrefix(line, "[") && !strings.Contains(line, "=") {
			section := strings.Trim(strings.SplitN(line, "#", 2)[0], "[] \t")
			return keyIn(section)
		}
	}
	return keyIn("")
}

const needsQuotes = `text needs quotes around it: "..."`

// listed describes the form of a list.
const listed = "its items stand between [ and ], " + needsCommas

const needsCommas = "with commas between them"

// tables describes the form of a table on one line.
const tables = "the values stand between { and }, as in { name = 1, other = 2 }"

// needsHex describes a number such as an address on a bus.
const needsHex = "a hexadecimal number is written with 0x and a small x, such as 0x27"

// unclosedBy describes a value that is not closed, by its bracket.
var unclosedBy = map[byte]string{
	'[': "the list is not whole: " + listed + "; a ] is missing",
	'{': "a } is missing: " + tables,
}

var (
	section     = regexp.MustCompile(`^\s*\[+\s*[A-Za-z_][A-Za-z0-9_.-]*\s*\]+\s*(?:#.*)?$`)
	continued   = regexp.MustCompile(`^\s*\[+\s*(?:["'0-9]|$)`) // no name of a section begins like that
	remark      = regexp.MustCompile(`("(?:[^"\\]|\\.)*"|'[^']*')|#.*`)
	colon       = regexp.MustCompile(`["A-Za-z0-9_-]\s*:`)
	doubleComma = regexp.MustCompile(`,\s*,|[\[{]\s*,`)
	bareItem    = regexp.MustCompile(`[\[,]\s*[A-Za-z_/.]`)
	// In what inList looks at, a text is "".
	missingComma   = regexp.MustCompile(`(?:""|\])\s*(?:""|\[)|[0-9]\s+[0-9]`)
	missingCommaIn = regexp.MustCompile(`(?:""|[0-9\]])\s+[A-Za-z_][A-Za-z0-9_-]*\s*=`)
	wrongHex       = regexp.MustCompile(`^(?:0X[0-9A-Fa-f]*|0x.*|[$&xX][0-9A-Fa-f]+|[0-9A-Fa-f]*[0-9][0-9A-Fa-f]*[hH])\b`)

	defined     = regexp.MustCompile(`^Key '([^']*)' (?:has|was) already `)
	firstWord   = regexp.MustCompile(`^[a-z][a-z0-9_]*`)
	bareKey     = regexp.MustCompile(`^[A-Za-z0-9_]{1,32}$`)
	comma       = regexp.MustCompile(`^[+-]?[0-9]+,`)
	leadingZero = regexp.MustCompile(`^[+-]?0[0-9]`)
	unit        = regexp.MustCompile(`^[+-]?[0-9][0-9._]*\s*[A-Za-z]`)
	address     = regexp.MustCompile(`^[0-9][0-9a-f]*(?::|\.[0-9]+\.)`)
	bare        = regexp.MustCompile(`^[A-Za-z./_]`)
	texts       = regexp.MustCompile(`^(?:"[^"]*"|'[^']*')\s*,`)
	named       = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*\s*=`)
	words       = regexp.MustCompile(`^[A-Za-z./_][A-Za-z0-9./_-]*\s*,`)
)

// mistake describes the mistake in a line.
func mistake(line, message string) string {
	line = strings.TrimSpace(line)
	name, value, assigned := strings.Cut(line, "=")
	value = strings.TrimSpace(value)
	first, _ := utf8.DecodeRuneInString(value)
	word := strings.ToLower(strings.TrimSpace(strings.SplitN(value, "#", 2)[0]))
	switch {
	case !utf8.ValidString(line):
		return "has signs that are no UTF-8: save the file as UTF-8"
	case strings.HasPrefix(line, "["):
		return "a section is written [name], on a line of its own"
	case !assigned:
		return "a key is written name = value, a section [name]"
	case strings.ContainsAny(strings.Trim(strings.TrimSpace(name), `"'`), " \t:"):
		return "a key is written name = value; its name has no blanks"
	case value == "" || first == '#':
		return "a value is missing behind ="
	case wrongHex.MatchString(value) && !address.MatchString(word):
		return needsHex
	case strings.ContainsRune("“”„‟«»‘’‚", first):
		return `quotes are the straight ones: "..."`
	case word == "yes" || word == "no" || word == "on" || word == "off" || word == "true" || word == "false":
		return "true or false is needed, in small letters and without quotes"
	case strings.Contains(message, "escape"):
		return "a backslash in text is written twice, or the text stands in single quotes"
	case (first == '"' || first == '\'') && strings.Count(value, string(first)) < 2:
		return "the text's quote is not closed on its line"
	case texts.MatchString(value):
		return `a list stands between [ and ]: ["a", "b"]`
	case first == '"' || first == '\'':
		return "behind the text stands something more than a remark (#)"
	case address.MatchString(word): // 192.0.2.7:9100, 04:30, 0c2e:0b61
		return needsQuotes
	case leadingZero.MatchString(value):
		return "a number does not begin with 0"
	case comma.MatchString(value):
		return "a number has no comma"
	case strings.Contains(message, "out of range"):
		return TooLarge
	case unit.MatchString(value):
		return `a number stands alone, without a unit; text, such as "5ms", needs quotes`
	case named.MatchString(value):
		return tables
	case words.MatchString(value):
		return `a list of text stands between [ and ], each in quotes: ["a", "b"]`
	case bare.MatchString(value):
		return needsQuotes
	case first == '[' || first == '{':
		return inValue(value)
	}
	return "is not written as TOML has it: text stands in quotes, numbers, true and false stand without, lists in [ ]"
}

// inValue describes the mistake in a list or a table on one line.
func inValue(value string) string {
	said := inList(value, value[0])
	switch stack := brackets(nil, value); {
	case said != "":
		return said
	case len(stack) > 0:
		return unclosedBy[stack[0]]
	case value[0] == '{':
		return tables
	}
	return "the list is not whole: " + listed
}
