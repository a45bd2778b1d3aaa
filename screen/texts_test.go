package screen

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"payterm"
	"payterm/locale"
	"payterm/unifont"
)

var verbs = regexp.MustCompile(`%(\[1\])?[sd]|%.`)

// verbsOf returns the format verbs of the longer form of a text; the shorter form has some of them.
func verbsOf(text string) []string {
	long, _, _ := strings.Cut(text, or)
	return verbs.FindAllString(long, -1)
}

// missing returns what a language lacks compared with English: an empty text, other verbs, a key of a map; and
// characters that none of our fonts has.
func missing(t *texts) []string {
	var out []string
	look := func(name, text, model string) {
		switch {
		case (text == "") != (model == ""):
			out = append(out, fmt.Sprintf("%s: %q beside %q", name, text, model))
		case !slices.Equal(verbsOf(text), verbsOf(model)):
			out = append(out, fmt.Sprintf("%s: the verbs of %q and %q", name, text, model))
		}
		forms := strings.Split(text, or)
		for _, form := range forms {
			if strings.TrimSpace(form) != form || form == "" && text != "" {
				out = append(out, fmt.Sprintf("%s: blanks around %q", name, form))
			}
		}
		if len(forms) > 2 || len(forms) == 2 && len(forms[1]) >= len(forms[0]) {
			out = append(out, fmt.Sprintf("%s: %q is not a text and a shorter one", name, text))
		}
		for _, r := range text {
			if _, ok := unifont.Find(r); !ok {
				out = append(out, fmt.Sprintf("%s: no sign for %q", name, r))
			}
		}
	}
	v, model := reflect.ValueOf(*t), reflect.ValueOf(english)
	for i := range v.NumField() {
		name, field := v.Type().Field(i).Name, v.Field(i)
		switch field.Kind() {
		case reflect.String:
			look(name, field.String(), model.Field(i).String())
		case reflect.Map:
			for _, key := range slices.Concat(field.MapKeys(), model.Field(i).MapKeys()) {
				text := func(m reflect.Value) string {
					if found := m.MapIndex(key); found.IsValid() {
						return found.String()
					}
					return ""
				}
				look(fmt.Sprintf("%s[%v]", name, key), text(field), text(model.Field(i)))
			}
		case reflect.Struct: // counted
			look(name+".other", field.Field(1).String(), model.Field(i).Field(1).String())
			if one := field.Field(0).String(); (one != "") != locale.One(1, t.language) {
				out = append(out, fmt.Sprintf("%s.one: %q", name, one))
			}
		default:
			out = append(out, fmt.Sprintf("%s: a %s, which nobody looks at", name, field.Kind()))
		}
	}
	return out
}

func TestNoLanguageMissesAText(t *testing.T) {
	if got := slices.Sorted(maps.Keys(languages)); !slices.Equal(got, payterm.Languages[:]) {
		t.Errorf("there are tables for %v, and languages are %v", got, payterm.Languages)
	}
	for name, table := range languages {
		if table.language != name {
			t.Errorf("the table of %s says that it is %q", name, table.language)
		}
		for _, m := range missing(table) {
			t.Errorf("%s: %s", name, m)
		}
	}
	for _, name := range []string{"", "de"} {
		if textsFor(name) != &english {
			t.Errorf("%q is not in English", name)
		}
	}
}

// TestMissingCatches plants each kind of missing text.
func TestMissingCatches(t *testing.T) {
	for name, spoil := range map[string]func(*texts){
		"scanTitle":  func(t *texts) { t.scanTitle = "" },
		"order":      func(t *texts) { t.order = "Commande" },
		"withFee":    func(t *texts) { t.withFee = "%d" },
		"keyBack":    func(t *texts) { t.keyBack = " retour" },
		"offline":    func(t *texts) { t.offline = "\U0001F600" },
		"late.one":   func(t *texts) { t.late.one = "" },
		"late.other": func(t *texts) { t.late.other = "beaucoup" },
		"scanLine":   func(t *texts) { t.scanLine = "court|plus long" },
		"keyNext":    func(t *texts) { t.keyNext = "suivant|" },
		"wallets[ALIPAY]": func(t *texts) {
			t.wallets = maps.Clone(t.wallets)
			delete(t.wallets, payterm.Alipay)
		},
		"reasons[dog_ate_it]": func(t *texts) {
			t.reasons = maps.Clone(t.reasons)
			t.reasons["dog_ate_it"] = "Le chien"
		},
	} {
		spoilt := french
		spoil(&spoilt)
		if m := missing(&spoilt); len(m) == 0 || !strings.HasPrefix(m[0], name+":") {
			t.Errorf("%s: %q", name, m)
		}
	}
}

func TestCount(t *testing.T) {
	for _, c := range []struct {
		language string
		n        int
		want     string
	}{
		{"en", 1, "1 payment in doubt"}, {"en", 2, "2 payments in doubt"},
		{"fr", 1, "1 paiement incertain"}, {"fr", 12, "12 paiements incertains"},
		{"zh", 1, "1 笔付款结果未知"}, {"zh", 2, "2 笔付款结果未知"},
	} {
		table := textsFor(c.language)
		if got := (Options{}).pick(table.count(c.n, table.doubts)); got != c.want {
			t.Errorf("%s: %q, want %q", c.language, got, c.want)
		}
	}
}
