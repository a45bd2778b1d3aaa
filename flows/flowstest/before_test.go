package flowstest

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"payterm"
	"payterm/flows/order"
	"payterm/storage"
)

// TestBeforeLivedTime reads a journal of a version whose monotonic time began again at each start
// and which recomputed times from the wall clock, here a day ahead. Folding gives that version's
// state; afterwards no guard and no code life is shorter than it should be.
func TestBeforeLivedTime(t *testing.T) {
	f, err := os.Open("../../storage/testdata/v5.db.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	path := filepath.Join(t.TempDir(), "payterm.db")
	if err != nil || os.WriteFile(path, b, 0o600) != nil {
		t.Fatal(err)
	}
	store, err := storage.Open(storage.Options{
		Path: path, Terminal: "T1", DrawTag: func() (string, error) {
			return "A0004", nil
		}, Now: func() time.Time { return time.Time{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	now := store.Lived() + time.Second
	for id, was := range map[payterm.OrderID]struct {
		phase              order.Phase
		outcome            payterm.Outcome
		lifeUntil, doubtAt time.Duration // as that version had them
		doubt, life        time.Duration // at the first restart of this version
	}{
		"T1A0001000001": {phase: order.Closed, outcome: payterm.Approved, lifeUntil: 25*time.Hour + time.Second},
		"T1A0001000002": {order.InBackground, payterm.InDoubt, time.Second,
			-(25*time.Hour + 9*time.Minute + 59*time.Second), now, now + 24*time.Hour},
		"T1A0001000003": {phase: order.Closed, outcome: payterm.InDoubt, lifeUntil: time.Second,
			doubtAt: -(25*time.Hour + 9*time.Minute + 59*time.Second)},
		// Of the last run: its times are kept.
		"T1A0002000001": {order.InBackground, payterm.InDoubt, 24*time.Hour + 40*time.Minute + time.Second,
			41 * time.Minute, 41 * time.Minute, 24*time.Hour + 40*time.Minute + time.Second},
	} {
		records, err := store.Events(id)
		if err != nil {
			t.Fatal(err)
		}
		o := &storyOrder{}
		for _, r := range records {
			o.records = append(o.records, record{r.Event, r.Body, r.Stamp})
		}
		folded, err := o.fold()
		if err != nil {
			t.Fatal(err)
		}
		if folded.Phase != was.phase || folded.Outcome != was.outcome || folded.LifeUntil != was.lifeUntil ||
			folded.DoubtAt != was.doubtAt {
			t.Errorf("%s is %s %s, its code lives until %s, in doubt since %s; its version said %+v", id, folded.Phase,
				folded.Outcome, folded.LifeUntil, folded.DoubtAt, was)
		}
		if folded.Settled() {
			continue
		}
		in := order.Stamped{Stamp: payterm.Stamp{Boot: "A0004", Mono: now}, Event: order.Restarted{}}
		after, _ := order.Step(folded, in)
		if after.DoubtAt != was.doubt || after.LifeUntil != was.life {
			t.Errorf("%s is in doubt since %s, its code lives until %s; want %s and %s", id, after.DoubtAt,
				after.LifeUntil, was.doubt, was.life)
		}
		name, body, err := order.EncodeEvent(in.Event)
		if err != nil {
			t.Fatal(err)
		}
		o.records = append(o.records, record{name, body, in.Stamp})
		if again, err := o.fold(); err != nil || order.Lasting(again, after) {
			t.Errorf("%s is read back as\n%+v, it was\n%+v (%v)", id, again, after, err)
		}
	}
}
