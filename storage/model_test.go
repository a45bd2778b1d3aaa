package storage

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"payterm"

	"pgregory.net/rapid"
)

// model is the store's expected state in plain Go.
type model struct {
	path   string
	s      *Store
	clock  *clock
	lives  int
	orders []*modelOrder // oldest first
	zs     int64
	lived  time.Duration
	kept   time.Duration // the part of it that was stored
	given  map[payterm.OrderID]bool
	keys   map[string]payterm.Order // of dropped orders
}

type modelOrder struct {
	id     payterm.OrderID
	row    payterm.Order
	events []string
	closed bool
	owes   payterm.Owed
	z      int64
	zAt    time.Time
	zLived time.Duration
}

func (m *model) open(t *rapid.T) {
	m.lives++
	tags := []string{fmt.Sprintf("L%04d", m.lives)}
	if m.lives > 1 {
		tags = append([]string{fmt.Sprintf("L%04d", m.lives-1)}, tags...) // the last run's tag: refused
	}
	s, err := childStore(m.path, m.clock.now, tags...)
	if err != nil {
		t.Fatal(err)
	}
	s.o.Now = func() time.Time { return m.clock.now }
	if s.Lived() < m.kept {
		t.Fatalf("life %d begins at %s, and %s was written down", m.lives, s.Lived(), m.kept)
	}
	if m.s = s; s.BootTag() != fmt.Sprintf("L%04d", m.lives) {
		t.Fatalf("life %d has the tag %s", m.lives, s.BootTag())
	}
}

// crash ends the writer without closing while a reader holds the log, so that the log is not
// moved into the file.
func (m *model) crash(t *rapid.T) {
	before, err := os.Stat(m.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.s.db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := m.s.Reader.Close(); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(m.path); err != nil || after.ModTime() != before.ModTime() {
		t.Fatalf("this was no crash: the file was written: %v", err)
	}
	m.open(t)
}

// draw makes an entry for a new order, or the next one of an order that is not approved.
func (m *model) draw(t *rapid.T) (payterm.Entry, *modelOrder) {
	var live []*modelOrder
	for _, o := range m.orders {
		if o.z == 0 {
			live = append(live, o)
		}
	}
	if len(live) == 0 || rapid.Bool().Draw(t, "new") {
		id, err := m.s.NextOrderID()
		if err != nil {
			t.Fatal(err)
		}
		if m.given[id] {
			t.Fatalf("%s is given again", id)
		}
		m.given[id] = true
		e := entry(id, "sale_began", payterm.Open)
		e.Order.AmountMinor = rapid.Int64Range(1, 1e6).Draw(t, "amount")
		if rapid.Bool().Draw(t, "key") {
			e.Order.IdempotencyKey = "key of " + string(id)
		}
		return e, &modelOrder{id: id}
	}
	o := rapid.SampledFrom(live).Draw(t, "order")
	e := entry(o.id, "inquiry_answered", o.row.Outcome)
	e.Order = o.row
	if e.Order.Outcome != payterm.Approved {
		e.Order.Outcome = rapid.SampledFrom([]payterm.Outcome{payterm.Approved, payterm.Declined,
			payterm.InDoubt}).Draw(t, "outcome")
	}
	e.Order.Attempts++
	e.Order.PaidMinor = 0
	if e.Order.Outcome == payterm.Approved {
		e.Order.PaidMinor = e.Order.AmountMinor
	}
	e.Order.Attention = rapid.SampledFrom([]payterm.Attention{"", "", payterm.AttentionAlarm}).Draw(t, "attention")
	e.Closed = e.Order.Outcome != payterm.InDoubt && rapid.Bool().Draw(t, "closed")
	e.Owes = payterm.OwedInquiry
	if e.Closed || rapid.Bool().Draw(t, "nothing owed") {
		e.Owes = payterm.OwedNothing
	}
	return e, o
}

func (m *model) commit(t *rapid.T) {
	var entries []payterm.Entry
	var of []*modelOrder
	for range rapid.IntRange(1, 3).Draw(t, "entries") {
		e, o := m.draw(t)
		if slices.Contains(of, o) {
			continue // the entry was drawn from the row before
		}
		entries, of = append(entries, e), append(of, o)
	}
	if rapid.IntRange(0, 4).Draw(t, "spoiled") == 0 { // one bad entry: none is stored
		bad := rapid.SampledFrom(entries).Draw(t, "bad")
		bad.Order.AmountMinor = -1
		if err := m.s.Commit(append(entries, bad)...); err == nil {
			t.Fatal("a bad entry was committed")
		}
		return
	}
	if err := m.s.Commit(entries...); err != nil {
		t.Fatal(err)
	}
	for i, e := range entries {
		o := of[i]
		if o.events == nil {
			m.orders = append(m.orders, o)
		}
		o.row, o.closed, o.owes = e.Order, e.Closed, e.Owes
		o.events = append(o.events, e.Event)
	}
}

func (m *model) takeZ(t *rapid.T) {
	if err := m.s.Live(m.lived); err != nil {
		t.Fatal(err)
	}
	m.kept = m.lived
	z, err := m.s.TakeZ(noTaker)
	m.zs++
	want := 0
	for _, o := range m.orders {
		if o.closed && o.z == 0 {
			o.z, o.zAt, o.zLived = m.zs, m.clock.now, m.lived
			want++
		}
	}
	in, errIn := m.s.InZ(z.Number)
	if err != nil || errIn != nil || z.Number != m.zs || len(in) != want {
		t.Fatalf("Z %d of %d orders, want %d of %d: %v %v", z.Number, len(in), m.zs, want, err, errIn)
	}
	m.clock.now = m.clock.now.Add(24 * time.Hour)
	m.lived += time.Hour
}

func (m *model) prune(t *rapid.T) {
	days := rapid.IntRange(0, 4).Draw(t, "days")
	old := Old{Wall: m.clock.now.Add(-time.Duration(days) * 24 * time.Hour)}
	if rapid.Bool().Draw(t, "by lived time") {
		old = Old{Lived: max(0, m.lived-time.Duration(days)*time.Hour)}
	}
	n, err := m.s.Prune(old)
	want := 0
	m.orders = slices.DeleteFunc(m.orders, func(o *modelOrder) bool {
		gone := o.z != 0 && o.row.Attention == "" && (o.zAt.Before(old.Wall) || old.Lived > 0 && o.zLived <= old.Lived)
		if gone {
			want++
			if o.row.IdempotencyKey != "" {
				m.keys[o.row.IdempotencyKey] = o.row
			}
		}
		return gone
	})
	if err != nil || n != want {
		t.Fatalf("%d dropped of %d: %v", n, want, err)
	}
}

// check compares everything that can be read with the model.
func (m *model) check(t *rapid.T) {
	rows, open, queue := []payterm.Order{}, []payterm.OrderID(nil), map[payterm.OrderID]payterm.Owed{}
	for _, o := range m.orders {
		rows = append(rows, o.row)
		if !o.closed {
			open = append(open, o.id)
		}
		if o.owes != payterm.OwedNothing {
			queue[o.id] = o.owes
		}
		events, err := m.s.Events(o.id)
		if err != nil || len(events) != len(o.events) {
			t.Fatalf("%s has %d events, want %d: %v", o.id, len(events), len(o.events), err)
		}
	}
	for _, o := range m.orders {
		if row, found, err := m.s.OrderByKey("key of " + string(o.id)); err != nil ||
			found != (o.row.IdempotencyKey != "") || found && !reflect.DeepEqual(row, o.row) {
			t.Fatalf("the key of %+v gives %+v %v", o.row, row, err)
		}
	}
	for key, was := range m.keys {
		was.Attempts = 0 // not kept for a till
		if row, found, err := m.s.OrderByKey(key); err != nil || !found || !reflect.DeepEqual(row, was) {
			t.Fatalf("%s, which was dropped as\n%+v gives\n%+v %v", key, was, row, err)
		}
	}
	if got, err := m.s.Orders(); err != nil || !reflect.DeepEqual(got, rows) {
		t.Fatalf("orders %v, want %v: %v", got, rows, err)
	}
	opened, err := m.s.OpenOrders()
	var gotOpen []payterm.OrderID
	for _, o := range opened {
		gotOpen = append(gotOpen, o.ID)
	}
	if err != nil || !reflect.DeepEqual(gotOpen, open) {
		t.Fatalf("open %v, want %v: %v", gotOpen, open, err)
	}
	items, err := m.s.Queue()
	got := map[payterm.OrderID]payterm.Owed{}
	for _, q := range items {
		got[q.OrderID] = q.Task
	}
	if err != nil || !reflect.DeepEqual(got, queue) {
		t.Fatalf("queue %v, want %v: %v", got, queue, err)
	}
	if _, err := m.s.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestModel does random operations and compares the store with the model.
func TestModel(t *testing.T) {
	root := scratch(t)
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		dir := filepath.Join(root, fmt.Sprint(run))
		m := &model{path: filepath.Join(dir, "payterm.db"), clock: &clock{evening}, given: map[payterm.OrderID]bool{},
			keys: map[string]payterm.Order{}}
		m.open(t)
		defer func() {
			m.s.Close()
			os.RemoveAll(dir)
		}()
		t.Repeat(map[string]func(*rapid.T){
			"commit":       m.commit,
			"commit more":  m.commit,
			"commit again": m.commit,
			"total":        m.takeZ,
			"prune":        m.prune,
			"crash":        m.crash,
			"checkpoint": func(t *rapid.T) {
				if err := m.s.Checkpoint(); err != nil {
					t.Fatal(err)
				}
			},
			"close": func(t *rapid.T) {
				if err := m.s.Close(); err != nil {
					t.Fatal(err)
				}
				m.open(t)
			},
			"": m.check,
		})
	})
}

// TestReadersWhileWriting: readers see whole commits and never delay a writer, and the log stays
// bounded.
func TestReadersWhileWriting(t *testing.T) {
	path := filepath.Join(scratch(t), "payterm.db")
	s := openAt(t, path, &clock{evening})
	r, err := OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	done, failed := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(failed)
		for {
			select {
			case <-done:
				return
			default:
			}
			opened, err := r.OpenOrders()
			if err == nil && len(opened) > 0 {
				err = fmt.Errorf("half a commit: %v", opened)
			}
			if err == nil {
				_, err = r.Attention()
			}
			if err != nil {
				failed <- err
				return
			}
		}
	}()
	largest := int64(0)
	for range 2000 {
		id, err := s.NextOrderID()
		if err != nil {
			t.Fatal(err)
		}
		commit(t, s, entry(id, "sale_began", payterm.Open), entry(id, "payment_answered", payterm.Approved))
		if info, err := os.Stat(path + "-wal"); err != nil {
			t.Fatal(err)
		} else if info.Size() > largest {
			largest = info.Size()
		}
	}
	close(done)
	if err := <-failed; err != nil {
		t.Error(err)
	}
	// SQLite starts a checkpoint at a thousand pages; a reader delays it.
	if most := int64(16 << 20); largest > most {
		t.Errorf("the log grew to %d bytes, more than %d", largest, most)
	}
	t.Logf("the log grew to %d bytes", largest)
}

// TestLogShrinks: a long reader makes the log grow; after its end, commits truncate the log.
func TestLogShrinks(t *testing.T) {
	path := filepath.Join(scratch(t), "payterm.db")
	s := openAt(t, path, &clock{evening})
	day(t, s, 5)
	size := func() int64 {
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	reading, err := s.ro.Begin()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := reading.QueryRow(`SELECT count(*) FROM orders`).Scan(&n); err != nil || n != 5 {
		t.Fatal(n, err)
	}
	for size() < 2*logLimit {
		day(t, s, 50)
	}
	if err := reading.Rollback(); err != nil {
		t.Fatal(err)
	}
	day(t, s, 5)
	if n := size(); n > logLimit {
		t.Errorf("the log still has %d bytes", n)
	}
	if err := s.Checkpoint(); err != nil || size() != 0 {
		t.Errorf("after a checkpoint it has %d bytes: %v", size(), err)
	}
}
