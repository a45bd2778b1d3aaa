package glass_test

import (
	"image"
	"image/color"
	"strings"
	"testing"

	"payterm"
	"payterm/board"
	"payterm/boards"
	"payterm/glass"
	"payterm/hal/emulated"
	"payterm/terminal/devices"
)

var pattern = payterm.Screen{
	Name: "service", Pattern: true, Title: "Right?", Lines: []string{"R", "G", "B"}, Watermark: "SIMULATION",
	Keys: []payterm.KeyHint{{Key: payterm.KeyEnter, Does: "yes"}, {Key: payterm.KeyCancel, Does: "no"}},
}

// onGlass shows the test pattern on a board's display, with the emulated chip.
func onGlass(t *testing.T, name string, change func(*board.Display)) (*emulated.Board, *glass.Display) {
	t.Helper()
	text, err := boards.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := board.ReadProfile(name+".toml", text)
	if err != nil {
		t.Fatal(err)
	}
	e, err := emulated.New(emulated.Config{Profile: p, Scale: 1000})
	if err != nil {
		t.Fatal(err)
	}
	b := board.Open(p, e)
	t.Cleanup(func() { b.Close(); e.Close() })
	said := *p.Display
	if change != nil {
		change(&said)
	}
	b.Profile.Display = &said
	d, err := devices.OpenDisplay(b, e.Sleep)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Init(); err != nil {
		t.Fatal(err)
	}
	if err := d.Show(pattern); err != nil {
		t.Fatal(err)
	}
	return e, d
}

func near(a color.Color, r, g, b uint8) bool {
	c := color.RGBAModel.Convert(a).(color.RGBA)
	off := func(x, y uint8) bool { return max(x, y)-min(x, y) > 16 }
	return !off(c.R, r) && !off(c.G, g) && !off(c.B, b)
}

// wrong returns what a person would see to be wrong on a colour display.
func wrong(img image.Image) string {
	b := img.Bounds()
	for x := b.Min.X; x < b.Max.X; x++ {
		if !near(img.At(x, b.Min.Y), 255, 255, 255) || !near(img.At(x, b.Max.Y-1), 255, 255, 255) {
			return "border above or below"
		}
	}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		if !near(img.At(b.Min.X, y), 255, 255, 255) || !near(img.At(b.Max.X-1, y), 255, 255, 255) {
			return "border at a side"
		}
	}
	for i, c := range [][3]uint8{{255, 255, 255}, {255, 255, 0}, {0, 255, 255}, {255, 0, 0}, {0, 255, 0}, {0, 0, 255},
		{255, 0, 255}, {0, 0, 0}} {
		if !near(img.At(b.Min.X+(2*i+1)*b.Dx()/16, b.Min.Y+5), c[0], c[1], c[2]) {
			return "bars"
		}
	}
	last := -1
	for i := range 16 {
		c := color.RGBAModel.Convert(img.At(b.Min.X+(2*i+1)*b.Dx()/32, b.Max.Y-5)).(color.RGBA)
		if int(c.G) <= last {
			return "ramp"
		}
		last = int(c.G)
	}
	return ""
}

// TestPattern: the pattern is complete on each colour display, and with any single error in the profile it
// looks wrong.
func TestPattern(t *testing.T) {
	for _, name := range []string{"emulated", "raspberrypi-spi-st7789", "raspberrypi-spi-ili9341", "generic-fbdev"} {
		e, _ := onGlass(t, name, nil)
		if w := wrong(e.Frame()); w != "" {
			t.Errorf("%s: %s", name, w)
		}
	}
	for what, spoil := range map[string]func(*board.Display){
		"colour order": func(d *board.Display) { d.BGR = !d.BGR },
		"inversion":    func(d *board.Display) { d.Inverted = !d.Inverted },
		"offset":       func(d *board.Display) { d.OffsetX += 2 },
		"mirror":       func(d *board.Display) { d.MirrorX = !d.MirrorX },
		"upside down":  func(d *board.Display) { d.Rotation = (d.Rotation + 180) % 360 },
	} {
		if e, _ := onGlass(t, "raspberrypi-spi-ili9341", spoil); wrong(e.Frame()) == "" {
			t.Errorf("%s is wrong and the pattern right", what)
		}
	}
}

// TestPatternMono: on two colours each dot of the edge is lit, and half of the others.
func TestPatternMono(t *testing.T) {
	e, _ := onGlass(t, "raspberrypi-i2c-ssd1306", nil)
	img := e.Frame()
	b := img.Bounds()
	on := func(x, y int) bool { return img.RGBAAt(x, y).G > 0x60 }
	lit, edge := 0, 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if on(x, y) {
				lit++
				if x == b.Min.X || y == b.Min.Y || x == b.Max.X-1 || y == b.Max.Y-1 {
					edge++
				}
			}
		}
	}
	if want := 2*(b.Dx()+b.Dy()) - 4; edge != want {
		t.Errorf("%d dots of the edge are lit, want %d", edge, want)
	}
	if all := b.Dx() * b.Dy(); lit < all/5 || lit > all*3/5 {
		t.Errorf("%d of %d dots are lit", lit, all)
	}
}

// TestPatternText: a character display fills every cell, then shows its characters, then the words.
func TestPatternText(t *testing.T) {
	e, d := onGlass(t, "raspberrypi-i2c-hd44780", nil)
	var pages []string
	for range 8 {
		pages = append(pages, strings.Join(e.Text(), "\n"))
		if err := d.Turn(); err != nil {
			t.Fatal(err)
		}
	}
	full := e.Text()
	for i := range full {
		full[i] = strings.Repeat("█", len([]rune(full[i])))
	}
	if pages[0] != strings.Join(full, "\n") {
		t.Errorf("first it says %q", pages[0])
	}
	all := strings.Join(pages, "\n")
	for _, want := range []string{"ABC", "xyz{|", "Right?", "ENTER yes", "SIMULATION"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not on any of its pages: %q", want, pages)
		}
	}
}
