package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/terminal/api"
)

var (
	tortureTime = flag.Duration("torture", 20*time.Second, "how long TestTorture lasts")
	tortureSeed = flag.Uint64("torture.seed", 0, "seed of TestTorture; 0 draws one")
)

// Customers wait for a short time, and a code's life ends within the test, so that every order
// ends.
const hurried = `
first_inquiry = "100ms"
inquiry_interval = "100ms"
inquiry_jitter = "50ms"
http_timeout = "1s"
passive_counter = "1s"
active_display = "1s"
ladder = ["1s"]
ladder_repeat = "1s"
passive_code_life = "15s"
active_code_life = "15s"
refund_interval = "100ms"
refund_window = "1s"
`

// phonesDecide bounds how long a customer waits: shorter than a code's life.
const phonesDecide = 4 * time.Second

// torment is a shop whose terminal is killed again and again while it sells.
type torment struct {
	*shop
	chance   *rand.Rand
	api      *http.Client
	pledges  []*pledge
	codes    []string
	phones   []phone
	kills    []time.Time
	unborn   int       // starts that were killed before they were ready
	shownAt  time.Time // when a code was last presented
	attempts int
}

// pledge is a request of the shop's till with one key, and its result.
type pledge struct {
	key    string
	path   string
	amount int64
	taken  []payterm.OrderID
	said   payterm.Order
}

func (p pledge) refund() bool { return p.path != "/sale" }

// phone is a customer's planned act.
type phone struct {
	order payterm.OrderID
	verb  string
	at    time.Time
}

// TestTorture runs the built agent against a gateway with random faults and kills it at random
// moments, many of them close to a send. At the end it compares the gateway's ledger, the till's
// results and the journal.
func TestTorture(t *testing.T) {
	t.Parallel()
	for shopNumber := range uint64(2) {
		t.Run(fmt.Sprint(shopNumber+1), func(t *testing.T) {
			t.Parallel()
			seed := *tortureSeed
			if seed == 0 {
				seed = rand.Uint64()
			}
			t.Logf("seed %d; what happens also depends on the machine", seed)
			m := &torment{chance: rand.New(rand.NewPCG(seed, shopNumber))}
			m.shop = newShop(t, hurried, "--latency", "10ms", "--seed", fmt.Sprint(seed%1_000_000))
			m.api = &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
				DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, "unix", api.Socket(filepath.Join(m.dir, "data")))
				}}}
			end := time.Now().Add(*tortureTime)
			for most := end.Add(3 * time.Minute); !t.Failed() && (time.Now().Before(end) || !m.proves() &&
				time.Now().Before(most)); {
				m.gremlins()
				p := m.sell()
				if p.said.Outcome == approved && m.chance.IntN(2) == 0 {
					m.giveBack(p)
				}
			}
			m.settle()
		})
	}
}

// gremlins plants faults for the next requests.
func (m *torment) gremlins() {
	faults := []string{
		"drop_before_apply", "http_500", "html_200", "redirect", "empty", "drop_after_apply", "delay 60", "delay 300",
		"delay 1500", "truncated",
		"slow_body", "huge_body", "base64_body", "bad_digest", "wrong_key", "wrong_order_id", "wrong_amount",
		"duplicate_json_key",
		"code:SYSTEM_ERROR", "code:FAIL", "code:AUTH_CODE_INVALID", "code:PARAM_INVALID",
	}
	m.call("DELETE", m.sim+"/sim/faults", nil)
	for _, action := range []string{"PASSIVEPAY", "ACTIVEPAY", "STATUS_QUERY", "STATUS_QUERY", "REFUND"} {
		if m.chance.IntN(3) == 0 {
			m.faults(action, faults[m.chance.IntN(len(faults))], 1+m.chance.IntN(2))
		}
	}
}

// sell makes a sale with an amount that is used once.
func (m *torment) sell() *pledge {
	p := &pledge{key: fmt.Sprintf("sale %d", len(m.pledges)+1), path: "/sale", amount: int64(101 + len(m.pledges))}
	m.pledges = append(m.pledges, p)
	sale := api.SaleRequest{Mode: payterm.Passive, AmountMinor: p.amount, IdempotencyKey: payterm.IdempotencyKey(p.key)}
	if m.chance.IntN(5) < 2 {
		sale.Mode, sale.Wallet = payterm.Active, payterm.Alipay
	}
	m.ask(p, sale, sale.Mode)
	return p
}

// giveBack refunds a sale, completely or partly.
func (m *torment) giveBack(sale *pledge) {
	p := &pledge{key: fmt.Sprintf("refund %d", len(m.pledges)+1), path: "/orders/" + string(sale.said.ID) + "/refund",
		amount: 1 + m.chance.Int64N(sale.amount)}
	m.pledges = append(m.pledges, p)
	m.ask(p, api.RefundRequest{AmountMinor: &p.amount, IdempotencyKey: payterm.IdempotencyKey(p.key)}, "")
}

// ask repeats a request with one key until there is a result, over kills of the agent.
func (m *torment) ask(p *pledge, request any, mode payterm.Mode) {
	for tries := 0; p.said.Outcome == ""; tries++ {
		if tries == 20 {
			m.t.Fatalf("%s: no answer in %d lives", p.key, tries)
		}
		m.attempt(p, request, mode)
	}
}

// attempt asks once. In half of the cases the agent is killed, most often soon after the request
// or after the scan.
func (m *torment) attempt(p *pledge, request any, mode payterm.Mode) {
	m.attempts++
	lines := m.post1(p.path, request)
	var die <-chan time.Time
	after := func(most time.Duration) { die = time.After(time.Duration(m.chance.Int64N(int64(most)))) }
	plan := m.chance.IntN(6)
	switch {
	case plan == 0:
		after(2 * time.Second)
	case plan < 3 && mode == payterm.Active:
		after(60 * time.Millisecond)
	}
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case line, more := <-lines:
			switch {
			case !more:
				m.t.Fatalf("%s: the agent hung up without an answer", p.key)
			case line.Taken != "":
				p.taken = append(p.taken, line.Taken)
				if mode == payterm.Passive {
					m.present()
				}
				if plan == 1 || plan == 2 {
					after(60 * time.Millisecond)
				}
			case line.Order != nil && line.Order.ID == "" && line.Order.Reason == payterm.ReasonBusy:
				time.Sleep(20 * time.Millisecond) // an earlier call's order is still at the counter
				return
			case line.Order != nil:
				p.said = *line.Order
				return
			default:
				m.t.Fatalf("%s: %+v", p.key, line)
			}
		case <-die:
			m.die()
			for range lines { // lines sent before the kill may have the result
			}
			return
		case <-look.C:
			m.watch()
		}
	}
}

// post1 makes one call of the local API and returns its lines. The channel closes with the
// connection.
func (m *torment) post1(path string, in any) <-chan api.OrderLine {
	lines := make(chan api.OrderLine, 8)
	body, err := json.Marshal(in)
	if err != nil {
		m.t.Fatal(err)
	}
	go func() {
		defer close(lines)
		resp, err := m.api.Post("http://payterm"+path, "application/json", bytes.NewReader(body))
		if err != nil {
			return
		}
		defer resp.Body.Close()
		for d := json.NewDecoder(resp.Body); ; {
			var line api.OrderLine
			if d.Decode(&line) != nil {
				return
			}
			lines <- line
		}
	}()
	return lines
}

// present presents a code to the scanner, sometimes one that another sale has used.
func (m *torment) present() {
	if len(m.codes) > 0 && m.chance.IntN(6) == 0 {
		m.scan(m.codes[m.chance.IntN(len(m.codes))])
	}
	n := len(m.codes)
	wallet := map[string]any{"biz_type": "ALIPAY", "code": fmt.Sprintf("28%010d%06d", m.chance.IntN(1e9), n),
		"balance_minor": 1_000_000, "needs_password": m.chance.IntN(4) == 0}
	if m.chance.IntN(2) == 0 {
		wallet["biz_type"], wallet["code"] = "UNIONPAY", fmt.Sprintf("62%011d%06d", m.chance.IntN(1e9), n)
	}
	if m.chance.IntN(8) == 0 {
		wallet["balance_minor"] = 1
	}
	m.post(m.sim+"/sim/wallets", wallet)
	m.codes = append(m.codes, wallet["code"].(string))
	m.scan(m.codes[n])
	m.shownAt = time.Now()
}

// watch makes customers see what they can pay, and act.
func (m *torment) watch() {
	resp, err := m.api.Get("http://payterm/status")
	if err != nil {
		m.t.Fatal(err)
	}
	var status struct {
		State string          `json:"state"`
		Order payterm.OrderID `json:"order_id"`
	}
	err = json.NewDecoder(resp.Body).Decode(&status)
	resp.Body.Close()
	if err != nil {
		m.t.Fatal(err)
	}
	// the code may not have been read
	if status.State == "scan" && len(m.codes) > 0 && time.Since(m.shownAt) > time.Second {
		m.scan(m.codes[len(m.codes)-1])
		m.shownAt = time.Now()
	}
	known := slices.ContainsFunc(m.phones, func(p phone) bool { return p.order == status.Order })
	if !known && (status.State == "show_code" || status.State == "waiting") && status.Order != "" {
		verbs := []string{"pay", "pay", "pay", "decline", "close"}
		m.phones = append(m.phones, phone{status.Order, verbs[m.chance.IntN(len(verbs))],
			time.Now().Add(time.Duration(m.chance.Int64N(int64(phonesDecide))))})
	}
	m.decide(time.Now())
}

// decide makes the acts that are due; the gateway may not know the order, or may have closed it.
func (m *torment) decide(by time.Time) {
	for i, p := range m.phones {
		if p.verb != "" && !p.at.After(by) {
			m.try("POST", m.sim+"/sim/orders/"+string(p.order)+"/"+p.verb, nil)
			m.phones[i].verb = ""
		}
	}
}

// die kills the agent and restarts it, sometimes after a start that is killed before it is ready.
func (m *torment) die() {
	if err := m.agent.Process.Kill(); err != nil {
		m.t.Fatal(err)
	}
	m.kills = append(m.kills, time.Now())
	m.agent.Wait() //nolint:errcheck // it was killed
	m.decide(time.Now())
	if m.chance.IntN(5) == 0 {
		cmd := exec.Command(filepath.Join(bin, "payterm"), m.emulate()...)
		if err := cmd.Start(); err != nil {
			m.t.Fatal(err)
		}
		time.Sleep(time.Duration(m.chance.Int64N(int64(200 * time.Millisecond))))
		cmd.Process.Kill() //nolint:errcheck // until then it runs
		cmd.Wait()         //nolint:errcheck // it was killed
		m.unborn++
	}
	m.boot()
}

// settle ends faults and customers, and waits until all orders have ended.
func (m *torment) settle() {
	m.t.Helper()
	m.call("DELETE", m.sim+"/sim/faults", nil)
	m.decide(time.Now().Add(time.Hour))
	for _, l := range m.ledger() {
		if l.Status == "notpay" {
			m.post(m.sim+"/sim/orders/"+l.ID+"/decline", nil)
		}
	}
	var wrong []string
	var orders []payterm.Order
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(300 * time.Millisecond) {
		orders = m.orders()
		if wrong = disputes(m.pledges, orders, m.ledger()); len(wrong) == 0 || time.Now().After(end) {
			break
		}
	}
	for _, w := range wrong {
		m.t.Error(w)
	}
	if out, err := exec.Command(filepath.Join(bin, "payterm"), "journal", "verify", "--data",
		filepath.Join(m.dir, "data")).CombinedOutput(); err != nil {
		m.t.Errorf("journal verify: %v: %s", err, out)
	}
	count := map[string]int{}
	for _, o := range orders {
		count[string(o.Kind)+" "+string(o.Outcome)]++
	}
	close50 := m.closeToSend(50 * time.Millisecond)
	m.t.Logf("%d asked, %d calls, %d kills of which %d within 50 ms of a send, %d while starting: %v",
		len(m.pledges), m.attempts, len(m.kills), close50, m.unborn, count)
	if !m.proves() {
		m.t.Error("too little happened to prove anything")
	}
}

// closeToSend counts the kills within d after a request that moves money reached the gateway.
func (m *torment) closeToSend(d time.Duration) (n int) {
	for _, killed := range m.kills {
		if slices.ContainsFunc(m.ledger(), func(l row) bool {
			return slices.ContainsFunc(l.Requests, func(q request) bool {
				return q.Action != "STATUS_QUERY" && !q.At.After(killed) && killed.Sub(q.At) <= d
			})
		}) {
			n++
		}
	}
	return n
}

// proves reports whether enough has happened; on a busy machine that takes longer.
func (m *torment) proves() bool {
	return len(m.kills) >= 3 && m.closeToSend(50*time.Millisecond) >= len(m.kills)/10 &&
		slices.ContainsFunc(m.pledges, func(p *pledge) bool { return !p.refund() && p.said.Outcome == approved })
}

// disputes compares the till's results, the journal and the ledger at the end: an order charged
// twice, paid and not approved, approved and not paid, an id or a code used twice, an order that
// was taken and lost, an unknown refund.
func disputes(pledges []*pledge, orders []payterm.Order, ledger []row) []string {
	var bad []string
	dispute := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	rows, journal := map[payterm.OrderID]row{}, map[payterm.OrderID]payterm.Order{}
	payers, codes, back := map[int64]string{}, map[string]payterm.OrderID{}, map[payterm.OrderID]int64{}
	for _, o := range orders {
		journal[o.ID] = o
		if o.Kind == payterm.KindRefund && o.Outcome == approved {
			back[o.SaleID] += o.AmountMinor
		}
		if other, twice := codes[o.MaskedCode]; twice && o.MaskedCode != "" {
			dispute("code %s served twice: %s and %s", o.MaskedCode, other, o.ID)
		}
		codes[o.MaskedCode] = o.ID
	}
	for _, l := range ledger {
		id := payterm.OrderID(l.ID)
		rows[id] = l
		sent := 0
		for _, q := range l.Requests {
			if q.Action == "PASSIVEPAY" || q.Action == "ACTIVEPAY" || q.Action == "REFUND" {
				sent++
			}
		}
		switch other, twice := payers[l.Paid]; {
		case journal[id].ID == "":
			dispute("not in the journal: %s", id)
		case sent > 1:
			dispute("sent %d times: %s", sent, id)
		case l.Paid > 0 && twice:
			dispute("a customer paid twice: %s and %s", other, id)
		case l.Refunded != back[id]:
			dispute("the ledger has given back %d, the journal %d: %s", l.Refunded, back[id], id)
		}
		payers[l.Paid] = l.ID
	}
	for _, o := range orders {
		paid := rows[o.ID].Paid
		switch {
		case o.Outcome == payterm.Open:
			dispute("still open: %s", o.ID)
		case o.Kind == payterm.KindRefund:
		case o.Outcome == approved && (paid != o.PaidMinor || paid != o.Total().Minor):
			dispute("approved over %d, and %d paid: %s", o.PaidMinor, paid, o.ID)
		case o.Outcome != approved && paid > 0:
			dispute("%s, but paid: %s", o.Outcome, o.ID)
		}
	}
	owner := map[payterm.OrderID]string{}
	for _, p := range pledges {
		for _, id := range append(p.taken, p.said.ID) {
			o, known := journal[id]
			switch {
			case id == "":
			case !known:
				dispute("%s was taken and forgotten: %s", p.key, id)
			case o.IdempotencyKey != p.key || (o.Kind == payterm.KindRefund) != p.refund() || o.AmountMinor != p.amount:
				dispute("%s was taken as %s, which is %s over %d", p.key, id, o.IdempotencyKey, o.AmountMinor)
			case owner[id] != "" && owner[id] != p.key:
				dispute("id %s was given twice: to %s and %s", id, owner[id], p.key)
			case p.said.ID != "" && id != p.said.ID:
				dispute("%s is two orders: %s and %s", p.key, id, p.said.ID)
			}
			owner[id] = p.key
		}
		now := journal[p.said.ID]
		switch {
		case p.said.ID == "" || p.said.Outcome == now.Outcome || p.said.Outcome == inDoubt:
		case now.Outcome != approved || now.Reason != payterm.ReasonLatePayment &&
			now.Reason != payterm.ReasonLateRefund:
			dispute("%s was told %s, and it is %s %s", p.key, p.said.Outcome, now.Outcome, now.Reason)
		}
	}
	return bad
}

// TestDisputes plants each of these.
func TestDisputes(t *testing.T) {
	t.Parallel()
	const sale, back = "T1AAAAA000001", "T1AAAAA000002"
	type world struct {
		pledges []*pledge
		orders  []payterm.Order
		ledger  []row
	}
	for name, c := range map[string]struct {
		plant func(*world)
		want  string
	}{
		"nothing": {func(*world) {}, ""},
		"sent twice": {func(w *world) {
			w.ledger[0].Requests = append(w.ledger[0].Requests,
				w.ledger[0].Requests[0])
		}, "sent 2 times"},
		"a refund sent twice": {func(w *world) {
			w.ledger[1].Requests = append(w.ledger[1].Requests,
				w.ledger[1].Requests[0])
		}, "sent 2 times"},
		"a customer pays twice": {func(w *world) { w.ledger = append(w.ledger, row{ID: back, Paid: 500}) },
			"a customer paid twice"},
		"paid and lost":          {func(w *world) { w.orders[0].Outcome = declined }, "but paid"},
		"paid and in doubt":      {func(w *world) { w.orders[0].Outcome = inDoubt }, "but paid"},
		"approved and not paid":  {func(w *world) { w.ledger[0].Paid = 0 }, "and 0 paid"},
		"approved over less":     {func(w *world) { w.ledger[0].Paid = 499 }, "and 499 paid"},
		"still open":             {func(w *world) { w.orders[0].Outcome = payterm.Open }, "still open"},
		"refund lost":            {func(w *world) { w.orders[1].Outcome = inDoubt }, "given back 200, the journal 0"},
		"refund never made":      {func(w *world) { w.ledger[0].Refunded = 0 }, "given back 0, the journal 200"},
		"forgotten by journal":   {func(w *world) { w.orders = w.orders[1:] }, "not in the journal"},
		"taken and forgotten":    {func(w *world) { w.pledges[0].taken[0] = "T1AAAAA000009" }, "taken and forgotten"},
		"an id given twice":      {func(w *world) { w.pledges[1].taken[0] = sale }, "was taken as"},
		"one key, two orders":    {func(w *world) { w.pledges[0].said.ID = back }, "was taken as"},
		"a code that serves two": {func(w *world) { w.orders[1].MaskedCode = "****0001" }, "served twice"},
		"told approved": {func(w *world) { w.orders[1].Outcome, w.ledger[0].Refunded = declined, 0 },
			"was told approved"},
		"told declined": {func(w *world) { w.pledges[0].said.Outcome = declined }, "was told declined"},
		"told declined, is late": {func(w *world) {
			w.pledges[0].said.Outcome, w.orders[0].Reason = declined,
				payterm.ReasonLatePayment
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := world{
				[]*pledge{
					{key: "sale 1", path: "/sale", amount: 500, taken: []payterm.OrderID{sale},
						said: payterm.Order{ID: sale, Outcome: approved}},
					{key: "refund 2", path: "/orders/" + sale + "/refund", amount: 200, taken: []payterm.OrderID{back},
						said: payterm.Order{ID: back, Outcome: approved}},
				},
				[]payterm.Order{
					{ID: sale, Kind: payterm.KindSale, AmountMinor: 500, PaidMinor: 500, Outcome: approved,
						IdempotencyKey: "sale 1", MaskedCode: "****0001"},
					{ID: back, Kind: payterm.KindRefund, SaleID: sale, AmountMinor: 200, Outcome: approved,
						IdempotencyKey: "refund 2"},
				},
				[]row{
					{ID: sale, Paid: 500, Refunded: 200, Requests: []request{{Action: "PASSIVEPAY"},
						{Action: "STATUS_QUERY"}, {Action: "REFUND " + back}}},
					{ID: back, Requests: []request{{Action: "REFUND"}}},
				},
			}
			c.plant(&w)
			found := strings.Join(disputes(w.pledges, w.orders, w.ledger), "; ")
			if (found == "") != (c.want == "") || !strings.Contains(found, c.want) {
				t.Errorf("%q, want %q", found, c.want)
			}
		})
	}
}
