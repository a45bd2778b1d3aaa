package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	slogjournal "github.com/systemd/slog-journal"
	"golang.org/x/sys/unix"
)

// newLog writes to standard error. If that is connected to systemd's journal, it writes to the journal
// directly, which stores each value in a field of its own (PAYTERM_ORDER_ID=...).
func newLog(level slog.Level) *slog.Logger {
	text := slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})
	if !leadsToJournal(os.Stderr, os.Getenv("JOURNAL_STREAM")) {
		return slog.New(text)
	}
	fields, err := slogjournal.NewHandler(&slogjournal.Options{Level: level, ReplaceAttr: field})
	if err != nil {
		return slog.New(text)
	}
	return slog.New(journalHandler{fields, text})
}

// leadsToJournal reports whether a file is the stream that systemd names in JOURNAL_STREAM, by device and inode
// (systemd.exec(5)).
func leadsToJournal(f *os.File, stream string) bool {
	var s unix.Stat_t
	if stream == "" || unix.Fstat(int(f.Fd()), &s) != nil {
		return false
	}
	return stream == fmt.Sprintf("%d:%d", s.Dev, s.Ino)
}

// field converts a name to the journal's form: capitals, with payterm's prefix.
func field(_ []string, a slog.Attr) slog.Attr {
	a.Key = "PAYTERM_" + strings.ToUpper(a.Key)
	return a
}

// journalHandler sends the fields to the journal, and repeats them in the message, since journalctl shows only
// the message by default. What the journal does not accept goes to standard error.
type journalHandler struct {
	fields, text slog.Handler
}

func (h journalHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return h.text.Enabled(ctx, l)
}

func (h journalHandler) Handle(ctx context.Context, r slog.Record) error {
	var b bytes.Buffer
	line := slog.NewTextHandler(&b, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
				return slog.Attr{}
			}
			return a
		},
	})
	if err := line.Handle(ctx, r); err != nil {
		return err
	}
	whole := slog.NewRecord(r.Time, r.Level, strings.TrimSpace(r.Message+" "+b.String()), 0)
	r.Attrs(func(a slog.Attr) bool { whole.AddAttrs(a); return true })
	if err := h.fields.Handle(ctx, whole); err != nil {
		return errors.Join(err, h.text.Handle(ctx, r))
	}
	return nil
}

func (h journalHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return journalHandler{h.fields.WithAttrs(attrs), h.text.WithAttrs(attrs)}
}

func (h journalHandler) WithGroup(name string) slog.Handler {
	return journalHandler{h.fields.WithGroup(name), h.text.WithGroup(name)}
}
