package printer_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/drivers/printer"
	"payterm/hal/haltest"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

var slip = payterm.Receipt{Name: "customer", Lines: []payterm.ReceiptLine{
	{Text: "Café Montréal", Align: payterm.AlignCenter, Bold: true, Large: true},
	{Text: "1 Rue de l\u2019\u00c9glise, a street whose name is longer than the roll is wide",
		Align: payterm.AlignCenter},
	{Kind: payterm.LineRule},
	{Kind: payterm.LinePair, Text: "Amount", Right: "CAD 12.34", Bold: true},
	{Kind: payterm.LinePair, Text: "A left side that is long", Right: "and a right one too"},
	{Kind: payterm.LineFeed, N: 1},
	{Text: "right", Align: payterm.AlignRight},
	{Kind: payterm.LineBarcode, Text: "T1AAAAA000001"},
	{Kind: payterm.LineQR, Text: "https://example.com/r/1"},
	{Kind: payterm.LineCut},
}}

// commands formats bytes with a line for each command and each line feed.
func commands(b []byte) string {
	var out strings.Builder
	for i, c := range b {
		switch {
		case (c == 0x1b || c == 0x1d) && i > 0 && b[i-1] != '\n':
			fmt.Fprintf(&out, "\n%02x", c)
		case c >= 0x20 && c < 0x7f:
			out.WriteByte(c)
		default:
			fmt.Fprintf(&out, "<%02x>", c)
		}
		if c == '\n' {
			out.WriteByte('\n')
		}
	}
	return out.String() + "\n"
}

func TestGoldenReceipt(t *testing.T) {
	var all strings.Builder
	for _, o := range []printer.Options{{Columns: 32, Cut: true}, {Columns: 16, CodePage: "pc858", CutFeed: 2},
		{Columns: 48, CodePage: "wpc1252"}} {
		b, err := printer.Encode(slip, o)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "== %d columns, code page %q, cutter %t\n%s", o.Columns, o.CodePage, o.Cut, commands(b))
	}
	path := filepath.Join("..", "..", "testdata", "chips", "receipt.txt")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	comment, want, _ := strings.Cut(string(text), "\n\n")
	if *rewrite {
		if err := os.WriteFile(path, []byte(comment+"\n\n"+all.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if all.String() != want {
		t.Errorf("got\n%s", all.String())
	}
}

func TestEncodeEdges(t *testing.T) {
	line := func(l payterm.ReceiptLine) payterm.Receipt { return payterm.Receipt{Lines: []payterm.ReceiptLine{l}} }
	for _, c := range []struct {
		name string
		l    payterm.ReceiptLine
		want string // in the bytes
	}{
		{"nothing", payterm.ReceiptLine{}, "\n"},
		{"a sign that nobody has", payterm.ReceiptLine{Text: "Table 5 \U0001F355"}, "Table 5 ?\n"},
		{"the same, beside one that is drawn", payterm.ReceiptLine{Text: "\u4ed8\u6b3e \U0001F600"},
			"\x1dv0\x00\x09\x00\x1c\x00"},
		{"a sign that the page lacks", payterm.ReceiptLine{Text: "\u4ed8\u6b3e"}, "\x1dv0\x00\x06\x00\x1c\x00"},
		{"the same, large", payterm.ReceiptLine{Text: "\u4ed8\u6b3e", Large: true}, "\x1dv0\x03\x06\x00\x1c\x00"},
		{"a command in a picture", payterm.ReceiptLine{Text: "\u4ed8\u6b3e\x1b@"}, "\x1dv0\x00\x09\x00\x1c\x00"},
		{"a command in a text", payterm.ReceiptLine{Text: "shop\x1b@"}, "shop?@\n"},
		{"a question in a text", payterm.ReceiptLine{Text: "\x10\x04\x01"}, "???\n"},
		{"a line feed in a text", payterm.ReceiptLine{Text: "two\nlines"}, "two lines\n"},
		{"a line feed in a pair", payterm.ReceiptLine{Kind: payterm.LinePair, Text: "a\tb", Right: "c\nd"},
			"a b" + strings.Repeat(" ", 26) + "c d\n"},
		{"a command in a pair", payterm.ReceiptLine{Kind: payterm.LinePair, Text: "a", Right: "\x1dV\x01"},
			"a" + strings.Repeat(" ", 28) + "?V?\n"},
		{"no UTF-8", payterm.ReceiptLine{Text: "shop\xff"}, "shop?\n"},
		{"an accent beside its letter", payterm.ReceiptLine{Text: "Cafe\u0301"}, "Caf\x82\n"},
		{"signs without width", payterm.ReceiptLine{Text: "a\u200bb\ufeff"}, "ab\n"},
		{"a hyphen that does not break", payterm.ReceiptLine{Text: "e\u2011mail"}, "e-mail\n"},
		{"a word longer than the roll", payterm.ReceiptLine{Text: strings.Repeat("x", 70)}, strings.Repeat("x", 32) +
			"\n"},
		{"a blank that does not break",
			payterm.ReceiptLine{Text: "Total of all that you have got 12\u202f345,67\u00a0$"},
			"have got\n"},
		{"signs that read the same", payterm.ReceiptLine{Text: "\u201cok\u201d \u2013 l\u2019\u00e9t\u00e9\u2026"},
			`"ok" - l'` + "\x82t\x82...\n"},
		{"a currency that the page lacks", payterm.ReceiptLine{Text: "5 €"}, "\x1dv0\x00\x05\x00\x1c\x00"},
		{"one that it has", payterm.ReceiptLine{Text: "¥5"}, "\x9d5\n"},
		{"a barcode of other signs", payterm.ReceiptLine{Kind: payterm.LineBarcode, Text: "é"}, "\x1d(k\x05\x001P0é"},
		{"no barcode", payterm.ReceiptLine{Kind: payterm.LineBarcode}, "\x1b@"},
		{"digits of a barcode", payterm.ReceiptLine{Kind: payterm.LineBarcode, Text: "A160299"}, "{BA{C\x10\x02\x63"},
		{"digits that would be a question", payterm.ReceiptLine{Kind: payterm.LineBarcode, Text: "A160401"},
			"{BA160401"},
		{"a question in a QR code", payterm.ReceiptLine{Kind: payterm.LineQR, Text: "\x10\x04\x01"},
			"\x1dv0\x00\x10\x00\x20\x00"},
		{"a QR code of a long text", payterm.ReceiptLine{Kind: payterm.LineQR, Text: strings.Repeat("x", 513)},
			"\x1dv0\x00"},
		{"no QR code", payterm.ReceiptLine{Kind: payterm.LineQR}, "\x1b@"},
		{"a QR code that is too much", payterm.ReceiptLine{Kind: payterm.LineQR, Text: strings.Repeat("x", 5000)},
			strings.Repeat("x", 32) + "\n"},
		{"a feed backwards", payterm.ReceiptLine{Kind: payterm.LineFeed, N: -5}, "\x1bd\x00"},
		{"a feed too far", payterm.ReceiptLine{Kind: payterm.LineFeed, N: 5000}, "\x1bd\xff"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := printer.Encode(line(c.l), printer.Options{Columns: 32})
			if err != nil || !strings.Contains(string(b), c.want) {
				t.Errorf("%q, %v", b, err)
			}
		})
	}
	for name, c := range map[string]struct {
		o    printer.Options
		l    payterm.ReceiptLine
		want string // part of the bytes
	}{
		"Chinese between Latin": {printer.Options{Chinese: printer.GB18030}, payterm.ReceiptLine{Text: "Café 付款é"},
			"Caf\x82 \x1c&\xb8\xb6\xbf\xee\x1c.\x82\n"},
		"the head": {printer.Options{CodePage: "pc858"}, payterm.ReceiptLine{},
			"\x1b@\x1c.\x1bt\x13\x1bR\x00\x1bM\x00"},
		"a sign of four bytes": {printer.Options{Chinese: printer.GB18030}, payterm.ReceiptLine{Text: "㐀"},
			"\x1c&\x81\x39\xee\x39\x1c.\n"},
		"four bytes, of no ideograph": {printer.Options{Chinese: printer.GB18030}, payterm.ReceiptLine{Text: "한"},
			"\x1dv0\x00\x03\x00\x1c\x00"},
		"Traditional Chinese": {printer.Options{Chinese: printer.GB18030}, payterm.ReceiptLine{Text: "廳"},
			"\x1c&\x8f\x64\x1c.\n"},
		"a pair of Chinese signs": {printer.Options{Chinese: printer.GB18030},
			payterm.ReceiptLine{Kind: payterm.LinePair, Text: "付", Right: "1"},
			"\x1c&\xb8\xb6\x1c." + strings.Repeat(" ", 29) + "1\n"},
		"a sign that GB18030 has not": {printer.Options{Chinese: printer.GB18030},
			payterm.ReceiptLine{Text: "\U0001F600付"},
			"?\x1c&\xb8\xb6\x1c.\n"},
		"page 850": {printer.Options{CodePage: "pc850"}, payterm.ReceiptLine{Text: "Forêt À"},
			"\x1bt\x02\x1bR\x00\x1bM\x00\x1bE\x00\x1d!\x00\x1ba\x00For\x88t \xb7\n"},
		"page 1252": {printer.Options{CodePage: "wpc1252"}, payterm.ReceiptLine{Text: "Œuvre™ l’été 5 €"},
			"\x8cuvre\x99 l\x92\xe9t\xe9 5 \x80\n"},
		"columns of dots": {printer.Options{Columned: true}, payterm.ReceiptLine{Text: "付"},
			"\x1b3\x18\x1b*\x21\x18\x00"},
		"columns, large": {printer.Options{Columned: true}, payterm.ReceiptLine{Text: "付", Large: true},
			"\x1b*\x21\x30\x00"},
		"a QR code that is drawn": {printer.Options{RasterQR: true}, payterm.ReceiptLine{Kind: payterm.LineQR,
			Text: "x"},
			"\x1dv0\x00\x10\x00\x20\x00\xff"},
		"a code page of another number": {printer.Options{CodePage: "pc858", Pages: map[string]int{"pc858": 31}},
			payterm.ReceiptLine{Text: "5 €"}, "\x1bt\x1f\x1bR\x00\x1bM\x00\x1bE\x00\x1d!\x00\x1ba\x005 \xd5\n"},
		"spaces that do not break": {printer.Options{CodePage: "wpc1252"},
			payterm.ReceiptLine{Text: "12\u202f345,67\u00a0€"}, "12 345,67 \x80\n"},
		"a full cut": {printer.Options{Cut: true, CutFull: true}, payterm.ReceiptLine{Kind: payterm.LineCut},
			"\x1bd\x04\x1dV\x00"},
		"a cut below so many dots": {printer.Options{Cut: true, CutDots: 300}, payterm.ReceiptLine{Kind: payterm.LineCut},
			"\x1bM\x00\x1bJ\xff\x1bJ\x2d\x1dV\x01"},
		"red": {printer.Options{Red: true}, payterm.ReceiptLine{Text: "COPY", Alert: true},
			"\x1br\x01\x1bE\x00\x1d!\x00\x1ba\x00COPY\n\x1bE\x00\x1d!\x00\x1ba\x00\x1br\x00"},
		"no red": {printer.Options{}, payterm.ReceiptLine{Text: "COPY", Alert: true},
			"\x1bM\x00\x1bE\x00\x1d!\x00\x1ba\x00COPY\n"},
		"a barcode that is drawn": {printer.Options{Barcode: printer.BarcodeDrawn},
			payterm.ReceiptLine{Kind: payterm.LineBarcode, Text: "T1AAAAA000001"},
			"\x1ba\x01\x1dv0\x00\x27\x00\x0d\x00\xf3"},
		"a barcode in letters": {printer.Options{Barcode: printer.BarcodeNone},
			payterm.ReceiptLine{Kind: payterm.LineBarcode, Text: "T1AAAAA000001"}, "\x1ba\x01T1AAAAA000001\n"},
		"a logo": {printer.Options{Logo: image.NewGray(image.Rect(0, 0, 9, 1))}, payterm.ReceiptLine{},
			"\x1ba\x01\x1dv0\x00\x02\x00\x01\x00\xff\x80\x1ba\x00"},
	} {
		c.o.Columns = 32
		b, err := printer.Encode(line(c.l), c.o)
		if err != nil || !strings.Contains(string(b), c.want) {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	// A code too dense for the paper is printed as text.
	b, err := printer.Encode(line(payterm.ReceiptLine{Kind: payterm.LineQR, Text: strings.Repeat("x", 2300)}),
		printer.Options{Columns: 16})
	if err != nil || bytes.Contains(b, []byte("\x1dv0")) || bytes.Count(b, []byte("x")) != 2300 {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := printer.Encode(line(payterm.ReceiptLine{}),
		printer.Options{Columns: 32, CodePage: "latin"}); err == nil {
		t.Error("a code page that there is not")
	}
}

// TestCutFeed: before a cut as many lines are fed as the options say: four by default, none if that is wanted.
func TestCutFeed(t *testing.T) {
	for feed, want := range map[int]string{-1: "a\n\x1bE", 0: "\x1bd\x04\x1dV", 7: "\x1bd\x07\x1dV"} {
		b, err := printer.Encode(payterm.Receipt{Lines: []payterm.ReceiptLine{{Text: "a"}, {Kind: payterm.LineCut}}},
			printer.Options{Columns: 32, Cut: true, CutFeed: feed})
		if err != nil || !strings.Contains(string(b), want) || strings.Contains(string(b), "\x1bd") != (feed >= 0) {
			t.Errorf("%d: %q, %v", feed, b, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	sleep := func(time.Duration) {}
	for name, o := range map[string]printer.Options{
		"code page": {Columns: 32, CodePage: "latin", Sleep: sleep}, "columns": {Columns: 8, Sleep: sleep},
		"no pace": {Columns: 32}, "barcode": {Columns: 32, Sleep: sleep, Barcode: "qr"},
		"number": {Columns: 32, Sleep: sleep, CodePage: "pc858", Pages: map[string]int{"pc858": 256}},
	} {
		if _, err := printer.New(nil, o); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// scripted is a printer whose answers are a script.
func scripted(t testing.TB, line *haltest.Line) *printer.Printer {
	t.Helper()
	p, err := printer.New(line, printer.Options{Columns: 32, Status: true, Sleep: func(time.Duration) {}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCondition(t *testing.T) {
	two, four := []byte{0x10, 0x04, 2}, []byte{0x10, 0x04, 4}
	for _, c := range []struct {
		name   string
		script func(l *haltest.Line)
		want   payterm.PaperCondition
	}{
		{"ready", func(l *haltest.Line) { l.Want(two...).Give(0x12).Want(four...).Give(0x12) }, payterm.PaperOK},
		{"never answers", func(l *haltest.Line) { l.Want(two...) }, payterm.PaperUnknown},
		{"answers one question only", func(l *haltest.Line) { l.Want(two...).Give(0x12).Want(four...) },
			payterm.PaperUnknown},
		{"near its end", func(l *haltest.Line) { l.Want(two...).Give(0x12).Want(four...).Give(0x1e) },
			payterm.PaperNearEnd},
		{"out", func(l *haltest.Line) { l.Want(two...).Give(0x12).Want(four...).Give(0x7e) }, payterm.PaperOut},
		{"out, and it says why", func(l *haltest.Line) { l.Want(two...).Give(0x32) }, payterm.PaperOut},
		{"open", func(l *haltest.Line) { l.Want(two...).Give(0x16) }, payterm.PaperCoverOpen},
		{"broken", func(l *haltest.Line) { l.Want(two...).Give(0x52) }, payterm.PaperUnreachable},
		{"unplugged", func(l *haltest.Line) { l.Pull().Pull() }, payterm.PaperUnreachable},
		{"unplugged while it is asked", func(l *haltest.Line) { l.Want(two...).Pull() }, payterm.PaperUnreachable},
		{"a line that takes nothing", func(l *haltest.Line) { l.Late().Late() }, payterm.PaperUnreachable},
		{"an answer from before",
			func(l *haltest.Line) { l.Give(0x7e).Want(two...).Give(0x12).Want(four...).Give(0x12) }, payterm.PaperOK},
		{"noise before the answer",
			func(l *haltest.Line) { l.Want(two...).Give(0xff, 0x00, 0x12).Want(four...).Give(0x12) }, payterm.PaperOK},
		{"noise alone", func(l *haltest.Line) { l.Want(two...).Give(0xff, 0xff, 0xff, 0xff) }, payterm.PaperUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := haltest.NewLine(t)
			c.script(l)
			if got := scripted(t, l).Condition(t.Context()); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// TestLateAnswer: a late answer is not taken for the answer to the next question: "no paper" in one means "the
// cover is open" in the other.
func TestLateAnswer(t *testing.T) {
	l := &delayed{delays: []time.Duration{0, 1500 * time.Millisecond}}
	p, err := printer.New(l, printer.Options{Columns: 32, Status: true, Sleep: func(time.Duration) {}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []payterm.PaperCondition{payterm.PaperUnknown, payterm.PaperOut} {
		if got := p.Condition(t.Context()); got != want {
			t.Errorf("look %d: %s, want %s", i+1, got, want)
		}
	}
}

// TestSlowAnswer: a printer that has answered before is not taken for one without status if an answer takes
// longer once, for example while it cuts.
func TestSlowAnswer(t *testing.T) {
	l := &delayed{delays: []time.Duration{0, time.Second}}
	p, err := printer.New(l, printer.Options{Columns: 32, Status: true, Sleep: func(time.Duration) {}})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Condition(t.Context()); got != payterm.PaperOut {
		t.Errorf("%s", got)
	}
	l = &delayed{delays: []time.Duration{time.Second}} // one that never answered delays no slip
	if p, err = printer.New(l, printer.Options{Columns: 32, Status: true, Sleep: func(time.Duration) {}}); err != nil {
		t.Fatal(err)
	}
	if got := p.Condition(t.Context()); got != payterm.PaperUnknown || l.now > time.Second/2 {
		t.Errorf("%s after %s", got, l.now)
	}
}

// slowWitted is a printer that takes one question at a time, or leaves out the paper while its cover is open.
type slowWitted struct {
	open bool
	in   []byte
}

func (l *slowWitted) Write(b []byte, _ time.Duration) (int, error) {
	if len(b) == 3 && b[0] == 0x10 && len(l.in) == 0 && (!l.open || b[2] == 2) {
		l.in = []byte{map[byte]byte{2: 0x12, 4: 0x1e}[b[2]]}
		if l.open {
			l.in[0] = 0x16
		}
	}
	return len(b), nil
}

func (l *slowWitted) Read(b []byte, _ time.Duration) (int, error) {
	n := copy(b, l.in)
	l.in = l.in[n:]
	return n, nil
}

// TestOneQuestionAtATime: a printer that leaves an answer out when it is asked both questions at once is asked
// one after the other, and what it answers to the first counts.
func TestOneQuestionAtATime(t *testing.T) {
	l := &slowWitted{}
	p, err := printer.New(l, printer.Options{Columns: 32, Status: true, Sleep: func(time.Duration) {}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		want := payterm.PaperNearEnd
		if l.open = i/7%2 == 1; l.open {
			want = payterm.PaperCoverOpen
		}
		if c := p.Condition(t.Context()); c != want {
			t.Errorf("look %d: %s, want %s", i, c, want)
		}
	}
}

// noisy is a line on which one answer of a printer near its end of paper is lost, or comes as another byte.
type noisy struct {
	n, lost int
	as      []byte
	in      []byte
}

func (l *noisy) Write(b []byte, _ time.Duration) (int, error) {
	if len(b) == 3 && b[0] == 0x10 {
		if l.n++; l.n == l.lost {
			l.in = append(l.in, l.as...)
		} else {
			l.in = append(l.in, map[byte]byte{2: 0x12, 4: 0x1e}[b[2]])
		}
	}
	return len(b), nil
}

func (l *noisy) Read(b []byte, _ time.Duration) (int, error) {
	n := copy(b, l.in)
	l.in = l.in[n:]
	return n, nil
}

// TestLostAnswer: when one answer is lost or spoiled, no answer is taken for that to the other question, and a
// printer that is known to answer is not called silent.
func TestLostAnswer(t *testing.T) {
	for lost := 1; lost < 20; lost++ {
		for _, as := range [][]byte{nil, {0xff}, {0x00}} {
			l := &noisy{lost: lost, as: as}
			p, err := printer.New(l, printer.Options{Columns: 32, Status: true, Sleep: func(time.Duration) {}})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 12 {
				if c := p.Condition(t.Context()); c != payterm.PaperNearEnd && (i > 2 || c != payterm.PaperUnknown) {
					t.Errorf("answer %d comes as % x, look %d: %s", lost, as, i, c)
				}
			}
		}
	}
}

// moody is a printer that answers every question, or none at all.
type moody struct {
	mute    bool
	deaf    byte // it does not answer this question
	in      []byte
	sent    []byte
	waited  time.Duration
	redials int
}

func (l *moody) Write(b []byte, _ time.Duration) (int, error) {
	l.sent = append(l.sent, b...)
	switch {
	case l.mute, len(b) == 3 && b[0] == 0x10 && b[2] == l.deaf:
	case bytes.HasPrefix(b, []byte{0x10, 0x04}):
		l.in = append(l.in, 0x12)
	case bytes.HasPrefix(b, []byte{0x1d, 'a'}):
		l.in = append(l.in, 0x10, 0, 0, 0)
	}
	return len(b), nil
}

func (l *moody) Read(b []byte, d time.Duration) (int, error) {
	if len(l.in) == 0 {
		l.waited += d
		return 0, nil
	}
	n := copy(b, l.in)
	l.in = l.in[n:]
	return n, nil
}

func (l *moody) Redial() { l.redials++ }

// TestFallsSilent: a printer that has answered and no longer does is out of order until it answers again,
// whether it is asked or reports by itself. A printer that never answered stays unknown.
func TestFallsSilent(t *testing.T) {
	text := payterm.Receipt{Lines: []payterm.ReceiptLine{{Text: "x"}}}
	for _, o := range []printer.Options{{Status: true}, {Tells: true}} {
		o.Columns, o.Sleep = 32, func(time.Duration) {}
		l := &moody{}
		p, err := printer.New(l, o)
		if err != nil {
			t.Fatal(err)
		}
		at := func(what string, want payterm.PaperCondition) {
			t.Helper()
			if got := p.Condition(t.Context()); got != want {
				t.Errorf("tells %t, %s: %s, want %s", o.Tells, what, got, want)
			}
		}
		if err := p.Print(t.Context(), text); err != nil {
			t.Fatal(err)
		}
		at("after a slip", payterm.PaperOK)
		for range 2 {
			l.mute, l.waited, l.redials = true, 0, 0
			for i := range 100 {
				at(fmt.Sprintf("silent for look %d", i), payterm.PaperUnreachable)
			}
			if l.redials == 0 || l.redials > 20 {
				t.Errorf("tells %t: %d new connections", o.Tells, l.redials)
			}
			if err := p.Print(t.Context(), text); !errors.Is(err, printer.ErrUnplugged) {
				t.Errorf("tells %t: a slip for a silent printer: %v", o.Tells, err)
			}
			l.mute = false
			for range 17 { // one that reports by itself is rarely asked
				p.Condition(t.Context())
			}
			at("it speaks again", payterm.PaperOK)
			l.sent = nil
			if err := p.Print(t.Context(), text); err != nil {
				t.Errorf("tells %t: %v", o.Tells, err)
			}
		}
		fresh, err := printer.New(&moody{mute: true}, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := fresh.Print(t.Context(), text); err != nil {
			t.Errorf("tells %t: one that never answers: %v", o.Tells, err)
		}
		if got := fresh.Condition(t.Context()); got != payterm.PaperUnknown {
			t.Errorf("tells %t: one that never answers: %s", o.Tells, got)
		}
	}
}

// TestAnswersOneQuestion: a printer that answers only one of the questions, as some do, is not taken for one
// that stopped answering.
func TestAnswersOneQuestion(t *testing.T) {
	l := &moody{deaf: 4}
	p, err := printer.New(l, printer.Options{Columns: 32, Status: true, Sleep: func(time.Duration) {}})
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if c := p.Condition(t.Context()); c != payterm.PaperUnknown {
			t.Fatalf("it is %s", c)
		}
		text := payterm.Receipt{Lines: []payterm.ReceiptLine{{Text: "x"}}}
		if err := p.Print(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	l.mute = true
	if c := p.Condition(t.Context()); c != payterm.PaperUnreachable {
		t.Errorf("it says nothing any more and is %s", c)
	}
}

// TestSilentAtTheEnd: a slip whose last question gets no answer is not reported as printed.
func TestSilentAtTheEnd(t *testing.T) {
	for _, o := range []printer.Options{{Status: true}, {Tells: true}} {
		l := &moody{}
		o.Columns, o.Sleep = 32, func(time.Duration) { l.mute = true } // it is switched off while it prints
		p, err := printer.New(l, o)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			p.Condition(t.Context())
		}
		err = p.Print(t.Context(), payterm.Receipt{Lines: []payterm.ReceiptLine{{Text: "x"}}})
		if !errors.Is(err, printer.ErrUnplugged) {
			t.Errorf("tells %t: %v", o.Tells, err)
		}
	}
}

// stuck is a line with flow control: it takes so many bytes, until there is paper again.
type stuck struct {
	room int
	sent []byte
}

func (l *stuck) Write(b []byte, _ time.Duration) (int, error) {
	n := min(len(b), l.room)
	l.sent, l.room = append(l.sent, b[:n]...), l.room-n
	if n < len(b) {
		return n, late{}
	}
	return n, nil
}

func (l *stuck) Read([]byte, time.Duration) (int, error) { return 0, late{} }

type late struct{}

func (late) Error() string { return "late" }
func (late) Timeout() bool { return true }

// TestTakesNoMore: a printer that does not answer and takes no more bytes cannot print until it does, and the
// slip after one that broke off begins after a cut.
func TestTakesNoMore(t *testing.T) {
	l := &stuck{room: 700}
	p, err := printer.New(l, printer.Options{Columns: 32, Cut: true, Sleep: func(time.Duration) {}})
	if err != nil {
		t.Fatal(err)
	}
	r := payterm.Receipt{}
	for range 20 {
		r.Lines = append(r.Lines, payterm.ReceiptLine{Text: "a line"})
	}
	if err := p.Print(t.Context(), r); !errors.Is(err, printer.ErrBrokeOff) || !errors.Is(err, printer.ErrUnplugged) {
		t.Fatalf("%v", err)
	}
	for range 3 {
		if c := p.Condition(t.Context()); c != payterm.PaperUnreachable {
			t.Errorf("it takes nothing and is %s", c)
		}
	}
	if err := p.Print(t.Context(), r); errors.Is(err, printer.ErrBrokeOff) || !errors.Is(err, printer.ErrUnplugged) {
		t.Errorf("nothing was sent of it: %v", err)
	}
	l.room, l.sent = 1<<20, nil
	if c := p.Condition(t.Context()); c != payterm.PaperUnknown {
		t.Errorf("it takes bytes and is %s", c)
	}
	if err := p.Print(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if _, slip, found := bytes.Cut(l.sent, []byte("\x1dV\x01")); !found || bytes.Contains(slip, []byte("\x1dV\x01")) {
		t.Errorf("sent % x", l.sent)
	}
}

// delayed is a printer whose paper has just reached the near-end sensor, and which delays each answer
// differently.
type delayed struct {
	now    time.Duration
	delays []time.Duration
	in     []byte
	at     []time.Duration // when each byte of in arrives
}

func (l *delayed) Write(b []byte, _ time.Duration) (int, error) {
	delay := time.Duration(0)
	if len(l.delays) > 0 {
		delay, l.delays = l.delays[0], l.delays[1:]
	}
	answer := map[byte]byte{2: 0x12, 4: 0x7e}[b[2]]
	l.in, l.at = append(l.in, answer), append(l.at, l.now+delay)
	return len(b), nil
}

func (l *delayed) Read(b []byte, d time.Duration) (int, error) {
	if len(l.in) == 0 || l.at[0] > l.now+d {
		l.now += d
		return 0, nil
	}
	l.now = max(l.now, l.at[0])
	b[0] = l.in[0]
	l.in, l.at = l.in[1:], l.at[1:]
	return 1, nil
}

// FuzzStatus: whatever a printer answers, the driver asks at most twice, waits no longer than its deadlines,
// and returns a valid condition.
func FuzzStatus(f *testing.F) {
	f.Add([]byte{0x12}, []byte{0x12})
	f.Add([]byte{0xff, 0x16}, []byte{})
	f.Add([]byte{0x12}, []byte{0, 0, 0, 0x7e, 0x12})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		l := &answers{replies: [][]byte{first, second}}
		p, err := printer.New(l, printer.Options{Columns: 32, Status: true, Sleep: func(time.Duration) {}})
		if err != nil {
			t.Fatal(err)
		}
		switch c := p.Condition(t.Context()); c {
		case payterm.PaperUnknown, payterm.PaperOK, payterm.PaperNearEnd, payterm.PaperOut, payterm.PaperCoverOpen,
			payterm.PaperUnreachable:
		default:
			t.Errorf("condition %q", c)
		}
		told := &answers{replies: [][]byte{first, second}}
		p, err = printer.New(told, printer.Options{Columns: 32, Tells: true, Sleep: func(time.Duration) {}})
		if err != nil {
			t.Fatal(err)
		}
		switch c := p.Condition(t.Context()); c {
		case payterm.PaperUnknown, payterm.PaperOK, payterm.PaperNearEnd, payterm.PaperOut, payterm.PaperCoverOpen,
			payterm.PaperUnreachable:
		default:
			t.Errorf("told: condition %q", c)
		}
		if told.asked > 1 || told.waited > time.Second {
			t.Errorf("told: asked %d times, waited %s", told.asked, told.waited)
		}
		if l.asked > 2 || l.waited > 6*time.Second {
			t.Errorf("asked %d times, waited %s", l.asked, l.waited)
		}
	})
}

// answers is a line that answers each question with the next reply.
type answers struct {
	replies [][]byte
	in      []byte
	asked   int
	waited  time.Duration
}

func (l *answers) Write(b []byte, d time.Duration) (int, error) {
	if rest := bytes.Trim(b, "\x00"); len(rest) == 0 || string(rest) == "\x1b@" {
		return len(b), nil // mend asks nothing
	}
	if l.asked < len(l.replies) {
		l.in = append(l.in, l.replies[l.asked]...)
	}
	l.asked++
	return len(b), nil
}

func (l *answers) Read(b []byte, d time.Duration) (int, error) {
	if len(l.in) == 0 {
		l.waited += d
		return 0, nil
	}
	n := copy(b, l.in)
	l.in = l.in[n:]
	return n, nil
}

// TestTells: what a printer reports by itself, and how rarely a silent one is asked.
func TestTells(t *testing.T) {
	const ok, nearEnd, out, open, jam = "\x10\x00\x00\x00", "\x10\x00\x03\x00", "\x18\x00\x0f\x00", "\x38\x00\x00\x00",
		"\x18\x20\x00\x00"
	const wellKnown, gone = 5, 6 // for how many Conditions a good report counts, and one more
	for _, c := range []struct {
		name  string
		says  []string // its answers
		times int      // number of Conditions
		want  payterm.PaperCondition
		asked int
	}{
		{"ready", []string{ok}, 1, payterm.PaperOK, 1},
		{"near its end", []string{nearEnd}, 1, payterm.PaperNearEnd, 1},
		{"out", []string{out}, 1, payterm.PaperOut, 1},
		{"open", []string{open}, 1, payterm.PaperCoverOpen, 1},
		{"broken", []string{jam}, 1, payterm.PaperUnreachable, 1},
		{"never tells", nil, 100, payterm.PaperUnknown, 8},
		{"several reports", []string{ok + out + nearEnd}, 1, payterm.PaperNearEnd, 1},
		{"a report in pieces", []string{ok[:3], ok[3:]}, 2, payterm.PaperOK, 2},
		{"answers to others, and noise", []string{"\x12\xff\x00" + ok + "\x12"}, 1, payterm.PaperOK, 1},
		{"a report that breaks off", []string{ok[:2] + out}, 1, payterm.PaperOut, 1},
		{"it was well", []string{ok}, wellKnown, payterm.PaperOK, 4},
		{"it was well, long ago", []string{ok}, gone, payterm.PaperUnknown, 5},
		{"out, and blocked", []string{out}, 100, payterm.PaperOut, 9},
		{"out, and well again", []string{out, "", ok}, 3, payterm.PaperOK, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &answers{}
			for _, s := range c.says {
				l.replies = append(l.replies, []byte(s))
			}
			p, err := printer.New(l, printer.Options{Columns: 32, Tells: true, Sleep: func(time.Duration) {}})
			if err != nil {
				t.Fatal(err)
			}
			var got payterm.PaperCondition
			for range c.times {
				got = p.Condition(t.Context())
			}
			if got != c.want || l.asked != c.asked {
				t.Errorf("%s after %d questions, want %s after %d", got, l.asked, c.want, c.asked)
			}
		})
	}
}

// TestKick: the drawer's pulse, on its pin.
func TestKick(t *testing.T) {
	for name, c := range map[string]struct {
		o    printer.Options
		want []byte
	}{
		"usual":          {printer.Options{}, []byte{0x1b, 'p', 0, 25, 250}},
		"pin 5, longer":  {printer.Options{Pin: 5, Pulse: 200 * time.Millisecond}, []byte{0x1b, 'p', 1, 100, 250}},
		"as long as may": {printer.Options{Pin: 2, Pulse: time.Minute}, []byte{0x1b, 'p', 0, 255, 250}},
	} {
		l := &torn{}
		c.o.Columns, c.o.Sleep = 32, func(time.Duration) {}
		p, err := printer.New(l, c.o)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Kick(t.Context()); err != nil || !bytes.HasSuffix(l.sent, append([]byte("\x1b@"), c.want...)) {
			t.Errorf("%s: % x, %v", name, l.sent, err)
		}
	}
}

// TestLogoTooLarge: a logo too large for the paper is refused before anything is printed.
func TestLogoTooLarge(t *testing.T) {
	for _, box := range []image.Rectangle{image.Rect(0, 0, 385, 10), image.Rect(0, 0, 10, 401), {}} {
		if _, err := printer.New(nil, printer.Options{Columns: 32, Logo: image.NewGray(box),
			Sleep: func(time.Duration) {}}); err == nil {
			t.Errorf("a logo of %v", box)
		}
	}
}

// longest is a picture of 512 bytes with its header: no command is longer.
const longest = 520

// TestTornSlipIsMended: an incomplete command of a slip that lost its line is ended before the next slip.
func TestTornSlipIsMended(t *testing.T) {
	l := &torn{failAt: 4} // after the zeros of a first slip
	p, err := printer.New(l, printer.Options{Columns: 32, Sleep: func(time.Duration) {}})
	if err != nil {
		t.Fatal(err)
	}
	r := payterm.Receipt{Lines: []payterm.ReceiptLine{{Text: "付款成功"}}}
	if err := p.Print(t.Context(), r); !errors.Is(err, printer.ErrUnplugged) {
		t.Fatal(err)
	}
	l.sent = nil
	for i, zeros := range []int{longest, 0} {
		if err := p.Print(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if n := bytes.Index(l.sent, []byte("\x1b@")); n != zeros || len(bytes.Trim(l.sent[:n], "\x00")) > 0 {
			t.Errorf("slip %d begins with %d bytes: % x", i, n, l.sent[:n])
		}
		l.sent = nil
	}
}

// TestMomentWithoutCable: that a cable was unplugged for a moment shows only at the line's next Read. The bytes
// on the way are lost: the slip breaks off or is not reported as complete, and its incomplete command is ended
// before the next slip.
func TestMomentWithoutCable(t *testing.T) {
	for _, name := range []string{"while it prints", "when all was sent"} {
		l := &torn{}
		p, err := printer.New(l, printer.Options{Columns: 32, Sleep: func(time.Duration) {}, Buffer: 600})
		if err != nil {
			t.Fatal(err)
		}
		r := payterm.Receipt{}
		for range 40 {
			r.Lines = append(r.Lines, payterm.ReceiptLine{Text: "a line that says something"})
		}
		slip := 0 // number of reads
		for range 2 {
			before := l.reads
			if err := p.Print(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			slip = l.reads - before
		}
		if slip < 3 {
			t.Fatalf("a slip with %d questions", slip)
		}
		l.sent, l.awayAt = nil, l.reads+2 // the first is before the slip
		if name == "when all was sent" {
			l.awayAt = l.reads + slip
		}
		if err := p.Print(t.Context(), r); !errors.Is(err, printer.ErrUnplugged) {
			t.Errorf("%s: %v", name, err)
		}
		l.sent = nil
		if err := p.Print(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if n := bytes.Index(l.sent, []byte("\x1b@")); n != longest {
			t.Errorf("%s: %d zeros before the next slip", name, n)
		}
	}
}

// TestFirstSlipIsMended: the first slip of a process comes after zeros, since an earlier process may have
// stopped in the middle of a picture.
func TestFirstSlipIsMended(t *testing.T) {
	l := &torn{}
	p, err := printer.New(l, printer.Options{Columns: 32, Sleep: func(time.Duration) {}})
	if err != nil {
		t.Fatal(err)
	}
	for i, zeros := range []int{longest, 0} {
		l.sent = nil
		if err := p.Print(t.Context(), payterm.Receipt{Lines: []payterm.ReceiptLine{{Text: "x"}}}); err != nil {
			t.Fatal(err)
		}
		if n := bytes.Index(l.sent, []byte("\x1b@")); n != zeros || len(bytes.Trim(l.sent[:n], "\x00")) > 0 {
			t.Errorf("slip %d begins with %d bytes: % x", i, n, l.sent[:n])
		}
	}
}

// torn is a line that is unplugged at one of its writes.
type torn struct {
	sent          []byte
	failAt        int
	reads, awayAt int // the Read that reports that the cable was away
}

func (l *torn) Write(b []byte, _ time.Duration) (int, error) {
	if l.failAt--; l.failAt == 0 {
		return 0, pulled{}
	}
	l.sent = append(l.sent, b...)
	return len(b), nil
}

func (l *torn) Read([]byte, time.Duration) (int, error) {
	if l.reads++; l.reads == l.awayAt {
		return 0, pulled{}
	}
	return 0, nil
}

type pulled struct{}

func (pulled) Error() string   { return "pulled" }
func (pulled) Unplugged() bool { return true }

// TestPrintFails: each write of a receipt has a deadline, and a failed one ends the receipt.
func TestPrintFails(t *testing.T) {
	for name, c := range map[string]struct {
		script func(l *haltest.Line)
		err    error
	}{
		"no paper": {func(l *haltest.Line) { l.Want(0x10, 4, 2).Give(0x12).Want(0x10, 4, 4).Give(0x7e) },
			printer.ErrPaperOut},
		"the cover":      {func(l *haltest.Line) { l.Want(0x10, 4, 2).Give(0x16) }, printer.ErrCoverOpen},
		"pulled at once": {func(l *haltest.Line) { l.Pull().Pull() }, printer.ErrUnplugged},
		"a write that gets stuck": {func(l *haltest.Line) {
			l.Want(0x10, 4, 2).Give(0x12).Want(0x10, 4, 4).Give(0x12).Late()
		}, printer.ErrUnplugged},
		"pulled in the middle": {func(l *haltest.Line) {
			l.Want(0x10, 4, 2).Give(0x12).Want(0x10, 4, 4).Give(0x12).Pull()
		}, printer.ErrUnplugged},
	} {
		l := haltest.NewLine(t)
		c.script(l)
		if err := scripted(t, l).Print(t.Context(), slip); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := scripted(t, haltest.NewLine(t)).Print(ctx, slip); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// FuzzEncode: every text is encoded, for every kind of printer; no text makes a command, and an ordinary word
// in it is on paper as letters or in a picture.
func FuzzEncode(f *testing.F) {
	f.Add("Café", "12.34", uint8(0))
	f.Add("\x1b@", "\x10\x04\x01", uint8(1))
	f.Add("付款 成功，", "微信支付", uint8(1))
	f.Add("\xc3", "\x9a", uint8(0))
	f.Add("Table 5 🍕", "e\u0301\u200b", uint8(2))
	f.Add("\x10\x04", "q\u0303", uint8(3))
	f.Add("कॉफ़ी قهوة", "한글", uint8(5))
	kinds := []payterm.LineKind{payterm.LineText, payterm.LinePair, payterm.LineBarcode, payterm.LineQR}
	f.Fuzz(func(t *testing.T, text, right string, kind uint8) {
		l := payterm.ReceiptLine{Kind: kinds[kind%4], Text: text, Right: right, Large: kind&4 > 0, Bold: kind&8 > 0,
			Align: payterm.Align(kind >> 4 % 3)}
		for _, o := range []printer.Options{
			{Columns: 32}, {Columns: 32, Chinese: printer.GB18030}, {Columns: 16, CodePage: "wpc1252", Columned: true,
				RasterQR: true}, {Columns: 48, CodePage: "pc858"},
		} {
			b, err := printer.Encode(payterm.Receipt{Lines: []payterm.ReceiptLine{l}}, o)
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if regexp.MustCompile("\x10[\x04\x05\x14]").Match(b) {
				t.Errorf("%q has a real-time command: % x", text, b)
			}
			rest := letters(b)
			for _, command := range []string{
				"\x1b@", "\x1c.", "\x1c&", "\x1bt\x00", "\x1bt\x10", "\x1bt\x13", "\x1bE\x00", "\x1bE\x01", "\x1d!\x00",
				"\x1d!\x11", "\x1ba\x00", "\x1ba\x01", "\x1ba\x02",
				"\x1bR\x00", "\x1bM\x00",
				"\x1b3\x18", "\x1b2", "\x1bd\x01", "\x1dh\x40", "\x1dw\x02", "\x1dH\x02", "\n",
			} {
				rest = strings.ReplaceAll(rest, command, "")
			}
			if i := strings.IndexFunc(rest, func(r rune) bool { return r < 0x20 }); i >= 0 {
				t.Errorf("%q became %q, of that %q", text, b, rest)
			}
		}
	})
}

// letters removes pictures and codes from a printer's bytes.
func letters(b []byte) string {
	var rest []byte
	for len(b) > 0 {
		switch {
		case bytes.HasPrefix(b, []byte("\x1dv0")): // bytes in a line and number of lines, low byte first
			b = b[8+int(b[4])*int(b[6]):]
		case bytes.HasPrefix(b, []byte("\x1b*\x21")):
			b = b[5+3*(int(b[3])|int(b[4])<<8):]
		case bytes.HasPrefix(b, []byte("\x1dk\x49")):
			b = b[4+int(b[3]):]
		case bytes.HasPrefix(b, []byte("\x1d(k")):
			b = b[5+(int(b[3])|int(b[4])<<8):]
		default:
			rest, b = append(rest, b[0]), b[1:]
		}
	}
	return string(rest)
}

// usual is a receipt of usual length; in Chinese if sign is Chinese.
func usual(sign string) payterm.Receipt {
	r := payterm.Receipt{Name: "customer"}
	for i := range 24 {
		r.Lines = append(r.Lines, payterm.ReceiptLine{Kind: payterm.LinePair, Text: fmt.Sprintf("%s %d", sign, i),
			Right: "CAD 12.34"})
	}
	return payterm.Receipt{Name: r.Name,
		Lines: append(r.Lines, payterm.ReceiptLine{Kind: payterm.LineText, Text: strings.Repeat("thank you ", 8)},
			payterm.ReceiptLine{Kind: payterm.LineBarcode, Text: "T1AAAAA000001"},
			payterm.ReceiptLine{Kind: payterm.LineCut})}
}

// BenchmarkEncode encodes a receipt of usual length: with letters, and with Chinese characters for each kind of
// printer.
func BenchmarkEncode(b *testing.B) {
	for _, c := range []struct {
		name, sign string
		o          printer.Options
	}{
		{"letters", "Line", printer.Options{}},
		{"gb18030", "商户存根", printer.Options{Chinese: printer.GB18030}},
		{"raster", "商户存根", printer.Options{}},
		{"columns", "商户存根", printer.Options{Columned: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.o.Columns = 32
			r := usual(c.sign)
			n := 0
			for b.Loop() {
				out, err := printer.Encode(r, c.o)
				if err != nil {
					b.Fatal(err)
				}
				n = len(out)
			}
			b.SetBytes(int64(n))
			b.ReportMetric(float64(n), "bytes/op")
		})
	}
}
