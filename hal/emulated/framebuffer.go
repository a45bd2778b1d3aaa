package emulated

import (
	"fmt"
	"image"
	"image/color"
	"os"
	"sync"
	"time"

	"payterm/board"
	"payterm/hal"
)

// frameBuffer is a screen driven by the kernel: a file as its memory, with rows longer than the
// glass is wide.
type frameBuffer struct {
	bus
	d       *board.Display
	changed func()
	format  hal.PixelFormat
	file    *os.File
	once    sync.Once // closes it

	powered, lit bool // under the bus's lock
}

func newFrameBuffer(d *board.Display, report report, changed func()) (*frameBuffer, error) {
	f := &frameBuffer{
		bus: bus{name: d.Device, report: report}, d: d, changed: changed, powered: true, lit: d.Backlight == "",
	}
	f.format = hal.PixelFormat{Width: d.Width, Height: d.Height, Bits: d.Bits, Red: 11, Green: 5, Blue: 0}
	if d.Rotation%180 != 0 {
		f.format.Width, f.format.Height = d.Height, d.Width
	}
	if d.Bits == 32 {
		f.format.Red, f.format.Green = 16, 8
	}
	f.format.Stride = f.format.Width*d.Bits/8 + 64
	var err error
	if f.file, err = os.CreateTemp("", "payterm-fb-*"); err != nil {
		return nil, fmt.Errorf("emulated: frame buffer: %w", err)
	}
	f.fill()
	return f, nil
}

// fill fills the memory with noise, as before the first write.
func (f *frameBuffer) fill() {
	noise := make([]byte, f.format.Stride*f.format.Height)
	for i := range noise {
		noise[i] = byte(i * 7919 >> 3)
	}
	if _, err := f.file.WriteAt(noise, 0); err != nil {
		f.report(BadAddress, "%v", err)
	}
}

// Format implements hal.FrameBuffer.
func (f *frameBuffer) Format() hal.PixelFormat { return f.format }

// WriteAt implements hal.FrameBuffer.
func (f *frameBuffer) WriteAt(b []byte, at int64) (int, error) {
	f.mu.Lock()
	defer f.changed()
	defer f.mu.Unlock()
	if !f.powered {
		return 0, fmt.Errorf("emulated: %s: no such device", f.name)
	}
	row, column := int(at)/f.format.Stride, int(at)%f.format.Stride
	switch pixel := f.format.Bits / 8; {
	case at < 0 || row >= f.format.Height || column+len(b) > f.format.Width*pixel:
		f.report(BadAddress, "%d bytes at %d of row %d: %d rows of %d",
			len(b), column, row, f.format.Height, f.format.Width*pixel)
	case column%pixel != 0 || len(b)%pixel != 0:
		f.report(HalfPixel, "%d bytes at %d of row %d", len(b), column, row)
	}
	whole := len(b)
	cut := f.cut()
	if cut {
		b = b[:whole/8*4]
	}
	n, err := f.file.WriteAt(b, at)
	f.count(n, time.Duration(n)*5*time.Nanosecond) // an estimate of uncached memory
	if err != nil {
		return n, err
	}
	return n, broke(cut, n, whole)
}

// Close implements hal.FrameBuffer; the memory stays readable.
func (f *frameBuffer) Close() error { return nil }

// remove removes the memory.
func (f *frameBuffer) remove() (err error) {
	f.once.Do(func() {
		f.file.Close()
		err = os.Remove(f.file.Name())
	})
	return err
}

func (f *frameBuffer) resetPin(bool) {}

func (f *frameBuffer) light(on bool) {
	f.mu.Lock()
	f.lit = on
	f.mu.Unlock()
	f.changed()
}

func (f *frameBuffer) power(on bool) {
	f.mu.Lock()
	f.powered = on
	f.mu.Unlock()
	f.changed()
}

// dip overwrites the memory as a console does; the memory itself has no supply of its own.
func (f *frameBuffer) dip() {
	f.mu.Lock()
	f.fill()
	f.mu.Unlock()
	f.changed()
}

// frame is the screen as a person sees it who turned it as the profile says.
func (f *frameBuffer) frame() *image.RGBA {
	f.mu.Lock()
	defer f.mu.Unlock()
	img := image.NewRGBA(image.Rect(0, 0, f.d.Width, f.d.Height))
	memory := make([]byte, f.format.Stride*f.format.Height)
	if _, err := f.file.ReadAt(memory, 0); err != nil {
		return img
	}
	for row := range f.format.Height {
		for column := range f.format.Width {
			c := dark
			if f.powered && f.lit {
				c = f.pixel(memory[row*f.format.Stride+column*f.format.Bits/8:])
			}
			x, y := column, row
			switch f.d.Rotation { // the screen stands on another side
			case 90:
				x, y = row, f.format.Width-1-column
			case 180:
				x, y = f.format.Width-1-column, f.format.Height-1-row
			case 270:
				x, y = f.format.Height-1-row, column
			}
			if f.d.MirrorX { // seen in a mirror, or from behind
				x = f.d.Width - 1 - x
			}
			if f.d.MirrorY {
				y = f.d.Height - 1 - y
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func (f *frameBuffer) pixel(b []byte) color.RGBA {
	if f.format.Bits == 32 {
		return color.RGBA{b[2], b[1], b[0], 0xff}
	}
	v := int(b[1])<<8 | int(b[0])
	r, g, bl := uint8(v>>11&0x1f), uint8(v>>5&0x3f), uint8(v&0x1f)
	return color.RGBA{r<<3 | r>>2, g<<2 | g>>4, bl<<3 | bl>>2, 0xff}
}
