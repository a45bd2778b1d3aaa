package tomlfile

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Fact describes the values of a key for a reference: what is allowed and what is the default. The package that
// has the key tests its facts against what it refuses.
type Fact struct {
	What string // what the key is for

	// One of these is set: words, values, the least and most of a number or of a duration, or a form in words.
	Words       []string
	Values      []int64
	Least, Most int64
	Times       [2]time.Duration
	Form        string

	Unit   string
	Usual  string // default; "" for none
	Needed bool   // it cannot be left out, or not in the case that Usual names
}

// Allowed returns the allowed values as text.
func (f Fact) Allowed() string {
	switch {
	case len(f.Words) > 0:
		return strings.Join(f.Words, ", ")
	case len(f.Values) > 0:
		all := make([]string, len(f.Values))
		for i, v := range f.Values {
			all[i] = fmt.Sprint(v)
		}
		return strings.Join(all, ", ")
	case f.Least != 0 || f.Most != 0:
		return fmt.Sprintf("%d to %d", f.Least, f.Most)
	case f.Times != [2]time.Duration{}:
		return Short(f.Times[0]) + " to " + Short(f.Times[1])
	}
	return f.Form
}

// Short formats a duration as a person would: 10m, not 10m0s.
func Short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Key is a key of a struct.
type Key struct {
	Dotted string
	Type   string // in plain words
}

// Keys returns the keys of a struct with toml tags, section by section in their order. For a list of tables it
// returns the keys of one table.
func Keys(v any) []Key { return keysIn(reflect.TypeOf(v), "") }

func keysIn(t reflect.Type, prefix string) []Key {
	var keys []Key
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
		if name == "" {
			continue
		}
		of := f.Type
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.Struct &&
			!isText(of.Elem()) {
			of = of.Elem()
		}
		if of.Kind() == reflect.Struct && !isText(of) {
			keys = append(keys, keysIn(of, prefix+name+".")...)
			continue
		}
		keys = append(keys, Key{prefix + name, typeOf(of)})
	}
	return keys
}

func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) ||
		t.Kind() == reflect.Struct && t.NumField() == 1 && t.Field(0).Type == durationType
}

func typeOf(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Struct:
		return "duration"
	case t.Kind() == reflect.String || isText(t):
		return "text"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Slice:
		return "list of " + typeOf(t.Elem())
	case t.Kind() == reflect.Map:
		return "section of " + typeOf(t.Elem())
	}
	return "number"
}
