package emulated_test

import (
	"fmt"
	"image"
	"image/draw"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/glass"
	"payterm/hal/emulated"

	"github.com/boombuler/barcode"
	peer "github.com/boombuler/barcode/qr"
	"rsc.io/qr"
)

// changes are typical changes of the screen during a sale.
var changes = []struct {
	name     string
	from, to payterm.Screen
}{
	{"elapsed", waiting("0:41"), waiting("0:42")},
	{"digit", amount("$1.23"), amount("$12.34")},
	{"reply", waiting("0:42"), payterm.Screen{
		Name: "approved", Tone: payterm.Good, Title: "Approved", Status: "12:34", Amount: "$12.34",
		Lines: []string{"Alipay", "Thank you"},
		Small: "T1AAAAA000001", Keys: []payterm.KeyHint{{Key: payterm.KeyEnter, Does: "Done"}},
	}},
}

func waiting(elapsed string) payterm.Screen {
	return payterm.Screen{
		Name: "waiting", Tone: payterm.Busy, Title: "Please wait", Status: "12:34", Amount: "$12.34",
		Lines: []string{"Customer confirms", "in the app"}, Elapsed: elapsed, Small: "T1AAAAA000001",
	}
}

func amount(a string) payterm.Screen {
	return payterm.Screen{
		Name: "amount", Title: "Amount", Status: "12:34", Amount: a,
		Keys: []payterm.KeyHint{{Key: payterm.KeyEnter, Does: "OK"}, {Key: payterm.KeyClear, Does: "Clear"}},
	}
}

// flush alternates two screens and returns the cost of a change: bytes on the bus, bus time, and
// the bytes of the changed pixels.
func flush(t testing.TB, from, to payterm.Screen, n int) (sent, changed int, busy time.Duration) {
	t.Helper()
	e, b := newBoardOf(t, 1e6, func(*board.Profile) {})
	d := newDisplay(t, e, b)
	if err := d.Show(from); err != nil {
		t.Fatal(err)
	}
	was := e.Frame()
	if err := d.Show(to); err != nil {
		t.Fatal(err)
	}
	changed = 2 * differ(was, e.Frame())
	start := e.Bus()
	if bench, ok := t.(*testing.B); ok {
		bench.ResetTimer()
	}
	for i := range n {
		if err := d.Show([]payterm.Screen{from, to}[i%2]); err != nil {
			t.Fatal(err)
		}
	}
	end := e.Bus()
	return (end.Bytes - start.Bytes) / n, changed, (end.Time - start.Time) / time.Duration(n)
}

// BenchmarkFlush is a change from a screen to the glass. bytes/op went over the bus; full-ratio
// is their share of a whole frame. bus-ratio is the bus time divided by that of the changed
// pixels alone, sent-ratio divided by that of the bytes sent: the cost of windows and commands.
func BenchmarkFlush(b *testing.B) {
	for _, c := range changes {
		b.Run(c.name, func(b *testing.B) {
			sent, changed, busy := flush(b, c.from, c.to, b.N)
			ideal := time.Duration(changed) * 8 * time.Second / 40_000_000
			b.ReportMetric(float64(sent), "bytes/op")
			b.ReportMetric(float64(sent)/(2*240*320), "full-ratio")
			b.ReportMetric(float64(busy)/float64(ideal), "bus-ratio")
			b.ReportMetric(float64(busy)/float64(time.Duration(sent)*8*time.Second/40_000_000), "sent-ratio")
			b.ReportMetric(float64(busy)/1e3, "bus-us/op")
		})
	}
}

// TestFlushSendsLittle: a change of the screen costs little more than its pixels.
func TestFlushSendsLittle(t *testing.T) {
	most := map[string]struct {
		bytes int
		ratio float64
	}{"elapsed": {1000, 3.2}, "digit": {16_000, 2.1}, "reply": {54_000, 1.4}} // one window alone takes 52 us
	for _, c := range changes {
		sent, changed, busy := flush(t, c.from, c.to, 2)
		ratio := float64(busy) / float64(time.Duration(changed)*8*time.Second/40_000_000)
		if m := most[c.name]; sent > m.bytes || ratio > m.ratio || changed == 0 {
			t.Errorf("%s: %d bytes for %d that changed, %.2f times their time", c.name, sent, changed, ratio)
		}
	}
}

// ideal is the bytes of a whole frame and their bus time without pauses; 0 for a frame buffer,
// which has no clock.
func ideal(d *board.Display) (bytes int, took time.Duration) {
	switch d.Controller {
	case "hd44780":
		bytes = 4 * d.Columns * d.Rows // two halves, each with E high and low
	case "ssd1306":
		bytes = d.Width * d.Height / 8
	case "fbdev":
		return d.Width * d.Height * d.Bits / 8, 0
	default:
		bytes = 2 * d.Width * d.Height
	}
	if d.I2C != "" {
		return bytes, time.Duration(bytes) * 9 * time.Second / 100_000
	}
	return bytes, time.Duration(bytes) * 8 * time.Second / time.Duration(d.SpeedHz)
}

// BenchmarkFrame compares displays. frame-ratio is the bus time of a whole frame divided by that
// of its bytes alone; second-share and digit-share are the bytes for a passing second and a typed
// digit as a share of a whole frame.
func BenchmarkFrame(b *testing.B) {
	for _, g := range glasses {
		b.Run(strings.NewReplacer(" ", "_", ",", "").Replace(g.name), func(b *testing.B) {
			e, board := newGlass(b, g.display, 1e6)
			d := newDisplay(b, e, board)
			cost := func(from, to payterm.Screen) emulated.BusTraffic {
				show(b, d, from)
				was := e.Bus()
				show(b, d, to)
				now := e.Bus()
				return emulated.BusTraffic{Bytes: now.Bytes - was.Bytes, Time: now.Time - was.Time}
			}
			bytes, alone := ideal(board.Profile.Display)
			second, digit := cost(waiting("0:41"), waiting("0:42")), cost(amount("$1.23"), amount("$12.34"))
			var busy time.Duration
			n := 0
			for b.Loop() {
				if err := d.Init(); err != nil {
					b.Fatal(err)
				}
				was := e.Bus().Time
				show(b, d, waiting("0:41"))
				busy += e.Bus().Time - was
				n++
			}
			b.ReportMetric(float64(bytes), "frame-bytes")
			if alone > 0 {
				b.ReportMetric(float64(busy)/float64(n)/float64(alone), "frame-ratio")
				b.ReportMetric(float64(busy)/float64(n)/1e3, "bus-us")
				b.ReportMetric(float64(digit.Time)/1e3, "digit-us")
			}
			b.ReportMetric(float64(second.Bytes)/float64(bytes), "second-share")
			b.ReportMetric(float64(digit.Bytes)/float64(bytes), "digit-share")
		})
	}
}

// BenchmarkQREncode compares our encoder with another one at the same error correction level.
func BenchmarkQREncode(b *testing.B) {
	for _, n := range []int{37, 106} {
		text := ("https://qr.alipay.com/" + strings.Repeat("aZ3_", 30))[:n]
		b.Run(fmt.Sprintf("rsc/%d", n), func(b *testing.B) {
			for b.Loop() {
				if _, err := qr.Encode(text, qr.M); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("boombuler/%d", n), func(b *testing.B) {
			for b.Loop() {
				if _, err := peer.Encode(text, peer.M, peer.Auto); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkQRDraw draws a code from text to the pixels of a glass: ours with the whole screen
// around it, the other one alone.
func BenchmarkQRDraw(b *testing.B) {
	text := ("https://qr.alipay.com/" + strings.Repeat("aZ3_", 30))[:37]
	b.Run("ours", func(b *testing.B) {
		p, err := glass.NewPainter(240, 320)
		if err != nil {
			b.Fatal(err)
		}
		s := aCode
		s.QR = text
		for b.Loop() {
			if _, err := p.Paint(s); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("boombuler", func(b *testing.B) {
		img := image.NewRGBA(image.Rect(0, 0, 240, 320))
		for b.Loop() {
			code, err := peer.Encode(text, peer.M, peer.Auto)
			if err != nil {
				b.Fatal(err)
			}
			scaled, err := barcode.Scale(code, 203, 203)
			if err != nil {
				b.Fatal(err)
			}
			draw.Draw(img, image.Rect(18, 60, 221, 263), scaled, image.Point{}, draw.Src)
		}
	})
}
