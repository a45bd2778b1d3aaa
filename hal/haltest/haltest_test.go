package haltest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"payterm/hal"
	"payterm/hal/haltest"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/spi"
)

// verdict is a testing.TB that records failures.
type verdict struct {
	testing.TB
	failed []string
	ends   []func()
}

func (v *verdict) Errorf(format string, args ...any) {
	v.failed = append(v.failed, fmt.Sprintf(format, args...))
}
func (v *verdict) Cleanup(f func()) { v.ends = append(v.ends, f) }
func (v *verdict) Helper()          {}

func (v *verdict) end() string {
	for _, f := range v.ends {
		f()
	}
	return strings.Join(v.failed, "; ")
}

func TestLine(t *testing.T) {
	l := haltest.NewLine(t)
	var waited time.Duration
	l.OnWait = func(d time.Duration) { waited += d }
	l.Want(0x10, 0x04, 4).Give(0x12).Late().Want('a', 'b').Pull().Give('x', 'y').Give('z')
	buf := make([]byte, 8)
	read := func(room int, want string, wantErr error) {
		t.Helper()
		n, err := l.Read(buf[:room], time.Second)
		if string(buf[:n]) != want || !errors.Is(err, wantErr) {
			t.Errorf("read %q %v, want %q %v", buf[:n], err, want, wantErr)
		}
	}
	write := func(b string, wantErr error) {
		t.Helper()
		if _, err := l.Write([]byte(b), time.Second); !errors.Is(err, wantErr) {
			t.Errorf("write %q: %v, want %v", b, err, wantErr)
		}
	}
	read(8, "", hal.ErrTimeout) // nothing before the question was written
	write("\x10\x04\x04", nil)
	read(8, "\x12", nil)
	write("ab", hal.ErrTimeout)
	write("a", nil)
	write("b", nil)
	write("c", hal.ErrUnplugged)
	read(1, "x", nil)
	read(8, "y", nil)
	read(8, "z", nil)
	read(8, "", hal.ErrTimeout)
	if waited != 3*time.Second {
		t.Errorf("waited %s", waited)
	}
}

// TestLineFails: a driver that leaves the script, or does not finish it, fails its test.
func TestLineFails(t *testing.T) {
	for _, c := range []struct {
		name, want string
		play       func(*haltest.Line)
	}{
		{"other bytes", "wrote 62; the script wants 61",
			func(l *haltest.Line) { l.Want('a'); l.Write([]byte("b"), 0) }}, //nolint:errcheck // the verdict has it, compared below
		{"bytes too many", "wrote 62; the script has []",
			func(l *haltest.Line) { l.Want('a'); l.Write([]byte("ab"), 0) }}, //nolint:errcheck // the verdict has it, compared below
		{"out of turn", "wrote 61; the script has [give 31]",
			func(l *haltest.Line) { l.Give('1'); l.Write([]byte("a"), 0) }}, //nolint:errcheck // the verdict has it, compared below
		{"never written", "not played to its end: [want 62]",
			func(l *haltest.Line) { l.Want('a', 'b'); l.Write([]byte("a"), 0) }}, //nolint:errcheck // the verdict has it, compared below
		{"never read", "not played to its end: [give 31]",
			func(l *haltest.Line) { l.Want('a').Give('1'); l.Write([]byte("a"), 0) }}, //nolint:errcheck // the verdict has it, compared below
	} {
		v := &verdict{TB: t}
		c.play(haltest.NewLine(v))
		if got := v.end(); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestBus(t *testing.T) {
	b := &haltest.Bus{Max: 32}
	dc, conn := b.Pin("dc"), b.Conn()
	for _, err := range []error{
		dc.Out(gpio.Low), conn.Tx([]byte{0x2a}, nil), dc.Out(gpio.High),
		conn.TxPackets([]spi.Packet{{W: []byte{0, 0, 0, 0xef}}, {W: make([]byte, 32)}}),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	const want = "dc low\nspi 2a\ndc high\nspi 00 00 00 ef\nspi 32 bytes, 0b2ae445\n"
	if got := b.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if err := conn.Tx(make([]byte, 33), nil); err == nil {
		t.Error("a transfer larger than the bus takes")
	}
	if err := conn.Tx([]byte{4}, make([]byte, 1)); err == nil {
		t.Error("something answered")
	}
	pulled := errors.New("pulled")
	b.Fail = func(what string) error {
		if what == "dc low" {
			return pulled
		}
		return nil
	}
	if err := dc.Out(gpio.Low); !errors.Is(err, pulled) {
		t.Error(err)
	}
	b.Clear()
	if got := b.String(); got != "" {
		t.Errorf("cleared: %q", got)
	}
}

func TestCable(t *testing.T) {
	c := haltest.NewCable(t)
	first := c.Device()
	if !strings.HasPrefix(first, "/dev/") || c.Far() == nil {
		t.Fatalf("%q", first)
	}
	c.Pull()
	c.Pull()
	if c.Device() != "" || c.Far() != nil {
		t.Error("a pulled cable has ends")
	}
	c.Plug()
	c.Plug()
	if c.Device() == "" || c.Far() == nil {
		t.Error("a plugged cable has none")
	}
}
