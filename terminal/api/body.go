package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// read reads a JSON body strictly and calls v's check, if it has one.
func read(w http.ResponseWriter, r *http.Request, most int64, v any) error {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return Errorf(TooLarge, "the body has more than %d bytes", most)
	case err != nil:
		return Wrap(Malformed, err)
	}
	if text = bytes.TrimSpace(text); len(text) == 0 || string(text) == "null" {
		return Errorf(Malformed, "a JSON body is needed")
	}
	if err := eachOnce(text, fieldsOf(v)); err != nil {
		return err
	}
	var wrong *json.UnmarshalTypeError
	switch err := json.Unmarshal(text, v); {
	case errors.As(err, &wrong):
		return Errorf(Malformed, "%s: %s is needed, and it is a %s", wrong.Field,
			cmp.Or(forms[wrong.Type.Kind()], "another form"), wrong.Value)
	case err != nil:
		return Wrap(Malformed, err)
	}
	if c, ok := v.(interface{ check() error }); ok {
		return c.check()
	}
	return nil
}

// forms are what a field takes, by the kind of its type.
var forms = map[reflect.Kind]string{
	reflect.Bool: "true or false", reflect.String: "a text", reflect.Int64: "a whole number",
}

// eachOnce refuses bodies that two programs could read differently: duplicate fields, other case,
// unknown fields, and null, which encoding/json treats as missing. (A refund without an amount is
// one of all that is left.)
func eachOnce(text []byte, known []string) error {
	d := json.NewDecoder(bytes.NewReader(text))
	switch open, err := d.Token(); {
	case err != nil:
		return Wrap(Malformed, err)
	case open != json.Delim('{'):
		return Errorf(Malformed, "a JSON object is needed")
	}
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return Wrap(Malformed, err)
		}
		name := key.(string) // objects have only string keys
		var value json.RawMessage
		switch err := d.Decode(&value); {
		case err != nil:
			return Wrap(Malformed, err)
		case !slices.Contains(known, name):
			return Errorf(Malformed, "unknown field %.60q: there are %s", name, strings.Join(known, ", "))
		case seen[name]:
			return Errorf(Malformed, "field %q comes twice", name)
		case string(value) == "null":
			return Errorf(Malformed, "field %q is null: it needs a value, or is left out", name)
		}
		seen[name] = true
	}
	if _, err := d.Token(); err != nil { // the object's end
		return Wrap(Malformed, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Errorf(Malformed, "there is more than one JSON value in the body")
	}
	return nil
}

// fieldsOf are the JSON names of the fields of v, a pointer to a struct.
func fieldsOf(v any) []string {
	var names []string
	t := reflect.TypeOf(v).Elem()
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "-" {
			names = append(names, name)
		}
	}
	return names
}
