// Package tomlfile reads a TOML file strictly and records the line of each key. An unknown key or a wrong type
// is refused with file, line and what would be right, and a caller that checks values later can report their
// lines. Board profiles and the configuration share it.
package tomlfile

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// File is a file that was read.
type File struct {
	Name  string
	lines map[string]int // by dotted key
	keys  map[string]bool
}

// Problem is one mistake, with its place.
type Problem struct {
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"` // 0 if the key is missing altogether
	Key  string `json:"key,omitempty"`
	Text string `json:"text"` // what is wrong and what would be right
}

// Error returns file:line: key: text.
func (p Problem) Error() string {
	place := p.File
	if p.Line > 0 {
		place = fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	if p.Key == "" {
		return fmt.Sprintf("%s: %s", place, p.Text)
	}
	return fmt.Sprintf("%s: %s: %s", place, p.Key, p.Text)
}

// Decode reads text into v, a pointer to a struct with toml tags. It reports every unknown key and every value
// of a wrong type, not only the first.
func Decode(name string, text []byte, v any) (*File, error) {
	var tables map[string]any
	known := keysOf(reflect.TypeOf(v), "")
	f, meta, err := read(name, text, &tables, known)
	if err != nil {
		return f, err
	}
	problems := f.fit("", tables, reflect.TypeOf(v))
	for _, key := range unknown(meta, reflect.TypeOf(v)) {
		dotted := strings.Join(key, ".")
		text := "unknown key"
		if near := meant(dotted, known); near != "" {
			text += fmt.Sprintf("; did you mean %s?", near)
		}
		problems = append(problems, f.Problem(dotted, text))
	}
	if len(problems) > 0 {
		slices.SortStableFunc(problems, func(a, b Problem) int { return a.Line - b.Line })
		var all []error
		for _, p := range problems {
			all = append(all, p)
		}
		return f, errors.Join(all...)
	}
	_, _, err = read(name, text, v, known)
	return f, err
}

// Tables reads text for a caller that checks keys and types itself. It refuses only what is not TOML.
func Tables(name string, text []byte) (*File, map[string]any, error) {
	var tables map[string]any
	f, _, err := read(name, text, &tables, nil)
	if err != nil {
		return f, nil, err
	}
	return f, tables, nil
}

// read decodes text into v. Only names among known are repeated in a message about a line that is not TOML.
func read(name string, text []byte, v any, known []string) (*File, toml.MetaData, error) {
	f := &File{Name: name, lines: linesOf(string(text)), keys: map[string]bool{}}
	meta, err := toml.Decode(string(text), v)
	for _, key := range meta.Keys() {
		f.keys[strings.Join(key, ".")] = true
	}
	var parse toml.ParseError
	switch {
	case errors.As(err, &parse):
		return f, meta, f.unwritten(string(text), parse, known)
	case err != nil: // a type that fit does not check
		return f, meta, Problem{File: name, Text: strings.TrimPrefix(err.Error(), "toml: ")}
	}
	return f, meta, nil
}

// Encode writes tables in the form that Tables reads, with sorted keys.
func Encode(tables map[string]any) ([]byte, error) {
	var b bytes.Buffer
	e := toml.NewEncoder(&b)
	e.Indent = ""
	if err := e.Encode(tables); err != nil {
		return nil, fmt.Errorf("write TOML: %w", err)
	}
	return b.Bytes(), nil
}

// Problem returns a problem of a key at its line.
func (f *File) Problem(key, text string) Problem {
	line, ok := f.lines[key]
	for parent := key; !ok && strings.Contains(parent, "."); {
		parent = parent[:strings.LastIndex(parent, ".")]
		line, ok = f.lines[parent]
	}
	return Problem{File: f.Name, Line: line, Key: key, Text: text}
}

// Has reports whether the file sets a key, whatever its value: a 0 in the file is not the same as a key that is
// left out.
func (f *File) Has(key string) bool { return f.keys[key] }

// linesOf records the line of each table and key, and of the n-th table of a list also as table.n. It reads the
// plain form of profiles and configurations: one key in a line.
func linesOf(text string) map[string]int {
	lines := map[string]int{}
	table, listed := "", map[string]int{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") && !strings.Contains(line, "=") && !continued.MatchString(line) {
			table = strings.Trim(strings.SplitN(line, "#", 2)[0], "[] \t")
			if _, twice := lines[table]; !twice {
				lines[table] = i + 1
			}
			if strings.HasPrefix(line, "[[") {
				listed[table]++
				table = fmt.Sprintf("%s.%d", table, listed[table])
				lines[table] = i + 1
			}
			continue
		}
		key, _, found := strings.Cut(line, "=")
		if key = strings.Trim(strings.TrimSpace(key), `"'`); !found || key == "" || strings.HasPrefix(key, "#") {
			continue
		}
		if table != "" {
			key = table + "." + key
		}
		if _, twice := lines[key]; !twice {
			lines[key] = i + 1
		}
	}
	return lines
}

// unknown returns the keys of a file that its type does not have. The decoder ignores case, and if a file has
// two spellings of one key it takes one at random. So a key must be written exactly like its field's tag.
func unknown(meta toml.MetaData, t reflect.Type) []toml.Key {
	var list []toml.Key
	listed := map[string]bool{} // a key of a list of tables occurs once for each table
	for _, key := range meta.Keys() {
		dotted := key.String()
		// An unknown section is reported once, not each key in it.
		if !spelled(key, t) && !listed[dotted] && (len(key) == 1 || !listed[key[:len(key)-1].String()]) {
			list = append(list, key)
		}
		listed[dotted] = listed[dotted] || !spelled(key, t)
	}
	return list
}

// spelled reports whether each part of a key is exactly a field's tag. The keys of a map are free.
func spelled(key toml.Key, t reflect.Type) bool {
	for _, part := range key {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Array {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return true
		}
		at := -1
		for i := range t.NumField() {
			if tag, _, _ := strings.Cut(t.Field(i).Tag.Get("toml"), ","); tag == part {
				at = i
			}
		}
		if at < 0 {
			return false
		}
		t = t.Field(at).Type
	}
	return true
}

// keysOf returns the dotted keys of a struct.
func keysOf(t reflect.Type, prefix string) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var keys []string
	for i := range t.NumField() {
		tag := strings.Split(t.Field(i).Tag.Get("toml"), ",")[0]
		if tag == "" || tag == "-" {
			continue
		}
		keys = append(keys, prefix+tag)
		keys = append(keys, keysOf(t.Field(i).Type, prefix+tag+".")...)
	}
	return keys
}

// meant returns the known key that an unknown one probably stands for: a similar word of the same section, the
// same word in another section or, if the section is unknown, the most similar dotted key.
func meant(dotted string, known []string) string {
	cut := strings.LastIndex(dotted, ".") + 1
	section, word := dotted[:cut], dotted[cut:]
	var there []string
	elsewhere := ""
	for _, k := range known {
		at := strings.LastIndex(k, ".") + 1
		if k[:at] == section {
			there = append(there, k[at:])
		} else if k[at:] == word && elsewhere == "" {
			elsewhere = k
		}
	}
	switch near := Nearest(word, there); {
	case near != "":
		return section + near
	case elsewhere != "":
		return elsewhere
	case cut > 0 && !slices.Contains(known, strings.TrimSuffix(section, ".")):
		return Nearest(dotted, known)
	}
	return ""
}

// Nearest returns the known key that differs from key by a typing mistake, or "".
func Nearest(key string, known []string) string {
	best, distance := "", min(max(2, len(key)/4), len(key)-1)+1 // one letter is too short to compare
	for _, k := range known {
		if d := levenshtein(strings.ToLower(key), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	return best
}

func levenshtein(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, before+1)
		}
	}
	return row[len(b)]
}
