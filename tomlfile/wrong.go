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
	if begun := unclosed(lines, at); begun > 0 {
		if strings.HasPrefix(strings.TrimSpace(lines[begun-1]), "[") {
			return Problem{File: f.Name, Line: begun, Key: plain(f.at(begun)), Text: mistake(lines[begun-1], "")}
		}
		return Problem{File: f.Name, Line: begun, Key: plain(f.at(begun)), Text: "the list is not whole: " + listed}
	}
	key := f.at(at)
	if begun := f.lines[parse.LastKey]; key == "" && begun > 0 && begun < at && opens(lines[begun-1]) {
		return Problem{File: f.Name, Line: at, Key: plain(parse.LastKey), Text: fmt.Sprintf(
			"the list that begins on line %d is not whole: %s", begun, listed)}
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

// unclosed returns the line of a list or of a section's name that was begun before a line and is not closed,
// although the line begins something else; 0 if there is none. The decoder reports the later line.
func unclosed(lines []string, at int) int {
	begun, open := 0, 0
	for i, line := range lines[:at] {
		if begun > 0 && begins.MatchString(line) {
			return begun
		}
		bare := quoted.ReplaceAllString(line, "")
		if begun == 0 {
			begun, open = i+1, 0
		}
		if open += strings.Count(bare, "[") - strings.Count(bare, "]"); open <= 0 {
			begun = 0
		}
	}
	return 0
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

// opens reports whether the value of a line is a list or a table that continues below it.
func opens(line string) bool {
	_, value, _ := strings.Cut(line, "=")
	value = strings.TrimSpace(value)
	return strings.HasPrefix(value, "[") || strings.HasPrefix(value, "{")
}

const needsQuotes = `text needs quotes around it: "..."`

// listed describes the form of a list.
const listed = "its items stand between [ and ], with commas between them"

var (
	defined     = regexp.MustCompile(`^Key '([^']*)' (?:has|was) already `)
	firstWord   = regexp.MustCompile(`^[a-z][a-z0-9_]*`)
	bareKey     = regexp.MustCompile(`^[A-Za-z0-9_]{1,32}$`)
	comma       = regexp.MustCompile(`^[+-]?[0-9]+,`)
	leadingZero = regexp.MustCompile(`^[+-]?0[0-9]`)
	unit        = regexp.MustCompile(`^[+-]?[0-9][0-9._]*\s*[A-Za-z]`)
	address     = regexp.MustCompile(`^[0-9][0-9a-f]*(?::|\.[0-9]+\.)`)
	bare        = regexp.MustCompile(`^[A-Za-z./_]`)
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
	case strings.ContainsRune("“”„‟«»‘’‚", first):
		return `quotes are the straight ones: "..."`
	case word == "yes" || word == "no" || word == "on" || word == "off" || word == "true" || word == "false":
		return "true or false is needed, in small letters and without quotes"
	case strings.Contains(message, "escape"):
		return "a backslash in text is written twice, or the text stands in single quotes"
	case (first == '"' || first == '\'') && strings.Count(value, string(first)) < 2:
		return "the text's quote is not closed on its line"
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
	case unit.MatchString(value) && !strings.HasPrefix(value, "0x"):
		return `a number stands alone, without a unit; text, such as "5ms", needs quotes`
	case bare.MatchString(value):
		return needsQuotes
	case first == '[' || first == '{':
		return "the list is not whole: " + listed
	}
	return "is not written as TOML has it: text stands in quotes, numbers, true and false stand without, lists in [ ]"
}
