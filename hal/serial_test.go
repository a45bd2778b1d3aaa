package hal_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"payterm/hal"
	"payterm/hal/haltest"
)

func open(t *testing.T, c *haltest.Cable) *hal.Line {
	t.Helper()
	l := hal.OpenLine(c.Device, 9600)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// within fails if f takes longer than d.
func within(t *testing.T, d time.Duration, f func()) time.Duration {
	t.Helper()
	began := time.Now()
	f()
	took := time.Since(began)
	if took > d {
		t.Errorf("took %s, longer than %s", took, d)
	}
	return took
}

func is(t *testing.T, err, want error, timeout, unplugged bool) {
	t.Helper()
	var to interface{ Timeout() bool }
	var up interface{ Unplugged() bool }
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
	if got := errors.As(err, &to) && to.Timeout(); got != timeout {
		t.Errorf("%v: Timeout() = %v", err, got)
	}
	if got := errors.As(err, &up) && up.Unplugged(); got != unplugged {
		t.Errorf("%v: Unplugged() = %v", err, got)
	}
}

func TestLineReads(t *testing.T) {
	c := haltest.NewCable(t)
	if _, err := c.Far().Write([]byte("stale")); err != nil {
		t.Fatal(err)
	}
	l := open(t, c) // earlier bytes are not for this line
	buf := make([]byte, 64)
	took := within(t, time.Second, func() {
		n, err := l.Read(buf, 30*time.Millisecond)
		if n != 0 {
			t.Errorf("%q", buf[:n])
		}
		is(t, err, hal.ErrTimeout, true, false)
	})
	if took < 30*time.Millisecond {
		t.Errorf("gave up after %s", took)
	}
	// All byte values pass unchanged, control characters too.
	want := make([]byte, 256)
	for i := range want {
		want[i] = byte(i)
	}
	if _, err := c.Far().Write(want); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for len(got) < len(want) {
		n, err := l.Read(buf, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, buf[:n]...)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("% x", got)
	}
	// A byte is returned when it comes, not at the end of a 100 ms step. The quickest of some: this
	// process may have to wait for a processor.
	quickest := time.Hour
	for try := 0; try < 20 && quickest > 80*time.Millisecond; try++ {
		go func() {
			time.Sleep(20 * time.Millisecond)
			c.Far().Write([]byte{'x'}) //nolint:errcheck // the Read below checks it
		}()
		took := within(t, 5*time.Second, func() {
			if n, err := l.Read(buf, 5*time.Second); n != 1 || err != nil {
				t.Errorf("%d %v", n, err)
			}
		})
		if took < 10*time.Millisecond {
			t.Errorf("came before it was sent: %s", took)
		}
		quickest = min(quickest, took)
	}
	if quickest > 80*time.Millisecond {
		t.Errorf("the quickest byte took %s", quickest)
	}
	if n, err := l.Read(nil, 0); n != 0 || err != nil {
		t.Errorf("no room: %d %v", n, err)
	}
}

func TestLineWrites(t *testing.T) {
	c := haltest.NewCable(t)
	l := open(t, c)
	want := []byte("a\x00\r\n\x11\x13\xff")
	if n, err := l.Write(want, time.Second); n != len(want) || err != nil {
		t.Fatalf("%d %v", n, err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c.Far(), got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("% x %v", got, err)
	}
}

// TestLineBlocked: a printer without paper takes no bytes: Write ends at its deadline, the next
// one too, and the stuck bytes are not sent later.
func TestLineBlocked(t *testing.T) {
	c := haltest.NewCable(t)
	l := open(t, c)
	for range 2 {
		within(t, time.Second, func() {
			n, err := l.Write(bytes.Repeat([]byte{'o'}, 1<<20), 50*time.Millisecond)
			if n == 1<<20 {
				t.Error("everything was taken")
			}
			is(t, err, hal.ErrTimeout, true, false)
		})
	}
	go l.Write([]byte("new"), time.Second) //nolint:errcheck // the bytes are checked
	got, buf := []byte(nil), make([]byte, 4096)
	for end := time.Now().Add(2 * time.Second); !bytes.Contains(got, []byte("new")) && time.Now().Before(end); {
		n, err := c.Far().Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, buf[:n]...)
	}
	if !bytes.HasSuffix(got, []byte("new")) || len(got) > 1<<16 {
		t.Errorf("%d bytes, at the end %q", len(got), got[max(0, len(got)-8):])
	}
	// A writer waits for another one only until its own deadline.
	done := make(chan error)
	go func() {
		_, err := l.Write(bytes.Repeat([]byte{'o'}, 1<<20), 3*time.Second)
		done <- err
	}()
	if _, err := c.Far().Read(buf); err != nil { // it has begun, so the line is in use
		t.Fatal(err)
	}
	within(t, 2*time.Second, func() {
		_, err := l.Write([]byte("x"), 50*time.Millisecond)
		is(t, err, hal.ErrTimeout, true, false)
	})
	is(t, <-done, hal.ErrTimeout, true, false)
}

func TestLineUnplugged(t *testing.T) {
	c := haltest.NewCable(t)
	l := open(t, c)
	buf := make([]byte, 64)
	go func() {
		time.Sleep(20 * time.Millisecond)
		c.Pull()
	}()
	within(t, time.Second, func() { // at once, not at the deadline
		_, err := l.Read(buf, 10*time.Second)
		is(t, err, hal.ErrUnplugged, false, true)
	})
	took := within(t, time.Second, func() { // and then no caller spins
		_, err := l.Read(buf, 30*time.Millisecond)
		is(t, err, hal.ErrUnplugged, false, true)
	})
	if took < 30*time.Millisecond {
		t.Errorf("a reader of nothing came back after %s", took)
	}
	_, err := l.Write([]byte("x"), time.Second)
	is(t, err, hal.ErrUnplugged, false, true)
	if ok, err := l.Plugged(); ok || !errors.Is(err, hal.ErrUnplugged) {
		t.Errorf("%v %v", ok, err)
	}
	c.Plug()
	within(t, 3*time.Second, func() { // a Read waits for bytes over a replug
		_, err := l.Read(buf, 2*time.Second)
		is(t, err, hal.ErrTimeout, true, false)
	})
	if ok, err := l.Plugged(); !ok || err != nil {
		t.Fatalf("after the replug: %v %v", ok, err)
	}
	if _, err := c.Far().Write([]byte("new")); err != nil {
		t.Fatal(err)
	}
	if n, err := l.Read(buf, time.Second); string(buf[:n]) != "new" || err != nil {
		t.Errorf("%q %v", buf[:n], err)
	}
}

// TestLineHangUpIsTold: bytes from before a hang-up are never joined with bytes after it, however
// late the reader is.
func TestLineHangUpIsTold(t *testing.T) {
	c := haltest.NewCable(t)
	l := open(t, c)
	buf := make([]byte, 64)
	if _, err := c.Far().Write([]byte("half a co")); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	c.Pull()
	time.Sleep(50 * time.Millisecond)
	if n, err := l.Read(buf[:4], time.Second); string(buf[:n]) != "half" || err != nil {
		t.Errorf("before the hang-up: %q %v", buf[:n], err)
	}
	c.Plug()
	for end := time.Now().Add(3 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if ok, _ := l.Plugged(); ok || time.Now().After(end) {
			break
		}
	}
	if _, err := c.Far().Write([]byte("whole")); err != nil {
		t.Fatal(err)
	}
	within(t, 3*time.Second, func() {
		_, err := l.Read(buf, 10*time.Second)
		is(t, err, hal.ErrUnplugged, false, true)
	})
	if n, err := l.Read(buf, time.Second); string(buf[:n]) != "whole" || err != nil {
		t.Errorf("after the hang-up: %q %v", buf[:n], err)
	}
}

// TestLineIsExclusive: a second opening of the device, here by the same process, waits until the
// first has ended.
func TestLineIsExclusive(t *testing.T) {
	c := haltest.NewCable(t)
	first := hal.OpenLine(c.Device, 9600)
	second := open(t, c)
	if ok, err := second.Plugged(); ok || errString(err) != "hal: line: unplugged: "+c.Device()+
		": another program uses it" {
		t.Errorf("%v %v", ok, err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	_, err := second.Read(make([]byte, 1), time.Second)
	is(t, err, hal.ErrTimeout, true, false)
}

func TestLineRefusesWhatIsNoTTY(t *testing.T) {
	for name, want := range map[string]string{"": "no device", "/dev/null": "/dev/null: set 9600 baud",
		"/nowhere/tty": "no such file"} {
		l := hal.OpenLine(func() string { return name }, 9600)
		_, err := l.Write([]byte("x"), 10*time.Millisecond)
		is(t, err, hal.ErrUnplugged, false, true)
		if !bytes.Contains([]byte(errString(err)), []byte(want)) {
			t.Errorf("%q: %v", name, err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestLineCloses: Close ends every call at once, may be called twice, and leaves nothing behind.
func TestLineCloses(t *testing.T) {
	c := haltest.NewCable(t)
	before := haltest.TakeCensus(t)
	for _, plugged := range []bool{true, false} {
		if !plugged {
			c.Pull()
			before.Descriptors -= 2 // both ends of the cable
		}
		l := hal.OpenLine(c.Device, 9600)
		ended := make(chan error, 2)
		if plugged {
			go func() { _, err := l.Write(bytes.Repeat([]byte{'o'}, 1<<20), time.Minute); ended <- err }()
		} else {
			go func() { _, err := l.Read(make([]byte, 8), time.Minute); ended <- err }()
		}
		go func() { _, err := l.Read(make([]byte, 8), time.Minute); ended <- err }()
		time.Sleep(50 * time.Millisecond)
		within(t, 3*time.Second, func() { // and not a minute
			for range 2 {
				if err := l.Close(); err != nil {
					t.Error(err)
				}
			}
		})
		within(t, 3*time.Second, func() { // and not a minute
			is(t, <-ended, hal.ErrClosed, false, false)
			is(t, <-ended, hal.ErrClosed, false, false)
		})
		_, err := l.Read(make([]byte, 8), time.Second)
		is(t, err, hal.ErrClosed, false, false)
		_, err = l.Write([]byte("x"), time.Second)
		is(t, err, hal.ErrClosed, false, false)
		before.Same(t)
	}
}

// TestLineOverrun: without a reader the excess is lost; the line keeps working.
func TestLineOverrun(t *testing.T) {
	c := haltest.NewCable(t)
	l := open(t, c)
	if err := c.Far().SetWriteDeadline(time.Now().Add(2 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Far().Write(bytes.Repeat([]byte{'o'}, 64<<10)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	total, buf := 0, make([]byte, 8192)
	for {
		n, err := l.Read(buf, 50*time.Millisecond)
		if err != nil {
			is(t, err, hal.ErrTimeout, true, false)
			break
		}
		total += n
	}
	if total != 4096 {
		t.Errorf("%d bytes were kept", total)
	}
}

// TestNetworkLine: a network line with traffic, a peer that takes nothing more, a broken
// connection, and a Close during a dial.
func TestNetworkLine(t *testing.T) {
	before := haltest.TakeCensus(t)
	far, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := hal.OpenNetwork(func() string { return far.Addr().String() })
	accept := func() net.Conn {
		c, err := far.Accept()
		if err == nil {
			err = c.SetDeadline(time.Now().Add(10 * time.Second))
		}
		if err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if there, _ := l.Plugged(); there {
				return c
			}
		}
		t.Fatal("it never connects")
		return nil
	}
	c := accept()
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64)
	if n, err := l.Read(buf, 5*time.Second); string(buf[:n]) != "hello" {
		t.Errorf("%q %v", buf[:n], err)
	}
	if n, err := l.Write([]byte("there"), time.Second); n != 5 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	if _, err := io.ReadFull(c, buf[:5]); err != nil || string(buf[:5]) != "there" {
		t.Errorf("%q %v", buf[:5], err)
	}
	// Nobody reads: the write ends at its deadline, and the rest is not sent later.
	_, err = l.Write(make([]byte, 64<<20), 50*time.Millisecond)
	is(t, err, hal.ErrTimeout, true, false)
	next := accept()
	_, err = l.Read(buf, 5*time.Second)
	is(t, err, hal.ErrUnplugged, false, true)
	if n, err := l.Write([]byte("new"), time.Second); n != 3 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	if _, err := io.ReadFull(next, buf[:3]); err != nil || string(buf[:3]) != "new" {
		t.Errorf("%q %v", buf[:3], err)
	}
	// Redial connects again, and the reader is told.
	l.Redial()
	last := accept()
	if _, err := next.Read(buf); err == nil {
		t.Error("the old connection goes on")
	}
	_, err = l.Read(buf, 5*time.Second)
	is(t, err, hal.ErrUnplugged, false, true)
	if _, err := last.Write([]byte("again")); err != nil {
		t.Fatal(err)
	}
	if n, err := l.Read(buf, 5*time.Second); string(buf[:n]) != "again" {
		t.Errorf("%q %v", buf[:n], err)
	}
	c.Close()
	next.Close()
	last.Close()
	far.Close()
	within(t, time.Second, func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	_, err = l.Write([]byte("x"), time.Second)
	is(t, err, hal.ErrClosed, false, false)
	before.Same(t)
}

func errString(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
