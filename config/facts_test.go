package config

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"payterm/tomlfile"
)

// TestFacts: the reference has each key, with the bounds that Check uses.
func TestFacts(t *testing.T) {
	facts := Facts()
	refused := func(key, value string) bool {
		section, name, _ := strings.Cut(key, ".")
		_, err := Parse("p.toml", fmt.Appendf(nil, "[%s]\n%s = %s\n", section, name, value), nil)
		return err != nil && strings.Contains(err.Error(), ": "+key+": ")
	}
	for _, key := range tomlfile.Keys(Config{}) {
		f, there := facts[key.Dotted]
		if !there || f.Allowed() == "" && key.Type != "true or false" {
			t.Errorf("%s is a key: say in config/facts.go what it may say", key.Dotted)
		}
		delete(facts, key.Dotted)
		var right, wrong []string
		switch {
		case len(f.Words) > 0:
			right, wrong = f.Words, []string{"no such word"}
		case f.Least != 0 || f.Most != 0:
			right = []string{fmt.Sprint(f.Least), fmt.Sprint(f.Most)}
			wrong = []string{fmt.Sprint(f.Least - 1), fmt.Sprint(f.Most + 1)}
		case f.Times != [2]time.Duration{}:
			right = []string{f.Times[0].String(), f.Times[1].String()}
			wrong = []string{(f.Times[0] - time.Microsecond).String(), (f.Times[1] + time.Microsecond).String()}
		}
		form := map[string]string{"number": "%s", "list of text": "[%q]"}[key.Type]
		if form == "" {
			form = "%q"
		}
		for _, v := range right {
			if refused(key.Dotted, fmt.Sprintf(form, v)) {
				t.Errorf("%s = %s is refused, and the reference has %s", key.Dotted, v, f.Allowed())
			}
		}
		for _, v := range wrong {
			if !refused(key.Dotted, fmt.Sprintf(form, v)) {
				t.Errorf("%s = %s is taken, and the reference has %s", key.Dotted, v, f.Allowed())
			}
		}
	}
	for key := range facts {
		t.Errorf("%s is no key", key)
	}
}
