package lcd_test

import (
	"fmt"
	"image"
	"image/color"
	"testing"

	"payterm/drivers/lcd"
)

// drm is a frame buffer as DRM implements it up to Linux 6.5
// (drm_fb_helper_memory_range_to_clip): of the memory only what counts as written reaches the
// glass.
type drm struct {
	width, stride, step int
	memory, glass       []byte
}

func (m *drm) WriteAt(b []byte, at int64) (int, error) {
	off, end := int(at), int(at)+len(b)
	if off < 0 || end > len(m.memory) {
		return 0, fmt.Errorf("%d bytes at %d of %d", len(b), off, len(m.memory))
	}
	copy(m.memory[off:], b)
	y1, y2 := off/m.stride, (end+m.stride-1)/m.stride
	x1, x2 := 0, m.width
	if y2-y1 == 1 {
		x1, x2 = off%m.stride/m.step, (end%m.stride+m.step-1)/m.step
	}
	for y := y1; y < y2; y++ {
		for at := y*m.stride + x1*m.step; at < y*m.stride+x2*m.step; at++ {
			m.glass[at] = m.memory[at]
		}
	}
	return len(b), nil
}

// TestFrameBufferOfDRM: all that was sent is on the glass, to the end of each row.
func TestFrameBufferOfDRM(t *testing.T) {
	const width, height = 320, 240
	for _, padding := range []int{0, 64} {
		m := &drm{width: width, stride: width*4 + padding, step: 4}
		m.memory, m.glass = make([]byte, m.stride*height), make([]byte, m.stride*height)
		for i := range m.memory {
			m.memory[i], m.glass[i] = 0x55, 0x55
		}
		d, err := lcd.NewFrameBuffer(lcd.Wires{Frame: lcd.Frame{Memory: m, Width: width, Height: height,
			Stride: m.stride, Bits: 32, Red: 16, Green: 8}},
			lcd.Options{Width: width, Height: height})
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, want *image.RGBA) {
			t.Helper()
			for y := range height {
				for x := range width {
					p, at := want.RGBAAt(x, y), y*m.stride+4*x
					if m.glass[at+2] != p.R || m.glass[at+1] != p.G || m.glass[at] != p.B {
						t.Fatalf("padding %d: %s: at %d,%d the glass has % x, sent was %v", padding, what, x, y,
							m.glass[at:at+4], p)
					}
				}
			}
		}
		if err := d.Init(); err != nil {
			t.Fatal(err)
		}
		img := image.NewRGBA(image.Rect(0, 0, width, height))
		check("dark", img)
		for i := range img.Pix {
			img.Pix[i] = byte(i * 7 >> 2)
		}
		for what, change := range map[string]image.Point{"whole": {5, 5}, "the end of a row": {width - 1, 100},
			"the last dot": {width - 1, height - 1}, "the first dot": {}} {
			img.Set(change.X, change.Y, color.RGBA{R: 1, G: 2, B: 3, A: 255})
			if err := d.Send(img); err != nil {
				t.Fatal(err)
			}
			check(what, img)
		}
		for i := range m.glass {
			m.memory[i], m.glass[i] = 0x55, 0x55
		}
		if err := d.Refresh(); err != nil {
			t.Fatal(err)
		}
		check("refreshed", img)
	}
}
