package ottpay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// encoding/json takes the last of two equal keys and ignores the case of names. A reply that decides about
// money is therefore read token by token: exact keys, no duplicates, numbers as written.

// valueKind is the JSON type of a value.
type valueKind uint8

const (
	isString valueKind = iota
	isNumber
	isBool
	isNull
	isObject
	isArray
)

// value is one JSON value as written.
type value struct {
	kind   valueKind
	text   string // decoded text, literal of a number, true or false
	fields []field
	items  []value
}

// field is a key with its value, in document order.
type field struct {
	key   string
	value value
}

// object is the inner or the outer JSON object.
type object []field

var errJSON = errors.New("not the JSON that was expected")

const maxDepth = 8

// parseObject reads one JSON object. Text after it is an error.
func parseObject(b []byte) (object, error) {
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("%w: not UTF-8", errJSON)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := parseValue(d, 0)
	if err != nil {
		return nil, err
	}
	if v.kind != isObject {
		return nil, fmt.Errorf("%w: not an object", errJSON)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: text after the object", errJSON)
	}
	return v.fields, nil
}

func parseValue(d *json.Decoder, depth int) (value, error) {
	if depth > maxDepth {
		return value{}, fmt.Errorf("%w: nested too deeply", errJSON)
	}
	token, err := d.Token()
	if err != nil {
		return value{}, fmt.Errorf("%w: broken off or malformed", errJSON)
	}
	switch t := token.(type) {
	case string:
		return value{kind: isString, text: t}, nil
	case json.Number:
		return value{kind: isNumber, text: t.String()}, nil
	case bool:
		return value{kind: isBool, text: strconv.FormatBool(t)}, nil
	case nil:
		return value{kind: isNull}, nil
	case json.Delim:
		if t == '{' {
			return parseFields(d, depth)
		}
		return parseItems(d, depth)
	}
	return value{}, fmt.Errorf("%w: unexpected token", errJSON)
}

// errDuplicate means that a key occurs twice: two readers could read two different messages.
var errDuplicate = fmt.Errorf("%w: a key occurs twice", errJSON)

func parseFields(d *json.Decoder, depth int) (value, error) {
	v := value{kind: isObject}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return value{}, fmt.Errorf("%w: broken off or malformed", errJSON)
		}
		key, ok := token.(string)
		if !ok {
			return value{}, fmt.Errorf("%w: a key is not a string", errJSON)
		}
		if seen[key] {
			return value{}, errDuplicate
		}
		seen[key] = true
		inner, err := parseValue(d, depth+1)
		if err != nil {
			return value{}, err
		}
		v.fields = append(v.fields, field{key, inner})
	}
	if _, err := d.Token(); err != nil {
		return value{}, fmt.Errorf("%w: broken off or malformed", errJSON)
	}
	return v, nil
}

func parseItems(d *json.Decoder, depth int) (value, error) {
	v := value{kind: isArray}
	for d.More() {
		item, err := parseValue(d, depth+1)
		if err != nil {
			return value{}, err
		}
		v.items = append(v.items, item)
	}
	if _, err := d.Token(); err != nil {
		return value{}, fmt.Errorf("%w: broken off or malformed", errJSON)
	}
	return v, nil
}

// get returns the value of an exact key.
func (o object) get(key string) (value, bool) {
	for _, f := range o {
		if f.key == key {
			return f.value, true
		}
	}
	return value{}, false
}

// str returns the text of the first of these keys that holds a string.
func (o object) str(keys ...string) string {
	for _, key := range keys {
		if v, ok := o.get(key); ok && v.kind == isString {
			return v.text
		}
	}
	return ""
}

// absent reports whether a key is missing, null or an empty text.
func (o object) absent(key string) bool {
	v, ok := o.get(key)
	return !ok || v.kind == isNull || v.kind == isString && v.text == ""
}

// minor returns an amount in minor units, from a string or a number of digits only (section 15 no. 5). It
// returns false if the key is missing or holds anything else. The gateway's own code may write a number as a
// double, 1250.0; a fraction of zeros is accepted.
func (o object) minor(key string) (int64, bool) {
	v, ok := o.get(key)
	if !ok || v.kind != isString && v.kind != isNumber {
		return 0, false
	}
	digits := v.text
	if whole, fraction, point := strings.Cut(digits, "."); point && v.kind == isNumber &&
		strings.Trim(fraction, "0") == "" {
		digits = whole
	}
	if len(digits) > maxAmountDigits {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 63) // no sign, no point, no exponent
	return int64(n), err == nil
}

const maxAmountDigits = 15

// form is one way in which the gateway may have converted values to the text under the digest (section 2.2).
// The first is the Java form on which clients agree; the others cover cases that are unverified.
type form struct {
	number     func(literal string) string
	null       string
	nestedJSON bool
}

var forms = []form{
	{number: javaDouble, null: "null"},
	{number: javaDouble, null: ""},
	{number: plainPointZero, null: "null"},
	{number: plainPointZero, null: ""},
	{number: literal, null: "null"},
	{number: literal, null: ""},
	{number: javaDouble, null: "null", nestedJSON: true},
	{number: literal, null: "null", nestedJSON: true},
}

func literal(text string) string { return text }

func plainPointZero(text string) string {
	if strings.ContainsAny(text, ".eE") {
		return text
	}
	return text + ".0"
}

// javaDouble formats a number like Java's Double.toString: plain digits with a decimal point from 0.001 to
// below 10^7, otherwise scientific notation.
func javaDouble(text string) string {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	abs := max(f, -f)
	if f == 0 {
		if strings.HasPrefix(text, "-") {
			return "-0.0"
		}
		return "0.0"
	}
	if abs >= 1e-3 && abs < 1e7 {
		s := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, err := strconv.Atoi(exponent)
	if err != nil {
		return text
	}
	return mantissa + "E" + strconv.Itoa(n)
}

// joined returns the text under the digest: the values of the top-level keys in ascending order of the keys'
// code units, with nothing between them.
func (o object) joined(f form) string {
	sorted := slices.Clone(o)
	slices.SortFunc(sorted, func(a, b field) int { return strings.Compare(a.key, b.key) })
	var b strings.Builder
	for _, one := range sorted {
		one.value.write(&b, f)
	}
	return b.String()
}

func (v value) write(b *strings.Builder, f form) {
	switch v.kind {
	case isString, isBool:
		b.WriteString(v.text)
	case isNumber:
		b.WriteString(f.number(v.text))
	case isNull:
		b.WriteString(f.null)
	case isObject:
		v.writeObject(b, f)
	case isArray:
		b.WriteByte('[')
		for i, item := range v.items {
			if i > 0 {
				b.WriteString(separator(f.nestedJSON, ", ", ","))
			}
			item.writeNested(b, f)
		}
		b.WriteByte(']')
	}
}

func (v value) writeObject(b *strings.Builder, f form) {
	b.WriteByte('{')
	for i, one := range v.fields {
		if i > 0 {
			b.WriteString(separator(f.nestedJSON, ", ", ","))
		}
		if f.nestedJSON {
			b.WriteString(quoted(one.key) + ":")
		} else {
			b.WriteString(one.key + "=")
		}
		one.value.writeNested(b, f)
	}
	b.WriteByte('}')
}

func (v value) writeNested(b *strings.Builder, f form) {
	if f.nestedJSON && v.kind == isString {
		b.WriteString(quoted(v.text))
		return
	}
	v.write(b, f)
}

func separator(nestedJSON bool, java, compact string) string {
	if nestedJSON {
		return compact
	}
	return java
}

func quoted(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return s
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// digestFits tries all accepted forms, ignoring the case of the hex.
func (o object) digestFits(md5Text string) bool {
	for _, f := range forms {
		if strings.EqualFold(digest(o.joined(f)), md5Text) {
			return true
		}
	}
	return false
}
