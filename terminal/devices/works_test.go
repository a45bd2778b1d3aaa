package devices

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestWorksAgain: a trouble and its end are logged once each, and the end is known to whoever
// asks, until the next trouble.
func TestWorksAgain(t *testing.T) {
	var log bytes.Buffer
	s := &Set{
		o: Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, start: time.Now(),
		troubles: map[string]Trouble{}, logged: map[string]diary{},
	}
	s.works(Printer)
	if s.Trouble(Printer) != (Trouble{}) || log.Len() > 0 {
		t.Errorf("of no trouble there is no end: %+v, %s", s.Trouble(Printer), &log)
	}
	s.fails(Printer, errors.New("cover open"))
	for range 3 {
		s.works(Printer)
	}
	if !s.Trouble(Printer).Worked || strings.Count(log.String(), "device works again") != 1 {
		t.Errorf("%+v, %s", s.Trouble(Printer), &log)
	}
	if s.met(Printer, errors.New("cover open")); s.Trouble(Printer).Worked || s.Trouble(Printer).N != 2 {
		t.Errorf("after the next trouble: %+v", s.Trouble(Printer))
	}
}
