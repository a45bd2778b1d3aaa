package hal

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// FrameBuffer is the memory of a screen that the kernel drives, as a file.
type FrameBuffer interface {
	// Format is the layout of its pixels, which does not change.
	Format() PixelFormat
	// WriteAt writes to the memory, counted from the first visible pixel.
	WriteAt(b []byte, at int64) (int, error)
	Close() error
}

// PixelFormat is how the pixels of a frame buffer lie in its memory: little-endian
// words of 16 bits (5 red, 6 green, 5 blue) or 32 (8 each), with the lowest bit of
// each colour at Red, Green and Blue.
type PixelFormat struct {
	Width, Height    int // pixels
	Stride           int // bytes from one row to the next
	Bits             int // of a pixel: 16 or 32
	Red, Green, Blue int
}

// Requests of linux/fb.h.
const (
	fbGetVar = 0x4600
	fbGetFix = 0x4602
	fbBlank  = 0x4611
)

// fbVar is struct fb_var_screeninfo, fbFix struct fb_fix_screeninfo.
type fbVar struct {
	XRes, YRes, XVirtual, YVirtual, XOffset, YOffset, Bits, Gray uint32
	Red, Green, Blue, Transparent                                fbField
	_                                                            [20]uint32
}

type fbField struct{ Offset, Length, MSBRight uint32 }

type fbFix struct {
	ID                      [16]byte
	Start                   uintptr
	Len, Type, Aux, Visual  uint32
	XPan, YPan, YWrap       uint16
	LineLength              uint32
	MMIO                    uintptr
	MMIOLen, Accel          uint32
	Capabilities, Reserved1 uint16
	Reserved2               uint16
}

// fbLayout converts the kernel's description; first is where the visible part begins.
func fbLayout(v *fbVar, f *fbFix) (p PixelFormat, first int64, err error) {
	p = PixelFormat{
		Width: int(v.XRes), Height: int(v.YRes), Stride: int(f.LineLength), Bits: int(v.Bits),
		Red: int(v.Red.Offset), Green: int(v.Green.Offset), Blue: int(v.Blue.Offset),
	}
	lengths := [3]uint32{v.Red.Length, v.Green.Length, v.Blue.Length}
	switch {
	case p.Bits == 16 && lengths == [3]uint32{5, 6, 5}, p.Bits == 32 && lengths == [3]uint32{8, 8, 8}:
	default:
		return PixelFormat{}, 0, fmt.Errorf(
			"pixels of %d bits, %v for red, green, blue: 16 (5, 6, 5) or 32 (8, 8, 8) are known", p.Bits, lengths)
	}
	if p.Stride < p.Width*p.Bits/8 {
		return PixelFormat{}, 0, fmt.Errorf("rows of %d bytes for %d pixels of %d bits", p.Stride, p.Width, p.Bits)
	}
	return p, int64(v.YOffset)*int64(p.Stride) + int64(v.XOffset)*int64(p.Bits/8), nil
}

// frameBuffer is a frame buffer of the machine. A write that fails closes it, and the next one
// opens it again.
type frameBuffer struct {
	name   string
	format PixelFormat

	mu     sync.Mutex
	file   *os.File
	first  int64
	closed bool
}

func openFrameBuffer(name string) (*frameBuffer, error) {
	f := &frameBuffer{name: name}
	if err := f.open(); err != nil {
		return nil, err
	}
	return f, nil
}

// open opens the device, whose format must be the same as before.
func (f *frameBuffer) open() error {
	file, err := os.OpenFile(f.name, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open frame buffer: %w", err)
	}
	var v fbVar
	var x fbFix
	//nolint:gosec // what the kernel fills, of its own size
	err = errors.Join(fbAsk(file, fbGetVar, unsafe.Pointer(&v)), fbAsk(file, fbGetFix, unsafe.Pointer(&x)))
	var format PixelFormat
	var first int64
	if err == nil {
		format, first, err = fbLayout(&v, &x)
	}
	if err == nil && f.format != (PixelFormat{}) && format != f.format {
		err = fmt.Errorf("it was %+v and is %+v now", f.format, format)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("frame buffer %s: %w", f.name, err), file.Close())
	}
	// Without a console the screen may be off; this switches it on. Drivers without this call
	// return an error, and their screen is on.
	unix.IoctlSetInt(int(file.Fd()), fbBlank, 0) //nolint:errcheck // drivers without it fail
	f.file, f.format, f.first = file, format, first
	return nil
}

func fbAsk(file *os.File, request uintptr, into unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, file.Fd(), request, uintptr(into)); errno != 0 {
		return fmt.Errorf("ask for its format: %w", errno)
	}
	return nil
}

func (f *frameBuffer) Format() PixelFormat { return f.format }

func (f *frameBuffer) WriteAt(b []byte, at int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return 0, os.ErrClosed
	}
	if f.file == nil {
		if err := f.open(); err != nil {
			return 0, err
		}
	}
	n, err := f.file.WriteAt(b, f.first+at)
	if err != nil {
		f.file.Close()
		f.file = nil
	}
	return n, err
}

func (f *frameBuffer) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	if f.file == nil {
		return nil
	}
	file := f.file
	f.file = nil
	return file.Close()
}
