package flowstest

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"payterm"
	"payterm/flows/counter"
)

// Plan is a sequence of acts of people, network and power.
type Plan []Act

// Act is one line of a plan; acts lists the verbs.
type Act struct {
	After time.Duration // the previous act
	Does  string
}

func (a Act) String() string { return fmt.Sprintf("%s %s", a.After, a.Does) }

// String is the plan, a line for each act, as ParsePlan reads it.
func (p Plan) String() string {
	var b strings.Builder
	for _, a := range p {
		fmt.Fprintln(&b, a)
	}
	return b.String()
}

// ParsePlan reads what String wrote. Blank lines and # remarks are skipped.
func ParsePlan(text string) (Plan, error) {
	var p Plan
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		at, does, _ := strings.Cut(line, " ")
		d, err := time.ParseDuration(at)
		if err != nil || acts[strings.Fields(does + " ?")[0]] == nil {
			return nil, fmt.Errorf("plan, line %d: %q: a time and an act are needed", n+1, line)
		}
		p = append(p, Act{d, does})
	}
	return p, nil
}

// acts are the verbs of a plan. Those of people (byPeople) run in goroutines of their own.
//
//	passive 12.34 ALIPAY ok|poor|expired|early|used|never|garbage|password 20s
//	active 12.34 ok 20s|never|decline 20s     the customer photographs the code and pays so much later
//	key CANCEL ENTER ...                      the cashier's keys
//	twice 12.34                               ENTER is pressed twice behind the amount
//	api passive 12.34 K [1.00] [despite] [dies 3s]   a till asks over the socket, with the idempotency key K; with
//	                          a tip; despite a doubt of this total; it gives up that much later
//	refund 5.00 | all [K [dies 3s]]           of the latest paid sale; with a key a till asks for it
//	retry K [13.00] [dies 3s] the till repeats the request with key K, or asks for another amount with it
//	settle K                  the till lost its answer, and asks what became of the request with key K
//	poll 200ms 30s [5]        a till asks for the status of its first five open orders, at this pace, for that long
//	ask, resolve                              about the latest order that is open or listed
//	z                                         the day is closed
//	unseen                                    a sale that ended as not sent is paid all the same
//	reconcile                                 the gateway is asked about every sale that is closed
//	net FAULT pay|query|any 3                 the next three requests have this fault
//	cut 2m                                    no connection for that long
//	kill 10s                                  power failure of that length, now
//	dieat 7 10s                               the process dies at the seventh boundary from now
//	dieon before a payment   it dies at the next boundary whose name has this prefix
//	full 3 20s [7]            the third commit from now finds the disk full, for that long or until a boot,
//	                          which follows on a death at the seventh boundary after that
//	stall 3 40s               the third commit from now takes the disk that long
//	lose, backup, restore                     the database, with a loss of power
//	damage                    likewise: the newest order that is open has a record that this version cannot read
//	config 2 JPY              likewise: from here on merchant 2 sells in JPY
//	paper out 5m                              the printer's condition, for that long; the codes of this terminal
//	                          are printed, since its display cannot show them
//	clock -1h | unset | right                 the terminal's wall clock, by so much
//	clockat 7 25h | unset | right             likewise at the seventh boundary from now
var acts = map[string]func(*Sim, []string) error{
	"passive": (*Sim).passive, "active": (*Sim).active, "key": (*Sim).key, "twice": (*Sim).twice,
	"api": (*Sim).api, "retry": (*Sim).retry, "settle": (*Sim).settle,
	"poll": (*Sim).poll,
	"ask":  (*Sim).ask, "resolve": (*Sim).resolve, "refund": (*Sim).refund, "z": (*Sim).z,
	"unseen": (*Sim).payUnseen, "reconcile": (*Sim).reconcile,
	"net": (*Sim).faulty, "cut": (*Sim).cutOff, "kill": (*Sim).powerOff, "dieat": (*Sim).dieLater,
	"dieon": (*Sim).dieOn, "full": (*Sim).fill,
	"stall": (*Sim).stallLater, "lose": (*Sim).loseData, "backup": (*Sim).backUp, "restore": (*Sim).restoreData,
	"damage": (*Sim).damage,
	"paper":  (*Sim).paperIs,
	"config": (*Sim).configure, "clock": (*Sim).setClock, "clockat": (*Sim).setClockAt,
}

// byPeople are the acts that take time.
var byPeople = map[string]bool{
	"passive": true, "active": true, "api": true, "retry": true, "settle": true, "poll": true, "ask": true,
	"resolve": true,
	"key":     true, "twice": true, "refund": true, "reconcile": true,
}

func (s *Sim) act(a Act, running *sync.WaitGroup) error {
	words := strings.Fields(a.Does)
	do := acts[words[0]]
	if do == nil {
		return fmt.Errorf("%q is not an act", a.Does)
	}
	if !byPeople[words[0]] {
		return do(s, words[1:])
	}
	running.Add(1)
	go func() {
		defer running.Done()
		if err := do(s, words[1:]); err != nil {
			s.mu.Lock()
			s.violate("world", "%s: %v", a.Does, err)
			s.mu.Unlock()
		}
	}()
	return nil
}

// alive is the running process, nil if there is none.
func (s *Sim) alive() *life {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life == nil || s.life.dead || !s.life.ready {
		return nil
	}
	return s.life
}

// look is what the glass shows.
func (s *Sim) look() counter.View {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life == nil || s.life.dead {
		return counter.View{}
	}
	return s.life.view
}

// press types at the pace of a person.
func (s *Sim) press(keys ...payterm.Key) {
	for _, k := range keys {
		if l := s.alive(); l != nil {
			s.pressed(k)
			l.runner.Press(k)
		}
		s.rest(150 * time.Millisecond)
	}
}

// rest pauses for around d.
func (s *Sim) rest(d time.Duration) {
	s.mu.Lock()
	pause := d/2 + time.Duration(s.people.Int64N(int64(d)))
	s.mu.Unlock()
	time.Sleep(pause)
}

func (s *Sim) key(words []string) error {
	for _, k := range words {
		s.press(payterm.Key(k))
	}
	return nil
}

// enter leaves a result, types the amount and a key, and goes on after a warning.
func (s *Sim) enter(amount string, then payterm.Key) {
	switch s.look().Name {
	case counter.ViewApproved, counter.ViewDeclined, counter.ViewCancelled, counter.ViewNotSent, counter.ViewInDoubt,
		counter.ViewLate,
		counter.ViewAmount:
		s.press(payterm.KeyCancel)
	}
	for _, digit := range strings.ReplaceAll(amount, ".", "") {
		s.press(payterm.Key(digit))
	}
	s.press(then)
	if v := s.look(); v.Name == counter.ViewWarning {
		s.press(v.Yes) // who is too quick, and has to press it again
		s.rest(2 * time.Second)
		s.press(v.Yes)
		if s.look().Name == counter.ViewPIN {
			for _, digit := range supervisorPIN {
				s.press(payterm.Key(digit))
			}
			s.press(payterm.KeyEnter)
			s.rest(time.Second)
		}
	}
}

// twice is a cashier whose finger presses ENTER twice behind an amount, or a key that bounces.
func (s *Sim) twice(words []string) error {
	if len(words) < 1 {
		return fmt.Errorf("twice AMOUNT")
	}
	switch s.look().Name {
	case counter.ViewApproved, counter.ViewDeclined, counter.ViewCancelled, counter.ViewNotSent, counter.ViewInDoubt,
		counter.ViewLate:
		s.press(payterm.KeyCancel)
	}
	for _, digit := range strings.ReplaceAll(words[0], ".", "") {
		s.press(payterm.Key(digit))
	}
	s.press(payterm.KeyEnter, payterm.KeyEnter)
	s.rest(2 * time.Second)
	s.press(payterm.KeyEnter) // once more, since nothing happens
	return nil
}

// wallet is a new code from a customer's phone.
func (s *Sim) wallet(wallet, kind string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var made struct {
		Code string `json:"code"`
	}
	balance := 100_000_00
	if kind == "poor" {
		balance = 1
	}
	_, said := s.config.call("POST", "/sim/wallets",
		fmt.Sprintf(`{"biz_type":%q,"balance_minor":%d,"needs_password":%t}`, wallet, balance, kind == "password"))
	if err := json.Unmarshal([]byte(said), &made); err != nil {
		s.violate("world", "no code: %s", said)
	}
	s.secretsOf = append(s.secretsOf, made.Code)
	return made.Code
}

// scanTime is how long a scanner takes to send a code.
const scanTime = 20 * time.Millisecond

// scan presents a code to the scanner.
func (s *Sim) scan(code string, frame time.Duration) {
	l := s.alive()
	if l == nil {
		return
	}
	s.mu.Lock()
	s.scannedAt[code] = time.Now()
	s.lastCode = code
	s.mu.Unlock()
	mono, _ := l.clock.Now()
	time.Sleep(frame) // the bytes come one by one
	l.runner.Scan(payterm.NewPayCode(code), mono)
}

func (s *Sim) passive(words []string) error {
	if len(words) < 3 {
		return fmt.Errorf("passive AMOUNT WALLET KIND")
	}
	kind := words[2]
	if kind == "early" {
		go func() { // presented while the cashier still types, and read slowly
			time.Sleep(200 * time.Millisecond)
			s.scan(s.wallet(words[1], "ok"), 700*time.Millisecond)
		}()
	}
	s.enter(words[0], payterm.KeyEnter)
	s.rest(2 * time.Second)
	switch kind {
	case "never":
		return nil
	case "early":
		s.rest(time.Second)
	case "garbage":
		s.scan("https://example.org/not/a/code", scanTime)
		return nil
	case "used":
		s.mu.Lock()
		used := s.lastCode
		s.mu.Unlock()
		s.scan(used, scanTime)
		s.rest(2 * time.Second)
	case "expired":
		code := s.wallet(words[1], kind)
		time.Sleep(61 * time.Second)
		s.enter(words[0], payterm.KeyEnter)
		s.rest(time.Second)
		s.scan(code, scanTime)
		return nil
	}
	if s.look().Name != counter.ViewScan {
		return nil // the customer has nothing to confirm
	}
	s.scan(s.wallet(words[1], kind), scanTime)
	s.rest(time.Second)
	if kind != "password" {
		return nil
	}
	order := s.look().Order
	return s.phone(order, "pay", words[3:])
}

// phone makes the customer act some time later. It may be too late, or the gateway may not know
// the order.
func (s *Sim) phone(order payterm.OrderID, verb string, after []string) error {
	if order == "" {
		return nil
	}
	if len(after) > 0 {
		d, err := time.ParseDuration(after[0])
		if err != nil {
			return err
		}
		time.Sleep(d + time.Duration(len(order))) // no two at the same moment
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	status, _ := s.at(order).call("POST", "/sim/orders/"+string(order)+"/"+verb, "")
	s.tell("the customer's phone: %s %s (%d)", verb, order, status)
	return nil
}

func (s *Sim) active(words []string) error {
	if len(words) < 2 {
		return fmt.Errorf("active AMOUNT KIND")
	}
	s.enter(words[0], payterm.KeyF1)
	if s.look().Name == counter.ViewChooseWallet {
		s.press("1")
	}
	for range 20 { // the customer waits for a code
		if v := s.look(); v.Name == counter.ViewShowCode {
			verb := map[string]string{"ok": "pay", "decline": "decline"}[words[1]]
			if verb == "" {
				return nil
			}
			return s.phone(v.Order, verb, words[2:])
		}
		s.rest(time.Second)
	}
	return nil
}

// latest is the newest order.
func (s *Sim) latest() payterm.OrderID {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := sortedIDs(s.book)
	for i := len(ids) - 1; i >= 0; i-- {
		if o := s.book[ids[i]]; o.Outcome == payterm.InDoubt || o.Attention != "" {
			return o.ID
		}
	}
	return ""
}

// supervisor types the PIN if it is asked for.
func (s *Sim) supervisor() {
	s.rest(3 * time.Second)
	if s.look().Name != counter.ViewPIN {
		return
	}
	for _, digit := range supervisorPIN {
		s.press(payterm.Key(digit))
	}
	s.press(payterm.KeyEnter)
}

func (s *Sim) z([]string) error {
	l := s.alive()
	if l == nil {
		return nil
	}
	t, err := l.store.TakeZ(payterm.TakenBy{})
	if err != nil {
		return err
	}
	rows, err := l.store.InZ(t.Number)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell("Z %d holds %d orders", t.Number, len(rows))
	s.zs[t.Number] = t
	for _, o := range rows {
		s.inZ[o.ID] = s.stampAge()
	}
	return err
}

// payUnseen makes the gateway call an order paid that nobody can have paid.
func (s *Sim) payUnseen([]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range sortedIDs(s.book) {
		if o := s.book[id]; o.Outcome == payterm.NotSent && !s.forgotten[id] {
			status, _ := s.at(id).call("POST", "/sim/orders/"+string(id)+"/pay", "")
			s.tell("unseen: %s is paid (%d)", id, status)
		}
	}
	return nil
}

func (s *Sim) reconcile([]string) error {
	l := s.alive()
	if l == nil {
		return nil
	}
	s.mu.Lock()
	ids := sortedIDs(s.book)
	s.mu.Unlock()
	for _, id := range ids {
		s.mu.Lock()
		sale := s.book[id].Kind == payterm.KindSale
		s.mu.Unlock()
		if sale {
			s.waitsFor(l, reconcileLimit, func(ctx context.Context) {
				l.runner.Check(ctx, id) //nolint:errcheck // the journal has what is found
			})
		}
	}
	return nil
}

func (s *Sim) ask([]string) error {
	for range 3 { // impatient
		if l := s.alive(); l != nil && s.latest() != "" {
			go s.inquires(l, s.latest())
		}
		time.Sleep(40 * time.Millisecond)
	}
	return nil
}

func (s *Sim) resolve([]string) error {
	if l := s.alive(); l != nil && s.latest() != "" {
		go s.supervisor()
		s.waitsFor(l, 0, func(ctx context.Context) {
			l.runner.Resolve(ctx, s.latest(), "supervisor", "looked at") //nolint:errcheck // the decision may not be wanted
		})
	}
	return nil
}

func (s *Sim) faulty(words []string) error {
	f := netFault{left: 1}
	if len(words) > 0 {
		f.name, f.action = words[0], "any"
	}
	if len(words) > 1 {
		f.action = words[1]
	}
	if len(words) > 2 {
		if _, err := fmt.Sscan(words[2], &f.left); err != nil {
			return fmt.Errorf("net: how many? %w", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.net.faults = append(s.net.faults, &f)
	return nil
}

func (s *Sim) cutOff(words []string) error {
	d, err := duration(words)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.net.cut = time.Now().Add(d)
	return err
}

func duration(words []string) (time.Duration, error) {
	if len(words) == 0 {
		return 0, nil
	}
	return time.ParseDuration(words[0])
}

// off cuts the power and waits until the process has ended.
func (s *Sim) off() error {
	s.mu.Lock()
	s.tell("the power is gone")
	s.kill(s.life)
	select {
	case <-s.died:
	default:
	}
	s.mu.Unlock()
	return s.takeOverDisk()
}

func (s *Sim) powerOff(words []string) error {
	d, err := duration(words)
	if err != nil {
		return err
	}
	if err := s.off(); err != nil {
		return err
	}
	time.Sleep(max(d, down))
	s.boot()
	return nil
}

func (s *Sim) dieLater(words []string) error {
	n := 0
	if len(words) == 0 {
		return fmt.Errorf("dieat: when?")
	}
	if _, err := fmt.Sscan(words[0], &n); err != nil {
		return fmt.Errorf("dieat: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dieAt = s.Boundaries + n
	return nil
}

// boundaryNames are prefixes of boundary names; the important ones are listed twice.
var boundaryNames = []string{
	"before a commit", "after a commit of sale_began", "after a commit of code_scanned",
	"after a commit of payment_answered",
	"after a commit of inquiry_answered", "after a commit of woke", "after an order id", "before a payment",
	"while a payment",
	"after a payment", "while a payment", "after a payment", "before an inquiry", "while an inquiry",
	"after an inquiry", "before the screen approved", "before the slip merchant",
	"after the slip merchant", "after the slip customer", "at a sound", "after the journal is opened",
}

func (s *Sim) fill(words []string) error {
	if len(words) < 2 {
		return fmt.Errorf("full: at which commit, and how long?")
	}
	var n, die int
	if _, err := fmt.Sscan(words[0], &n); err != nil {
		return fmt.Errorf("full: %w", err)
	}
	if len(words) > 2 {
		if _, err := fmt.Sscan(words[2], &die); err != nil {
			return fmt.Errorf("full: %w", err)
		}
	}
	d, err := duration(words[1:])
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fullAt, s.fullFor, s.fullDie = n, d, die
	return err
}

func (s *Sim) dieOn(words []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dieName = strings.Join(words, " ")
	return nil
}

func (s *Sim) loseData([]string) error    { return s.whileOff((*Sim).lose) }
func (s *Sim) restoreData([]string) error { return s.whileOff((*Sim).restore) }
func (s *Sim) backUp([]string) error      { return s.whileOff((*Sim).keep) }

func (s *Sim) whileOff(do func(*Sim) error) error {
	if err := s.off(); err != nil {
		return err
	}
	if err := do(s); err != nil {
		return err
	}
	time.Sleep(time.Minute)
	s.boot()
	return nil
}

// RandomPlan makes a plan of up to n scenes.
func RandomPlan(seed uint64, n int) Plan {
	d := &planner{r: rand.New(rand.NewPCG(seed, 4))} //nolint:gosec // a simulation
	for range 2 + d.r.IntN(n) {
		d.pause(60 * time.Second)
		if d.r.IntN(6) == 0 {
			d.pause(10 * time.Minute)
		}
		d.scene()
	}
	return withoutPaper(seed, d.p)
}

// withoutPaper lets the paper run out before some sales in Active Mode.
func withoutPaper(seed uint64, p Plan) (with Plan) {
	r := rand.New(rand.NewPCG(seed, 6)) //nolint:gosec // a simulation
	for _, a := range p {
		if strings.Contains(a.Does, "active ") && r.IntN(8) == 0 {
			conditions := []string{"out", "cover_open", "unplugged"}
			with = append(with, Act{a.After, fmt.Sprintf("paper %s %ds", conditions[r.IntN(3)], 1+r.IntN(90))})
			a.After = 0
		}
		with = append(with, a)
	}
	return with
}

// DayPlan makes a few days of a shop: sales with tips, late payments, refunds in parts, a payment
// that nobody can have made, power cuts, and Zs at any time. It ends with a reconciliation.
func DayPlan(seed uint64) Plan {
	d := &planner{r: rand.New(rand.NewPCG(seed, 5))} //nolint:gosec // a simulation
	minor := func(most int64) string { return payterm.Amount{Minor: 1 + d.r.Int64N(most), Currency: "CAD"}.String() }
	for n := range 12 + d.r.IntN(12) {
		d.pause(time.Duration(1+d.r.IntN(3)) * time.Hour)
		switch d.r.IntN(9) {
		case 0, 1, 2:
			d.do("api passive %s D%d %s", minor(20000), n, minor(500))
		case 3:
			d.do("active %s ok %s", minor(20000), d.pick("20s", "300s"))
			d.pause(40 * time.Second)
			d.do("key CANCEL")
		case 4, 5:
			for range 1 + d.r.IntN(3) {
				d.do("refund %s", d.pick(minor(300), minor(300), "all"))
				d.pause(3 * time.Minute)
				d.pause(3 * time.Minute)
			}
		case 6:
			d.do("net lost_after pay 1")
			d.pause(time.Second)
			d.do("active %s never", minor(20000))
			for range 2 { // long enough for the ladder and perhaps a Z
				d.wait(20 * time.Minute)
				d.do("%s", d.pick("z", "key CLEAR"))
			}
			d.pause(time.Minute)
			d.do("unseen")
			d.pause(time.Minute)
			d.do("reconcile")
			d.pause(2 * time.Minute)
		case 7:
			d.do("kill %s", d.seconds(7200))
		case 8:
			d.do("z")
		}
	}
	d.wait(20 * time.Minute)
	d.do("reconcile")
	d.wait(5 * time.Minute)
	d.do("z")
	return d.p
}

// planner writes a plan.
type planner struct {
	r     *rand.Rand
	p     Plan
	after time.Duration // the pauses since the last act
	keys  []string      // that tills have used
}

// wait adds a pause before the next act.
func (d *planner) wait(pause time.Duration) { d.after += pause }

// pause adds a random pause of up to most.
func (d *planner) pause(most time.Duration) { d.wait(time.Duration(1 + d.r.Int64N(int64(most)))) }

func (d *planner) do(format string, args ...any) {
	d.p = append(d.p, Act{d.after, fmt.Sprintf(format, args...)})
	d.after = 0
}

func (d *planner) pick(of ...string) string { return of[d.r.IntN(len(of))] }

func (d *planner) seconds(most int) string { return fmt.Sprintf("%ds", 1+d.r.IntN(most)) }

// scene adds something that happens in a shop.
func (d *planner) scene() {
	if d.r.IntN(4) == 0 {
		d.attack()
		return
	}
	switch d.r.IntN(26) {
	case 0, 1, 2, 3:
		d.sale()
	case 4, 5, 6, 7: // a network fault or an attack in the middle of a sale
		for range 1 + d.r.IntN(2) {
			d.do("net %s %s %d", d.fault(), d.pick("pay", "query", "query", "any"), 1+d.r.IntN(4))
			d.pause(3 * time.Second)
		}
		d.sale()
	case 8, 9, 10: // a power cut in the middle of a sale
		d.do("dieon %s", d.pick(boundaryNames...))
		d.pause(3 * time.Second)
		if d.r.IntN(3) == 0 { // while a code is awaited, the shortest of the moments that matter
			d.do("active %s ok 9s", d.amount())
			break
		}
		d.sale()
	case 11:
		d.do("dieat %d", 1+d.r.IntN(60))
	case 24:
		d.do("full %d %s %d", 1+d.r.IntN(6), d.pick("5s", "90s", "20m"), max(0, d.r.IntN(40)-20))
		d.pause(3 * time.Second)
		d.sale()
	case 12:
		d.do("kill %s", d.pick("5s", d.seconds(40), d.seconds(1200)))
	case 13:
		d.do("cut %s", d.pick(d.seconds(40), d.seconds(1200)))
	case 14: // an impatient cashier
		d.sale()
		d.pause(40 * time.Second)
		d.do("key %s", d.pick("CANCEL", "CANCEL", "ENTER", "CLEAR", "5", "F1", "00"))
	case 15, 16: // a sale that is given up and paid late, and staff's decision
		d.do("active %s ok %s", d.amount(), d.pick("45s", "100s", "300s"))
		d.pause(30 * time.Second)
		d.do("key CANCEL")
		d.pause(10 * time.Minute)
		d.do("%s", d.pick("ask", "resolve"))
	case 17:
		d.do("%s", d.pick("ask", "resolve", "resolve", "z", "z"))
	case 18:
		d.do("api %s %s K%d", d.pick("passive", "passive", "active"), d.amount(), d.r.IntN(3))
	case 19: // refused by an outer code, and then only silence
		d.do("net code:%s pay 1", d.pick("AUTH_CODE_INVALID", "PWD_INCORRECT"))
		d.pause(time.Second)
		d.do("net %s query %d", d.pick("refused", "no_route", "lost_before", "portal", "code:SYSTEM_ERROR",
			"code:TOO_MANY_REQUESTS", "code:TOO_MANY_REQUESTS"), 1+d.r.IntN(3))
		d.pause(time.Second)
		d.do("passive %s ALIPAY ok", d.amount())
	case 20, 21, 22: // a refund, with all that can come between
		d.do("passive %s ALIPAY ok", d.amount())
		d.pause(20 * time.Second)
		if d.r.IntN(2) == 0 {
			d.do("net %s %s %d", d.pick(NetFaults...), d.pick("refund", "refund", "query"), 1+d.r.IntN(2))
			d.pause(time.Second)
		} else {
			d.do("dieon %s", d.pick("before a refund", "while a refund", "after a refund", "after a commit of refund",
				"before a commit", "before an inquiry", "before the slip refund"))
			d.pause(time.Second)
		}
		for range 1 + d.r.IntN(3) {
			d.do("refund %s", d.pick("1.00", "2.50", "all"))
			d.pause(2 * time.Minute)
		}
		d.do("%s", d.pick("key F2", "ask", "resolve", "refund 1.00"))
	case 23, 25:
		d.do("%s", d.pick("lose", "backup", "restore", "clock -1h", "clock 2h", "clock unset", "clock 0s"))
	}
}

func (d *planner) amount() string { return d.pick("12.34", "5.00", "5.00", "99.99", "1250.00") }

func (d *planner) fault() string {
	if d.r.IntN(2) == 0 {
		return d.pick(forged...)
	}
	return d.pick(NetFaults...)
}

func (d *planner) sale() {
	wallet := d.pick("ALIPAY", "WECHATPAY", "UNIONPAY")
	switch d.r.IntN(8) {
	case 0, 1, 2:
		d.do("passive %s %s %s", d.amount(), wallet, d.pick("ok", "ok", "ok", "poor", "expired", "early", "used",
			"never", "garbage"))
	case 3, 4:
		d.do("passive %s %s password %s", d.amount(), wallet, d.pick(d.seconds(40), d.seconds(40), "50s", "170s"))
	case 5, 6:
		d.do("active %s %s %s", d.amount(), d.pick("ok", "ok", "decline"), d.pick(d.seconds(40), "100s", "118s", "121s",
			d.seconds(1200)))
	case 7:
		d.do("active %s never", d.amount())
	}
}
