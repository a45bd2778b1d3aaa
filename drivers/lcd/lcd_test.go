package lcd_test

import (
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
	"payterm/glass"
	"payterm/hal/haltest"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// golden compares a text with a file of testdata/chips, without its comment.
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

// recorder is a bus that also records pauses.
type recorder struct {
	haltest.Bus
	o lcd.Options
}

// driver makes a driver of a small panel.
func (r *recorder) driver(t *testing.T, reset bool) *lcd.Panel {
	t.Helper()
	if r.o.Width == 0 {
		r.o.Width, r.o.Height = 64, 64
	}
	r.o.Sleep = func(d time.Duration) {
		// The record shows a pause as a line with this name.
		r.Pin(fmt.Sprintf("sleep %s,", d)).Out(false) //nolint:errcheck // a pause does not fail
	}
	pin := r.Pin("reset")
	if !reset {
		pin = nil
	}
	d, err := lcd.NewST7789(lcd.Wires{Conn: r.Conn(), DC: r.Pin("dc"), Reset: pin, Backlight: r.Pin("backlight")}, r.o)
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
		o     lcd.Options
	}{
		{"with a reset line, IPS", true, lcd.Options{Inverted: true}},
		{"without a reset line, rotated by 90, BGR", false, lcd.Options{Rotation: 90, BGR: true}},
		{"rotated by 180, mirrored", true, lcd.Options{Rotation: 180, MirrorX: true}},
		{"rotated by 270, at an offset", true, lcd.Options{Rotation: 270, OffsetX: 80, OffsetY: 1}},
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
	if err := errors.Join(d.Send(img), d.Send(img)); err != nil { // the second has nothing to send
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

// others are the drivers besides the ST7789's, on the smallest glasses.
var others = []struct {
	name, controller string
	reset, i2c       bool
	o                lcd.Options
	first            string // what the first frame ends with
}{
	{"ili9341", "ili9341", true, false, lcd.Options{Width: 64, Height: 64, MirrorX: true, BGR: true},
		"spi 29\nbacklight high\n"},
	{"ssd1306", "ssd1306", true, false, lcd.Options{Width: 128, Height: 64, Contrast: 207}, "spi af\n"},
	{"ssd1306, I2C, rotated by 180", "ssd1306", false, true, lcd.Options{Width: 128, Height: 64, Rotation: 180,
		Contrast: 1},
		"i2c 3c: 00 af\n"},
	{"ssd1306, 64x48 in the middle, inverted", "ssd1306", true, false, lcd.Options{Width: 64, Height: 48, OffsetX: 32,
		Inverted: true, Contrast: 207},
		"spi af\n"},
	{"ssd1306, 128x32, I2C, mirrored", "ssd1306", false, true, lcd.Options{Width: 128, Height: 32, MirrorX: true,
		Contrast: 143},
		"i2c 3c: 00 af\n"},
	{"ili9341, without a reset line, rotated by 270, at an offset", "ili9341", false, false,
		lcd.Options{Width: 64, Height: 64, Rotation: 270, OffsetX: 100, OffsetY: 7, Inverted: true, BGR: true},
		"spi 29\nbacklight high\n"},
	{"ssd1309", "ssd1309", false, true, lcd.Options{Width: 128, Height: 64, Contrast: 207}, "i2c 3c: 00 af\n"},
	{"sh1106", "sh1106", false, true, lcd.Options{Width: 128, Height: 64, OffsetX: 2, Contrast: 207},
		"i2c 3c: 00 af\n"},
	{"sh1107", "sh1107", true, false, lcd.Options{Width: 128, Height: 64, Rotation: 90, OffsetX: 96, Contrast: 79},
		"spi af\n"},
	{"uc1701", "uc1701", true, false, lcd.Options{Width: 128, Height: 64, Contrast: 160}, "spi af\nbacklight high\n"},
	{"st7567", "st7567", false, false, lcd.Options{Width: 128, Height: 64, Contrast: 130}, "spi af\nbacklight high\n"},
	{"ssd1327", "ssd1327", false, true, lcd.Options{Width: 128, Height: 128, Contrast: 128}, "i2c 3c: 00 af\n"},
	{"st7735s", "st7735s", true, false, lcd.Options{Width: 64, Height: 64, OffsetX: 2, OffsetY: 1},
		"spi 29\nbacklight high\n"},
	{"st7796s", "st7796s", true, false, lcd.Options{Width: 64, Height: 64, MirrorX: true, BGR: true},
		"spi 29\nbacklight high\n"},
	{"ili9488", "ili9488", false, false, lcd.Options{Width: 64, Height: 64, Rotation: 90, BGR: true},
		"spi 29\nbacklight high\n"},
	{"hd44780", "hd44780", false, true, lcd.Options{Width: 16, Height: 2}, "backlight high\n"},
	{"fbdev", "fbdev", false, false, lcd.Options{Width: 64, Height: 64}, "backlight high\n"},
}

// memory is a frame buffer that records what is written.
type memory struct{ r *recorder }

func (m memory) WriteAt(b []byte, at int64) (int, error) {
	// The record shows a write as a line with this name.
	return len(b), m.r.Pin(fmt.Sprintf("at %d: %d bytes, %x...,", at, len(b), b[:4])).Out(false)
}

// display makes one of the others with a screen layout.
func (r *recorder) display(t *testing.T, controller string, reset, i2c bool, o lcd.Options) *glass.Display {
	t.Helper()
	o.Sleep = func(d time.Duration) {
		r.Pin(fmt.Sprintf("sleep %s,", d)).Out(false) //nolint:errcheck // a pause does not fail
	}
	w := lcd.Wires{Conn: r.Conn(), DC: r.Pin("dc"), Backlight: r.Pin("backlight")}
	if i2c {
		w.Conn, w.DC = r.I2C(0x3c), nil
	}
	if reset {
		w.Reset = r.Pin("reset")
	}
	if controller == "fbdev" {
		w = lcd.Wires{Backlight: w.Backlight, Frame: lcd.Frame{Memory: memory{r}, Width: 64, Height: 64, Stride: 160,
			Bits: 16, Red: 11, Green: 5}}
	}
	driver, err := lcd.Open(controller, w, o)
	if err != nil {
		t.Fatal(err)
	}
	_, mono := driver.(*lcd.Dots)
	d, err := glass.New(driver, o.Width, o.Height, mono)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestSequences: what each driver sends at first, for a change and for a refresh.
func TestSequences(t *testing.T) {
	for _, c := range others {
		r := &recorder{}
		d := r.display(t, c.controller, c.reset, c.i2c, c.o)
		var all strings.Builder
		for _, step := range []struct {
			name string
			do   func() error
		}{
			{"a refresh before anything does nothing", d.Refresh},
			{"init", d.Init},
			{"first frame", func() error { return d.Show(payterm.Screen{Amount: "¥1"}) }},
			{"the same frame", func() error { return d.Show(payterm.Screen{Amount: "¥1"}) }},
			{"a change", func() error { return d.Show(payterm.Screen{Amount: "¥2"}) }},
			{"refresh", d.Refresh},
		} {
			if err := step.do(); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&all, "== %s\n%s", step.name, r.text())
			r.Clear()
		}
		golden(t, strings.NewReplacer(", ", "_", " ", "_").Replace(c.name)+".txt", all.String())
	}
}

// TestEveryFailure: whichever transfer or line fails, it is an error, and the driver sends all of
// the frame the next time.
func TestEveryFailure(t *testing.T) {
	drivers := append(others, others[0])
	drivers[len(others)].controller = "st7789"
	for _, c := range drivers {
		t.Run(c.controller, func(t *testing.T) {
			white, black := payterm.Screen{Amount: "1"}, payterm.Screen{Amount: "2"}
			reference := &recorder{}
			d := reference.display(t, c.controller, c.reset, c.i2c, c.o)
			if err := errors.Join(d.Init(), d.Show(white)); err != nil {
				t.Fatal(err)
			}
			everyFailure(t, reference.text(), c.first, func(r *recorder) *glass.Display {
				return r.display(t, c.controller, c.reset, c.i2c, c.o)
			}, white, black)
		})
	}
}

func everyFailure(t *testing.T, reference, first string, open func(*recorder) *glass.Display, one,
	other payterm.Screen) {
	broken := errors.New("broken")
	for _, act := range []struct {
		name string
		do   func(d *glass.Display) error
	}{
		{"init", func(d *glass.Display) error { return d.Init() }},
		{"first frame", func(d *glass.Display) error { return errors.Join(d.Init(), d.Show(one)) }},
		{"change", func(d *glass.Display) error { return errors.Join(d.Init(), d.Show(one), d.Show(other)) }},
		{"refresh", func(d *glass.Display) error { return errors.Join(d.Init(), d.Show(one), d.Refresh()) }},
	} {
		for k := 0; ; k++ {
			r := &recorder{}
			d := open(r)
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
				break // there are fewer
			}
			if strings.HasPrefix(hit, "sleep") {
				continue // a pause does not fail
			}
			if !errors.Is(err, broken) {
				t.Errorf("%s, %q fails: %v", act.name, hit, err)
			}
			r.Fail = nil
			r.Clear()
			if err := errors.Join(d.Init(), d.Show(one)); err != nil {
				t.Fatal(err)
			}
			if got := r.text(); got != reference || !strings.HasSuffix(got, first) {
				t.Fatalf("%s, %q failed: afterwards this was sent:\n%s", act.name, hit, got)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	var bus haltest.Bus
	sleep := func(time.Duration) {}
	if _, err := lcd.NewST7789(lcd.Wires{Conn: bus.Conn()},
		lcd.Options{Width: 64, Height: 64, Sleep: sleep}); err == nil {
		t.Error("no D/C line")
	}
	if _, err := lcd.NewST7789(lcd.Wires{Conn: bus.Conn(), DC: bus.Pin("dc")}, lcd.Options{Sleep: sleep}); err == nil {
		t.Error("no glass")
	}
	if _, err := lcd.NewST7789(lcd.Wires{Conn: bus.Conn(), DC: bus.Pin("dc")},
		lcd.Options{Width: 64, Height: 64}); err == nil {
		t.Error("no pauses")
	}
	for name, c := range map[string]struct {
		controller string
		w          lcd.Wires
		o          lcd.Options
	}{
		"no such controller": {"st7735r", lcd.Wires{}, lcd.Options{}},
		"no bus": {"ssd1306", lcd.Wires{}, lcd.Options{Width: 128, Height: 64, Contrast: 1,
			Sleep: sleep}},
		"an OLED of 60 rows": {"ssd1306", lcd.Wires{Conn: bus.I2C(0x3c)}, lcd.Options{Width: 128, Height: 60,
			Contrast: 1, Sleep: sleep}},
		"an OLED beside its RAM": {"ssd1306", lcd.Wires{Conn: bus.I2C(0x3c)}, lcd.Options{Width: 128, Height: 64,
			OffsetX: 5, Contrast: 1, Sleep: sleep}},
		"an OLED on its side": {"ssd1306", lcd.Wires{Conn: bus.I2C(0x3c)}, lcd.Options{Width: 128, Height: 64,
			Rotation: 90, Contrast: 1, Sleep: sleep}},
		"no contrast": {"ssd1306", lcd.Wires{Conn: bus.I2C(0x3c)}, lcd.Options{Width: 128, Height: 64,
			Sleep: sleep}},
		"an OLED without pauses": {"ssd1306", lcd.Wires{Conn: bus.I2C(0x3c)}, lcd.Options{Width: 128, Height: 64,
			Contrast: 1}},
		"no bus for characters": {"hd44780", lcd.Wires{}, lcd.Options{Width: 16, Height: 2, Sleep: sleep}},
		"eight characters": {"hd44780", lcd.Wires{Conn: bus.I2C(0x27)},
			lcd.Options{Width: 8, Height: 2, Sleep: sleep}},
		"characters without pauses": {"hd44780", lcd.Wires{Conn: bus.I2C(0x27)}, lcd.Options{Width: 16, Height: 2}},
		"no frame buffer":           {"fbdev", lcd.Wires{}, lcd.Options{Width: 64, Height: 64}},
		"a pixel of 24 bits": {"fbdev",
			lcd.Wires{Frame: lcd.Frame{Memory: memory{}, Width: 64, Height: 64, Bits: 24}},
			lcd.Options{Width: 64, Height: 64}},
		"a screen of another size": {"fbdev",
			lcd.Wires{Frame: lcd.Frame{Memory: memory{}, Width: 64, Height: 128, Bits: 16}},
			lcd.Options{Width: 64, Height: 128, Rotation: 90}},
	} {
		if d, err := lcd.Open(c.controller, c.w, c.o); err == nil || d != nil {
			t.Errorf("%s: %v, %v", name, d, err)
		}
	}
	d := (&recorder{}).driver(t, true)
	if err := d.Send(image.NewRGBA(image.Rect(0, 0, 64, 65))); err == nil {
		t.Error("an image of another size")
	}
}
