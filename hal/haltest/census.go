package haltest

import (
	"os"
	"runtime"
	"testing"
	"time"
)

// Census is the process's number of goroutines and file descriptors.
type Census struct{ Goroutines, Descriptors int }

// TakeCensus counts them; compare with Same. The descriptors of the runtime's poller are open by
// then.
func TakeCensus(t testing.TB) Census {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	w.Close()
	return count(t)
}

func count(t testing.TB) Census {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return Census{runtime.NumGoroutine(), len(fds)}
}

// Same fails the test if what was opened since the census is not closed within two seconds. The
// count may be lower, when something of an earlier test has ended.
func (before Census) Same(t testing.TB) {
	t.Helper()
	var now Census
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if now = count(t); now.Goroutines <= before.Goroutines && now.Descriptors <= before.Descriptors {
			return
		}
	}
	t.Errorf("before %+v, after %+v", before, now)
}
