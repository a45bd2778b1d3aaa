package emulated

import (
	"context"
	"fmt"
	"image"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"payterm"
	"payterm/board"
	"payterm/boards"
	"payterm/drivers/printer"
	"payterm/flows/order"
	"payterm/receipt"
	"payterm/unifont"

	"pgregory.net/rapid"
)

// allPrinters are the printers of all board profiles, and the kinds that none has.
func allPrinters(t *testing.T) map[string]board.Printer {
	t.Helper()
	all := map[string]board.Printer{}
	add := func(name string, text []byte) {
		p, err := board.ReadProfile(name, text)
		if err != nil {
			t.Fatal(err)
		}
		if p.Printer != nil {
			p.Printer.Logo = ""
			if p.Printer.Baud == 0 {
				p.Printer.Baud = usbSpeed
			}
			all[name] = *p.Printer
		}
	}
	for _, name := range boards.Names() {
		text, err := boards.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		add(name, text)
	}
	for name, printer := range map[string]string{
		"made for China":  "chinese = \"gb18030\"\ncode_page = \"pc858\"",
		"columns of dots": "raster = \"esc_star\"\nqr = \"raster\"",
		"80 mm, page 850": "columns = 42\ncode_page = \"pc850\"\ntells = true",
		"page 1252":       "columns = 48\ncode_page = \"wpc1252\"\nstatus = true",
	} {
		add(name, []byte("board = \"x\"\n[printer]\nusb = \"/dev/usb/lp0\"\ncut = true\n"+printer))
	}
	return all
}

// printOne prints one slip and returns what is on paper.
func printOne(t fatal, p board.Printer, r payterm.Receipt) (w *wire, took time.Duration, img image.Image,
	words string) {
	w = newWire(nil, p)
	o := options(p, w)
	o.Columns, o.CodePage = p.Columns, p.CodePage
	d, err := printer.New(w, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Print(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	took = w.now
	words = w.words()
	img, _ = w.chip.paper()
	return w, took, img, words
}

// TestEveryTextIsPrinted: any texts of a slip are printed on every printer, each ordinary word in
// letters or dots, in reasonable time, and the printer accepts all of it.
func TestEveryTextIsPrinted(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine only, and long with the race detector")
	}
	t.Parallel()
	all := allPrinters(t)
	names := slices.Sorted(maps.Keys(all))
	rapid.Check(t, func(rt *rapid.T) {
		var want []string
		word := rapid.StringMatching(`[a-z]{4,8}`)
		field := func(label string) string {
			w := word.Draw(rt, label)
			want = append(want, w)
			return Anything(rt, label+", before") + " " + w + " " + Anything(rt, label+", after")
		}
		o := payterm.Order{
			ID: "T1AAAAA000001", Kind: payterm.KindSale, Wallet: payterm.Alipay, AmountMinor: 1234, PaidMinor: 1234,
			Currency: "CAD", Outcome: payterm.Approved,
			Ref: field("ref"), Payer: field("payer"), ChannelOrderID: Anything(rt, "channel order"),
			TradeTime: Anything(rt, "trade time"),
		}
		if rapid.Bool().Draw(rt, "an id of others") {
			o.ID = payterm.OrderID(Anything(rt, "id"))
		}
		opt := receipt.Options{
			Language: "en", MerchantID: Anything(rt, "merchant id"), Terminal: Anything(rt, "terminal"),
			Merchant: receipt.Merchant{Name: field("name"), Address: field("address"), Phone: Anything(rt, "phone"),
				TaxID: Anything(rt, "tax id")},
		}
		printed(rt, all[rapid.SampledFrom(names).Draw(rt, "printer")], receipt.Compose(order.SlipMerchant, o, false,
			opt), want...)
	})
}

// fatal is what a test and a property have in common.
type fatal interface {
	Errorf(format string, args ...any)
	Fatal(args ...any)
}

// printed prints a slip, and fails if a word of it is missing.
func printed(t fatal, p board.Printer, r payterm.Receipt, want ...string) {
	w, took, img, words := printOne(t, p, r)
	if len(w.rules) > 0 {
		t.Errorf("reported %q", w.rules)
	}
	if p.Cut != strings.HasSuffix(words, "--- cut ---") {
		t.Errorf("there is no end of it:\n%s", words)
	}
	letters, dots := strings.Join(strings.Fields(words), ""), read(img)
	for _, one := range append(want, "APPROVED", "Alipay", "12.34") {
		if !strings.Contains(letters, one) && !strings.Contains(dots, one) {
			t.Errorf("%q is not on paper:\n%s\nin dots\n%s", one, words, dots)
		}
	}
	if took > 5*time.Minute { // texts of a thousand characters at 9600 baud
		t.Errorf("it took %s", took)
	}
}

// TestTextsOfShopsArePrinted: texts that shops and tills have really sent.
func TestTextsOfShopsArePrinted(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine only, and long with the race detector")
	}
	t.Parallel()
	for name, p := range allPrinters(t) {
		for _, text := range []string{
			"張記茶餐廳 word", "Đặng Phở word", "Crêperie Œuvre™ word", "word 🍕", "Table five 🍕 word", "Cafe\u0301 word",
			"zero\u200bwidth word", "e\u2011mail word",
			"김밥천국 word", "すし寿司 word", "Кафе word", "\x1b@ word", "\xff\xfe word", strings.Repeat("張", 100) + " word",
			"word 👨‍👩‍👧 word", "€ ¥ £ ₩ ₫ word",
		} {
			o := payterm.Order{
				ID: "T1AAAAA000001", Kind: payterm.KindSale, Wallet: payterm.Alipay, AmountMinor: 1234, PaidMinor: 1234,
				Currency: "CAD", Outcome: payterm.Approved, Ref: text, Payer: text,
			}
			r := receipt.Compose(order.SlipMerchant, o, false,
				receipt.Options{Language: "en", Merchant: receipt.Merchant{Name: text, Address: text, Phone: text,
					TaxID: text}})
			if printed(t, p, r, "word"); t.Failed() {
				t.Fatalf("%s: %q", name, text)
			}
		}
	}
}

// Anything is a text with any characters, also an invalid one.
func Anything(rt *rapid.T, label string) string {
	part := rapid.OneOf(
		rapid.StringN(0, 12, -1),
		rapid.StringOfN(rapid.RuneFrom([]rune("\u0301\u200b\u200d\u2011\u00a0\u202f\ufe0f\u20e3\x1b\x10\x04\x1d\x00\n🍕👩👧🇨🇦🏽☕™Œđ張記茶餐廳김すカ（，”“)€¥…•")), 0, 12, -1),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 12), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{"", "Đặng Phở", "Crêperie Œuvre™", "Cafe\u0301", "👨‍👩‍👧", "12\u202f345,67\u00a0$",
			strings.Repeat("長", 40), strings.Repeat("x", 90)}),
	)
	return strings.Join(rapid.SliceOfN(part, 0, 3).Draw(rt, label), "")
}

// read returns the small letters on paper that are Unifont's, a line for each dot line that has
// some, joined with the line below: a word may take two.
func read(img image.Image) string {
	const wide, high, middle = 12, 24, 15 // each letter has something in its middle
	type shape [high]uint16
	letters, middles := map[shape]rune{}, map[uint16]bool{}
	for r := 'a'; r <= 'z'; r++ {
		g, _ := unifont.Find(r)
		var s, bold shape
		for y := range high {
			for x := range wide {
				if touched(g, x, y) {
					s[y] |= 1 << x
					bold[y] |= 3 << x
				}
			}
			bold[y] &= 1<<wide - 1
		}
		letters[s], letters[bold] = r, r
		middles[s[middle]], middles[bold[middle]] = true, true
	}
	grey := img.(*image.Gray)
	line := func(top, scale int) string {
		var text []byte
		any := false
		if top+high*scale > grey.Rect.Dy() {
			return ""
		}
		for left := 0; left+wide*scale <= grey.Rect.Dx(); left += wide * scale {
			row := func(y int) (bits uint16) {
				for x := range wide {
					if grey.Pix[(top+y*scale)*grey.Stride+left+x*scale] == 0 {
						bits |= 1 << x
					}
				}
				return bits
			}
			m := row(middle)
			if m == 0 {
				continue
			}
			var s shape
			for y := range high {
				if !middles[m] {
					break
				}
				s[y] = row(y)
			}
			r, known := letters[s]
			if any = any || known; known {
				text = utf8.AppendRune(text, r)
			} else {
				text = append(text, '#')
			}
		}
		if !any {
			return ""
		}
		return string(text)
	}
	var all strings.Builder
	for _, scale := range []int{1, 2} {
		for top := range grey.Rect.Dy() {
			if text := line(top, scale); text != "" {
				for _, next := range []int{28, 48} {
					fmt.Fprintf(&all, "%s%s\n", text, line(top+next*scale, scale))
				}
			}
		}
	}
	return all.String()
}

// touched reports whether a pixel of a glyph touches a dot, at one and a half times its size.
func touched(g unifont.Glyph, x, y int) bool {
	for py := y * 2 / 3; py*3 < 2*y+2; py++ {
		for px := x * 2 / 3; px*3 < 2*x+2; px++ {
			if g.At(px, py) {
				return true
			}
		}
	}
	return false
}
