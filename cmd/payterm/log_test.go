package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// kept is a handler that keeps its records.
type kept struct {
	message string
	fields  []string
	fails   error
}

func (k *kept) Enabled(context.Context, slog.Level) bool { return true }
func (k *kept) WithAttrs([]slog.Attr) slog.Handler       { return k }
func (k *kept) WithGroup(string) slog.Handler            { return k }

func (k *kept) Handle(_ context.Context, r slog.Record) error {
	k.message, k.fields = r.Message, nil
	r.Attrs(func(a slog.Attr) bool {
		k.fields = append(k.fields, field(nil, a).String())
		return true
	})
	return k.fails
}

// TestJournalHandler: journalctl shows only the message, so the message contains the values as well.
func TestJournalHandler(t *testing.T) {
	t.Parallel()
	var journal, text kept
	log := slog.New(journalHandler{&journal, &text})
	log.Info("order in doubt", "order_id", "T1AAAAA000001", "reason", "no answer")
	if want := `order in doubt order_id=T1AAAAA000001 reason="no answer"`; journal.message != want {
		t.Errorf("%q, want %q", journal.message, want)
	}
	if want := []string{"PAYTERM_ORDER_ID=T1AAAAA000001", "PAYTERM_REASON=no answer"}; !slices.Equal(journal.fields, want) {
		t.Errorf("%q, want %q", journal.fields, want)
	}
	if text.message != "" {
		t.Errorf("it is written twice: %q", text.message)
	}
	journal.fails = os.ErrClosed
	if log.Info("starts"); text.message != "starts" {
		t.Errorf("what the journal does not take is lost: %q", text.message)
	}
}

func TestLeadsToJournal(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "stream"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	of := info.Sys().(*syscall.Stat_t)
	stream := fmt.Sprintf("%d:%d", of.Dev, of.Ino)
	if !leadsToJournal(f, stream) {
		t.Errorf("%s is not known", stream)
	}
	for _, other := range []string{"", "1:2", stream + "0", strings.Replace(stream, ":", "", 1)} {
		if leadsToJournal(f, other) {
			t.Errorf("%q is taken for %s", other, stream)
		}
	}
}
