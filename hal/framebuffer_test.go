package hal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"
)

// TestFrameBufferLayout: the kernel writes as many bytes as its structures have, so ours must
// have the same size.
func TestFrameBufferLayout(t *testing.T) {
	if n := unsafe.Sizeof(fbVar{}); n != 160 {
		t.Errorf("struct fb_var_screeninfo has 160 bytes, not %d", n)
	}
	if n, want := unsafe.Sizeof(fbFix{}), map[uintptr]uintptr{4: 68, 8: 80}[unsafe.Sizeof(uintptr(0))]; n != want {
		t.Errorf("struct fb_fix_screeninfo has %d bytes, not %d", want, n)
	}
	v := fbVar{XRes: 800, YRes: 480, YVirtual: 960, YOffset: 480, XOffset: 2, Bits: 16,
		Red: fbField{11, 5, 0}, Green: fbField{5, 6, 0}, Blue: fbField{0, 5, 0}}
	x := fbFix{LineLength: 1664}
	p, first, err := fbLayout(&v, &x)
	if want := (PixelFormat{Width: 800, Height: 480, Stride: 1664, Bits: 16, Red: 11, Green: 5}); err != nil ||
		p != want || first != 480*1664+4 {
		t.Errorf("%+v, %d, %v", p, first, err)
	}
	v.Bits = 24
	if _, _, err := fbLayout(&v, &x); err == nil || !strings.Contains(err.Error(), "24 bits") {
		t.Errorf("24 bits: %v", err)
	}
	v.Bits, x.LineLength = 16, 1000
	if _, _, err := fbLayout(&v, &x); err == nil || !strings.Contains(err.Error(), "rows of 1000 bytes") {
		t.Errorf("short rows: %v", err)
	}
}

// TestFrameBufferRefuses: other files are refused with the reason.
func TestFrameBufferRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "fb0")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{file: "ask for its format", file + "x": "no such file"} {
		if f, err := (hostPorts{}).FrameBuffer(name); err == nil || !strings.Contains(err.Error(), want) || f != nil {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
}
