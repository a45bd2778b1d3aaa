package hal_test

import (
	"bytes"
	"testing"
	"time"

	"payterm/hal"
	"payterm/hal/haltest"
)

// TestLineStats: bytes received, sent and lost are counted, and openings.
func TestLineStats(t *testing.T) {
	c := haltest.NewCable(t)
	l := open(t, c)
	if _, err := l.Write([]byte("hello"), time.Second); err != nil {
		t.Fatal(err)
	}
	if err := c.Far().SetWriteDeadline(time.Now().Add(2 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Far().Write(bytes.Repeat([]byte{'o'}, 5000)); err != nil {
		t.Fatal(err)
	}
	want := hal.LineStats{Opens: 1, In: 5000, Out: 5, Lost: 5000 - 4096} // a PTY counts no UART errors
	for end := time.Now().Add(5 * time.Second); l.Stats() != want; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%+v, want %+v", l.Stats(), want)
		}
	}
	c.Pull()
	c.Plug()
	for end := time.Now().Add(10 * time.Second); l.Stats().Opens != 2; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("replugged: %+v", l.Stats())
		}
	}
}
