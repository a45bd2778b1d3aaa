package main

import (
	"bytes"
	"image/png"
	"strings"
	"testing"
	"time"
)

// TestSaleBehindALimitedAdapter: a sale works on a display whose I2C adapter takes 32 bytes at once.
func TestSaleBehindALimitedAdapter(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"raspberrypi-i2c-ssd1306", "raspberrypi-i2c-hd44780"} {
		_, ready := program(t, "payterm", "emulate", "--board", name, "--listen", "127.0.0.1:0", "--data", t.TempDir(),
			"--scale", "20")
		s := &shop{t: t, panel: ready["panel"].(string), sim: ready["gateway"].(string)}
		s.waitScreen("idle")
		s.post(s.panel+"/emu/bus", map[string]int{"most": 32})
		s.keys("5", "0", "0", "ENTER")
		s.waitScreen("scan")
		scanning := s.frame()
		s.scan(s.wallet("ALIPAY", false))
		s.waitScreen("approved")
		for end := time.Now().Add(never); bytes.Equal(scanning, s.frame()); {
			time.Sleep(20 * time.Millisecond)
			if time.Now().After(end) {
				t.Fatalf("%s: the glass is stuck", name)
			}
		}
		if resp := strings.TrimSpace(string(s.call("GET", s.panel+"/emu/violations.txt", nil))); resp != "" {
			t.Errorf("%s: the chips did not accept: %s", name, resp)
		}
	}
}

// frame returns what the display shows.
func (s *shop) frame() []byte {
	s.t.Helper()
	text := s.call("GET", s.panel+"/emu/display.png", nil)
	if _, err := png.Decode(bytes.NewReader(text)); err != nil {
		s.t.Fatal(err)
	}
	return text
}
