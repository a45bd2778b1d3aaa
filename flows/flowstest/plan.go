package flowstest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"payterm"
	"payterm/flows"
)

// Plan is what people, the network and the power do, in order.
type Plan []Act

// Act is one line of a plan. What it can be is listed at acts.
type Act struct {
	After time.Duration // the act before
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

// acts are the verbs of a plan. Those of people run beside the world.
//
//	passive 12.34 ALIPAY ok|poor|expired|early|used|never|garbage|password 20s
//	active 12.34 ok 20s|never|decline 20s     the customer photographs the code and acts that much later
//	key CANCEL ENTER ...                      the cashier's keys
//	api passive 12.34 K                       a till asks over the socket, with the idempotency key K
//	ask, resolve                              about the latest order that is open or listed
//	net FAULT pay|query|any 3                 the next three requests meet it
//	cut 2m                                    no connection for that long
//	kill 10s                                  the power is away for that long, now
//	dieat 7 10s                               the process dies at the seventh boundary from now
//	lose, backup, restore                     the database, with a loss of power
//	clock -1h | unset                         the terminal's wall clock
var acts = map[string]func(*Sim, []string) error{
	"passive": (*Sim).passive, "active": (*Sim).active, "key": (*Sim).key, "api": (*Sim).api,
	"ask": (*Sim).ask, "resolve": (*Sim).resolve,
	"net": (*Sim).faulty, "cut": (*Sim).cutOff, "kill": (*Sim).powerOff, "dieat": (*Sim).dieLater,
	"lose": (*Sim).loseData, "backup": (*Sim).backUp, "restore": (*Sim).restoreData, "clock": (*Sim).setClock,
}

// byPeople are the acts that take their time.
var byPeople = map[string]bool{"passive": true, "active": true, "api": true, "ask": true, "resolve": true, "key": true}

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

// alive is the life that can be touched, nil while there is none.
func (s *Sim) alive() *life {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life == nil || s.life.dead || !s.life.ready {
		return nil
	}
	return s.life
}

// look is what the glass shows.
func (s *Sim) look() flows.View {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life == nil || s.life.dead {
		return flows.View{}
	}
	return s.life.view
}

// press types as fast as people do.
func (s *Sim) press(keys ...payterm.Key) {
	for _, k := range keys {
		if l := s.alive(); l != nil {
			l.runner.Press(k)
		}
		s.rest(150 * time.Millisecond)
	}
}

// rest is a pause of around d.
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

// enter clears the counter of a result, types the amount and a key, and goes on
// despite a warning.
func (s *Sim) enter(amount string, then payterm.Key) {
	switch s.look().Name {
	case flows.ViewApproved, flows.ViewDeclined, flows.ViewCancelled, flows.ViewNotSent, flows.ViewInDoubt, flows.ViewAmount:
		s.press(payterm.KeyCancel)
	}
	for _, digit := range strings.ReplaceAll(amount, ".", "") {
		s.press(payterm.Key(digit))
	}
	s.press(then)
	if s.look().Name == flows.ViewWarning {
		s.rest(2 * time.Second)
		s.press(payterm.KeyEnter)
		if s.look().Name == flows.ViewPIN {
			for _, digit := range supervisorPIN {
				s.press(payterm.Key(digit))
			}
			s.press(payterm.KeyEnter)
			s.rest(time.Second)
		}
	}
}

// wallet asks a customer's phone for a code.
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
	s.call("POST", "/sim/wallets", fmt.Sprintf(`{"biz_type":%q,"balance_minor":%d,"needs_password":%t}`, wallet, balance, kind == "password"), &made)
	s.secretsOf = append(s.secretsOf, made.Code)
	return made.Code
}

// scan holds a code before the scanner.
func (s *Sim) scan(code string) {
	l := s.alive()
	if l == nil {
		return
	}
	s.mu.Lock()
	s.scannedAt[code] = time.Now()
	s.lastCode = code
	s.mu.Unlock()
	mono, _ := l.clock.Now()
	time.Sleep(20 * time.Millisecond) // the frame's bytes
	l.runner.Scan(payterm.NewPayCode(code), mono)
}

func (s *Sim) passive(words []string) error {
	if len(words) < 3 {
		return fmt.Errorf("passive AMOUNT WALLET KIND")
	}
	kind := words[2]
	if kind == "early" {
		s.scan(s.wallet(words[1], "ok"))
	}
	s.enter(words[0], payterm.KeyEnter)
	s.rest(2 * time.Second)
	switch kind {
	case "never":
		return nil
	case "early":
		s.rest(time.Second)
	case "garbage":
		s.scan("https://example.org/not/a/code")
		return nil
	case "used":
		s.mu.Lock()
		used := s.lastCode
		s.mu.Unlock()
		s.scan(used)
		s.rest(2 * time.Second)
	case "expired":
		code := s.wallet(words[1], kind)
		time.Sleep(61 * time.Second)
		s.enter(words[0], payterm.KeyEnter)
		s.rest(time.Second)
		s.scan(code)
		return nil
	}
	if s.look().Name != flows.ViewScan {
		return nil // the customer is asked for nothing
	}
	s.scan(s.wallet(words[1], kind))
	s.rest(time.Second)
	if kind != "password" {
		return nil
	}
	order := s.look().Order
	return s.phone(order, "pay", words[3:])
}

// phone lets the customer act, some time later. It may be too late, or the
// gateway may never have heard of the order; that is the customer's affair.
func (s *Sim) phone(order payterm.OrderID, verb string, after []string) error {
	if order == "" {
		return nil
	}
	if len(after) > 0 {
		d, err := time.ParseDuration(after[0])
		if err != nil {
			return err
		}
		time.Sleep(d + time.Duration(len(order))) // at a moment of its own
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	status, _ := s.call("POST", "/sim/orders/"+string(order)+"/"+verb, "", nil)
	s.tell("the customer's phone: %s %s (%d)", verb, order, status)
	return nil
}

func (s *Sim) active(words []string) error {
	if len(words) < 2 {
		return fmt.Errorf("active AMOUNT KIND")
	}
	s.enter(words[0], payterm.KeyF1)
	if s.look().Name == flows.ViewChooseWallet {
		s.press("1")
	}
	for range 20 { // the customer waits for a code
		if v := s.look(); v.Name == flows.ViewShowCode {
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

// api is a till on the local socket.
func (s *Sim) api(words []string) error {
	if len(words) < 3 {
		return fmt.Errorf("api MODE AMOUNT KEY")
	}
	amount, err := payterm.ParseAmount(words[1], "CAD")
	if err != nil {
		return err
	}
	l := s.alive()
	if l == nil {
		return nil
	}
	sale := flows.SaleBegan{Mode: payterm.Mode(words[0]), AmountMinor: amount.Minor, Currency: "CAD", IdempotencyKey: words[2]}
	if sale.Mode == payterm.Active {
		sale.Wallet = payterm.Alipay
	}
	go func() {
		s.rest(2 * time.Second)
		if s.look().Name == flows.ViewScan {
			s.scan(s.wallet("ALIPAY", "ok"))
		}
	}()
	var began payterm.OrderID
	res, err := l.runner.Sale(l.ctx, sale, func(id payterm.OrderID) { began = id })
	if err != nil {
		return nil //nolint:nilerr // the socket broke, or the key was used for another amount: the till's affair
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if res.Began {
		s.answeredTill(words[2], began, res.Order)
	}
	return nil
}

// latest is the newest order that a person could ask about.
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

func (s *Sim) ask([]string) error {
	if l := s.alive(); l != nil && s.latest() != "" {
		l.runner.Inquire(l.ctx, s.latest()) //nolint:errcheck // a person who asks and is not answered asks again
	}
	return nil
}

func (s *Sim) resolve([]string) error {
	if l := s.alive(); l != nil && s.latest() != "" {
		l.runner.Resolve(l.ctx, s.latest(), "supervisor", "looked at") //nolint:errcheck // as above
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

// off takes the power away and waits for the process to be dead.
func (s *Sim) off() error {
	s.mu.Lock()
	s.tell("the power is gone")
	s.kill(s.life)
	select {
	case <-s.died:
	default:
	}
	s.mu.Unlock()
	return s.bury()
}

func (s *Sim) powerOff(words []string) error {
	d, err := duration(words)
	if err != nil {
		return err
	}
	if err := s.off(); err != nil {
		return err
	}
	time.Sleep(d)
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

func (s *Sim) setClock(words []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(words) == 1 && words[0] == "unset" {
		s.wallUnset = true
		return nil
	}
	d, err := duration(words)
	s.wallUnset, s.wallOff = false, s.wallOff+d
	return err
}

// RandomPlan draws a plan of up to n acts.
func RandomPlan(seed uint64, n int) Plan {
	r := rand.New(rand.NewPCG(seed, 4)) //nolint:gosec // a simulation
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	short := func() string { return fmt.Sprintf("%ds", 1+r.IntN(40)) }
	long := func() string { return fmt.Sprintf("%dm", 1+r.IntN(20)) }
	amount := func() string { return pick("12.34", "5.00", "5.00", "99.99", "1250.00") }
	wallet := func() string { return pick("ALIPAY", "WECHATPAY", "UNIONPAY") }
	var p Plan
	for range 2 + r.IntN(n) {
		after := time.Duration(1+r.IntN(60_000))*time.Millisecond + time.Duration(r.IntN(1000))
		if r.IntN(6) == 0 {
			after += time.Duration(r.IntN(600)) * time.Second
		}
		does := ""
		switch r.IntN(24) {
		case 0, 1, 2, 3:
			does = fmt.Sprintf("passive %s %s %s", amount(), wallet(), pick("ok", "ok", "ok", "poor", "expired", "early", "used", "never", "garbage"))
		case 4, 5, 6:
			does = fmt.Sprintf("passive %s %s password %s", amount(), wallet(), pick(short(), short(), "50s", "170s"))
		case 7, 8, 9:
			does = fmt.Sprintf("active %s %s %s", amount(), pick("ok", "ok", "decline"), pick(short(), "100s", "118s", "121s", long()))
		case 10:
			does = fmt.Sprintf("active %s never", amount())
		case 11:
			does = fmt.Sprintf("api %s %s K%d", pick("passive", "passive", "active"), amount(), r.IntN(3))
		case 12, 13:
			does = "key " + pick("CANCEL", "CANCEL", "ENTER", "CLEAR", "5", "F1", "00")
		case 14, 15, 16, 17:
			does = fmt.Sprintf("net %s %s %d", NetFaults[r.IntN(len(NetFaults))], pick("pay", "pay", "query", "any"), 1+r.IntN(4))
		case 18:
			does = "cut " + pick(short(), long())
		case 19:
			does = "kill " + pick("2s", short(), long())
		case 20, 21:
			does = fmt.Sprintf("dieat %d", 1+r.IntN(60))
		case 22:
			does = pick("ask", "ask", "resolve")
		case 23:
			does = pick("lose", "backup", "restore", "clock -1h", "clock 2h", "clock unset", "clock 0s")
		}
		p = append(p, Act{after, does})
	}
	return p
}
