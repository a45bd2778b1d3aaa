package emulated

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm/board"
)

// bench is a single chip: the test sets the time, and violations are kept.
type bench struct {
	t     testing.TB
	now   time.Duration
	rules []Rule
}

func (b *bench) time() time.Duration { return b.now }

func (b *bench) report(rule Rule, _ string, _ ...any) { b.rules = append(b.rules, rule) }

// want fails unless exactly these rules were broken, in this order.
func (b *bench) want(rules ...Rule) {
	b.t.Helper()
	if !slices.Equal(b.rules, rules) {
		b.t.Errorf("reported %q, want %q", b.rules, rules)
	}
}

// panelBench plays a script on a panel: "c 2a" is a command, "d 00 ef" its data,
// "wait 5ms", "reset low", "reset high", "power off", "power on", "dip".
func panelBench(t *testing.T, script string) (*bench, *tft) {
	t.Helper()
	return benchOf(t, "st7789", script)
}

func benchOf(t *testing.T, chip, script string) (*bench, *tft) {
	t.Helper()
	b := &bench{t: t}
	c := newTFT(sheets[chip], &board.Display{Width: 240, Height: 320}, b.time, b.report, func() {})
	for step := range strings.SplitSeq(script, ";") {
		word, rest, _ := strings.Cut(strings.TrimSpace(step), " ")
		switch word {
		case "c", "d":
			var w []byte
			for hex := range strings.FieldsSeq(rest) {
				var v byte
				if _, err := fmt.Sscanf(hex, "%02x", &v); err != nil {
					t.Fatalf("%q: %v", step, err)
				}
				w = append(w, v)
			}
			c.clock(word == "d", w)
		case "wait":
			d, err := time.ParseDuration(rest)
			if err != nil {
				t.Fatal(err)
			}
			b.now += d
		case "reset":
			c.resetPin(rest == "high")
		case "power":
			c.power(rest == "on")
		case "dip":
			c.dip()
		default:
			t.Fatalf("%q is no step", step)
		}
	}
	return b, c
}

const (
	woken = "reset low; wait 1ms; reset high; wait 120ms; c 11; wait 5ms; c 3a; d 55; "
	pixel = "c 2a; d 00 00 00 01; c 2b; d 00 00 00 00; c 2c; "
)

func TestPanelRules(t *testing.T) {
	for _, c := range []struct {
		name, script string
		want         []Rule
	}{
		{"as it should be", woken + pixel + "d ff ff 00 00; c 29", nil},
		{"no reset", "wait 1s; c 11; wait 5ms; c 3a; d 55", []Rule{NoReset}},
		{"SWRESET is a reset", "wait 1s; c 01; wait 120ms; c 11", nil},
		{"SWRESET ends what is half said", woken + "c 2a; d 00; wait 1s; c 01; wait 120ms; c 11", nil},
		{"nothing else does", woken + "c 2a; d 00; c 29", []Rule{ParameterCount}},
		{"no reset after power-on", woken + "power off; c 29; power on; wait 1s; c 11", []Rule{NoReset}},
		{"a dip resets", woken + "dip; wait 1s; c 11; wait 5ms; c 3a; d 55; " + pixel + "d 12 34", nil},
		{"a short pulse", "reset low; wait 9us; reset high; wait 120ms; c 11", []Rule{ResetPulse}},
		{"a long enough pulse", "reset low; wait 5us; reset low; wait 5us; reset high; wait 120ms; c 11", nil},
		{"bytes in reset", "reset low; wait 1ms; c 11; d 00; reset high; wait 120ms; c 11",
			[]Rule{HeldInReset, HeldInReset}},
		{"a command at once after the reset", "reset low; wait 1ms; reset high; wait 4ms; c 3a; d 55", []Rule{TooSoon}},
		{"a command 5 ms after the reset", "reset low; wait 1ms; reset high; wait 5ms; c 3a; d 55", nil},
		{"SLPOUT early after the reset", "reset low; wait 1ms; reset high; wait 119ms; c 11", []Rule{TooSoon}},
		{"SLPOUT early after SWRESET", "c 01; wait 119ms; c 11", []Rule{TooSoon, TooSoon}},
		{"a command early after SLPOUT", "wait 5ms; c 01; wait 120ms; c 11; wait 4ms; c 29", []Rule{TooSoon}},
		{"SLPIN early after SLPOUT", woken + "wait 114ms; c 10", []Rule{TooSoon}},
		{"SLPIN in time", woken + "wait 115ms; c 10; wait 120ms; c 11", nil},
		{"SLPOUT early after SLPIN", woken + "wait 1s; c 10; wait 119ms; c 11", []Rule{TooSoon}},
		{"SWRESET while it wakes", woken + "c 01", []Rule{TooSoon}},
		{"SLPOUT twice", woken + "wait 1s; c 11; wait 5ms; c 10", nil},
		{"too few parameters", woken + "c 2a; d 00 00 00; c 2b; d 00 00 00 00", []Rule{ParameterCount}},
		{"no parameters at the end", woken + "c 36; c 29", []Rule{ParameterCount}},
		{"too many parameters", woken + "c 36; d 00 00", []Rule{ParameterCount}},
		{"parameters of a command without", woken + "c 29; d 00", []Rule{ParameterCount}},
		{"data before a command", "reset low; wait 1ms; reset high; wait 5ms; d 00", []Rule{DataCommand}},
		{"an unknown command", woken + "c ff", []Rule{UnknownCommand}},
		{"a column beyond the RAM", woken + "c 2a; d 00 00 00 f0", []Rule{BadWindow}},
		{"a row beyond the RAM", woken + "c 2b; d 00 00 01 40", []Rule{BadWindow}},
		{"a long column when rotated", woken + "c 36; d 20; c 2a; d 00 00 01 3f; c 2b; d 00 00 00 ef", nil},
		{"a long row when rotated", woken + "c 36; d 20; c 2b; d 00 00 00 f0", []Rule{BadWindow}},
		{"a window that ends before it begins", woken + "c 2a; d 00 05 00 04", []Rule{BadWindow}},
		{"a pixel too many", woken + pixel + "d 00 00 00 00 00 00", []Rule{WindowOverflow}},
		{"many pixels too many are said once", woken + pixel + "d 00 00 00 00 00 00 00 00", []Rule{WindowOverflow}},
		{"half a pixel", woken + pixel + "d 00 00 00; c 29", []Rule{HalfPixel}},
		{"pixels asleep", "c 01; wait 120ms; c 3a; d 55; " + pixel + "d 00 00", []Rule{TooSoon, Asleep}},
		{"pixels without a format", "wait 1s; c 01; wait 120ms; c 11; wait 5ms; " + pixel + "wait 0s",
			[]Rule{PixelFormat}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, _ := panelBench(t, c.script)
			b.want(c.want...)
		})
	}
}

// What the controllers do not have in common.
func TestSheets(t *testing.T) {
	const awake = "reset low; wait 1ms; reset high; wait 120ms; c 11; wait 5ms; "
	for _, c := range []struct {
		chip, script string
		want         []Rule
	}{
		{"ili9488", awake + "c 3a; d 55; c 2c; d 00 00", []Rule{PixelFormat}},
		{"ili9488", awake + "c 3a; d 66; c 2c; d 00 00 00", nil},
		{"ili9488", awake + "c 3a; d 66; c 2c; d 00 00; c 29", []Rule{HalfPixel}},
		{"st7796s", awake + "c c5; d 18", []Rule{UnknownCommand}},
		{"st7796s", awake + "c f0; d c3; c f0; d 96; c c5; d 18; c f0; d 3c; c f0; d 69; c c5; d 18",
			[]Rule{UnknownCommand}},
		{"st7735s", awake + "c 2a; d 00 00 00 83; c 2b; d 00 00 00 a1", nil},
		{"st7735s", awake + "c 2a; d 00 00 00 84", []Rule{BadWindow}},
		{"st7735s", awake + "c b3; d 00 00 00; c 29", []Rule{ParameterCount}},
	} {
		b, _ := benchOf(t, c.chip, c.script)
		b.want(c.want...)
	}
}

func TestPanelLosesItsRAM(t *testing.T) {
	for _, fault := range []string{"power off; power on; wait 1s; c 01; wait 120ms; c 11; wait 5ms",
		"dip; wait 1s; c 11; wait 5ms"} {
		_, c := panelBench(t, woken+"c 2c; d 12 34")
		if c.ram[0] != rgb565(0x1234) {
			t.Fatal("the pixel did not arrive")
		}
		_, c = panelBench(t, woken+"c 2c; d 12 34; "+fault)
		if c.ram[0] == rgb565(0x1234) || c.on {
			t.Errorf("%s: the RAM survived", fault)
		}
	}
}

// printerBench is a bench with a printer.
func printerBench(t testing.TB, p board.Printer) (*bench, *escpos) {
	b := &bench{t: t}
	if p.Dots == 0 {
		p.Dots = 384
	}
	if p.Buffer == 0 {
		p.Buffer = 4096
	}
	if p.Speed == 0 {
		p.Speed = 50
	}
	return b, newESCPOS(&p, b.time, b.report, func() {})
}

func TestPrinterRules(t *testing.T) {
	zeros := strings.Repeat("\x00", 300)
	const qrSet = "\x1d(k\x04\x001A2\x00\x1d(k\x03\x001C\x06\x1d(k\x03\x001E1"
	for _, c := range []struct {
		name, bytes string
		want        []Rule
	}{
		{"text and a cut", "\x1b@Hello\n\x1bd\x03\x1dV\x01", nil},
		{"Chinese on a printer that has none", "\x1c&\n", []Rule{UnknownCommand}},
		{"no Chinese on a printer that has none", "\x1c.\xe9\n", nil},
		{"columns of dots", "\x1b*\x21\x01\x00\xff\xff\xff\x1b*\x00\x01\x00\x0f\n", nil},
		{"columns of no kind", "\x1b*\x07\x00\x00\n", []Rule{BadArgument}},
		{"columns wider than the roll", "\x1b*\x21\x81\x01", []Rule{TooWide}},
		{"a place", "\x1b$\x10\x00a\x1b\\\xf0\xffb\n", nil},
		{"a place beside the roll", "\x1b$\x81\x01", []Rule{BadArgument}},
		{"a place before the margin", "\x1b\\\xff\xff", []Rule{BadArgument}},
		{"a margin beyond the roll", "\x1dL\x81\x01", []Rule{BadArgument}},
		{"a check digit that is wrong", "\x1dkC\x0d4006381333932", []Rule{BadArgument}},
		{"an EAN of letters", "\x1dk\x024006381333A\x00", []Rule{BadArgument}},
		{"an odd number of digits", "\x1dk\x05123\x00", []Rule{BadArgument}},
		{"a sign that Code 39 lacks", "\x1dkE\x01a", []Rule{BadArgument}},
		{"Codabar without its ends", "\x1dkG\x03123", []Rule{BadArgument}},
		{"a barcode that is not emulated", "\x1dkH\x02AB", []Rule{UnknownCommand}},
		{"no such barcode", "\x1dk\x14", []Rule{BadArgument}},
		{"a barcode of another day, and what follows", "\x1dk\x04AB\x00a\n", nil},
		{"a cut of old", "a\n\x1bd\x04\x1bi", nil},
		{"a cut of old through a line", "a\x1bm", []Rule{CutText, CutText}},
		{"a cut below line feeds", "a\n\n\n\n\x1dV\x00", nil},
		{"all styles at once", "\x1b!\xb9a\n\x1b!\x00", nil},
		{"upside down in the middle of a line", "a\x1b{\x01\n", []Rule{NotAtLineStart}},
		{"a tone", "\x1bB\x02\x01", nil},
		{"a drawer's pulse without its times", "\x1bp\x00AB\n", nil}, // A and B are its times
		{"no such font", "\x1bM\x04", []Rule{BadArgument}},
		{"no such country", "\x1bR\x20", []Rule{BadArgument}},
		{"a stored picture", "\x1d(L\x0c\x000p0\x01\x011\x09\x00\x01\x00\xff\x80\x1d(L\x02\x0002", nil},
		{"a picture of another size than it said", "\x1d(L\x0c\x000p0\x01\x011\x09\x00\x02\x00\xff\x80",
			[]Rule{BadArgument}},
		{"a picture that was not stored", "\x1d(L\x02\x0002", []Rule{NothingStored}},
		{"a picture without an end", "\x1d8L\xff\xff\xff\x7f", []Rule{BadArgument}},
		{"the drawer", "\x1bp\x00\x19\xfa", nil},
		{"no such drawer", "\x1bp\x02\x19\xfa", []Rule{BadArgument}},
		{"garbage", "\x01\x02", []Rule{UnknownCommand, UnknownCommand}},
		{"an unknown ESC", "\x1bZ", nil}, // incomplete
		{"an unknown ESC with what follows", "\x1bZa\n", []Rule{UnknownCommand}},
		{"commands of nothing", "\x1b\x00\x00\x1c\x00\x1d\x00\x00\n", []Rule{UnknownCommand, UnknownCommand,
			UnknownCommand}},
		{"a command that broke off", "\x1b" + zeros + "\x1b@\n", nil},
		{"a header that broke off", "\x1dv0\x00\x30" + zeros + "\x1b@\n", nil},
		{"a sign that broke off", "\x1c&" + zeros + "\x1b@\n", nil},
		{"a question that broke off", "\x10\x04" + zeros + "\x1b@\n", nil},
		{"a header of nothing, before few zeros", "\x1dv0\x00\x30" + zeros[:200] + "\x1b@\n", []Rule{BadArgument}},
		{"a header of nothing, before zeros and no reset", "\x1dv0\x00\x30" + zeros + "a\n", []Rule{BadArgument}},
		{"a header of nothing, before another command, zeros and a reset", "\x1dv0\x00\x30\x00\x00\x00\x1bE\x00" +
			zeros + "\x1b@\n", []Rule{BadArgument}},
		{"a header of nothing, zeros, another one that broke off", "\x1dv0\x00\x30" + zeros + "\x1dv0" + zeros +
			"\x1b@\n", []Rule{BadArgument}},
		{"an unknown GS", "\x1dzz\n", []Rule{UnknownCommand}},
		{"DLE that is no question", "\x10\x05\x01", []Rule{UnknownCommand, UnknownCommand, UnknownCommand}},
		{"no such question", "\x10\x04\x09", []Rule{UnknownCommand, UnknownCommand, UnknownCommand}},
		{"a code page that it lacks", "\x1bt\x63", []Rule{BadArgument}},
		{"alignment in the middle", "ab\x1ba\x01", []Rule{NotAtLineStart}},
		{"no such alignment", "\x1ba\x03", []Rule{BadArgument}},
		{"a size too large", "\x1d!\x88", []Rule{BadArgument, BadArgument}},
		{"a cut without LF", "ab\x1dV\x01", []Rule{CutText, CutText}},
		{"a cut through the last line", "ab\n\x1dV\x01", []Rule{CutText}},
		{"a cut that feeds", "ab\n\x1dVB\x00", nil},
		{"no such cut", "\x1dV\x09", []Rule{BadArgument}},
		{"a raster", "\x1dv0\x00\x02\x00\x02\x00\xff\x00\x0f\xf0\n", nil},
		{"a raster in the middle", "a\x1dv0\x00\x01\x00\x01\x00\xff", []Rule{NotAtLineStart}},
		{"a raster wider than the roll", "\x1dv0\x00\x31\x00\x01\x00", []Rule{TooWide}},
		{"a raster of nothing", "\x1dv0\x00\x00\x00\x01\x00", []Rule{BadArgument}},
		{"a raster with more bytes than it said", "\x1dv0\x00\x01\x00\x01\x00\xff\x01\n", []Rule{UnknownCommand}},
		{"a barcode", "\x1dh\x40\x1dw\x02\x1dk\x49\x06{BABCD\n", nil},
		{"a barcode in the middle", "a\x1dw\x02\x1dk\x49\x06{BABCD", []Rule{NotAtLineStart}},
		{"a barcode of nothing", "\x1dk\x49\x02{B", nil},
		{"a barcode outside of its subset", "\x1dk\x49\x03{B\x01", []Rule{BadArgument}},
		{"a barcode without a subset", "\x1dk\x49\x03ABC", []Rule{BadArgument}},
		{"bars too thin", "\x1dw\x01", []Rule{BadArgument}},
		{"a barcode wider than the roll", "\x1dw\x06\x1dk\x49\x16{B12345678901234567890", []Rule{TooWide}},
		{"a QR code", qrSet + "\x1d(k\x05\x001P0hi\x1d(k\x03\x001Q0\n", nil},
		{"a QR code before it was stored", qrSet + "\x1d(k\x03\x001Q0", []Rule{NothingStored}},
		{"a QR code wider than the roll",
			"\x1d(k\x03\x001C\x10\x1d(k\x1d\x001P0abcdefghijklmnopqrstuvwxyz\x1d(k\x03\x001Q0", []Rule{TooWide}},
		{"no module", "\x1d(k\x03\x001C\x00", []Rule{BadArgument}},
		{"no level", "\x1d(k\x03\x001E\x09", []Rule{BadArgument}},
		{"no such function", "\x1d(k\x03\x001X0", []Rule{UnknownCommand}},
		{"no such symbol", "\x1d(k\x03\x00\x20C0", []Rule{UnknownCommand}},
		{"a symbol that is not emulated", "\x1d(k\x03\x000C0\x1d(k\x03\x000Q0", []Rule{UnknownCommand}},
		{"a symbol of one byte", "\x1d(k\x01\x001", []Rule{BadArgument}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, write := range map[string]func(p *escpos){
				"at once": func(p *escpos) { p.Write([]byte(c.bytes)) },
				"byte by byte": func(p *escpos) {
					for _, one := range []byte(c.bytes) {
						p.Write([]byte{one})
					}
				},
			} {
				b, p := printerBench(t, board.Printer{Cut: true})
				write(p)
				b.now = time.Hour
				p.settle()
				if !slices.Equal(b.rules, c.want) {
					t.Errorf("%s: reported %q, want %q", name, b.rules, c.want)
				}
			}
		})
	}
	b, p := printerBench(t, board.Printer{})
	p.Write([]byte("\n\x1bd\x04\x1dV\x01"))
	b.now = time.Hour
	p.settle()
	b.want(NoCutter)
}

// TestPrinterTakesItsTime: printing takes time, and the buffer fills with what is written ahead
// of it.
func TestPrinterTakesItsTime(t *testing.T) {
	b, p := printerBench(t, board.Printer{Buffer: 256})
	line := []byte("12345\n") // 30 dot lines at 400 a second: 75 ms
	p.Write(bytes.Repeat(line, 3))
	words := func() string { _, words := p.paper(); return words }
	if got := strings.Count(words(), "12345"); got != 1 {
		t.Errorf("%d lines at once", got)
	}
	b.now += 75*time.Millisecond - 1
	if got := strings.Count(words(), "12345"); got != 1 {
		t.Errorf("%d lines in less than the time of one", got)
	}
	b.now++
	if got := strings.Count(words(), "12345"); got != 2 {
		t.Errorf("%d lines after 75 ms", got)
	}
	b.now += time.Second
	p.tear()
	p.Write(bytes.Repeat(line, 1+256/6)) // one is printed, the others wait
	b.want()
	p.Write(line)
	b.want(BufferOverflow)
	p.Write(line)
	b.want(BufferOverflow) // reported once
	b.now += time.Hour
	if got := strings.Count(words(), "12345"); got > 2+256/6 || got < 256/6 {
		t.Errorf("%d lines of what did not get lost", got)
	}
}

func TestPrinterStatus(t *testing.T) {
	for _, c := range []struct {
		name, paper, cover string
		jam                bool
		want               string // answers to DLE EOT 1 to 4
	}{
		{"ready", "ok", "closed", false, "12 12 12 12"},
		{"near its end", "near_end", "closed", false, "12 12 12 1e"},
		{"out", "out", "closed", false, "1a 32 12 7e"},
		{"open", "ok", "open", false, "1a 16 12 12"},
		{"jammed", "ok", "closed", true, "1a 52 52 12"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, p := printerBench(t, board.Printer{Status: true})
			var answers []byte
			p.reply = func(a []byte) { answers = append(answers, a...) }
			if err := p.sensors(c.paper, c.cover); err != nil {
				t.Fatal(err)
			}
			p.jam(c.jam)
			// A question in the middle of other data, and one byte at a time.
			p.Write([]byte("ab\x10"))
			p.Write([]byte("\x04"))
			p.Write([]byte("\x01\x10\x04\x02cd\x10\x04\x03\x10\x04\x04\n"))
			if got := fmt.Sprintf("% x", answers); got != c.want {
				t.Errorf("answers %s, want %s", got, c.want)
			}
			p.jam(false)
			if err := p.sensors("ok", "closed"); err != nil {
				t.Fatal(err)
			}
			if _, words := p.paper(); words != "abcd" {
				t.Errorf("printed %q when it was well again", words)
			}
			b.want()
		})
	}
	b, p := printerBench(t, board.Printer{})
	p.reply = func(a []byte) { t.Errorf("a printer that never answers said % x", a) }
	p.Write([]byte("\x10\x04\x01"))
	b.want()
}

// TestPrinterTells: with GS a the printer reports what changes, and nothing without it.
func TestPrinterTells(t *testing.T) {
	b, p := printerBench(t, board.Printer{Tells: true})
	var said []byte
	p.reply = func(a []byte) { said = append(said, a...) }
	is := func(want string) {
		t.Helper()
		if got := fmt.Sprintf("% x", said); got != want {
			t.Errorf("it tells %s, want %s", got, want)
		}
		said = nil
	}
	set := func(paper, cover string) {
		t.Helper()
		if err := p.sensors(paper, cover); err != nil {
			t.Fatal(err)
		}
	}
	set("near_end", "")
	is("")
	p.Write([]byte("\x1da\x0e"))
	is("10 00 03 00")
	set("out", "")
	is("18 00 0f 00")
	set("ok", "open")
	is("38 00 00 00")
	set("", "closed")
	is("10 00 00 00")
	p.jam(true)
	is("18 20 00 00")
	p.jam(false)
	is("10 00 00 00")
	p.Write([]byte("\x1da\x00"))
	set("out", "")
	is("")
	b.want()
}

// TestPrinterReadsChinese: a printer made for China reads GB18030 from power-on until FS .
func TestPrinterReadsChinese(t *testing.T) {
	b, p := printerBench(t, board.Printer{Chinese: "gb18030"})
	p.Write([]byte("\xb8\xb6\x81\x39\xee\x39a\x1c.\x82\x1c&\xbf\xee\n"))
	if _, words := p.paper(); words != "付㐀aé款" {
		t.Errorf("on paper is %q", words)
	}
	b.want()
	b.now = time.Hour
	p.Write([]byte("\xb8\x20x\n"))
	b.want(BadArgument)
}

// FuzzPrinterBytes: the printer survives any bytes.
func FuzzPrinterBytes(f *testing.F) {
	for _, seed := range []string{"\x1b@ab\n", "\x1d(k\x01\x001", "\x1dk\x49\x06{BABCD\n",
		"\x1dv0\x00\x01\x00\x01\x00\xff", "\x10\x04\x01", "\x1d(k\xff\xff1"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, w []byte) {
		b := &bench{t: t}
		p := newESCPOS(&board.Printer{Dots: 384, Buffer: 4096, Speed: 50, Cut: true, Status: true}, b.time, b.report,
			func() {})
		p.Write(w)
		b.now += time.Hour
		p.Write(make([]byte, 1<<16)) // ends any command that waits for more
		b.now += time.Hour
		p.Write([]byte("\x1b@still here\n"))
		b.now += time.Hour
		if _, words := p.paper(); !strings.HasSuffix(words, "still here") {
			t.Errorf("it stopped printing: %q", words)
		}
	})
}

// FuzzPanelBytes: the panel survives any bytes.
func FuzzPanelBytes(f *testing.F) {
	f.Add([]byte{0, 0x2a, 1, 0, 1, 0, 1, 0, 1, 1}, []byte{0x2c})
	f.Fuzz(func(t *testing.T, script, more []byte) {
		b := &bench{t: t}
		c := newTFT(sheets["st7789"], &board.Display{Width: 240, Height: 320}, b.time, b.report, func() {})
		for i := 0; i+1 < len(script); i += 2 {
			c.clock(script[i]&1 == 1, script[i+1:i+2])
		}
		c.clock(true, more)
		c.frame()
	})
}

// hexes parses "2c 00".
func hexes(t *testing.T, text string) (w []byte) {
	t.Helper()
	for one := range strings.FieldsSeq(text) {
		var v byte
		if _, err := fmt.Sscanf(one, "%02x", &v); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		w = append(w, v)
	}
	return w
}

func TestILI9341Rules(t *testing.T) {
	b := &bench{t: t}
	c := newTFT(sheets["ili9341"], &board.Display{Width: 240, Height: 320}, b.time, b.report, func() {})
	b.now = time.Second
	c.clock(false, []byte{0x01})
	b.now += time.Second
	c.clock(false, []byte{0xc5})
	c.clock(true, []byte{0x3e})
	c.clock(false, []byte{0xe0}) // after one of two parameters
	c.clock(true, make([]byte, 16))
	c.clock(false, []byte{0xed}) // in no emulated data sheet
	b.want(ParameterCount, ParameterCount, UnknownCommand)
}

func TestOLEDRules(t *testing.T) {
	for _, c := range []struct {
		name, script string // messages on I2C, separated by ;
		want         []Rule
	}{
		{"as it should be", "00 ae 8d 14 20 00 21 00 7f 22 00 07; 40 ff 00; 00 af", nil},
		{"an argument in the next message", "00 81; 00 10", nil},
		{"one byte at a time", "80 ae 80 e3 c0 ff c0 00", nil},
		{"no such control byte", "10 ae", []Rule{BadArgument}},
		{"a column that is not there", "00 21 00 80", []Rule{BadWindow}},
		{"a page window that ends before it begins", "00 22 01 08", []Rule{BadWindow}},
		{"a window that ends before it begins", "00 21 05 04", []Rule{BadWindow}},
		{"no such mode", "00 20 03", []Rule{BadArgument}},
		{"too few rows", "00 a8 0e", []Rule{BadArgument}},
		{"COM pins", "00 da 11", []Rule{BadArgument}},
		{"on without its pump", "00 af", []Rule{NoSupply}},
		{"no such command", "00 90", []Rule{UnknownCommand}},
		{"dots for an argument", "00 81; 40 ff", []Rule{ParameterCount}},
	} {
		b := &bench{t: t}
		chip := newDots(dotSheets["ssd1306"], &board.Display{Width: 128, Height: 64}, b.time, b.report, func() {})
		for message := range strings.SplitSeq(c.script, ";") {
			chip.message(hexes(t, message), func(int) time.Duration { return b.now })
		}
		if !slices.Equal(b.rules, c.want) {
			t.Errorf("%s: reported %q, want %q", c.name, b.rules, c.want)
		}
	}
	b := &bench{t: t}
	chip := newDots(dotSheets["ssd1306"], &board.Display{Width: 128, Height: 64, Reset: "R"}, b.time, b.report, func() {})
	chip.clock(false, []byte{0xae})
	chip.resetPin(false)
	chip.clock(false, []byte{0xae})
	b.now += 2 * time.Microsecond
	chip.resetPin(true)
	b.want(NoReset, HeldInReset, ResetPulse)
}

func TestGreyRules(t *testing.T) {
	for _, c := range []struct {
		script string
		want   []Rule
	}{
		{"00 15 00 3f 75 00 7f; 40 12 34; 00 af", nil},
		{"00 15 05 04; 00 15 00 01; 40 12", nil}, // what was never written through
		{"00 15 05 04; 40 12", []Rule{BadWindow}},
		{"00 ab 00 af", []Rule{NoSupply}},
		{"00 fd 16 a4; 00 fd 12 a4", []Rule{UnknownCommand}},
		{"00 8d", []Rule{UnknownCommand}},
		{"00 a8 05", []Rule{BadArgument}},
		{"00 81; 40 ff", []Rule{ParameterCount}},
	} {
		b := &bench{t: t}
		chip := newSSD1327(&board.Display{Width: 128, Height: 128}, b.time, b.report, func() {})
		for message := range strings.SplitSeq(c.script, ";") {
			chip.message(hexes(t, message), func(int) time.Duration { return b.now })
		}
		if !slices.Equal(b.rules, c.want) {
			t.Errorf("%s: reported %q, want %q", c.script, b.rules, c.want)
		}
	}
}

// An HD44780 on lines: its cursor moves, and what is not wired does not matter.
func TestCharactersOnLines(t *testing.T) {
	b := &bench{t: t}
	c := newHD44780(&board.Display{Columns: 16, Rows: 2, RS: "R", Enable: "E", Data: []string{"4", "5", "6", "7"}},
		b.time, b.report, func() {})
	nibble := func(rs bool, v byte) {
		c.line(lineRS, rs)
		for i := range 4 {
			c.line(0x10<<i, v>>i&1 == 1)
		}
		c.line(lineE, true)
		c.line(lineE, false)
		b.now += 5 * time.Millisecond
	}
	send := func(rs bool, v byte) { nibble(rs, v>>4); nibble(rs, v&15) }
	b.now += time.Second
	for _, v := range []byte{3, 3, 3, 2} {
		nibble(false, v)
	}
	for _, v := range []byte{0x28, 0x0c, 0x06, 0x80} {
		send(false, v)
	}
	send(true, 'A')
	send(false, 0x10) // back
	send(true, 'B')
	if got := c.text()[0][:1]; got != "B" {
		t.Errorf("it says %q", got)
	}
	b.want()
	send(false, 0x18)
	b.want(UnknownCommand)
}

// TestDotSheets: how the other dot controllers differ.
func TestDotSheets(t *testing.T) {
	for _, c := range []struct {
		chip, script string
		want         []Rule
	}{
		{"ssd1309", "00 af", nil}, // its supply is the module's
		{"ssd1309", "00 8d", []Rule{UnknownCommand}},
		{"ssd1309", "00 fd 16; 00 af; 00 fd 12 af", []Rule{UnknownCommand}},
		{"sh1106", "00 af", nil}, // a reset switches its converter on
		{"sh1106", "00 ad 8a af", []Rule{NoSupply}},
		{"sh1106", "00 ad 8b af", nil},
		{"sh1106", "00 ad 8b af ad 8a", []Rule{BadArgument}},
		{"sh1106", "00 20", []Rule{UnknownCommand}},
		{"sh1106", "00 b7 10 04; 40 ff", nil},
		{"sh1106", "00 b0 18 04; 40 ff", []Rule{BadAddress}},
		{"sh1107", "00 ad 81 bf dc 40 af", nil},
		{"sh1107", "00 40", []Rule{UnknownCommand}},
		{"sh1107", "00 18", []Rule{UnknownCommand}},
		{"uc1701", "00 af", []Rule{NoSupply}},
		{"uc1701", "00 2c af", []Rule{NoSupply}},
		{"uc1701", "00 2f fa 93 af", nil},
		{"uc1701", "00 2f af e2 af", []Rule{NoSupply}},
		{"uc1701", "00 a8", []Rule{UnknownCommand}},
		{"st7567", "00 f8 00 2f 23 81 20 a2 af", nil},
		{"st7567", "00 fa", []Rule{UnknownCommand}},
	} {
		b := &bench{t: t}
		chip := newDots(dotSheets[c.chip], &board.Display{Width: 128, Height: 64}, b.time, b.report, func() {})
		for message := range strings.SplitSeq(c.script, ";") {
			chip.message(hexes(t, message), func(int) time.Duration { return b.now })
		}
		if !slices.Equal(b.rules, c.want) {
			t.Errorf("%s, %s: reported %q, want %q", c.chip, c.script, b.rules, c.want)
		}
	}
}

func TestOLEDWalks(t *testing.T) {
	for _, c := range []struct {
		mode  string
		cells [][3]int // page, column, value
	}{
		{"00 20 00 21 02 03 22 01 02", [][3]int{{1, 2, 1}, {1, 3, 2}, {2, 2, 3}, {2, 3, 4}}},
		{"00 20 01 21 02 03 22 01 02", [][3]int{{1, 2, 1}, {2, 2, 2}, {1, 3, 3}, {2, 3, 4}}},
		{"00 20 02 b1 0e 17", [][3]int{{1, 126, 1}, {1, 127, 2}, {1, 0, 3}, {1, 1, 4}}},
	} {
		b := &bench{t: t}
		chip := newDots(dotSheets["ssd1306"], &board.Display{Width: 128, Height: 64}, b.time, b.report, func() {})
		at := func(int) time.Duration { return 0 }
		chip.message(hexes(t, c.mode), at)
		chip.message([]byte{0x40, 1, 2, 3, 4}, at)
		for _, cell := range c.cells {
			if got := chip.ram[cell[0]][cell[1]]; int(got) != cell[2] {
				t.Errorf("%s: page %d column %d holds %d, want %d", c.mode, cell[0], cell[1], got, cell[2])
			}
		}
		b.want()
	}
}

// TestCharacterRules: a script has instructions "i 28", data "d 41", halves "n 30", pauses, and
// pin states "p 05 01".
func TestCharacterRules(t *testing.T) {
	const four = "wait 15ms; n 30; wait 5ms; n 30; wait 1ms; n 30; wait 1ms; n 20; wait 1ms; "
	for _, c := range []struct {
		name, script string
		want         []Rule
	}{
		{"as it should be", four + "i 28; wait 50us; i 01; wait 2ms; i 06; wait 50us; d 41; wait 50us; i 0c", nil},
		{"too early after power-on", "wait 14ms; n 30", []Rule{TooSoon}},
		{"too early after the first", "wait 15ms; n 30; wait 4ms; n 30", []Rule{TooSoon}},
		{"too early after the second", "wait 15ms; n 30; wait 5ms; n 30; wait 90us; n 30", []Rule{TooSoon}},
		{"too early after clear", four + "i 28; wait 50us; i 01; wait 1500us; i 06", []Rule{TooSoon, TooSoon}},
		{"too early after data", four + "i 28; wait 50us; d 41; wait 40us; d 42", []Rule{TooSoon, TooSoon}},
		{"four lines at once", "wait 1s; n 20", []Rule{NoReset}},
		{"data while it has eight lines", "wait 1s; n 30; wait 5ms; p 45 41", []Rule{AddressSetup, BadArgument}},
		{"an instruction while it has eight lines", "wait 1s; n 30; wait 5ms; n 00", []Rule{BadArgument}},
		{"RS with E", four + "i 28; wait 50us; p 45 41", []Rule{AddressSetup}},
		{"no such cell", four + "i 28; wait 50us; i a8", []Rule{BadAddress}},
		{"data for no cell", four + "i 28; wait 50us; i a8; wait 50us; d 41", []Rule{BadAddress, BadAddress}},
		{"a shift", four + "i 28; wait 50us; i 18", []Rule{UnknownCommand}},
	} {
		b := &bench{t: t}
		chip := newHD44780(&board.Display{Columns: 20, Rows: 4}, b.time, b.report, func() {})
		at := func(int) time.Duration { return b.now }
		for step := range strings.SplitSeq(c.script, ";") {
			word, rest, _ := strings.Cut(strings.TrimSpace(step), " ")
			if word == "wait" {
				d, err := time.ParseDuration(rest)
				if err != nil {
					t.Fatal(err)
				}
				b.now += d
				continue
			}
			w := hexes(t, rest)
			rs := byte(0)
			switch word {
			case "p":
				chip.message(w, at)
				continue
			case "n":
				w = w[:1]
			case "d":
				rs = lineRS
				fallthrough
			case "i":
				w = []byte{w[0] & 0xf0, w[0] << 4}
			}
			chip.message([]byte{rs}, at)
			for _, half := range w {
				chip.message([]byte{half | rs | lineE, half | rs}, at)
			}
		}
		if !slices.Equal(b.rules, c.want) {
			t.Errorf("%s: reported %q, want %q", c.name, b.rules, c.want)
		}
	}
}

func TestFrameBufferRules(t *testing.T) {
	b := &bench{t: t}
	f, err := newFrameBuffer(&board.Display{Width: 128, Height: 128, Bits: 16, Device: "/dev/fb0"}, b.report, func() {})
	if err != nil {
		t.Fatal(err)
	}
	defer f.remove() //nolint:errcheck // of a test
	for _, w := range []struct {
		at, n int
	}{{0, 256}, {320, 256}, {0, 258}, {256, 2}, {320 * 128, 2}, {1, 2}, {2, 3}} {
		if _, err := f.WriteAt(make([]byte, w.n), int64(w.at)); err != nil {
			t.Error(err)
		}
	}
	b.want(BadAddress, BadAddress, BadAddress, HalfPixel, HalfPixel)
	f.power(false)
	if _, err := f.WriteAt([]byte{0, 0}, 0); err == nil {
		t.Error("a screen that is not there takes pixels")
	}
}

// TestI2CRules: an unused address is not acknowledged, and i2c-dev has a size limit.
func TestI2CRules(t *testing.T) {
	b := &bench{t: t}
	d := &board.Display{Width: 128, Height: 64}
	p := &i2cPort{bus: bus{name: "I2C1", sleep: func(time.Duration) {}, report: b.report},
		chip: newDots(dotSheets["ssd1306"], d, b.time, b.report, func() {}), address: 0x3c, now: b.time}
	if err := p.Tx(0x3d, []byte{0}, nil); err == nil {
		t.Error("a wrong address is answered")
	}
	if err := p.Tx(0x3c, make([]byte, 8193), nil); err == nil {
		t.Error("i2c-dev took 8193 bytes")
	}
	if err := p.Tx(0x3c, nil, make([]byte, 1)); err == nil {
		t.Error("a display was read")
	}
	b.want(TransferSize)
}

// FuzzSmallChips: the small chips survive any bytes.
func FuzzSmallChips(f *testing.F) {
	f.Add([]byte{0x00, 0x21, 0x00, 0x7f, 0x22, 0, 7}, []byte{0x40, 1, 2, 3})
	f.Add([]byte{0x34, 0x30, 0x34, 0x30}, []byte{0x24, 0x20, 0x84, 0x80})
	f.Fuzz(func(t *testing.T, one, two []byte) {
		b := &bench{t: t}
		at := func(int) time.Duration { return b.now }
		oled := newDots(dotSheets["ssd1306"], &board.Display{Width: 128, Height: 64}, b.time, b.report, func() {})
		text := newHD44780(&board.Display{Columns: 20, Rows: 4}, b.time, b.report, func() {})
		for _, w := range [][]byte{one, two, one} {
			oled.message(w, at)
			text.message(w, at)
		}
		oled.frame()
		text.frame()
		text.text()
	})
}
