package glass_test

import (
	"cmp"
	"slices"
	"testing"

	"payterm/glass"
	"payterm/unifont"
)

// TestLetters: how a character display shows the names of shops, and which characters it alters.
func TestLetters(t *testing.T) {
	for _, c := range []struct {
		text, want string
		altered    []string
		european   string // with ROM A02; "": the same
	}{
		{"Table 5", "Table 5", nil, ""},
		{"Café à l’été", "Café à l'été", nil, ""},
		{"Crêperie Œuvre™", "Crêperie OEuvreTM", []string{"Œ", "™"}, ""},
		{"«Señor Straße» 2×3", "<<Senor Strasse>> 2x3", []string{"«", "ñ", "ß", "»", "×"}, "«Señor Straße» 2×3"},
		{"Ø´¨", "O?" + "?", []string{"Ø", "´", "¨"}, ""},
		{"Đặng Phở", "Dang Pho", []string{"Đ", "ặ", "ở"}, ""},
		{"Cafe\u0301", "Café", nil, ""},
		{"q\u0303", "q", []string{"q\u0303"}, ""},
		{"張記茶餐廳", "?????", []string{"張", "記", "茶", "餐", "廳"}, ""},
		{"5 € £ ¥ •", "5 € £ ¥ •", nil, ""},
		{"a…\u200b\u2011b?", "a...-b?", nil, ""},
		{"🍕 👩‍👧", "? ?", []string{"🍕", "👩‍👧"}, ""},
		{"\x1b\xff", "??", []string{"\x1b", "\xff"}, ""},
	} {
		if got := glass.Letters(c.text, unifont.A00); got != c.want {
			t.Errorf("%q became %q, not %q", c.text, got, c.want)
		}
		if got := glass.Letters(c.text, unifont.A02); got != cmp.Or(c.european, c.want) {
			t.Errorf("with ROM A02 %q became %q, not %q", c.text, got, cmp.Or(c.european, c.want))
		}
		if got := glass.Altered(c.text, unifont.A00); !slices.Equal(got, c.altered) {
			t.Errorf("%q: %q are altered, not %q", c.text, got, c.altered)
		}
	}
	if got := glass.Altered("Đặng Phở 張記 🍕", ""); !slices.Equal(got, []string{"🍕"}) {
		t.Errorf("on a glass of pixels %q are altered", got)
	}
}
