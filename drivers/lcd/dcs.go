package lcd

import (
	"fmt"
	"image"
	"slices"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// Commands that the controllers of tfts.go have in common (all follow MIPI's
// Display Command Set; chapters "Command" of the data sheets).
const (
	cmdSWRESET = 0x01
	cmdSLPOUT  = 0x11
	cmdNORON   = 0x13
	cmdINVOFF  = 0x20
	cmdINVON   = 0x21
	cmdDISPON  = 0x29
	cmdCASET   = 0x2a
	cmdRASET   = 0x2b
	cmdRAMWR   = 0x2c
	cmdMADCTL  = 0x36
	cmdCOLMOD  = 0x3a
)

// Bits of MADCTL.
const (
	madMY  = 0x80
	madMX  = 0x40
	madMV  = 0x20
	madBGR = 0x08
)

// bytes is the size of a pixel on SPI.
func (c dcs) bytes() int {
	if c.format == format18 {
		return 3
	}
	return 2
}

// Panel drives a colour panel over SPI with D/C, reset and backlight lines. It keeps a copy of
// the glass and sends changes only. It is used by one goroutine.
type Panel struct {
	chip                 dcs
	wire                 *wire
	dc, reset, backlight gpio.PinOut
	o                    Options
	glass                []uint16 // content of the controller's RAM
	known                bool     // glass is up to date
	buf                  []byte
}

func newPanel(chip dcs, w Wires, o Options) (*Panel, error) {
	name := chip.name
	if w.Conn == nil || w.DC == nil {
		return nil, fmt.Errorf("lcd: %s: the board profile names no bus or no D/C line", name)
	}
	if o.Sleep == nil {
		return nil, fmt.Errorf("lcd: %s: no Sleep: the panel needs pauses", name)
	}
	if o.Width < 1 || o.Height < 1 {
		return nil, fmt.Errorf("lcd: %s: a glass of %d by %d pixels", name, o.Width, o.Height)
	}
	d := &Panel{
		chip: chip, wire: newWire(w.Conn), dc: w.DC, reset: w.Reset, backlight: w.Backlight, o: o,
		glass: make([]uint16, o.Width*o.Height), buf: make([]byte, 0, chip.bytes()*o.Width*o.Height),
	}
	return d, nil
}

// Init resets the panel and leaves it dark; the first frame lights it, so that the noise in its
// RAM is not seen. It takes about a quarter of a second.
func (d *Panel) Init() error {
	d.known = false
	if err := d.light(gpio.Low); err != nil {
		return err
	}
	if d.reset != nil {
		if err := pulse(d.reset, d.o.Sleep); err != nil {
			return fmt.Errorf("lcd: %s: reset: %w", d.chip.name, err)
		}
	} else {
		if err := d.command(cmdSWRESET); err != nil {
			return err
		}
		d.o.Sleep(120 * time.Millisecond)
	}
	return d.wake(120 * time.Millisecond)
}

// wake ends sleep mode and sets all that a reset cleared.
func (d *Panel) wake(pause time.Duration) error {
	inversion := byte(cmdINVOFF)
	if d.o.Inverted {
		inversion = cmdINVON
	}
	if err := d.command(cmdSLPOUT); err != nil {
		return err
	}
	d.o.Sleep(pause)
	common := [][]byte{{cmdCOLMOD, d.chip.format}, {cmdMADCTL, d.madctl()}, {inversion}, {cmdNORON}}
	for _, c := range slices.Concat(d.chip.settings, common) {
		if err := d.command(c[0], c[1:]...); err != nil {
			return err
		}
	}
	return nil
}

func (d *Panel) madctl() byte {
	m := map[int]byte{0: 0, 90: madMX | madMV, 180: madMX | madMY, 270: madMY | madMV}[d.o.Rotation]
	if d.o.MirrorX {
		m ^= madMX
	}
	if d.o.MirrorY {
		m ^= madMY
	}
	if d.o.BGR {
		m |= madBGR
	}
	return m
}

// Send shows an image of the glass's size. It sends changed rectangles only, and everything after
// Init.
func (d *Panel) Send(img *image.RGBA) error {
	if img.Rect != image.Rect(0, 0, d.o.Width, d.o.Height) {
		return fmt.Errorf("lcd: %s: an image of %v on a glass of %dx%d", d.chip.name, img.Rect, d.o.Width, d.o.Height)
	}
	first := !d.known
	for _, r := range d.changed(img) {
		d.keep(img, r)
		if err := d.write(r); err != nil {
			d.known = false // unknown until all of it is sent again
			return err
		}
	}
	if first {
		if err := d.lightUp(); err != nil {
			return err
		}
	}
	d.known = true
	return nil
}

func (d *Panel) lightUp() error {
	if err := d.command(cmdDISPON); err != nil {
		return err
	}
	return d.light(gpio.High)
}

// Refresh implements Display.
func (d *Panel) Refresh() error {
	if !d.known {
		return nil
	}
	d.known = false
	// A panel that has just reset itself may ignore SLPOUT (it needs 120 ms): the next refresh
	// wakes it. After SLPOUT 5 ms are enough.
	if err := d.wake(5 * time.Millisecond); err != nil {
		return err
	}
	if err := d.write(image.Rect(0, 0, d.o.Width, d.o.Height)); err != nil {
		return err
	}
	if err := d.lightUp(); err != nil {
		return err
	}
	d.known = true
	return nil
}

// windowPixels is the cost of another window in pixels: five transfers, each a system call, with
// their changes of the D/C line (about 50 us, at 40 MHz).
const windowPixels = 128

// changed returns rectangles that cover every changed pixel, so that windows and pixels together
// cost little.
func (d *Panel) changed(img *image.RGBA) []image.Rectangle {
	if !d.known {
		return []image.Rectangle{img.Rect}
	}
	var open, out []image.Rectangle
	for y := range d.o.Height {
		open = slices.DeleteFunc(open, func(r image.Rectangle) bool {
			far := (y-r.Max.Y)*r.Dx() > windowPixels
			if far {
				out = append(out, r)
			}
			return far
		})
		for x := 0; x < d.o.Width; {
			var run image.Rectangle
			if run, x = d.run(img, x, y); run.Empty() {
				break
			}
			open = join(open, run)
		}
	}
	return append(out, open...)
}

// join adds a rectangle to the one where it costs least, or to the list if every join costs more
// than a window.
func join(all []image.Rectangle, r image.Rectangle) []image.Rectangle {
	best, least := -1, windowPixels+1
	for i, o := range all {
		if more := area(o.Union(r)) - area(o) - area(r); more < least {
			best, least = i, more
		}
	}
	if best < 0 {
		return append(all, r)
	}
	all[best] = all[best].Union(r)
	return all
}

func area(r image.Rectangle) int { return r.Dx() * r.Dy() }

// bridge is up to how many unchanged pixels of a row are sent between two changed ones.
const bridge = 32

// run finds the next changed pixels of a row, from x on, and where to continue.
func (d *Panel) run(img *image.RGBA, x, y int) (image.Rectangle, int) {
	row := d.glass[y*d.o.Width : (y+1)*d.o.Width]
	pix := img.Pix[y*img.Stride:]
	x0, x1 := -1, -1
	for ; x < len(row); x++ {
		if row[x] != rgb565(pix[4*x:]) {
			if x0 < 0 {
				x0 = x
			}
			x1 = x + 1
		} else if x0 >= 0 && x-x1 >= bridge {
			break
		}
	}
	if x0 < 0 {
		return image.Rectangle{}, x
	}
	return image.Rect(x0, y, x1, y+1), x
}

// rgb565 packs the first pixel of an RGBA row.
func rgb565(p []byte) uint16 {
	return uint16(p[0]&0xf8)<<8 | uint16(p[1]&0xfc)<<3 | uint16(p[2])>>3
}

// keep copies a rectangle of an image to glass.
func (d *Panel) keep(img *image.RGBA, r image.Rectangle) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		pix := img.Pix[y*img.Stride:]
		row := d.glass[y*d.o.Width:]
		for x := r.Min.X; x < r.Max.X; x++ {
			row[x] = rgb565(pix[4*x:])
		}
	}
}

// write sends one rectangle: its window, then its pixels, high byte first.
func (d *Panel) write(r image.Rectangle) error {
	x0, x1 := r.Min.X+d.o.OffsetX, r.Max.X-1+d.o.OffsetX
	y0, y1 := r.Min.Y+d.o.OffsetY, r.Max.Y-1+d.o.OffsetY
	if err := d.command(cmdCASET, byte(x0>>8), byte(x0), byte(x1>>8), byte(x1)); err != nil {
		return err
	}
	if err := d.command(cmdRASET, byte(y0>>8), byte(y0), byte(y1>>8), byte(y1)); err != nil {
		return err
	}
	d.buf = d.buf[:0]
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for _, c := range d.glass[y*d.o.Width+r.Min.X : y*d.o.Width+r.Max.X] {
			if d.chip.format == format18 { // six bits in each byte, in the upper end
				red, blue := byte(c>>8)&0xf8, byte(c<<3)
				d.buf = append(d.buf, red|red>>5, byte(c>>3)&0xfc, blue|blue>>5)
				continue
			}
			d.buf = append(d.buf, byte(c>>8), byte(c))
		}
	}
	return d.command(cmdRAMWR, d.buf...)
}

// command sends a command with D/C low and its data with D/C high.
func (d *Panel) command(cmd byte, data ...byte) error {
	if err := d.dc.Out(gpio.Low); err != nil {
		return fmt.Errorf("lcd: %s: D/C: %w", d.chip.name, err)
	}
	if err := d.wire.send(nil, []byte{cmd}); err != nil {
		return fmt.Errorf("lcd: %s: command %#02x: %w", d.chip.name, cmd, err)
	}
	if len(data) == 0 {
		return nil
	}
	if err := d.dc.Out(gpio.High); err != nil {
		return fmt.Errorf("lcd: %s: D/C: %w", d.chip.name, err)
	}
	if err := d.wire.send(nil, data); err != nil {
		return fmt.Errorf("lcd: %s: data of command %#02x: %w", d.chip.name, cmd, err)
	}
	return nil
}

func (d *Panel) light(l gpio.Level) error {
	if err := drive(d.backlight, l); err != nil {
		return fmt.Errorf("lcd: %s: backlight: %w", d.chip.name, err)
	}
	return nil
}
