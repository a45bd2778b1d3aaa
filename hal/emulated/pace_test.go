package emulated

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/drivers/printer"
	"payterm/hal"

	"pgregory.net/rapid"
)

// wire is a serial line without flow control to a single printer. Its time passes only while the
// driver waits, so nothing depends on the machine.
type wire struct {
	*bench
	chip    *escpos
	perByte time.Duration
	queue   []timed // in the kernel and on the wire
	last    time.Duration
	sent    []byte // all of it
	answers []byte
	at      map[time.Duration]func() // what happens at a time
}

type timed struct {
	b  byte
	at time.Duration
}

func newWire(t testing.TB, p board.Printer) *wire {
	b, chip := printerBench(t, p)
	w := &wire{bench: b, chip: chip, perByte: 10 * time.Second / time.Duration(p.Baud), at: map[time.Duration]func(){}}
	chip.reply = func(a []byte) { w.answers = append(w.answers, a...) }
	return w
}

func (w *wire) Write(b []byte, _ time.Duration) (int, error) {
	w.sent = append(w.sent, b...)
	for _, c := range b {
		w.last = max(w.last, w.now) + w.perByte
		w.queue = append(w.queue, timed{c, w.last})
	}
	return len(b), nil
}

func (w *wire) Read(b []byte, d time.Duration) (int, error) {
	for end := w.now + d; len(w.answers) == 0; w.sleep(min(time.Millisecond, end-w.now)) {
		if w.now >= end {
			return 0, hal.ErrTimeout
		}
	}
	n := copy(b, w.answers)
	w.answers = w.answers[n:]
	return n, nil
}

func (w *wire) sleep(d time.Duration) {
	end := w.now + d
	for len(w.queue) > 0 && w.queue[0].at <= end {
		w.now = w.queue[0].at
		w.chip.Write([]byte{w.queue[0].b})
		w.queue = w.queue[1:]
	}
	for at, do := range w.at {
		if at <= end {
			w.now = max(w.now, at)
			do()
			delete(w.at, at)
		}
	}
	w.now = end
	w.chip.full(0) // bring the chip to the present, so that it sends its answers
}

// words waits until all is printed and returns the text.
func (w *wire) words() string {
	for range 10 {
		w.sleep(time.Hour)
		w.chip.settle()
	}
	_, words := w.chip.paper()
	return words
}

func options(p board.Printer, w *wire) printer.Options {
	return printer.Options{
		Columns: 32, Cut: p.Cut, Status: p.Status, Baud: p.Baud, Buffer: p.Buffer, Speed: p.Speed, Sleep: w.sleep,
		Chinese: printer.Chinese(p.Chinese), Columned: p.Raster == "esc_star", RasterQR: p.QR == "raster",
		Tells: p.Tells,
	}
}

// slip is a receipt of n different lines.
func slip(n int) (payterm.Receipt, []string) {
	r := payterm.Receipt{Name: "test"}
	var words []string
	for i := range n {
		words = append(words, fmt.Sprintf("line %d", i))
		r.Lines = append(r.Lines, payterm.ReceiptLine{Text: words[i], Bold: i%2 == 0})
	}
	r.Lines = append(r.Lines, payterm.ReceiptLine{Kind: payterm.LineCut})
	return r, append(words, "--- cut ---")
}

// TestPrinterIsPaced: at each line speed a long slip, or several, never overflow a small buffer.
func TestPrinterIsPaced(t *testing.T) {
	r, want := slip(200)
	for _, p := range []board.Printer{
		{Baud: 9600, Buffer: 4096, Speed: 50, Cut: true, Status: true},
		{Baud: 9600, Buffer: 1024, Speed: 50, Cut: true, Status: true},
		{Baud: 9600, Buffer: 256, Speed: 50, Cut: true}, // never answers
		{Baud: 115200, Buffer: 4096, Speed: 50, Cut: true},
		{Baud: 921600, Buffer: 256, Speed: 10, Cut: true, Status: true},
		{Baud: 1200, Buffer: 256, Speed: 500, Cut: true, Status: true},
	} {
		t.Run(fmt.Sprintf("%d baud, %d bytes, %d mm a second", p.Baud, p.Buffer, p.Speed), func(t *testing.T) {
			w := newWire(t, p)
			d, err := printer.New(w, options(p, w))
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for range 3 {
				if err := d.Print(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				all = append(all, want...)
			}
			w.want()
			took, least := w.now, time.Duration(3*200*lineSpacing)*time.Second/time.Duration(p.Speed*dotsPerMM)
			least = max(least, time.Duration(3*200*20)*w.perByte)
			if took > 2*least {
				t.Errorf("three slips took %s; they need %s", took, least)
			}
			_, words := w.chip.paper() // Print returns when the paper is out
			if got := printedLines(words); !slices.Equal(got, all) {
				t.Errorf("%d lines of %d on paper when Print returned", len(got), len(all))
			}
		})
	}
}

func printedLines(words string) []string {
	var lines []string
	for l := range strings.SplitSeq(words, "\n") {
		if l != "" {
			lines = append(lines, l)
		}
	}
	return lines
}

// TestPrinterUnpacedOverflows: a driver with too large a buffer, or too fast a mechanism, in its
// profile is found.
func TestPrinterUnpacedOverflows(t *testing.T) {
	r, want := slip(200)
	p := board.Printer{Baud: 9600, Buffer: 1024, Speed: 50, Cut: true, Status: true}
	for name, lie := range map[string]func(o *printer.Options){
		"buffer": func(o *printer.Options) { o.Buffer = 1 << 20 },
		"speed":  func(o *printer.Options) { o.Speed = 500 },
	} {
		w := newWire(t, p)
		o := options(p, w)
		lie(&o)
		d, err := printer.New(w, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Print(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if len(w.rules) == 0 || w.rules[0] != BufferOverflow || slices.Equal(printedLines(w.words()), want) {
			t.Errorf("%s: nothing was lost: %q", name, w.rules)
		}
	}
}

// TestPrinterIsPacedForAnything: for any slip and any printer nothing overflows and nothing is
// refused.
func TestPrinterIsPacedForAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := board.Printer{
			Baud:   rapid.SampledFrom([]int{1200, 9600, 38400, 115200, 921600}).Draw(rt, "baud"),
			Buffer: rapid.SampledFrom([]int{256, 300, 512, 4096}).Draw(rt, "buffer"),
			Speed:  rapid.IntRange(10, 300).Draw(rt, "speed"),
			Cut:    rapid.Bool().Draw(rt, "cut"), Status: rapid.Bool().Draw(rt, "status"),
			Chinese: rapid.SampledFrom([]string{"raster", "gb18030"}).Draw(rt, "chinese"),
			Raster:  rapid.SampledFrom([]string{"gs_v_0", "esc_star"}).Draw(rt, "raster"),
			QR:      rapid.SampledFrom([]string{"native", "raster"}).Draw(rt, "qr"),
		}
		p.Tells = !p.Status && rapid.Bool().Draw(rt, "tells")
		w := newWire(t, p)
		d, err := printer.New(w, options(p, w))
		if err != nil {
			rt.Fatal(err)
		}
		text := rapid.StringOfN(rapid.RuneFrom([]rune("abc 012{}é$付款")), 1, 120, -1)
		for range rapid.IntRange(1, 3).Draw(rt, "slips") {
			var r payterm.Receipt
			for range rapid.IntRange(0, 40).Draw(rt, "lines") {
				l := payterm.ReceiptLine{
					Kind: rapid.SampledFrom([]payterm.LineKind{payterm.LineText, payterm.LineText, payterm.LinePair,
						payterm.LineRule,
						payterm.LineFeed, payterm.LineQR, payterm.LineBarcode, payterm.LineCut}).Draw(rt, "kind"),
					Text: text.Draw(rt, "text"), Right: "12.34",
					Align: payterm.Align(rapid.IntRange(0, 2).Draw(rt, "align")), Large: rapid.Bool().Draw(rt, "large"),
					N: rapid.IntRange(0, 9).Draw(rt, "n"),
				}
				if l.Kind == payterm.LineBarcode {
					l.Text = strings.NewReplacer("é", "e", "付", "f", "款", "k").Replace(l.Text)
				}
				r.Lines = append(r.Lines, l)
			}
			if err := d.Print(context.Background(), r); err != nil {
				rt.Fatal(err)
			}
		}
		if len(w.rules) > 0 {
			rt.Errorf("reported %q", w.rules)
		}
	})
}

// TestPaperOutInTheMiddle: a slip that runs out of paper is an error, and the printer's buffer is
// not filled meanwhile.
func TestPaperOutInTheMiddle(t *testing.T) {
	t.Parallel()
	r, want := slip(200)
	p := board.Printer{Baud: 9600, Buffer: 512, Speed: 50, Cut: true, Status: true}
	for name, c := range map[string]struct {
		happens func(w *wire) error
		err     error
	}{
		"paper": {func(w *wire) error { return w.chip.sensors("out", "") }, printer.ErrPaperOut},
		"cover": {func(w *wire) error { return w.chip.sensors("", "open") }, printer.ErrCoverOpen},
		"jam":   {func(w *wire) error { w.chip.jam(true); return nil }, printer.ErrUnplugged},
	} {
		w := newWire(t, p)
		d, err := printer.New(w, options(p, w))
		if err != nil {
			t.Fatal(err)
		}
		w.at[5*time.Second] = func() { err = c.happens(w) }
		if got := d.Print(t.Context(), r); !errors.Is(got, c.err) || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		w.want()
		if w.now > 8*time.Second {
			t.Errorf("%s: noticed after %s", name, w.now-5*time.Second)
		}
		// The next slip follows after a cut and what the buffer still holds.
		w.sleep(time.Minute)
		if err := w.chip.sensors("ok", "closed"); err != nil {
			t.Fatal(err)
		}
		w.chip.jam(false)
		if err := d.Print(t.Context(), r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		w.want()
		got := printedLines(w.words())
		if n := len(got) - len(want) - 1; n < 1 || n >= len(want) || !slices.Equal(got[:n], want[:n]) ||
			got[n] != "--- cut ---" || !slices.Equal(got[n+1:], want) {
			t.Errorf("%s: on paper are %q", name, got)
		}
	}
}

// TestPrinterSwitchedOff: a printer that is switched off before or during a slip is noticed,
// whether by questions or by its own status, and prints when it is on again. A printer that
// answers in buffer order is neither called silent nor slowed down.
func TestPrinterSwitchedOff(t *testing.T) {
	t.Parallel()
	r, want := slip(60)
	for name, p := range map[string]board.Printer{
		"asked":            {Status: true},
		"asked, in turn":   {Status: true},
		"tells":            {Tells: true},
		"tells, for China": {Tells: true, Chinese: "gb18030"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p.Baud, p.Buffer, p.Speed, p.Cut = 115200, 1024, 50, true
			w := newWire(t, p)
			w.chip.inTurn = strings.Contains(name, "turn")
			d, err := printer.New(w, options(p, w))
			if err != nil {
				t.Fatal(err)
			}
			prints := func(want ...string) time.Duration {
				t.Helper()
				w.chip.tear()
				began := w.now
				if err := d.Print(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				took := w.now - began
				if got := printedLines(w.words()); !slices.Equal(got, want) {
					t.Fatalf("on paper are %q", got)
				}
				return took
			}
			prints(want...)
			prints(want...)
			if took := prints(want...); took > 9*time.Second {
				t.Errorf("a slip of 60 lines took %s", took)
			}
			for _, after := range []time.Duration{0, 2 * time.Second} {
				w.at[w.now+after] = func() { w.chip.power(false) }
				if after == 0 {
					w.sleep(time.Millisecond)
				}
				if err := d.Print(t.Context(), r); !errors.Is(err, printer.ErrUnplugged) {
					t.Errorf("switched off after %s: %v", after, err)
				}
				for range 3 {
					w.sleep(time.Second)
					if c := d.Condition(t.Context()); c != payterm.PaperUnreachable {
						t.Errorf("switched off after %s: it is %s", after, c)
					}
				}
				w.chip.power(true)
				for i := 0; d.Condition(t.Context()) != payterm.PaperOK; i++ {
					if w.sleep(time.Second); i == 20 {
						t.Fatal("it is on again, and nobody notices")
					}
				}
				if after == 0 { // nothing of that slip was sent
					prints(want...)
				} else {
					prints(append([]string{"--- cut ---"}, want...)...)
				}
			}
			w.want()
		})
	}
}

// answering opens a printer that is known to answer.
func answering(t *testing.T, w *wire, o printer.Options) *printer.Printer {
	t.Helper()
	d, err := printer.New(w, o)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		d.Condition(t.Context())
	}
	return d
}

// A printer that loses its power for some seconds in the middle of a slip, and answers again
// before anybody asks, has not printed it. One that is slower than its profile says has.
func TestPrinterRestarts(t *testing.T) {
	t.Parallel()
	r, want := slip(100)
	for name, p := range map[string]board.Printer{
		"asked":          {Status: true},
		"asked, in turn": {Status: true},
		"asked, slow":    {Status: true},
		"asked, late":    {Status: true},
		"tells":          {Tells: true},
		"tells, late":    {Tells: true},
		"tells, slow":    {Tells: true},
	} {
		for _, small := range []bool{false, true} { // the whole slip is in the buffer at once
			for _, begin := range []time.Duration{100, 900, 4000} {
				for _, away := range []time.Duration{1000, 4000} {
					t.Run(fmt.Sprintf("%s, %t, after %d ms for %d", name, small, begin, away), func(t *testing.T) {
						t.Parallel()
						p, begin := p, begin*time.Millisecond
						p.Baud, p.Buffer, p.Speed, p.Cut = 38400, 1024, 60, true
						if strings.Contains(name, "slow") {
							p.Baud = 9600
						}
						if small {
							p.Buffer = 8192
						}
						w := newWire(t, p)
						w.chip.inTurn = strings.Contains(name, "turn")
						most := 25 * time.Second
						if strings.Contains(name, "late") {
							w.chip.answering(1400*time.Millisecond, 1)
							begin, most = begin+2*time.Second, 40*time.Second // a slip begins after an answer
						}
						o := options(p, w)
						o.Speed = 50
						d := answering(t, w, o)
						for range 8 {
							w.sleep(time.Second)
							d.Condition(t.Context())
						}
						if err := d.Print(t.Context(), r); err != nil {
							t.Fatal(err)
						}
						w.chip.tear()
						w.at[w.now+begin] = func() { w.chip.power(false) }
						w.at[w.now+begin+away*time.Millisecond] = func() { w.chip.power(true) }
						began := w.now
						if err := d.Print(t.Context(), r); !errors.Is(err, printer.ErrUnplugged) ||
							!errors.Is(err, printer.ErrBrokeOff) {
							_, words := w.chip.paper()
							t.Fatalf("it ended with %v; on paper are %q", err, printedLines(words))
						}
						if took := w.now - began; took > most {
							t.Errorf("noticed after %s", took)
						}
						for range 3 {
							d.Condition(t.Context())
						}
						if err := d.Print(t.Context(), r); err != nil {
							t.Fatal(err)
						}
						got := printedLines(w.words())
						n := len(got) - len(want)
						if n < 1 || got[n-1] != "--- cut ---" || !slices.Equal(got[n:], want) {
							t.Errorf("then on paper are %q", got)
						}
					})
				}
			}
		}
	}
}

// A printer without GS r prints what it is sent, and nothing of the question whether it has it.
func TestPrinterWithoutTransmit(t *testing.T) {
	t.Parallel()
	r, want := slip(30)
	p := board.Printer{Baud: 115200, Buffer: 1024, Speed: 50, Cut: true, Status: true}
	w := newWire(t, p)
	w.chip.noTransmit = true
	d, err := printer.New(w, options(p, w))
	if err != nil {
		t.Fatal(err)
	}
	d.Condition(t.Context())
	for i := range 8 {
		w.chip.tear()
		began, asked := w.now, len(w.rules)
		if err := d.Print(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if took := w.now - began; i > 2 && (took > 4*time.Second || len(w.rules) > asked) {
			t.Errorf("slip %d took %s, and %d commands that the printer does not have", i, took, len(w.rules)-asked)
		}
		if got := printedLines(w.words()); !slices.Equal(got, want) {
			t.Fatalf("on paper are %q", got)
		}
	}
}

// TestSlowPrinterIsNotSilent: a printer that is slower than its profile says, and answers questions in buffer
// order, is still printing when it is asked: its slip is not reported as broken off.
func TestSlowPrinterIsNotSilent(t *testing.T) {
	t.Parallel()
	r, want := slip(60)
	for _, p := range []board.Printer{{Status: true, Speed: 50}, {Tells: true, Speed: 50}, {Status: true, Speed: 15},
		{Tells: true, Speed: 15}} {
		p.Baud, p.Buffer, p.Cut = 115200, 4096, true
		w := newWire(t, p)
		w.chip.inTurn = true
		o := options(p, w)
		o.Speed = 150
		d := answering(t, w, o)
		for range 3 {
			w.chip.tear()
			if err := d.Print(t.Context(), r); err != nil {
				t.Fatalf("tells %t: %v", p.Tells, err)
			}
			if got := printedLines(w.words()); !slices.Equal(got, want) {
				t.Fatalf("tells %t: on paper are %q", p.Tells, got)
			}
		}
		w.want()
	}
}

// TestPrintEndsWithItsContext: the end of the context stops the slip between two pieces.
func TestPrintEndsWithItsContext(t *testing.T) {
	r, _ := slip(200)
	p := board.Printer{Baud: 9600, Buffer: 512, Speed: 50, Cut: true}
	w := newWire(t, p)
	d, err := printer.New(w, options(p, w))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	w.at[2*time.Second] = stop
	if err := d.Print(ctx, r); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if w.now > 2200*time.Millisecond {
		t.Errorf("it ended after %s", w.now)
	}
}

// TestGB18030Survives: Chinese through GB18030 is unchanged on paper: two-byte and four-byte
// characters, beside accented letters, on a printer that reads Chinese from power-on.
func TestGB18030Survives(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := board.Printer{Baud: 115200, Buffer: 4096, Speed: 200, Chinese: "gb18030"}
		w := newWire(t, p)
		d, err := printer.New(w, options(p, w))
		if err != nil {
			rt.Fatal(err)
		}
		sign := rapid.OneOf(rapid.RuneFrom([]rune("abcéèàçôû 019.付款，成功")),
			rapid.Map(rapid.Int32Range(0x4e00, 0x9fa5),
				func(n int32) rune { return n }),
			rapid.Map(rapid.Int32Range(0x3400, 0x4db5), func(n int32) rune { return n }))
		text := rapid.SampledFrom([]string{"付", "éà付"}).Draw(rt, "head") +
			strings.TrimSpace(rapid.StringOfN(sign, 0, 14, -1).Draw(rt, "text"))
		large := rapid.Bool().Draw(rt, "large")
		r := payterm.Receipt{Lines: []payterm.ReceiptLine{{Text: text, Large: large}}}
		if err := d.Print(context.Background(), r); err != nil {
			rt.Fatal(err)
		}
		spaces := strings.NewReplacer(" ", "", "\n", "") // a line may break at a space
		if got := spaces.Replace(w.words()); got != spaces.Replace(text) || len(w.rules) > 0 {
			rt.Errorf("on paper is %q, not %q; reported %q", got, text, w.rules)
		}
	})
}

// TestPrinterWakesUp: whatever a printer's state after power-on, a slip is printed as written,
// also after Chinese in the printer's font.
func TestPrinterWakesUp(t *testing.T) {
	t.Parallel()
	states := append(slices.Sorted(maps.Keys(wakings)), "chinese france font_b", "japan katakana chinese")
	for _, state := range states {
		for _, chinese := range board.Chinese {
			w := newWire(t, board.Printer{Baud: 115200, Buffer: 4096, Speed: 200, Cut: true, Chinese: chinese})
			if err := w.chip.wake(state); err != nil {
				t.Fatal(err)
			}
			o := options(board.Printer{Baud: 115200, Buffer: 4096, Speed: 200, Cut: true, Chinese: chinese}, w)
			d, err := printer.New(w, o)
			if err != nil {
				t.Fatal(err)
			}
			r := payterm.Receipt{Lines: []payterm.ReceiptLine{{Text: "Montréal é"}, {Text: "付款"},
				{Text: "Montréal #[1]"}, {Kind: payterm.LineCut}}}
			for range 2 {
				if err := d.Print(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			words, want := w.words(), "Montréal é\n付款\nMontréal #[1]\n\n--- cut ---"
			if chinese == board.ChineseDrawn {
				want = strings.Replace(want, "付款", "[picture 48x28]", 1)
			}
			if words != want+"\n"+want || len(w.rules) > 0 {
				t.Errorf("%s, chinese = %q: reported %q, on paper is\n%s", state, chinese, w.rules, words)
			}
		}
	}
	// The states have the effect that they are named for.
	for state, want := range map[string]string{
		"usual": "Montréal #[1]", "chinese": "Montr俛l #[1]", "katakana": "Montr▃al #[1]", "france": "Montréal #°1§",
	} {
		w := newWire(t, board.Printer{Baud: 115200, Buffer: 4096, Speed: 200})
		if err := w.chip.wake(state); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte("\x1b@Montr\x82al #[1]\n"), time.Second)
		if got := w.words(); got != want {
			t.Errorf("%s: %q, want %q", state, got, want)
		}
	}
}

// Each printer that payterm knows by name takes a whole slip, with accents, the euro and
// spaces that do not break, as its profile has it.
func TestEveryModelPrints(t *testing.T) {
	t.Parallel()
	r := payterm.Receipt{Lines: []payterm.ReceiptLine{
		{Text: "Forêt À é", Align: payterm.AlignCenter, Bold: true}, {Text: "12\u202f345,67\u00a0$"}, {Text: "5 €"},
		{Text: "COPY", Alert: true}, {Kind: payterm.LineBarcode, Text: "T1AAAAA000001"},
		{Kind: payterm.LineQR, Text: "https://example.com"}, {Kind: payterm.LineCut},
	}}
	for _, m := range board.PrinterModels {
		for _, page := range slices.Sorted(maps.Keys(m.CodePages)) {
			p, err := board.ReadProfile("model.toml", fmt.Appendf(nil, "board = \"x\"\n[printer]\nmodel = %q\n"+
				"device = \"/dev/ttyS1\"\nbaud = 115200\ncode_page = %q\n", m.Name, page))
			if err != nil {
				t.Error(err)
				continue
			}
			w := newWire(t, *p.Printer)
			o := options(*p.Printer, w)
			o.Columns, o.CodePage = p.Printer.Columns, page
			o.Pages, o.Barcode, o.Red = p.Printer.CodePages, printer.Barcode(p.Printer.Barcode), p.Printer.Red
			d, err := printer.New(w, o)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(d.Print(t.Context(), r), d.Kick(t.Context())); err != nil {
				t.Fatal(err)
			}
			words, lines := w.words(), []string{"12 345,67 $", "--- drawer"}
			if page != board.CP437 { // which has no À
				lines = append(lines, "Forêt À é")
			}
			if page == board.PC858 || page == board.WPC1252 {
				lines = append(lines, "5 €")
			}
			if m.Barcode == "" {
				lines = append(lines, "[barcode T1AAAAA000001]")
			}
			if m.QR == "" {
				lines = append(lines, "[QR https://example.com]")
			}
			for _, line := range lines {
				if !strings.Contains(words, line) {
					t.Errorf("%s, %s: %q is not on paper:\n%s", m.Name, page, line, words)
				}
			}
			if len(w.rules) > 0 {
				t.Errorf("%s, %s: reported %q", m.Name, page, w.rules)
			}
		}
	}
}

// paced prints 24 lines of Chinese as pictures, and returns how long that took relative to the least that wire
// or paper need.
func paced(t testing.TB, p board.Printer) (bytes int, ratio float64) {
	t.Helper()
	w := newWire(t, p)
	o := options(p, w)
	d, err := printer.New(w, o)
	if err != nil {
		t.Fatal(err)
	}
	var r payterm.Receipt
	for range 24 {
		r.Lines = append(r.Lines, payterm.ReceiptLine{Text: "商户存根付款成功微信支付"})
	}
	if err := d.Print(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	w.want()
	least := max(time.Duration(len(w.sent))*w.perByte,
		time.Duration(w.chip.printed)*time.Second/time.Duration(p.Speed*dotsPerMM))
	return len(w.sent), float64(w.now) / float64(least)
}

// rasters are printers that are sent pictures.
var rasters = []struct {
	name string
	p    board.Printer
}{
	{"9600 baud", board.Printer{Baud: 9600, Buffer: 4096, Speed: 50}},
	{"115200 baud", board.Printer{Baud: 115200, Buffer: 4096, Speed: 50}},
	{"USB", board.Printer{Baud: usbSpeed, Buffer: 4096, Speed: 150}},
	{"USB, columns of dots", board.Printer{Baud: usbSpeed, Buffer: 4096, Speed: 150, Raster: "esc_star"}},
}

// TestRasterIsQuick: pictures keep wire or paper busy: pacing costs little.
func TestRasterIsQuick(t *testing.T) {
	for _, c := range rasters {
		if n, ratio := paced(t, c.p); ratio > 1.5 || ratio < 1 {
			t.Errorf("%s: %d bytes took %.2f of the least", c.name, n, ratio)
		}
	}
}

// BenchmarkRaster prints pictures on the emulated printer in its own time: limit-ratio is that
// time divided by the least that wire or paper need.
func BenchmarkRaster(b *testing.B) {
	for _, c := range rasters {
		b.Run(c.name, func(b *testing.B) {
			n, ratio := 0, 0.0
			for b.Loop() {
				n, ratio = paced(b, c.p)
			}
			b.SetBytes(int64(n))
			b.ReportMetric(ratio, "limit-ratio")
			b.ReportMetric(float64(n), "bytes/op")
		})
	}
}
