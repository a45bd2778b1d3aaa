package lcd_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/drivers/lcd"
	"payterm/hal/haltest"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// golden holds a text against a file of testdata/chips, below its comment.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("..", "..", "testdata", "chips", name)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	comment, want, _ := strings.Cut(string(text), "\n\n")
	if *rewrite {
		if err := os.WriteFile(path, []byte(comment+"\n\n"+got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("%s: got\n%s", name, got)
	}
}

// recorder is a bus that writes pauses down as well, in their place.
type recorder struct {
	haltest.Bus
	o lcd.ST7789Options
}

// driver makes a driver of a small panel.
func (r *recorder) driver(t *testing.T, reset bool) *lcd.ST7789 {
	t.Helper()
	if r.o.Width == 0 {
		r.o.Width, r.o.Height = 64, 64
	}
	r.o.Sleep = func(d time.Duration) {
		// A line of that name is the way into the bus's record.
		r.Pin(fmt.Sprintf("sleep %s,", d)).Out(false) //nolint:errcheck // a pause does not fail
	}
	pin := r.Pin("reset")
	if !reset {
		pin = nil
	}
	d, err := lcd.NewST7789(r.Conn(), r.Pin("dc"), pin, r.Pin("backlight"), r.o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (r *recorder) text() string { return strings.ReplaceAll(r.String(), ", low", "") }

// plain is an image of one colour.
func plain(c color.Color) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 * 64 {
		img.Set(i%64, i/64, c)
	}
	return img
}

func TestInitSequence(t *testing.T) {
	var all strings.Builder
	for _, c := range []struct {
		name  string
		reset bool
		o     lcd.ST7789Options
	}{
		{"with a reset line, IPS", true, lcd.ST7789Options{Inverted: true}},
		{"without a reset line, rotated by 90, BGR", false, lcd.ST7789Options{Rotation: 90, BGR: true}},
		{"rotated by 180, mirrored", true, lcd.ST7789Options{Rotation: 180, MirrorX: true}},
		{"rotated by 270, at an offset", true, lcd.ST7789Options{Rotation: 270, OffsetX: 80, OffsetY: 1}},
	} {
		r := &recorder{o: c.o}
		d := r.driver(t, c.reset)
		if err := d.Init(); err != nil {
			t.Fatal(err)
		}
		if err := d.Send(plain(color.White)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "== %s\n%s", c.name, r.text())
	}
	r := &recorder{}
	d := r.driver(t, true)
	if err := errors.Join(d.Refresh(), d.Init(), d.Refresh()); err != nil {
		t.Fatal(err)
	}
	img := plain(color.White)
	if err := d.Send(img); err != nil {
		t.Fatal(err)
	}
	r.Clear()
	img.Set(3, 5, color.Black)
	img.Set(4, 6, color.Black)
	img.Set(60, 40, color.Black)
	if err := errors.Join(d.Send(img), d.Send(img)); err != nil { // the second finds nothing to do
		t.Fatal(err)
	}
	fmt.Fprintf(&all, "== three pixels change\n%s", r.text())
	r.Clear()
	if err := d.Refresh(); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&all, "== a refresh\n%s", r.text())
	golden(t, "st7789.txt", all.String())
}

// Whatever transfer or line fails: the error says so, and the driver sends all of
// it once it can again.
func TestEveryFailure(t *testing.T) {
	broken := errors.New("broken")
	for _, act := range []struct {
		name string
		do   func(d *lcd.ST7789) error
	}{
		{"init", func(d *lcd.ST7789) error { return d.Init() }},
		{"first frame", func(d *lcd.ST7789) error { return errors.Join(d.Init(), d.Send(plain(color.Black))) }},
		{"change", func(d *lcd.ST7789) error {
			return errors.Join(d.Init(), d.Send(plain(color.Black)), d.Send(plain(color.White)))
		}},
		{"refresh", func(d *lcd.ST7789) error { return errors.Join(d.Init(), d.Send(plain(color.White)), d.Refresh()) }},
	} {
		for k := 0; ; k++ {
			r := &recorder{}
			d := r.driver(t, true)
			n, hit := 0, ""
			r.Fail = func(what string) error {
				if n++; n-1 == k {
					hit = what
					return broken
				}
				return nil
			}
			err := act.do(d)
			if hit == "" {
				break // there is no k-th
			}
			if strings.HasPrefix(hit, "sleep") {
				continue // a pause does not fail
			}
			if !errors.Is(err, broken) {
				t.Errorf("%s, %q fails: %v", act.name, hit, err)
			}
			r.Fail = nil
			r.Clear()
			if err := errors.Join(d.Init(), d.Send(plain(color.White))); err != nil {
				t.Fatal(err)
			}
			if got := r.text(); !strings.Contains(got, "spi 4096 bytes") || !strings.HasSuffix(got, "spi 29\nbacklight high\n") {
				t.Fatalf("%s, %q failed: afterwards only this was sent:\n%s", act.name, hit, got)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	var bus haltest.Bus
	sleep := func(time.Duration) {}
	if _, err := lcd.NewST7789(bus.Conn(), nil, nil, nil, lcd.ST7789Options{Width: 64, Height: 64, Sleep: sleep}); err == nil {
		t.Error("no D/C line")
	}
	if _, err := lcd.NewST7789(bus.Conn(), bus.Pin("dc"), nil, nil, lcd.ST7789Options{Sleep: sleep}); err == nil {
		t.Error("no glass")
	}
	if _, err := lcd.NewST7789(bus.Conn(), bus.Pin("dc"), nil, nil, lcd.ST7789Options{Width: 64, Height: 64}); err == nil {
		t.Error("no pauses")
	}
	d := (&recorder{}).driver(t, true)
	if err := d.Send(image.NewRGBA(image.Rect(0, 0, 64, 65))); err == nil {
		t.Error("an image of another size")
	}
}

func TestPainterEdges(t *testing.T) {
	word := strings.Repeat("W", 60)
	keys := []payterm.KeyHint{{Key: "ENTER", Does: "Pay"}, {Key: "CANCEL", Does: "Stop"}, {Key: "F1", Does: "More"}, {Key: "CLEAR", Does: "Back"}}
	for _, c := range []struct {
		name string
		s    payterm.Screen
		want error
	}{
		{"nothing", payterm.Screen{}, nil},
		{"a blank line", payterm.Screen{Lines: []string{"", " "}}, nil},
		{"a sign that the font lacks", payterm.Screen{Title: "\U0001F600 \x01"}, nil},
		{"all of it", payterm.Screen{Title: "Amount", Status: "12:34", Amount: "$1,234,567.89", Lines: []string{"Please", "wait"},
			Elapsed: "0:42", Small: "T1AAAAA000001", Keys: keys, Watermark: "SIMULATION", Tone: payterm.Doubt}, nil},
		{"a title too long", payterm.Screen{Title: word}, lcd.ErrDoesNotFit},
		{"a status that leaves the title no room", payterm.Screen{Title: "Amount", Status: word}, lcd.ErrDoesNotFit},
		{"a status alone that is wider than the glass", payterm.Screen{Status: word}, lcd.ErrDoesNotFit},
		{"an amount too long", payterm.Screen{Amount: word}, lcd.ErrDoesNotFit},
		{"a word too long", payterm.Screen{Lines: []string{word}}, lcd.ErrDoesNotFit},
		{"too many lines", payterm.Screen{Lines: strings.Split(strings.Repeat("word ", 40), " ")}, lcd.ErrDoesNotFit},
		{"Chinese lines", payterm.Screen{Title: "付款成功", Lines: []string{strings.Repeat("请看顾客钱包里的记录，", 4)}}, nil},
		{"a Chinese status that leaves the title no room", payterm.Screen{Title: "付款成功", Status: strings.Repeat("离线", 8)}, lcd.ErrDoesNotFit},
		{"a sign too high for its line", payterm.Screen{QR: "x", Small: "订单 T1AAAAA000001", Keys: []payterm.KeyHint{{Key: "CANCEL", Does: "取消"}}}, lcd.ErrDoesNotFit},
		{"a QR code", payterm.Screen{QR: "https://example.com/x", Amount: "$1.00", Elapsed: "0:01", Watermark: "TRAINING"}, nil},
		{"a QR code too dense", payterm.Screen{QR: strings.Repeat("x", 1000)}, lcd.ErrQRTooSmall},
		{"an amount beside the mark too long", payterm.Screen{QR: "x", Amount: word}, lcd.ErrDoesNotFit},
		{"a mark too long", payterm.Screen{QR: "x", Watermark: word}, lcd.ErrDoesNotFit},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := lcd.NewPainter(240, 320)
			if err != nil {
				t.Fatal(err)
			}
			img, err := p.Paint(c.s)
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("error %v, want %v", err, c.want)
			}
			again, err2 := p.Paint(c.s) // nothing of the screen before is left
			if img == nil || !bytes.Equal(img.Pix, again.Pix) || fmt.Sprint(err) != fmt.Sprint(err2) {
				t.Errorf("painted again it is another: %v, %v", err, err2)
			}
		})
	}
	if p, err := lcd.NewPainter(240, 320); err != nil {
		t.Fatal(err)
	} else if _, err := p.Paint(payterm.Screen{QR: strings.Repeat("x", 5000)}); err == nil {
		t.Error("a QR code of 5000 characters")
	}
}

// Nothing that a screen says makes the painter fall over, on any glass.
func FuzzPaint(f *testing.F) {
	f.Add("title", "status", "$1.00", "line\nline", "x", "0:01", "ENTER", uint8(0), uint8(2))
	f.Fuzz(func(t *testing.T, title, status, amount, lines, qr, elapsed, does string, size, tone uint8) {
		p, err := lcd.NewPainter(64+int(size), 64+int(size)/2)
		if err != nil {
			t.Fatal(err)
		}
		s := payterm.Screen{Title: title, Status: status, Amount: amount, Lines: strings.Split(lines, "\n"), QR: qr, Elapsed: elapsed,
			Keys: []payterm.KeyHint{{Key: payterm.KeyEnter, Does: does}}, Tone: payterm.Tone(tone % 5)}
		if img, _ := p.Paint(s); img == nil {
			t.Error("no image")
		}
	})
}
