package lcd

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"

	"periph.io/x/conn/v3/gpio"
)

// Frame is the memory of a frame buffer and how pixels lie in it.
type Frame struct {
	Memory interface {
		WriteAt(b []byte, at int64) (int, error)
	}
	Width, Height    int // pixels
	Stride           int // bytes from one row to the next
	Bits             int // of a pixel: 16 or 32
	Red, Green, Blue int // the lowest bit of each
}

// FrameBuffer draws on a screen that the kernel drives (fbdev). It writes changed parts of rows
// only, and is used by one goroutine.
type FrameBuffer struct {
	f         Frame
	backlight gpio.PinOut
	o         Options
	rows      [][]byte // content of the memory, without padding
	known     bool     // rows are up to date
	row       []byte
}

// NewFrameBuffer makes a driver; the kernel has initialised the screen already.
func NewFrameBuffer(w Wires, o Options) (*FrameBuffer, error) {
	f := w.Frame
	across, down := f.Width, f.Height
	if o.Rotation%180 != 0 {
		across, down = down, across
	}
	switch {
	case f.Memory == nil:
		return nil, errors.New("lcd: fbdev: no frame buffer")
	case f.Bits != 16 && f.Bits != 32:
		return nil, fmt.Errorf("lcd: fbdev: pixels of %d bits: 16 or 32", f.Bits)
	case o.Width != across || o.Height != down:
		return nil, fmt.Errorf("lcd: fbdev: the frame buffer has %d by %d pixels, %d by %d at rotation %d are wanted",
			f.Width, f.Height, o.Width, o.Height, o.Rotation)
	}
	d := &FrameBuffer{
		f: f, backlight: w.Backlight, o: o,
		row: make([]byte, f.Width*f.Bits/8), rows: make([][]byte, f.Height),
	}
	for i := range d.rows {
		d.rows[i] = make([]byte, len(d.row))
	}
	return d, nil
}

// Init makes the screen dark and black.
func (d *FrameBuffer) Init() error {
	d.known = false
	if err := d.light(gpio.Low); err != nil {
		return err
	}
	for y, row := range d.rows {
		clear(row)
		if err := d.write(y, 0, row); err != nil {
			return err
		}
	}
	return nil
}

// Refresh writes the whole frame again, since a console may have written over it.
func (d *FrameBuffer) Refresh() error {
	if !d.known {
		return nil
	}
	d.known = false
	for y, row := range d.rows {
		if err := d.write(y, 0, row); err != nil {
			return err
		}
	}
	d.known = true
	return d.light(gpio.High)
}

// Send shows an image of the screen's size.
func (d *FrameBuffer) Send(img *image.RGBA) error {
	if img.Rect != image.Rect(0, 0, d.o.Width, d.o.Height) {
		return fmt.Errorf("lcd: fbdev: an image of %v on a screen of %dx%d", img.Rect, d.o.Width, d.o.Height)
	}
	known := d.known
	d.known = false // until all of it is written
	step := d.f.Bits / 8
	for y, was := range d.rows {
		d.pack(img, y)
		from, to := 0, len(d.row)
		if known {
			if bytes.Equal(d.row, was) {
				continue
			}
			for bytes.Equal(d.row[from:from+step], was[from:from+step]) {
				from += step
			}
			for bytes.Equal(d.row[to-step:to], was[to-step:to]) {
				to -= step
			}
		}
		copy(was, d.row)
		if err := d.write(y, from, was[from:to]); err != nil {
			return err
		}
	}
	d.known = true
	if known {
		return nil
	}
	return d.light(gpio.High)
}

// pack assembles a row of the memory from the rotated image.
func (d *FrameBuffer) pack(img *image.RGBA, y int) {
	for x := range d.f.Width {
		col, row := x, y
		switch d.o.Rotation { // of the picture, clockwise
		case 90:
			col, row = y, d.f.Width-1-x
		case 180:
			col, row = d.f.Width-1-x, d.f.Height-1-y
		case 270:
			col, row = d.f.Height-1-y, x
		}
		if d.o.MirrorX {
			col = d.o.Width - 1 - col
		}
		if d.o.MirrorY {
			row = d.o.Height - 1 - row
		}
		p := img.Pix[row*img.Stride+4*col:]
		if d.f.Bits == 16 {
			c := uint16(p[0]>>3)<<d.f.Red | uint16(p[1]>>2)<<d.f.Green | uint16(p[2]>>3)<<d.f.Blue
			binary.LittleEndian.PutUint16(d.row[2*x:], c)
		} else {
			c := uint32(p[0])<<d.f.Red | uint32(p[1])<<d.f.Green | uint32(p[2])<<d.f.Blue
			binary.LittleEndian.PutUint32(d.row[4*x:], c)
		}
	}
}

// write writes a part of a row. DRM's frame buffers copy to the glass what was written, and
// before Linux 6.6 they ignore a write that ends at the end of its row, unless it touches two
// rows: so this one writes a pixel more.
func (d *FrameBuffer) write(y, from int, b []byte) error {
	if step := d.f.Bits / 8; from+len(b) == d.f.Stride && y+1 < len(d.rows) {
		b = append(b[:len(b):len(b)], d.rows[y+1][:step]...)
	} else if from+len(b) == d.f.Stride && y > 0 {
		above := d.rows[y-1]
		y, from, b = y-1, len(above)-step, append(above[len(above)-step:len(above):len(above)], d.rows[y]...)
	}
	if _, err := d.f.Memory.WriteAt(b, int64(y*d.f.Stride+from)); err != nil {
		return fmt.Errorf("lcd: fbdev: row %d: %w", y, err)
	}
	return nil
}

func (d *FrameBuffer) light(l gpio.Level) error {
	if err := drive(d.backlight, l); err != nil {
		return fmt.Errorf("lcd: fbdev: backlight: %w", err)
	}
	return nil
}
