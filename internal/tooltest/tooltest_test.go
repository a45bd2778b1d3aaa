package tooltest

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// ending records how a test was ended.
type ending struct {
	testing.TB
	how string
}

func (e *ending) Helper() {}

func (e *ending) Skipf(format string, args ...any) {
	e.how = "skip: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (e *ending) Fatalf(format string, args ...any) {
	e.how = "fatal: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func ended(f func(testing.TB)) string {
	e := &ending{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(e)
	}()
	<-done
	return e.how
}

func TestNeed(t *testing.T) {
	absent := func(tb testing.TB) { Need(tb, "a-tool-that-nobody-has") }
	t.Setenv("CI", "")
	if how := ended(absent); !strings.HasPrefix(how, "skip: a-tool-that-nobody-has is missing: make tools") {
		t.Errorf("at the desk: %q", how)
	}
	t.Setenv("CI", "true")
	if how := ended(absent); !strings.HasPrefix(how, "fatal: a-tool-that-nobody-has") {
		t.Errorf("in CI: %q", how)
	}
	if how := ended(func(tb testing.TB) { NeedFile(tb, "no/such/file", "make cross") }); !strings.Contains(how,
		"make cross") {
		t.Errorf("a file: %q", how)
	}
	if how := ended(func(tb testing.TB) { Need(tb, "go") }); how != "" {
		t.Errorf("a tool that is there: %q", how)
	}
}
