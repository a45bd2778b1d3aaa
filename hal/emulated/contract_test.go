package emulated_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/glass"
	"payterm/hal/emulated"
	"payterm/screen"
)

// The contract of all displays, tested for each driver on its chip.

// glasses are boards that differ in their display.
var glasses = []struct{ name, display string }{
	{"st7789", `controller = "st7789"
spi = "SPI0.0"
dc = "L:25"
reset = "L:27"
backlight = "L:18"
width = 240
height = 320
inverted = true`},
	{"ili9341", `controller = "ili9341"
spi = "SPI0.0"
dc = "L:25"
reset = "L:27"
backlight = "L:18"
width = 320
height = 240
rotation = 90
mirror_x = true
bgr = true`},
	{"ili9341 without a reset line", `controller = "ili9341"
spi = "SPI0.0"
dc = "L:25"
width = 240
height = 320`},
	{"st7735s of 128x160", `controller = "st7735s"
spi = "SPI0.0"
dc = "L:25"
reset = "L:27"
backlight = "L:18"
width = 128
height = 160
offset_x = 2
offset_y = 1`},
	{"st7735s of 160x80, in the middle", `controller = "st7735s"
spi = "SPI0.0"
dc = "L:25"
reset = "L:27"
width = 160
height = 80
rotation = 90
offset_x = 1
offset_y = 26
inverted = true
bgr = true`},
	{"st7796s", `controller = "st7796s"
spi = "SPI0.0"
dc = "L:25"
reset = "L:27"
backlight = "L:18"
width = 320
height = 480
mirror_x = true
bgr = true`},
	{"ili9488", `controller = "ili9488"
spi = "SPI0.0"
dc = "L:25"
reset = "L:27"
width = 480
height = 320
rotation = 90
bgr = true`},
	{"ssd1306 on I2C", `controller = "ssd1306"
i2c = "I2C1"
width = 128
height = 64`},
	{"ssd1306 on SPI", `controller = "ssd1306"
spi = "SPI0.0"
dc = "L:25"
reset = "L:27"
width = 128
height = 64
rotation = 180
contrast = 255`},
	{"ssd1306 of 128x32, inverted", `controller = "ssd1306"
i2c = "I2C1"
width = 128
height = 32
inverted = true
contrast = 1`},
	{"ssd1306 of 64x48, in the middle", `controller = "ssd1306"
i2c = "I2C1"
address = 0x3d
width = 64
height = 48
offset_x = 32`},
	{"ssd1309", `controller = "ssd1309"
i2c = "I2C1"
reset = "L:27"
width = 128
height = 64`},
	{"sh1106", `controller = "sh1106"
i2c = "I2C1"
width = 128
height = 64
offset_x = 2`},
	{"sh1106 on SPI, turned", `controller = "sh1106"
spi = "SPI0.0"
dc = "L:25"
reset = "L:27"
width = 128
height = 64
offset_x = 2
rotation = 180`},
	{"sh1107 of 64x128, lying", `controller = "sh1107"
i2c = "I2C1"
width = 128
height = 64
rotation = 90
offset_x = 96`},
	{"sh1107 of 128x128", `controller = "sh1107"
spi = "SPI0.0"
dc = "L:25"
width = 128
height = 128`},
	{"uc1701", `controller = "uc1701"
spi = "SPI0.0"
dc = "L:25"
reset = "L:27"
backlight = "L:18"
width = 128
height = 64`},
	{"st7567 that is lit from behind, dark on light", `controller = "st7567"
spi = "SPI0.0"
dc = "L:25"
width = 128
height = 64
inverted = true
rotation = 180
offset_x = 4`},
	{"ssd1327 on I2C", `controller = "ssd1327"
i2c = "I2C1"
width = 128
height = 128
contrast = 255`},
	{"ssd1327 on SPI, turned, inverted", `controller = "ssd1327"
spi = "SPI0.0"
dc = "L:25"
reset = "L:27"
width = 128
height = 128
rotation = 180
inverted = true
contrast = 255`},
	{"ssd1306 of 132 columns", `controller = "ssd1306"
spi = "SPI0.0"
dc = "L:25"
width = 128
height = 64
offset_x = 2`},
	{"ssd1306 wired in sequence", `controller = "ssd1306"
i2c = "I2C1"
width = 128
height = 64
com_pins = "sequential"`},
	{"ssd1306 of 32 rows wired alternately, from the other side", `controller = "ssd1306"
i2c = "I2C1"
max_transfer = 32
width = 128
height = 32
com_pins = "alternative_remap"`},
	{"st7789 without a chip select", `controller = "st7789"
spi = "SPI0.0"
spi_mode = 3
max_transfer = 64
dc = "L:25"
reset = "L:27"
backlight = "L:18"
backlight_active_low = true
width = 240
height = 240
inverted = true`},
	{"st7789 of 135x240, in the middle", `controller = "st7789"
spi = "SPI0.0"
dc = "L:25"
width = 240
height = 135
rotation = 90
offset_x = 40
offset_y = 53
inverted = true`},
	{"st7789 of 170x320", `controller = "st7789"
spi = "SPI0.0"
dc = "L:25"
width = 170
height = 320
offset_x = 35`},
	{"hd44780 20x4", `controller = "hd44780"
i2c = "I2C1"
columns = 20
rows = 4`},
	{"hd44780 16x2", `controller = "hd44780"
i2c = "I2C1"
address = 0x3f
backlight = "L:18"
columns = 16
rows = 2`},
	{"hd44780 20x4 on lines", `controller = "hd44780"
rs = "L:25"
enable = "L:24"
data = ["L:23", "L:22", "L:27", "L:18"]
columns = 20
rows = 4`},
	{"hd44780 16x2 on lines, with a light", `controller = "hd44780"
rs = "L:25"
enable = "L:24"
data = ["L:23", "L:22", "L:27", "L:18"]
backlight = "L:4"
columns = 16
rows = 2`},
	{"fbdev of 16 bits", `controller = "fbdev"
device = "/dev/fb0"
bits = 16
backlight = "L:18"
width = 320
height = 240`},
	{"fbdev of 32 bits, turned", `controller = "fbdev"
device = "/dev/fb0"
bits = 32
width = 480
height = 800
rotation = 90
mirror_x = true`},
}

// newGlass is a board with one display; violations fail the test.
func newGlass(t testing.TB, display string, scale float64) (*emulated.Board, *board.Board) {
	t.Helper()
	p, err := board.ReadProfile("glass.toml", []byte("board = \"glass\"\n[display]\n"+display))
	if err != nil {
		t.Fatal(err)
	}
	return newBoardOf(t, scale, func(whole *board.Profile) { *whole = p })
}

var aCode = payterm.Screen{
	Name: "show_code", Tone: payterm.Busy, Title: "Alipay: please scan", Amount: "$12.34", Elapsed: "0:01",
	Watermark: "SIMULATION",
	QR:        "https://qr.alipay.com/bax00000example", Small: "Order T1AAAAA000001",
	Keys: []payterm.KeyHint{{Key: payterm.KeyCancel, Does: "cancel"}},
}

// show shows a screen; a glass that is too small for a QR code is no failure here.
func show(t testing.TB, d *glass.Display, s payterm.Screen) {
	t.Helper()
	if err := d.Show(s); err != nil && (s.QR == "" || d.CanShow(s.QR) || !errors.Is(err, glass.ErrQRTooSmall)) {
		t.Fatal(err)
	}
}

func TestDisplayContract(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("each", func(t *testing.T) {
		for _, g := range glasses {
			t.Run(g.name, func(t *testing.T) { t.Parallel(); displayContract(t, g.display) })
		}
	})
	for end := time.Now().Add(2 * time.Second); runtime.NumGoroutine() > before &&
		time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	if now := runtime.NumGoroutine(); now > before {
		t.Errorf("%d goroutines before, %d now", before, now)
	}
}

// displayContract tests one display.
func displayContract(t *testing.T, display string) {
	e, b := newGlass(t, display, 1000)
	d := newDisplay(t, e, b)
	screens := []payterm.Screen{waiting("0:41"), aCode, amount("$12.34"), changes[2].to, waiting("0:42"),
		{Name: "blank"}}

	// The reference: each screen on a glass that has shown nothing else.
	want := map[string]*image.RGBA{}
	for _, s := range screens {
		fresh, wires := newGlass(t, display, 1e6)
		f := newDisplay(t, fresh, wires)
		if unlike(fresh.Frame(), darkness(fresh.Frame())) {
			t.Error("it shines before the first frame")
		}
		show(t, f, s)
		want[s.Name+s.Elapsed] = fresh.Frame()
	}
	holds := func(s payterm.Screen, when string) {
		t.Helper()
		if unlike(e.Frame(), want[s.Name+s.Elapsed]) {
			t.Errorf("%s the glass does not show %s", when, s.Name)
		}
	}

	for _, s := range append(screens, screens...) {
		show(t, d, s)
		holds(s, "after others")
	}

	// An unchanged frame sends nothing, a small change little.
	sent := func(s payterm.Screen) int {
		was := e.Bus().Bytes
		show(t, d, s)
		return e.Bus().Bytes - was
	}
	whole := func() int {
		was := e.Bus().Bytes
		if err := d.Refresh(); err != nil {
			t.Fatal(err)
		}
		return e.Bus().Bytes - was
	}()
	show(t, d, waiting("0:41"))
	if n := sent(waiting("0:41")); n != 0 {
		t.Errorf("the same frame cost %d bytes", n)
	}
	if n := sent(waiting("0:42")); n == 0 || n > whole/4 {
		t.Errorf("a second that passes cost %d bytes of %d", n, whole)
	}
	holds(waiting("0:42"), "after a second")
	if err := d.Refresh(); err != nil {
		t.Fatal(err)
	}
	holds(waiting("0:42"), "after a refresh")

	// The supply dips without the driver noticing.
	if err := e.BrownOut(); err != nil {
		t.Fatal(err)
	}
	if !unlike(e.Frame(), want["waiting0:42"]) {
		t.Error("a brown-out leaves the frame")
	}
	e.Sleep(120 * time.Millisecond)
	if err := d.Refresh(); err != nil {
		t.Fatal(err)
	}
	holds(waiting("0:42"), "after a brown-out")

	// The cable is pulled and plugged in.
	if err := errors.Join(e.Unplug("display")); err != nil {
		t.Fatal(err)
	}
	d.Show(amount("$1.00")) //nolint:errcheck // a bus without acknowledgement may not notice
	if err := e.Plug("display"); err != nil {
		t.Fatal(err)
	}
	e.Sleep(120 * time.Millisecond)
	if err := d.Init(); err != nil {
		t.Fatal(err)
	}
	show(t, d, waiting("0:42"))
	holds(waiting("0:42"), "after it was pulled")

	// A transfer is interrupted.
	if err := e.CutTransfers(0, 1); err != nil {
		t.Fatal(err)
	}
	if err := d.Show(amount("$12.34")); err == nil {
		t.Error("a transfer that broke off is no error")
	}
	if err := d.Init(); err != nil {
		t.Fatal(err)
	}
	show(t, d, amount("$12.34"))
	holds(amount("$12.34"), "after a transfer that broke off")
}

// TestEveryTransferBreaksOff: the first transfer is interrupted, then the second, and so on to
// the last. Each time the driver returns an error, and after its next full refresh the glass is
// right and no chip has got half a command.
func TestEveryTransferBreaksOff(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine only, and long with the race detector")
	}
	t.Parallel()
	for _, g := range glasses {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			e, b := newGlass(t, g.display, 1e6)
			d := newDisplay(t, e, b)
			want := map[string]*image.RGBA{}
			for _, s := range []payterm.Screen{waiting("0:41"), waiting("0:42")} {
				show(t, d, s)
				want[s.Elapsed] = e.Frame()
			}
			steps := 1 // the hundreds of pieces of a frame are alike
			if strings.Contains(g.display, "max_transfer = 64") {
				steps = 371
			}
			if strings.Contains(g.display, "fbdev") || strings.Contains(g.display, "= 480") ||
				strings.Contains(g.display, "data =") {
				steps = 37
			}
			for _, act := range []struct {
				name string
				do   func() error
			}{
				{"a second", func() error { return d.Show(waiting("0:42")) }},
				{"a refresh", d.Refresh},
				{"init and a frame", func() error {
					if err := d.Init(); err != nil {
						return err
					}
					return d.Show(waiting("0:42"))
				}},
			} {
				k := 0
				for ; ; k += steps {
					show(t, d, waiting("0:41"))
					if err := e.CutTransfers(k, 1); err != nil {
						t.Fatal(err)
					}
					was := e.Bus().Transfers
					if err := act.do(); e.Bus().Transfers-was <= k {
						break // there are fewer transfers
					} else if err == nil {
						t.Errorf("%s: transfer %d broke off, which is no error", act.name, k)
					}
					if err := e.CutTransfers(0, 0); err != nil {
						t.Fatal(err)
					}
					if err := d.Init(); err != nil {
						t.Fatal(err)
					}
					show(t, d, waiting("0:42"))
					if unlike(e.Frame(), want["0:42"]) {
						t.Errorf("%s: after transfer %d broke off the glass is wrong", act.name, k)
					}
				}
				if k == 0 {
					t.Errorf("%s sent nothing", act.name)
				}
				if err := e.CutTransfers(0, 0); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// unlike reports whether two frames differ in any pixel.
func unlike(a, b *image.RGBA) bool { return a.Rect != b.Rect || !bytes.Equal(a.Pix, b.Pix) }

// darkness is a frame in the colour of like's first pixel.
func darkness(like *image.RGBA) *image.RGBA {
	img := image.NewRGBA(like.Rect)
	for i := range img.Pix {
		img.Pix[i] = like.Pix[i%4]
	}
	return img
}

// ofGreys reports whether a display is an OLED with grey levels, at full contrast.
func ofGreys(display string) bool { return strings.Contains(display, "ssd1327") }

// greyed is what a glass of 16 greys makes of a picture; others leave it.
func greyed(img *image.RGBA, display string) *image.RGBA {
	if !ofGreys(display) {
		return img
	}
	out := image.NewRGBA(img.Rect)
	for i := 0; i < len(img.Pix); i += 4 {
		v := uint8((2*int(img.Pix[i])+5*int(img.Pix[i+1])+int(img.Pix[i+2]))/8>>4) * 17
		copy(out.Pix[i:], []byte{v, v, v, 0xff})
	}
	return out
}

// ofDots reports whether a display has two colours.
func ofDots(display string) bool {
	p, err := board.ReadProfile("glass.toml", []byte("board = \"glass\"\n[display]\n"+display))
	return err == nil && p.Display.Shows() == board.TwoColours
}

// TestEveryPixel: each pixel of the driver's image is where a person sees it, for every mounting
// of the glass.
func TestEveryPixel(t *testing.T) {
	t.Parallel()
	for _, g := range glasses {
		if strings.Contains(g.display, "hd44780") {
			continue // of characters
		}
		turns := []string{""}
		switch {
		case strings.Contains(g.display, "sh1107") && strings.Contains(g.display, "rotation"):
			turns = []string{"", "rotation = 180", "rotation = 270", "rotation = 0\nmirror_y = true"}
		case ofDots(g.display), ofGreys(g.display):
			turns = []string{"", "rotation = 180", "mirror_x = true", "mirror_y = true\nrotation = 180"}
		case strings.Contains(g.display, "rotation"):
			turns = []string{"", "rotation = 180", "rotation = 270", "rotation = 0"}
		}
		for _, turn := range turns {
			display := g.display
			if turn != "" {
				lines := slices.DeleteFunc(strings.Split(display, "\n"),
					func(l string) bool { return strings.HasPrefix(l, "rotation") })
				if r := strings.Contains(turn, "180") || strings.Contains(turn, "rotation = 0"); r &&
					strings.Contains(g.display, "rotation = 90") {
					display = strings.NewReplacer("width", "height", "height", "width", "offset_x", "offset_y",
						"offset_y", "offset_x").Replace(strings.Join(lines,
						"\n"))
				} else {
					display = strings.Join(lines, "\n")
				}
				display += "\n" + turn
			}
			e, b := newGlass(t, display, 1e6)
			d, ok := newDisplay(t, e, b).Driver.(glass.Pixels)
			if !ok {
				t.Fatalf("%s takes no images", g.name)
			}
			mono := ofDots(display)
			img := image.NewRGBA(e.Frame().Rect)
			paint := func(x, y, seed int) {
				c := color.RGBA{uint8(x*8 + seed), uint8(y*4 + seed), uint8((x>>5)<<3 ^ y), 0xff}
				if mono {
					v := uint8(0xff * ((x*x ^ y*3 + x/7 + seed) & 1))
					c = color.RGBA{v, v, v, 0xff}
				}
				img.SetRGBA(x, y, c)
			}
			for y := range img.Rect.Dy() {
				for x := range img.Rect.Dx() {
					paint(x, y, 0)
				}
			}
			for round := range 3 {
				if err := d.Send(img); err != nil {
					t.Fatal(err)
				}
				if n := wrongPixels(greyed(img, display), e.Frame(), mono); n != 0 {
					t.Errorf("%s, %q: %d pixels are wrong in round %d", g.name, turn, n, round)
				}
				for i := range 40 {
					paint(20+i, 10+i, 100*round+17)
					paint(90-i, 40, 50*round+9)
				}
			}
		}
	}
}

func wrongPixels(want, got *image.RGBA, mono bool) int {
	if !mono {
		return differ(want, got)
	}
	n := 0
	for i := 0; i < len(want.Pix); i += 4 {
		if (want.Pix[i] >= 0x80) != (got.Pix[i] >= 0x50) {
			n++
		}
	}
	return n
}

// TestNothingIsCut: a character display shows all words of a screen, over its pages.
func TestNothingIsCut(t *testing.T) {
	long := payterm.Screen{
		Name: "warning", Tone: payterm.Doubt, Title: "Paid already?", Amount: "$1234.56", Status: "offline",
		Watermark: "SIMULATION",
		Lines:     []string{"A payment of this amount is still in doubt.", "Charge the customer again?"},
		Small:     "Order TERM01AAAAA000001",
		Keys:      []payterm.KeyHint{{Key: payterm.KeyCancel, Does: "stop"}, {Key: payterm.KeyEnter, Does: "charge"}},
	}
	for _, g := range glasses {
		if !strings.Contains(g.display, "hd44780") {
			continue
		}
		e, b := newGlass(t, g.display, 1000)
		d := newDisplay(t, e, b)
		for _, s := range []payterm.Screen{long, aCode, waiting("0:41"), amount("€12.34"), changes[2].to} {
			show(t, d, s)
			seen, pages := "", 0
			var told []string
			first := e.Text()
			for {
				rows := e.Text()
				if !strings.Contains(strings.Join(rows, " "), s.Watermark) {
					t.Errorf("%s, %s: a page without its mark: %q", g.name, s.Name, rows)
				}
				for _, row := range rows { // a long word continues in the next row
					if row = strings.ReplaceAll(row, " ", ""); !slices.Contains(told, row) {
						seen += row
						told = append(told, row)
					}
				}
				if err := d.Turn(); err != nil {
					t.Fatal(err)
				}
				if pages++; slices.Equal(e.Text(), first) || pages > 20 {
					break
				}
			}
			words := strings.Fields(strings.Join(append(s.Lines, s.Title, s.Small, s.Status, s.Elapsed,
				s.Amount), " "))
			for _, k := range s.Keys {
				words = append(words, string(k.Key), k.Does)
			}
			for _, w := range words {
				if !strings.Contains(seen, w) {
					t.Errorf("%s, %s: %q is on none of %d pages: %q", g.name, s.Name, w, pages, seen)
				}
			}
		}
	}
}

// codes have as many bytes as code_url has, from the shortest to the longest.
func codes() (all []string) {
	for _, n := range []int{20, 32, 37, 53, 54, 78, 90, 106, 120} {
		all = append(all, ("https://qr.alipay.com/" + strings.Repeat("aZ3_", 30))[:n])
	}
	return all
}

// TestZbarReadsEveryGlass: either a QR code is on the glass with modules of at least two pixels,
// and an independent reader (zbar) reads it at the glass's resolution with a dark case around it;
// or the driver says that it is not shown, and zbar finds none.
func TestZbarReadsEveryGlass(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("one goroutine only, and long with the race detector")
	}
	shown := map[string]int{}
	sizes := map[image.Point]bool{} // of a size that was tried the other glasses show a short, a middle and a long one
	for _, g := range glasses {
		e, b := newGlass(t, g.display, 1e6)
		d := newDisplay(t, e, b)
		tried, size := codes(), e.Frame().Rect.Size()
		if sizes[size] {
			tried = []string{tried[1], tried[3], tried[7]}
		}
		sizes[size] = true
		for _, code := range tried {
			s := aCode
			s.QR = code
			err := d.Show(s)
			if can := d.CanShow(code); can != (err == nil) || !can && !errors.Is(err, glass.ErrQRTooSmall) {
				t.Errorf("%s, %d bytes: it can show it: %v, and: %v", g.name, len(code), can, err)
			}
			var want []string
			frame := e.Frame()
			switch px := module(frame); {
			case err == nil:
				want = []string{"QR-Code:" + code}
				shown[g.name]++
				if px < 2 {
					t.Errorf("%s, %d bytes: modules of %d pixels", g.name, len(code), px)
				}
			case px != 0 && !strings.Contains(g.display, "hd44780"):
				t.Errorf("%s, %d bytes: a code of %d pixels a module is on a glass that does not show it", g.name,
					len(code), px)
			}
			if got := zbar(t, cased(frame)); !slices.Equal(got, want) {
				t.Errorf("%s, %d bytes: zbar reads %q, want %q", g.name, len(code), got, want)
			}
		}
		if n := shown[g.name]; strings.Contains(g.display, "hd44780") && n != 0 {
			t.Errorf("%s shows %d codes in characters", g.name, n)
		}
	}
	// Which codes fit: a large glass shows all of them, 128x64 up to version 3 (53 bytes), and a
	// lower one none.
	for name, want := range map[string]int{"st7789": 9, "ssd1306 on I2C": 4, "ssd1306 of 128x32, inverted": 0,
		"ssd1306 of 64x48, in the middle": 0} {
		if shown[name] != want {
			t.Errorf("%s shows %d of %d codes, want %d", name, shown[name], len(codes()), want)
		}
	}
}

// module finds the finder pattern of a QR code, dark and light as 1:1:3:1:1, and returns the
// pixels of a module; 0 if there is none.
func module(img *image.RGBA) int {
	dark := func(x, y int) bool { return img.Pix[img.PixOffset(x, y)+1] < 0x50 }
	for y := range img.Rect.Dy() {
		var runs []int // lengths of the last five runs of dark and light
		for x := range img.Rect.Dx() {
			switch {
			case x == 0 || dark(x, y) != dark(x-1, y):
				runs = append(runs, 1)
			default:
				runs[len(runs)-1]++
			}
			if n := len(runs); n > 5 && runs[n-1] == 1 && !dark(x, y) {
				if r, px := runs[n-6:n-1], runs[n-6]; r[1] == px && r[2] == 3*px && r[3] == px && r[4] == px &&
					finder(img, dark, x-7*px, y, px) {
					return px
				}
			}
		}
	}
	return 0
}

// finder reports whether the column through the middle of such a row has the pattern too.
func finder(img *image.RGBA, dark func(x, y int) bool, x, y, px int) bool {
	middle := x + 3*px
	for dy := -px / 2; dy <= 2*px; dy++ { // the row may be any of the middle three
		top := y - 2*px - dy
		fits := top >= 0 && top+7*px <= img.Rect.Dy()
		for i := 0; fits && i < 7*px; i++ {
			fits = dark(middle, top+i) == ([]bool{true, false, true, true, true, false, true}[i/px])
		}
		if fits {
			return true
		}
	}
	return false
}

// TestZbarReadsTheCodeSlip: a code that is printed instead is read there, and the slip has the
// time at which it ends.
func TestZbarReadsTheCodeSlip(t *testing.T) {
	t.Parallel()
	for _, code := range codes() {
		e, b := newBoardOf(t, 500, func(p *board.Profile) { p.Printer.Baud = 115200 })
		o := payterm.Order{ID: "T1AAAAA000001", Wallet: payterm.Alipay, AmountMinor: 1234, Currency: "CAD"}
		slip := screen.CodeSlip(o, code, time.Date(2026, 3, 2, 14, 5, 7, 0, time.UTC), screen.Options{Language: "en"})
		img := printed(t, e, b, 32, slip.Lines[:len(slip.Lines)-1])
		if got := zbar(t, img); !slices.Equal(got, []string{"QR-Code:" + code}) {
			t.Errorf("%d bytes: zbar reads %q", len(code), got)
		}
		if _, words := e.Paper(); !strings.Contains(words, "14:05:07") {
			t.Errorf("no end on the slip: %s", words)
		}
	}
}

// cased adds the dark edge of a case to a glass.
func cased(img *image.RGBA) *image.RGBA {
	out := image.NewRGBA(img.Rect.Inset(-20))
	for i := 3; i < len(out.Pix); i += 4 {
		out.Pix[i] = 0xff
	}
	for y := range img.Rect.Dy() {
		copy(out.Pix[out.PixOffset(0, y):], img.Pix[img.PixOffset(0, y):img.PixOffset(0, y)+4*img.Rect.Dx()])
	}
	return out
}

// TestPictures writes what the glasses show to PAYTERM_PICTURES, for people to look at.
func TestPictures(t *testing.T) {
	dir := os.Getenv("PAYTERM_PICTURES")
	if dir == "" {
		t.Skip("PAYTERM_PICTURES names no directory")
	}
	for _, g := range glasses {
		e, b := newGlass(t, g.display, 1e6)
		d := newDisplay(t, e, b)
		for _, s := range []payterm.Screen{waiting("0:41"), aCode, amount("¥12.34"), changes[2].to} {
			show(t, d, s)
			var out bytes.Buffer
			if err := png.Encode(&out, e.Frame()); err != nil {
				t.Fatal(err)
			}
			name := strings.ReplaceAll(g.name, " ", "_") + "_" + s.Name + ".png"
			if err := os.WriteFile(filepath.Join(dir, name), out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
