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

// Sim is the simulated world: a shop with one terminal, its customers, the network, and the
// gateway with its own ledger. The production code runs in it unchanged: flows, runner, storage
// on a real SQLite file, the gateway client down to its bytes, the words of screens and slips. It
// runs in a bubble of testing/synctest, whose clock jumps to the next deadline when all
// goroutines wait.
//
// Everything that the terminal does to the world, a commit, a request, a screen, a slip, a sound,
// has a boundary before and after it. A power failure is the end of the process at a boundary.
type Sim struct {
	c SimConfig

	mu         sync.Mutex
	accounts   map[string]*account // of merchants, by number
	config     config              // of the terminal's next start
	people     *rand.Rand          // random source of people and plans
	chance     *rand.Rand          // random source of the terminal: boot tags, jitter
	net        network
	life       *life
	lives      int
	dir        string // of this run's database
	wall       wallClock
	paper      payterm.PaperCondition // as the printer tells it; empty for a printer that tells nothing
	dieAt      int                    // the boundary at which the process ends, counted from the beginning; 0 for none
	dieName    string                 // or the next one with this prefix; empty for none
	fullAt     int                    // counts down to the commit that finds the disk full; 0 for none
	fullFor    time.Duration
	fullDie    int // boundaries after that at which the process ends; 0 for none
	fullEnd    time.Time
	Full       int // times the disk was full
	stallAt    int // counts down to the slow commit; 0 for none
	stallFor   time.Duration
	Boundaries int
	Kills      int
	died       chan struct{}
	backup     string // a copy of the database
	backupBook map[payterm.OrderID]payterm.Order
	backupGone map[payterm.OrderID]bool // pruned from it
	keys       int
	wishes     map[string]wish // what tills have asked for, by key
	story      []string
	logged     bytes.Buffer
	checker
}

// SimConfig describes a world. The same seed gives the same world.
type SimConfig struct {
	Dir         string // an empty directory
	Seed        uint64
	KeepLate    bool
	PIN         bool            // a supervisor's PIN is configured: supervisorPIN
	DieAt       int             // the first boundary at which the process ends, 0 for none
	Keep        time.Duration   // retention of closed orders; 0 for ever
	OnViolation func(Violation) // called at each violation; may be nil
	Blank       string          // an empty journal to copy; none if empty
}

const (
	simTerminal   = "T1"
	supervisorPIN = "4711"
)

// life is one run of the terminal's process.
type life struct {
	n        int
	ctx      context.Context // ends with the process
	cancel   context.CancelFunc
	dead     bool
	clock    *runner.SystemClock
	store    *storage.Store
	runner   *runner.Runner
	ready    bool
	ended    chan struct{}
	view     counter.View
	viewAt   time.Time // since when the view has its name
	clockSet int       // how often the wall clock had been set
	began    time.Time
	kept     time.Time // last upkeep
	config   config
}

// NewSim makes a world. Its clock is the bubble's.
func NewSim(c SimConfig) (*Sim, error) {
	s := &Sim{
		c: c, accounts: map[string]*account{}, wishes: map[string]wish{},
		people: rand.New(rand.NewPCG(c.Seed, 1)), chance: rand.New(rand.NewPCG(c.Seed, 2)), //nolint:gosec // a simulation
		died: make(chan struct{}, 1), dieAt: c.DieAt,
	}
	s.net = network{s: s, kept: map[payterm.OrderID][]kept{},
		rng: rand.New(rand.NewPCG(c.Seed, 3))} //nolint:gosec // a simulation
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

// MakeBlank writes an empty journal, which worlds copy to save time.
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

// tell adds a line to the log of this world.
func (s *Sim) tell(format string, args ...any) {
	s.story = append(s.story, fmt.Sprintf("%10.3f  ", time.Since(simEpoch).Seconds())+fmt.Sprintf(format, args...))
}

// simEpoch is where every bubble's clock starts.
var simEpoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// boundary is a moment at which the process may end. It does not return to a process that has
// ended: nothing of that reaches the world any more.
func (s *Sim) boundary(l *life, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reached(l, name)
	if l.dead {
		runtime.Goexit()
	}
}

// reached counts a boundary and ends the process there if that was planned. The lock is held.
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

// kill ends a process. The lock is held.
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

// boot starts a process on the database in s.dir. It returns at once; the process runs in its own
// goroutine and may end at any boundary of its start.
func (s *Sim) boot() {
	ctx, cancel := context.WithCancel(context.Background())
	s.mu.Lock()
	s.lives++
	l := &life{n: s.lives, ctx: ctx, cancel: cancel, ended: make(chan struct{}), began: time.Now(), kept: time.Now(),
		viewAt: time.Now(), clockSet: s.wall.changes, config: s.config}
	s.life = l
	s.fullAt, s.fullEnd, s.stallAt = 0, time.Time{}, 0 // there is room again
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

// live is the process: what cmd/payterm does, without devices.
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
			ActiveWallets: payterm.ChannelSetOf(payterm.Alipay, payterm.WeChatPay), CodesOnPaper: true,
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
	paper := s.paper
	s.mu.Unlock()
	if paper != "" {
		l.runner.Paper(paper)
	}
	go s.upkeep(l)
	go s.watchTurns(l)
	return l.runner.Run(l.ctx)
}

// open opens the journal. If it refuses another merchant or currency, the previous configuration
// is restored.
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

// storageOptions are the options of the journal.
func (s *Sim) storageOptions(c config, now func() time.Time) storage.Options {
	return storage.Options{
		Path: filepath.Join(s.dir, journalFile), Terminal: simTerminal, DrawTag: s.drawTag, Now: now,
		MerchantID: c.merchant, Currency: c.currency,
	}
}

// now is the time that the terminal's clocks show.
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

// takeOverDisk waits until nothing of an ended process runs, and copies its disk as the file
// system had it at that moment, which differs from a clean end.
func (s *Sim) takeOverDisk() error {
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

// down is the least time between two runs: systemd waits this long before a restart.
const down = 5 * time.Second

// Play plays a plan, then an hour with a working network, and returns the violations.
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
	if err := s.until(time.Now().Add(15 * time.Minute)); err != nil { // running acts end
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

// finish waits for the acts that still run. A caller that never gets an answer does not block it;
// the checker knows of it.
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

// until runs the world up to a time, and restarts a terminal that has ended.
func (s *Sim) until(at time.Time) error {
	for {
		t := time.NewTimer(time.Until(at))
		select {
		case <-t.C:
			synctest.Wait()
			select {
			case <-s.died: // at the same moment
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

// restart takes over the disk of the ended process and boots.
func (s *Sim) restart(after time.Duration) error {
	if err := s.takeOverDisk(); err != nil {
		return err
	}
	time.Sleep(after)
	s.boot()
	return nil
}

// end stops the terminal and makes the final checks.
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
	time.Sleep(time.Minute) // what is still on its way is dropped
	err := l.store.Close()
	s.checkSecrets()
	return s.found, err
}

// edge is the process's interface to the world.
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

func (e *edge) Fence(stamp payterm.Stamp, p payterm.PersonRecord, merchantID string) error {
	e.s.boundary(e.l, "before a fence")
	e.s.stall(e.l)
	if err := e.s.fullDisk(true); err != nil {
		return err
	}
	if err := e.l.store.Fence(stamp, p, merchantID); err != nil {
		return err
	}
	e.s.boundary(e.l, "after a fence")
	return nil
}

func (e *edge) Fenced(key string) (string, bool, error) { return e.l.store.Fenced(key) }

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
func (e *edge) Reserve() error { return nil } // here a full disk shows in commits only

// fullDisk is the error of a write on a full disk. The disk becomes full at the planned commit.
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

// request records a request; call the returned function at its end.
func (e *edge) request(ctx context.Context, r requested, p *payterm.Payment) (context.Context, func(payterm.Answer)) {
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	r.l = e.l
	e.s.checkRequest(r, p)
	return context.WithValue(ctx, requestKey{}, &r), func(a payterm.Answer) {
		e.s.mu.Lock()
		defer e.s.mu.Unlock()
		e.s.inFlight[r.id]--
		e.s.tell("%s of %s ended: %s", r.action, r.id, payterm.AnswerName(a))
	}
}

// compose puts a view into words and checks it.
func (e *edge) compose(v counter.View) payterm.Screen {
	e.s.boundary(e.l, "before the screen "+string(v.Name))
	e.s.mu.Lock()
	e.s.checkView(e.l, v)
	e.s.mu.Unlock()
	return screen.Compose(v, screen.Options{})
}

func (e *edge) Show(sc payterm.Screen) {
	e.s.mu.Lock()
	e.s.checkWords(sc)
	e.s.mu.Unlock()
	e.s.boundary(e.l, "after the screen "+sc.Name)
}

func (e *edge) slip(slip order.Slip, o payterm.Order, again bool) payterm.Receipt {
	e.s.boundary(e.l, "before the slip "+string(slip))
	e.s.mu.Lock()
	e.s.checkSlip(slip, o)
	e.s.mu.Unlock()
	return receipt.Compose(slip, o, again, receipt.Options{Zone: time.UTC})
}

func (e *edge) Print(r payterm.Receipt) error {
	e.s.mu.Lock()
	e.s.checkPaper(r)
	e.s.mu.Unlock()
	e.s.boundary(e.l, "after the slip "+r.Name)
	return nil
}

func (e *edge) Play(payterm.Sound) { e.s.boundary(e.l, "at a sound") }

// lose removes the database while the power is off; its orders are forgotten.
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

// restore replaces the database by the copy.
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

// Story is the log, line by line.
func (s *Sim) Story() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.story, "\n") + "\n"
}

// Hours is how much time has passed in the world.
func (s *Sim) Hours() float64 { return time.Since(simEpoch).Hours() }

// Lives is how often the terminal was started.
func (s *Sim) Lives() int { return s.lives }

// sortedIDs are a map's keys in order, so that runs are reproducible.
func sortedIDs[V any](m map[payterm.OrderID]V) []payterm.OrderID {
	return slices.Sorted(maps.Keys(m))
}
