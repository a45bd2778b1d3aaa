package runner

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"payterm"
)

// TestChanges: a reader gets each change once and in order, at its own pace, and is told if it
// was too slow.
func TestChanges(t *testing.T) {
	c := newChanges()
	if list, missed, _ := c.After(0); len(list) != 0 || missed {
		t.Errorf("%d changes before the first, missed %t", len(list), missed)
	}
	_, _, more := c.After(c.Last())
	for n := range 10 {
		c.add(payterm.Order{Attempts: n})
	}
	select {
	case <-more:
	default:
		t.Error("the reader is not woken")
	}
	list, missed, _ := c.After(4)
	if len(list) != 6 || missed {
		t.Fatalf("%d changes after the fourth, missed %t", len(list), missed)
	}
	for i, change := range list {
		if change.Seq != uint64(5+i) || change.Order.Attempts != 4+i {
			t.Errorf("change %d is %d of order with %d", 5+i, change.Seq, change.Order.Attempts)
		}
	}
	if list, missed, _ := c.After(10); len(list) != 0 || missed {
		t.Errorf("%d changes after the last, missed %t", len(list), missed)
	}
	for range keptChanges {
		c.add(payterm.Order{})
	}
	if list, missed, _ := c.After(10); len(list) != keptChanges || missed {
		t.Errorf("%d changes for one just in time, missed %t", len(list), missed)
	}
	if list, missed, _ := c.After(9); len(list) != keptChanges || !missed || list[0].Seq != 11 {
		t.Errorf("%d changes for one too late, missed %t", len(list), missed)
	}
}

// TestFollow: a reader that falls behind is told of it before it gets the changes that are kept.
func TestFollow(t *testing.T) {
	c := newChanges()
	add := func(n int) {
		for range n {
			c.add(payterm.Order{Attempts: int(c.Last()) + 1})
		}
	}
	for _, x := range []struct {
		before, while int // changes before the reader begins, and while it is busy with the first
		missed        string
	}{
		{3, 0, "[]"},
		{keptChanges, 0, "[]"},
		{keptChanges + 1, 0, "[0]"},
		{1, keptChanges, "[]"},
		{1, keptChanges + 5, "[1]"},
	} {
		c = newChanges()
		add(x.before)
		ctx, stop := context.WithCancel(t.Context())
		last, missed := 0, []int{}
		c.Follow(ctx, func(o payterm.Order) {
			if add(x.while); o.Attempts != last+1 && len(missed) == 0 {
				t.Errorf("%+v: %d after %d, and nothing was missed", x, o.Attempts, last)
			}
			x.while, last = 0, o.Attempts
			if uint64(last) == c.Last() {
				stop()
			}
		}, func() { missed = append(missed, last) })
		stop()
		if fmt.Sprint(missed) != x.missed {
			t.Errorf("%+v: missed after %v", x, missed)
		}
	}
}

// TestChangesFollowTheJournal: the stream has exactly the committed changes.
func TestChangesFollowTheJournal(t *testing.T) {
	w := newWorld(t, paid)
	w.scanSale(alipayCode)
	w.run(time.Second)
	list, missed, _ := w.r.Changes().After(0)
	if len(list) == 0 || missed {
		t.Fatalf("%d changes, missed %t", len(list), missed)
	}
	last, kept := list[len(list)-1].Order, w.order(0)
	last.CreatedAt, last.ClosedAt = kept.CreatedAt, kept.ClosedAt // the same time in another zone
	if last.Outcome != payterm.Approved || !reflect.DeepEqual(last, kept) {
		t.Errorf("the last change says %+v, the journal %+v", last, kept)
	}
	w.full = true
	before := w.r.Changes().Last()
	w.scanSale(alipayCode)
	w.run(time.Second)
	if n := w.r.Changes().Last() - before; n != 0 {
		t.Errorf("%d changes of what could not be written", n)
	}
}

// deviceLog records the commands to scanner, code printer and drawer.
type deviceLog []string

func (h *deviceLog) Arm(on bool) { *h = append(*h, fmt.Sprintf("arm %t", on)) }

func (h *deviceLog) OpenDrawer() error {
	*h = append(*h, "drawer")
	return nil
}

func (h *deviceLog) PrintCode(o payterm.Order, codeURL string, until time.Time) {
	*h = append(*h, fmt.Sprintf("print %s of %s until %s", codeURL, o.Total(), until.UTC().Format("15:04:05")))
}

func (h *deviceLog) VoidCode(payterm.OrderID) { *h = append(*h, "void") }

// TestDevices: the scanner is armed while a sale waits for a scan, and a code is valid as long as
// its order shows it.
func TestDevices(t *testing.T) {
	var did deviceLog
	w := newWorld(t, paid, payterm.CodeMade{CodeURL: "code"}, paid)
	w.alter = func(c *Config) { c.Scanner, c.Drawer, c.Codes = &did, &did, &did }
	w.boot()
	w.scanSale(alipayCode)
	w.run(time.Second)
	if want := "[arm true arm false drawer]"; fmt.Sprint(did) != want {
		t.Errorf("a scanned code: %s, want %s", fmt.Sprint(did), want)
	}
	did = nil
	w.press("1", "2", "3", "4", payterm.KeyF1)
	_, wall := w.Now()
	w.run(10 * time.Second)
	until := wall.Add(w.r.c.Settings.Rules.ActiveDisplay).UTC().Format("15:04:05")
	if want := "[print code of 12.34 until " + until + " drawer void]"; fmt.Sprint(did) != want {
		t.Errorf("a shown code: %s, want %s", fmt.Sprint(did), want)
	}
	w.alter = nil // all three are optional
	w.answers = []payterm.Answer{paid, payterm.CodeMade{CodeURL: "code"}, paid}
	w.boot()
	w.scanSale("281234567890123999")
	w.run(time.Second)
	w.press("1", "2", "3", "4", payterm.KeyF1)
	w.run(10 * time.Second)
	if o := w.order(3); o.Outcome != payterm.Approved {
		t.Errorf("without devices: %s", o.Outcome)
	}
}
