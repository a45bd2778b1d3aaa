package main

import (
	"image"
	"image/png"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestDisplayBack unplugs the display and plugs it in: on buses without acknowledgement (SPI) and
// with one, for a moment and for longer. The screen is back within three seconds.
func TestDisplayBack(t *testing.T) {
	t.Parallel()
	const soon = 3 * time.Second
	for board, turns := range map[string]bool{ // whether the screen has pages that alternate
		"emulated": false, "generic-fbdev": false, "raspberrypi-i2c-ssd1306": true, "raspberrypi-i2c-hd44780": true,
	} {
		t.Run(board, func(t *testing.T) {
			t.Parallel()
			_, ready := program(t, "payterm", "emulate", "--board", board, "--data", t.TempDir(), "--listen",
				"127.0.0.1:0")
			panel := ready["panel"].(string)
			glass := func() image.Image {
				t.Helper()
				resp, err := http.Get(panel + "/emu/display.png")
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				img, err := png.Decode(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				return img
			}
			cable := func(verb string) {
				t.Helper()
				resp, err := http.Post(panel+"/emu/"+verb, "application/json", strings.NewReader(`{"device":"display"}`))
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					t.Fatalf("%s: %s", verb, resp.Status)
				}
			}
			var stood image.Image
			for end := time.Now().Add(never); ; time.Sleep(100 * time.Millisecond) {
				was := stood
				if stood = glass(); was != nil && lit(stood) && (turns || alike(was, stood)) {
					break // nothing more is printed
				}
				if time.Now().After(end) {
					t.Fatal("nothing is drawn")
				}
			}
			for _, away := range []time.Duration{0, 2500 * time.Millisecond} {
				cable("unplug")
				if now := glass(); lit(now) {
					t.Errorf("it shines without a cable")
				}
				time.Sleep(away) // nothing tells when a driver notices
				cable("plug")
				began := time.Now()
				for now := glass(); !lit(now) || !turns && !alike(stood, now); now = glass() {
					if time.Since(began) > soon {
						t.Fatalf("away for %s: not drawn after %s", away, soon)
					}
					time.Sleep(20 * time.Millisecond)
				}
				t.Logf("away for %s: drawn after %s", away, time.Since(began).Round(10*time.Millisecond))
			}
		})
	}
}

// lit reports whether a glass shows something: its pixels differ.
func lit(img image.Image) bool {
	r := img.Bounds()
	first := img.At(r.Min.X, r.Min.Y)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if img.At(x, y) != first {
				return true
			}
		}
	}
	return false
}

// alike compares pictures, except for a few characters such as a clock.
func alike(a, b image.Image) bool {
	r, differ := a.Bounds(), 0
	if b.Bounds() != r {
		return false
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if a.At(x, y) != b.At(x, y) {
				differ++
			}
		}
	}
	return differ*100 <= r.Dx()*r.Dy()*2
}
