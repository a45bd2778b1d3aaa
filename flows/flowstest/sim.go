package flowstest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
	"payterm/flows/runner"
	"payterm/gateway/ottpay"
	"payterm/receipt"
	"payterm/screen"
	"payterm/storage"
)

// Sim is the simulated world: a shop with one terminal, its customers, the
// network and the gateway with its own ledger. What runs in it is the production
// code, unchanged: flows, runner, storage on a real SQLite file, the gateway
// client down to its bytes, the words of screens and slips. It must run inside a
// bubble of testing/synctest, whose clock jumps to the next deadline as soon as
// nobody has anything left to do.
//
// Everything that the terminal does to the world passes a boundary before and
// after: a commit, a request, a screen, a slip, a sound. Dying at a boundary is
// what a power failure is.
type Sim struct {
	c SimConfig

	mu         sync.Mutex
	accounts   map[string]*account // of merchants, by number
	config     config              // of the terminal, from its next start on
	people     *rand.Rand          // what people and plans draw
	chance     *rand.Rand          // what the terminal draws: tags, jitter
	net        network
	life       *life
	lives      int
	dir        string // of this life's database
	wall       wallClock
	dieAt      int    // the boundary, counted from the world's beginning; 0 for none
	dieName    string // the next one whose name begins so; empty for none
	fullAt     int    // the commit from now that finds the disk full; 0 for none
	fullFor    time.Duration
	fullDie    int // so many boundaries later the process dies; 0 for not
	fullEnd    time.Time
	Full       int // how often it was
	stallAt    int // the commit from now that the disk takes its time for; 0 for none
	stallFor   time.Duration
	Boundaries int
	Kills      int
	died       chan struct{}
	backup     string // a copy of the database, as a merchant may have one
	backupBook map[payterm.OrderID]payterm.Order
	backupGone map[payterm.OrderID]bool // pruned from it
	keys       int
	wishes     map[string]wish // what tills have asked for, by their keys
	story      []string
	logged     bytes.Buffer
	checker
}

// SimConfig says what world it is. The same seed gives the same world.
type SimConfig struct {
	Dir      string // an empty directory
	Seed     uint64
	KeepLate bool
	PIN      bool            // a supervisor's PIN is configured; it is supervisorPIN
	DieAt    int             // the first death: at this boundary, 0 for never
	Keep     time.Duration   // how long closed orders are kept; 0 for ever
	Told     func(Violation) // at once of each broken promise; may be nil
	Blank    string          // a journal in which nothing is written yet, to begin with; empty for none
}

const (
	simTerminal   = "T1"
	supervisorPIN = "4711"
)

// life is one life of the terminal's process.
type life struct {
	n        int
	ctx      context.Context //nolint:containedctx // the life's own end
	cancel   context.CancelFunc
	dead     bool
	clock    *runner.SystemClock
	store    *storage.Store
	runner   *runner.Runner
	ready    bool
	ended    chan struct{}
	view     counter.View
	viewAt   time.Time // since when, by its name
	clockSet int       // how often the wall clock was set before
	began    time.Time
	kept     time.Time // when the house was
	config   config
}

// NewSim makes a world. Its clock is the bubble's.
func NewSim(c SimConfig) (*Sim, error) {
	s := &Sim{
		c: c, accounts: map[string]*account{}, wishes: map[string]wish{},
		people: rand.New(rand.NewPCG(c.Seed, 1)), chance: rand.New(rand.NewPCG(c.Seed, 2)), //nolint:gosec // a simulation
		died: make(chan struct{}, 1), dieAt: c.DieAt,
	}
	s.net = network{s: s, kept: map[payterm.OrderID][]kept{}, rng: rand.New(rand.NewPCG(c.Seed, 3))} //nolint:gosec // as above
	s.checker = newChecker(s)
	s.config = config{s.account("1"), "CAD"}
	s.dir = filepath.Join(c.Dir, "1")
	if err := os.Mkdir(s.dir, 0o700); err != nil || c.Blank == "" {
		return s, err
	}
	blank, err := os.ReadFile(c.Blank)
	if err != nil {
		return s, err
	}
	return s, os.WriteFile(filepath.Join(s.dir, journalFile), blank, 0o600)
}

// journalFile is the name of the terminal's database.
const journalFile = "payterm.db"

// MakeBlank writes a journal in which nothing is written yet. Worlds that begin with a
// copy of it need not each make one.
func MakeBlank(path string) error {
	store, err := storage.Open(storage.Options{
		Path: path, Terminal: simTerminal, DrawTag: func() (string, error) {
			return "BLANK", nil
		}, Now: func() time.Time { return simEpoch },
	})
	if err != nil {
		return err
	}
	return store.Close()
}

// tell adds a line to the story of this run.
func (s *Sim) tell(format string, args ...any) {
	s.story = append(s.story, fmt.Sprintf("%10.3f  ", time.Since(simEpoch).Seconds())+fmt.Sprintf(format, args...))
}

// simEpoch is when every bubble's clock begins.
var simEpoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// boundary is a moment at which the process may die. It does not return to a
// process that is dead: nothing of that one reaches the world any more.
func (s *Sim) boundary(l *life, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reached(l, name)
	if l.dead {
		runtime.Goexit()
	}
}

// reached counts a boundary and kills the process there if that was asked for.
// The lock is held.
func (s *Sim) reached(l *life, name string) {
	if l.dead {
		return
	}
	s.Boundaries++
	s.wall.reached(s)
	if s.Boundaries == s.dieAt || s.dieName != "" && strings.HasPrefix(name, s.dieName) {
		s.dieName = ""
		s.tell("dies at boundary %d: %s", s.Boundaries, name)
		s.kill(l)
	}
}

// kill ends a life. The lock is held.
func (s *Sim) kill(l *life) {
	if l.dead {
		return
	}
	l.dead = true
	s.lived += time.Since(l.began)
	s.Kills++
	l.cancel()
	select {
	case s.died <- struct{}{}:
	default:
	}
}

// boot begins a life on the database in s.dir. It returns at once; the process
// works in a goroutine of its own and may die at any boundary of its start.
func (s *Sim) boot() {
	ctx, cancel := context.WithCancel(context.Background())
	s.mu.Lock()
	s.lives++
	l := &life{n: s.lives, ctx: ctx, cancel: cancel, ended: make(chan struct{}), began: time.Now(), kept: time.Now(),
		viewAt: time.Now(), clockSet: s.wall.changes, config: s.config}
	s.life = l
	s.fullAt, s.fullEnd, s.stallAt = 0, time.Time{}, 0 // somebody has made room
	s.tell("life %d begins", l.n)
	s.mu.Unlock()
	go func() {
		defer close(l.ended)
		if err := s.live(l); err != nil {
			s.mu.Lock()
			s.violate("boot", "life %d does not start: %v", l.n, err)
			s.mu.Unlock()
		}
	}()
}

// live is the process: what cmd/payterm does, without its devices.
func (s *Sim) live(l *life) error {
	l.clock = runner.NewSystemClock(built)
	s.boundary(l, "before the journal is opened")
	store, err := s.open(l)
	if err != nil {
		return err
	}
	s.mu.Lock()
	l.store, l.clock = store, l.clock.GoingOn(store.Lived())
	s.mu.Unlock()
	s.boundary(l, "after the journal is opened")
	client, err := ottpay.New(ottpay.Config{
		URL: "http://127.0.0.1:9/processV2", MerchantID: l.config.merchant, OperatorID: "0000000001",
		SignKey:     ottpay.SignKey(l.config.key),
		CallBackURL: "https://shop.example.org/back", Currency: l.config.currency, Dial: s.net.dial,
		Now: func() time.Time { _, wall := s.now(l); return wall },
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	log := slog.New(slog.NewTextHandler(&s.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.mu.Unlock()
	e := &edge{s: s, l: l, client: client}
	last, err := store.LastApproved()
	if err != nil {
		return err
	}
	rules := order.DefaultRules()
	rules.KeepLate = s.c.KeepLate
	l.runner = runner.New(runner.Config{
		Journal: e, People: e, Gateway: e, Display: e, Printer: e, Buzzer: e, Clock: e, BootTag: store.BootTag(),
		Settings: counter.Settings{
			Currency: l.config.currency, MerchantID: l.config.merchant, Rules: rules, PINSet: s.c.PIN, Last: last,
			ActiveWallets: payterm.ChannelSetOf(payterm.Alipay, payterm.WeChatPay),
		},
		Screen: e.compose, Slip: e.slip,
		CodeKey: func(c payterm.PayCode) string {
			sum := sha256.Sum256([]byte("the world's key" + c.Reveal()))
			return hex.EncodeToString(sum[:])
		},
		PIN: func(_ string, p counter.PIN) (counter.Operator, bool) {
			time.Sleep(300 * time.Millisecond)
			return counter.Operator{Number: payterm.SharedSupervisor, Supervisor: true}, string(p) == supervisorPIN
		},
		Jitter: func() uint16 { s.mu.Lock(); defer s.mu.Unlock(); return uint16(s.chance.Uint32()) },
		Log:    log,
	})
	open, err := store.OpenOrders()
	if err != nil {
		return err
	}
	list := make([]runner.Open, len(open))
	for i, one := range open {
		list[i] = runner.Open{ID: one.ID, Events: one.Events}
	}
	s.mu.Lock()
	s.booted(l, open)
	s.mu.Unlock()
	if err := l.runner.Restore(list); err != nil {
		return err
	}
	s.mu.Lock()
	l.ready = true
	s.mu.Unlock()
	go s.keepHouse(l)
	go s.watchTurns(l)
	return l.runner.Run(l.ctx)
}

// open opens the journal. Where that is not done with another merchant or currency, whoever
// has configured the terminal anew puts the configuration of before back.
func (s *Sim) open(l *life) (*storage.Store, error) {
	now := func() time.Time { _, wall := s.now(l); return wall }
	store, err := storage.Open(s.storageOptions(l.config, now))
	var other storage.OtherMerchantError
	if !errors.As(err, &other) {
		return store, err
	}
	s.mu.Lock()
	s.tell("the start refuses the configuration: %v", err)
	for _, a := range s.accounts {
		if a.merchant == other.MerchantID {
			l.config = config{a, other.Currency}
		}
	}
	s.config = l.config
	s.mu.Unlock()
	return storage.Open(s.storageOptions(l.config, now))
}

// storageOptions say which journal it is.
func (s *Sim) storageOptions(c config, now func() time.Time) storage.Options {
	return storage.Options{
		Path: filepath.Join(s.dir, journalFile), Terminal: simTerminal, DrawTag: s.drawTag, Now: now,
		MerchantID: c.merchant, Currency: c.currency,
	}
}

// now is the terminal's own idea of the time.
func (s *Sim) now(l *life) (time.Duration, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mono, wall := l.clock.Now()
	return mono, s.wall.shows(wall)
}

const tagLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

func (s *Sim) drawTag() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tag := make([]byte, 5)
	for i := range tag {
		tag[i] = tagLetters[s.chance.IntN(len(tagLetters))]
	}
	return string(tag), nil
}

// bury waits until nothing of a dead life moves, and takes over its disk: what
// the file system had at that moment, which is not what a clean end leaves.
func (s *Sim) bury() error {
	l := s.life
	<-l.ended
	synctest.Wait()
	next := filepath.Join(s.c.Dir, fmt.Sprint(s.lives+1))
	err := copyDatabase(s.dir, next)
	if l.store != nil {
		err = errors.Join(err, l.store.Close())
	}
	err = errors.Join(err, os.RemoveAll(s.dir))
	s.dir = next
	return err
}

func copyDatabase(from, to string) error {
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	for _, name := range []string{journalFile, journalFile + "-wal"} {
		b, err := os.ReadFile(filepath.Join(from, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), b, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// down is how long a terminal is away after it died by itself, and at least: so long
// systemd waits before it starts the process once more.
const down = 5 * time.Second

// Play lets a plan happen, and then the world go on for an hour with a network
// that works. It returns what was violated.
func (s *Sim) Play(p Plan) ([]Violation, error) {
	s.boot()
	var acts sync.WaitGroup
	for _, a := range p {
		if err := s.until(time.Now().Add(a.After)); err != nil {
			return nil, err
		}
		s.mu.Lock()
		s.tell("> %s", a)
		s.mu.Unlock()
		if err := s.act(a, &acts); err != nil {
			return nil, err
		}
	}
	if err := s.until(time.Now().Add(15 * time.Minute)); err != nil { // people finish what they are at
		return nil, err
	}
	s.mu.Lock()
	s.net.heal()
	s.wall.unset = false
	s.tell("the network works from here on")
	s.mu.Unlock()
	finish(&acts)
	if err := s.until(time.Now().Add(time.Hour)); err != nil {
		return nil, err
	}
	return s.end()
}

// finish waits for those who are still at something. One who waits for an answer that
// never comes keeps nobody: the checker knows of him.
func finish(acts *sync.WaitGroup) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		acts.Wait()
	}()
	t := time.NewTimer(2 * time.Hour)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
}

// until lets the world go on to a moment, and gives a terminal that died its
// power back.
func (s *Sim) until(at time.Time) error {
	for {
		t := time.NewTimer(time.Until(at))
		select {
		case <-t.C:
			synctest.Wait()
			select {
			case <-s.died: // at this very moment
			default:
				return nil
			}
		case <-s.died:
			t.Stop()
		}
		if err := s.restart(down); err != nil {
			return err
		}
	}
}

// restart buries the dead and boots.
func (s *Sim) restart(after time.Duration) error {
	if err := s.bury(); err != nil {
		return err
	}
	time.Sleep(after)
	s.boot()
	return nil
}

// end closes the terminal and compares everything.
func (s *Sim) end() ([]Violation, error) {
	synctest.Wait()
	s.mu.Lock()
	l := s.life
	s.mu.Unlock()
	if l.store == nil || l.runner == nil {
		return s.found, fmt.Errorf("the last life never came up")
	}
	if err := s.finalChecks(l); err != nil {
		return s.found, err
	}
	l.cancel()
	<-l.ended
	time.Sleep(time.Minute) // what is still on its way arrives nowhere
	err := l.store.Close()
	s.checkSecrets()
	return s.found, err
}

// edge is what the terminal's process touches the world with.
type edge struct {
	s      *Sim
	l      *life
	client *ottpay.Client
}

func (e *edge) Now() (time.Duration, time.Time) { return e.s.now(e.l) }
func (e *edge) After(at time.Duration) (<-chan time.Time, func()) {
	return e.l.clock.After(at)
}

func (e *edge) Commit(entries ...payterm.Entry) error {
	e.s.boundary(e.l, "before a commit")
	e.s.stall(e.l)
	if err := e.s.fullDisk(true); err != nil {
		return err
	}
	if err := e.l.store.Commit(entries...); err != nil {
		return err
	}
	e.s.mu.Lock()
	e.s.committed(e.l, entries)
	e.s.mu.Unlock()
	e.s.boundary(e.l, "after a commit of "+entries[0].Event)
	return nil
}

func (e *edge) Record(stamp payterm.Stamp, p payterm.PersonRecord) error {
	e.s.boundary(e.l, "before a record of a person")
	e.s.stall(e.l)
	if err := e.s.fullDisk(true); err != nil {
		return err
	}
	if err := e.l.store.Record(stamp, p); err != nil {
		return err
	}
	e.s.boundary(e.l, "after a record of a person")
	return nil
}
func (e *edge) Failures() (map[string]int, error) { return e.l.store.Failures() }

func (e *edge) NextOrderID() (payterm.OrderID, error) {
	id, err := e.l.store.NextOrderID()
	e.s.boundary(e.l, "after an order id was taken")
	return id, err
}

func (e *edge) OrderByKey(key string) (payterm.Order, bool, error) {
	return e.l.store.OrderByKey(key)
}
func (e *edge) Writable() error {
	if err := e.s.fullDisk(false); err != nil {
		return err
	}
	return e.l.store.Writable()
}
func (e *edge) Reserve() error { return nil } // so that commits are what meets a full disk

// fullDisk is what somebody who writes gets to hear. The disk fills up at the
// commit that the plan has named.
func (s *Sim) fullDisk(commit bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if commit && s.fullAt > 0 {
		if s.fullAt--; s.fullAt == 0 {
			s.diskFailed()
			s.fullEnd = time.Now().Add(s.fullFor)
			s.Full++
			s.tell("the disk is full")
			if s.fullDie > 0 {
				s.dieAt = s.Boundaries + s.fullDie
			}
		}
	}
	if time.Now().Before(s.fullEnd) {
		s.diskFailed()
		return storage.ErrFull
	}
	return nil
}
func (e *edge) Events(id payterm.OrderID) ([]payterm.Journaled, error) {
	return e.l.store.Events(id)
}
func (e *edge) Order(id payterm.OrderID) (payterm.Order, bool, error) { return e.l.store.Order(id) }
func (e *edge) Columns(id payterm.OrderID) (payterm.Order, bool, error) {
	return e.l.store.Columns(id)
}
func (e *edge) List(list payterm.OrderList, skip, n int) ([]payterm.Order, error) {
	return e.l.store.List(list, skip, n)
}
func (e *edge) Numbered(number string, skip, n int) ([]payterm.Order, error) {
	return e.l.store.Numbered(number, skip, n)
}
func (e *edge) Attention() (map[payterm.Attention]int, error) { return e.l.store.Attention() }

func (e *edge) Pay(ctx context.Context, p payterm.Payment) payterm.Answer {
	e.s.boundary(e.l, "before a payment is sent")
	ctx, done := e.request(ctx, requested{id: p.OrderID, about: p.OrderID, action: "pay", code: p.Code.Reveal()}, &p)
	a := e.client.Pay(ctx, p)
	done(a)
	e.s.boundary(e.l, "after a payment was answered")
	return a
}

func (e *edge) Inquire(ctx context.Context, q payterm.Inquiry) payterm.Answer {
	e.s.boundary(e.l, "before an inquiry")
	ctx, done := e.request(ctx, requested{id: q.OrderID, about: q.OrderID, action: "query"}, nil)
	a := e.client.Inquire(ctx, q)
	done(a)
	e.s.boundary(e.l, "after an inquiry")
	return a
}

func (e *edge) Refund(ctx context.Context, r payterm.RefundRequest) payterm.Answer {
	e.s.boundary(e.l, "before a refund is sent")
	ctx, done := e.request(ctx, requested{id: r.OrderID, about: r.SaleOrderID, action: "refund"}, nil)
	e.s.mu.Lock()
	e.s.refunding(r)
	e.s.mu.Unlock()
	a := e.client.Refund(ctx, r)
	done(a)
	e.s.boundary(e.l, "after a refund was answered")
	return a
}

// request notes that one is under way, until done.
func (e *edge) request(ctx context.Context, r requested, p *payterm.Payment) (context.Context, func(payterm.Answer)) {
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	r.l = e.l
	e.s.leaving(r, p)
	return context.WithValue(ctx, requestKey{}, &r), func(a payterm.Answer) {
		e.s.mu.Lock()
		defer e.s.mu.Unlock()
		e.s.inFlight[r.id]--
		e.s.tell("%s of %s ended: %s", r.action, r.id, payterm.AnswerName(a))
	}
}

// compose puts a view into words and looks at it.
func (e *edge) compose(v counter.View) payterm.Screen {
	e.s.boundary(e.l, "before the screen "+string(v.Name))
	e.s.mu.Lock()
	e.s.shown(e.l, v)
	e.s.mu.Unlock()
	return screen.Compose(v, screen.Options{})
}

func (e *edge) Show(sc payterm.Screen) {
	e.s.mu.Lock()
	e.s.said(sc)
	e.s.mu.Unlock()
	e.s.boundary(e.l, "after the screen "+sc.Name)
}

func (e *edge) slip(slip order.Slip, o payterm.Order, again bool) payterm.Receipt {
	e.s.boundary(e.l, "before the slip "+string(slip))
	e.s.mu.Lock()
	e.s.slipping(slip, o)
	e.s.mu.Unlock()
	return receipt.Compose(slip, o, again, receipt.Options{Zone: time.UTC})
}

func (e *edge) Print(r payterm.Receipt) error {
	e.s.mu.Lock()
	e.s.printed(r)
	e.s.mu.Unlock()
	e.s.boundary(e.l, "after the slip "+r.Name)
	return nil
}

func (e *edge) Play(payterm.Sound) { e.s.boundary(e.l, "at a sound") }

// lose takes the database away while the terminal is without power; the orders
// in it are forgotten.
func (s *Sim) lose() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(map[payterm.OrderID]payterm.Order{}, map[payterm.OrderID]bool{})
	return errors.Join(os.RemoveAll(s.dir), os.Mkdir(s.dir, 0o700))
}

// keep copies the database for restore.
func (s *Sim) keep() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys++
	to := filepath.Join(s.c.Dir, fmt.Sprintf("backup%d", s.keys))
	if err := copyDatabase(s.dir, to); err != nil {
		return err
	}
	s.backup, s.backupBook, s.backupGone = to, maps.Clone(s.book), maps.Clone(s.pruned)
	return nil
}

// restore puts the copy in the database's place.
func (s *Sim) restore() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.backup == "" {
		return nil
	}
	s.forget(s.backupBook, s.backupGone)
	if err := os.RemoveAll(s.dir); err != nil {
		return err
	}
	return copyDatabase(s.backup, s.dir)
}

// Story is what happened, line by line.
func (s *Sim) Story() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.story, "\n") + "\n"
}

// Hours is how long the world has lived.
func (s *Sim) Hours() float64 { return time.Since(simEpoch).Hours() }

// Lives is how often the terminal was started.
func (s *Sim) Lives() int { return s.lives }

// sortedIDs is the keys of a book in order, so that a run can be repeated.
func sortedIDs[V any](m map[payterm.OrderID]V) []payterm.OrderID {
	return slices.Sorted(maps.Keys(m))
}
