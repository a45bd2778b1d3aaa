package board

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"payterm"
	"payterm/internal/tooltest"
)

var (
	cuts    = flag.Int("cuts", 0, "how often TestPowerCuts takes the power away")
	cutSeed = flag.Uint64("seed", 0, "of TestPowerCuts; 0 draws one")
	lies    = flag.Bool("lies", false,
		"plant a disk that acknowledges flushes and does nothing: TestPowerCuts must fail")
)

// The timings are short and codes expire during the run, so that every order can be resolved.
const hurried = `[sale]
first_inquiry = "500ms"
inquiry_interval = "500ms"
inquiry_jitter = "100ms"
connect_timeout = "4s"
http_timeout = "5s"
passive_counter = "4s"
active_display = "5s"
ladder = ["1s"]
ladder_repeat = "2s"
passive_code_life = "30s"
active_code_life = "30s"
`

// pledge is one sale that the till requested, with its idempotency key and the answer.
type pledge struct {
	key    string
	mode   payterm.Mode
	amount int64
	taken  []payterm.OrderID
	said   payterm.Order
}

// customer is something that a customer does with an order at a given time.
type customer struct {
	order payterm.OrderID
	verb  string
	at    time.Time
}

// row is an order in the records of the simulated gateway.
type row struct {
	ID       payterm.OrderID `json:"order_id"`
	Status   string
	Paid     int64  `json:"paid_minor"`
	CodeURL  string `json:"code_url"`
	Requests []struct {
		At     time.Time
		Action string
	}
}

// counter is a shop whose power fails again and again while it sells.
type counter struct {
	t         *testing.T
	chance    *rand.Rand
	sim       *httptest.Server
	control   *http.Client
	api       *http.Client
	address   string // of the guest's API, on this machine
	archive   string
	disk      *disk
	torn      int // commits of ext4's journal that a power cut left incomplete
	devices   *devices
	guest     *guest
	pledges   []*pledge
	codes     []string
	customers []customer
	shown     time.Time // when a code was last shown to the scanner

	mu    sync.Mutex
	money func() // called for each request that moves money; nil in most runs
}

// newCounter prepares a system and its disk, but starts nothing.
func newCounter(t *testing.T, seed uint64) *counter {
	t.Helper()
	c := &counter{t: t, chance: rand.New(rand.NewPCG(seed, 0))}
	sim, port, ca := gateway(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return // the guest was cut off on the way
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			if bytes.Contains(body, []byte(`"PASSIVEPAY"`)) || bytes.Contains(body, []byte(`"ACTIVEPAY"`)) {
				c.mu.Lock()
				if c.money != nil {
					c.money()
				}
				c.mu.Unlock()
			}
			h.ServeHTTP(w, r)
		})
	})
	c.sim = sim
	c.control = control()
	c.api = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _,
		_ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", c.address)
	}}}
	s := newSystem(t, arm64)
	s.copy(0o755, "init", "init")
	s.copy(0o755, "usr/bin/payterm", s.program("payterm"))
	s.copy(0o755, "board/probe", s.program("probe"))
	s.put(0o755, "dev/.keep", nil)
	s.board(port, ca, "virtio_blk", "ext4", "crc32c_generic")
	s.put(0o644, "board/payterm.toml", fmt.Appendf(nil, config+hurried, port))
	c.archive = s.archive()
	image := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(image, make([]byte, diskSize), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(tooltest.Need(t, "mkfs.ext4"), "-q", "-L", "payterm",
		image).CombinedOutput(); err != nil {
		t.Fatalf("mkfs.ext4: %v: %s", err, out)
	}
	text, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	c.disk = newDisk(t, text)
	c.disk.lies = *lies
	return c
}

// mend repairs the file system as an initramfs does before mounting (systemd-fsck). If the cut left a commit
// block incomplete, the kernel refuses the journal; e2fsck uses the part before that block, which is all that
// was ever flushed.
func (c *counter) mend() {
	c.t.Helper()
	image := filepath.Join(c.t.TempDir(), "disk")
	if err := os.WriteFile(image, c.disk.image(), 0o600); err != nil {
		c.t.Fatal(err)
	}
	out, err := exec.Command(tooltest.Need(c.t, "e2fsck"), "-p", image).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() > 1) { // 1: errors were corrected
		c.t.Errorf("e2fsck: %v: %s", err, out)
	}
	if bytes.Contains(out, []byte("was corrupt")) {
		c.torn++
	}
	text, err := os.ReadFile(image)
	if err != nil {
		c.t.Fatal(err)
	}
	c.disk.replace(text)
	os.Remove(image)
}

// boot starts the machine with new devices, since their power failed too.
func (c *counter) boot() {
	c.t.Helper()
	c.mend()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	c.address = l.Addr().String()
	l.Close() // QEMU listens on the port at once
	c.devices = openDevices(c.t, c.sim)
	c.devices.forward = ",hostfwd=tcp:" + c.address + "-:8181"
	c.guest = start(c.t, arm64, c.archive, 256, c.devices,
		"-drive", "if=none,id=data,format=raw,cache=writeback,file.driver=nbd,file.server.type=unix,file.server.path="+
			c.disk.path,
		"-device", "virtio-blk-pci,drive=data")
}

// hear waits for the guest's line that begins with word. It returns false once the power is off.
func (c *counter) hear(word string) (string, bool) {
	c.t.Helper()
	late := time.After(4 * time.Minute)
	for {
		select {
		case said := <-c.guest.said:
			first, rest, _ := strings.Cut(said, " ")
			if first == "wrong" {
				c.t.Errorf("the guest: %s", rest)
			}
			if first == word {
				return rest, true
			}
		case <-c.guest.ended:
			return "", false
		case <-late:
			c.t.Fatalf("the guest does not say %s", word)
		}
	}
}

// run waits until the agent is ready, and compares the journal with what is known.
func (c *counter) run() bool {
	c.t.Helper()
	if _, up := c.hear("up"); !up {
		return false
	}
	c.guest.tell("run")
	if _, running := c.hear("running"); !running {
		return false
	}
	orders, there := c.journal()
	if !there {
		return false
	}
	for _, w := range disputes(c.pledges, orders, c.ledger(), false) {
		c.t.Error(w)
	}
	return true
}

func (c *counter) journal() ([]payterm.Order, bool) {
	c.t.Helper()
	c.guest.tell("journal")
	said, there := c.hear("journal")
	if !there {
		return nil, false
	}
	at := strings.Index(said, "{")
	if at < 0 || !strings.HasPrefix(said, "0 ") {
		c.t.Errorf("journal verify: %s", said)
		return nil, true
	}
	var list struct{ Orders []payterm.Order }
	if err := json.Unmarshal([]byte(said[at:]), &list); err != nil {
		c.t.Errorf("journal list: %v: %s", err, said)
	}
	return list.Orders, true
}

func (c *counter) ledger() []row {
	c.t.Helper()
	var l struct{ Orders []row }
	if err := json.Unmarshal(c.ask("GET", "/sim/orders", nil), &l); err != nil {
		c.t.Fatal(err)
	}
	return l.Orders
}

// ask makes a control call of the simulator.
func (c *counter) ask(method, path string, in any) []byte {
	c.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		c.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.sim.URL+path, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := c.control.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

// doom chooses the moment of the next power cut: at a write to the disk, some time after a request that moves
// money, or at any time.
func (c *counter) doom() string {
	g := c.guest
	switch c.chance.IntN(4) {
	case 0, 1:
		n := 1 + c.chance.IntN(60)
		due := c.disk.after(n)
		go func() {
			select {
			case <-due:
				g.kill()
			case <-g.ended:
			}
		}()
		return fmt.Sprintf("at write %d", n)
	case 2:
		after := time.Duration(c.chance.Int64N(int64(500 * time.Millisecond)))
		var once sync.Once
		c.mu.Lock()
		c.money = func() { once.Do(func() { time.AfterFunc(after, g.kill) }) }
		c.mu.Unlock()
		return fmt.Sprintf("%v after a payment", after.Round(time.Millisecond))
	}
	after := time.Duration(c.chance.Int64N(int64(10 * time.Second)))
	time.AfterFunc(after, g.kill)
	return fmt.Sprintf("after %v", after.Round(time.Millisecond))
}

func (c *counter) dark() bool {
	select {
	case <-c.guest.ended:
		return true
	default:
		return false
	}
}

// sell makes one sale after another until the power is off. The last one is requested again after the next
// start, with the same key.
func (c *counter) sell() {
	for end := time.Now().Add(5 * time.Minute); !c.dark(); {
		if time.Now().After(end) {
			c.t.Fatal("the power does not fail")
		}
		n := len(c.pledges)
		if n == 0 || c.pledges[n-1].said.Outcome != "" {
			c.gremlins()
			p := &pledge{key: fmt.Sprintf("sale %d", n+1), mode: payterm.Passive, amount: int64(101 + n)}
			if c.chance.IntN(5) < 2 {
				p.mode = payterm.Active
			}
			c.pledges = append(c.pledges, p)
		}
		c.attempt(c.pledges[len(c.pledges)-1])
	}
}

// gremlins sets faults of the gateway for one sale of four.
func (c *counter) gremlins() {
	c.ask("DELETE", "/sim/faults", nil)
	if c.chance.IntN(4) > 0 {
		return
	}
	faults := []string{
		"drop_before_apply", "http_500", "html_200", "drop_after_apply", "truncated", "bad_digest", "wrong_order_id",
		"wrong_amount",
		"code:SYSTEM_ERROR", "code:FAIL", "code:AUTH_CODE_INVALID",
	}
	for _, action := range []string{"PASSIVEPAY", "ACTIVEPAY", "STATUS_QUERY"} {
		c.ask("POST", "/sim/faults", map[string]any{"action": action, "fault": faults[c.chance.IntN(len(faults))],
			"times": 1})
	}
}

// attempt requests a sale once, and plays the customer until there is an answer or the power is off.
func (c *counter) attempt(p *pledge) {
	request := map[string]any{"mode": p.mode, "amount_minor": p.amount, "idempotency_key": p.key}
	if p.mode == payterm.Active {
		request["wallet"] = payterm.Alipay
	}
	body, err := json.Marshal(request)
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, hangUp := context.WithTimeout(c.t.Context(), 3*time.Minute)
	defer hangUp()
	type line struct {
		Taken payterm.OrderID
		Order *payterm.Order
		Error string
	}
	lines := make(chan line, 8)
	go func() {
		defer close(lines)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://payterm/sale", bytes.NewReader(body))
		if err != nil {
			return
		}
		resp, err := c.api.Do(req)
		if err != nil {
			return
		}
		defer resp.Body.Close()
		for d := json.NewDecoder(resp.Body); ; {
			var l line
			if d.Decode(&l) != nil {
				return
			}
			lines <- l
		}
	}()
	look := time.NewTicker(150 * time.Millisecond)
	defer look.Stop()
	ended := c.guest.ended
	for {
		select {
		case l, more := <-lines:
			switch {
			case !more && ctx.Err() != nil && !c.dark():
				c.t.Fatalf("%s: no answer", p.key)
			case !more:
				time.Sleep(50 * time.Millisecond) // the machine is stopping or starting
				return
			case l.Taken != "":
				p.taken = append(p.taken, l.Taken)
				if p.mode == payterm.Passive {
					c.present()
				}
			case l.Order != nil && l.Order.ID == "" && l.Order.Reason == payterm.ReasonBusy:
				time.Sleep(200 * time.Millisecond) // the order of an earlier call is still at the counter
				return
			case l.Order != nil:
				p.said = *l.Order
				return
			default:
				c.t.Fatalf("%s: %+v", p.key, l)
			}
		case <-ended:
			ended = nil
			hangUp() // what the agent sent before the cut may contain the answer
		case <-look.C:
			if ended != nil {
				c.watch()
			}
		}
	}
}

// present shows a code to the scanner, sometimes one that was used before.
func (c *counter) present() {
	if len(c.codes) > 0 && c.chance.IntN(6) == 0 {
		c.devices.Scan(c.codes[c.chance.IntN(len(c.codes))]) //nolint:errcheck // the power may be off
	}
	wallet := map[string]any{
		"biz_type": "ALIPAY", "code": fmt.Sprintf("28%010d%06d", c.chance.IntN(1e9), len(c.codes)),
		"balance_minor": 1_000_000, "needs_password": c.chance.IntN(4) == 0,
	}
	c.ask("POST", "/sim/wallets", wallet)
	c.codes = append(c.codes, wallet["code"].(string))
	c.scan()
}

func (c *counter) scan() {
	c.devices.Scan(c.codes[len(c.codes)-1]) //nolint:errcheck // the power may be off
	c.shown = time.Now()
}

// watch lets customers find the orders that they can pay, and do what they decided.
func (c *counter) watch() {
	ctx, stop := context.WithTimeout(c.t.Context(), 5*time.Second)
	defer stop()
	var status struct {
		State string
		Order payterm.OrderID `json:"order_id"`
	}
	if req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://payterm/status", nil); err == nil {
		if resp, err := c.api.Do(req); err == nil {
			json.NewDecoder(resp.Body).Decode(&status) //nolint:errcheck // the power may fail
			resp.Body.Close()
		}
	}
	// Show the code again, as a customer does whose code was not read.
	if status.State == "scan" && len(c.codes) > 0 && time.Since(c.shown) > 3*time.Second {
		c.scan()
	}
	known := slices.ContainsFunc(c.customers, func(o customer) bool { return o.order == status.Order })
	if !known && (status.State == "show_code" || status.State == "waiting") && status.Order != "" {
		verbs := []string{"pay", "pay", "pay", "decline", "close"}
		c.customers = append(c.customers, customer{status.Order, verbs[c.chance.IntN(len(verbs))],
			time.Now().Add(time.Duration(c.chance.Int64N(int64(3 * time.Second))))})
	}
	c.decide(time.Now())
}

// decide carries out what customers decided to do by a given time. The gateway may not know the order, or may
// have closed it.
func (c *counter) decide(by time.Time) {
	for i, o := range c.customers {
		if o.verb != "" && !o.at.After(by) {
			c.ask("POST", "/sim/orders/"+string(o.order)+"/"+o.verb, nil)
			c.customers[i].verb = ""
		}
	}
}

// settle starts a last time, without faults and customers, and waits until every order is resolved.
func (c *counter) settle() (orders []payterm.Order) {
	c.t.Helper()
	c.mu.Lock()
	c.money = nil
	c.mu.Unlock()
	c.ask("DELETE", "/sim/faults", nil)
	c.boot()
	defer c.devices.Close()
	if !c.run() {
		c.t.Fatal("the last start came to nothing")
	}
	for p := c.pledges[len(c.pledges)-1]; p.said.Outcome == "" && !c.t.Failed(); {
		c.attempt(p)
	}
	c.decide(time.Now().Add(time.Hour))
	for _, l := range c.ledger() {
		if l.Status == "notpay" {
			c.ask("POST", "/sim/orders/"+string(l.ID)+"/decline", nil)
		}
	}
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(2 * time.Second) {
		orders, _ = c.journal()
		wrong := disputes(c.pledges, orders, c.ledger(), true)
		if len(wrong) == 0 {
			break
		}
		if time.Now().After(end) {
			for _, w := range wrong {
				c.t.Error(w)
			}
			break
		}
	}
	c.guest.tell("end")
	if end, _ := c.hear("ended"); !strings.HasPrefix(end, "0 ") {
		c.t.Errorf("the end: %s", end)
	}
	<-c.guest.ended
	image := filepath.Join(c.t.TempDir(), "after")
	if err := os.WriteFile(image, c.disk.image(), 0o600); err != nil {
		c.t.Fatal(err)
	}
	if out, err := exec.Command(tooltest.Need(c.t, "e2fsck"), "-f", "-n", image).CombinedOutput(); err != nil {
		c.t.Errorf("e2fsck: %v: %s", err, out)
	}
	return orders
}

// TestPowerCuts sells on the virtual board, cuts the power at a random moment, starts again, compares the
// journal with the gateway's records, and continues.
func TestPowerCuts(t *testing.T) {
	if *cuts == 0 {
		t.Skip("make powercut")
	}
	seed := *cutSeed
	if seed == 0 {
		seed = rand.Uint64N(1e9)
	}
	t.Logf("seed %d; what happens also depends on the machine", seed)
	c := newCounter(t, seed)
	t.Cleanup(func() {
		if t.Failed() {
			if err := os.WriteFile("../../build/powercut.img", c.disk.image(), 0o600); err == nil {
				t.Log("the disk, as it was at the end: build/powercut.img")
			}
		}
	})
	began := time.Now()
	var starting, atStake, lost, soon int
	for n := 1; n <= *cuts && !t.Failed(); n++ {
		c.mu.Lock()
		c.money = nil
		c.mu.Unlock()
		c.boot()
		early := c.chance.IntN(6) == 0
		moment := ""
		if early { // the file system is mounted and the journals of ext4 and SQLite are replayed
			moment = c.doom()
		}
		ran := c.run()
		if !early {
			moment = c.doom()
		}
		if ran {
			c.sell()
		} else {
			starting++
		}
		<-c.guest.ended
		cut := time.Now()
		stake, gone := c.disk.cut(c.chance)
		atStake, lost = atStake+stake, lost+gone
		c.guest.log = nil // the next start has its own
		c.devices.Close()
		c.decide(time.Now())
		near := false
		for _, l := range c.ledger() {
			for _, q := range l.Requests {
				near = near || strings.HasSuffix(q.Action, "PAY") && cut.Sub(q.At) < time.Second
			}
		}
		if near {
			soon++
		}
		fmt.Printf("cut %d of %d: %s; ran %v; %d of %d unflushed sectors lost; %d sales asked for; %.0f s\n",
			n, *cuts, moment, ran, gone, stake, len(c.pledges), time.Since(began).Seconds())
	}
	if t.Failed() {
		return
	}
	count := map[payterm.Outcome]int{}
	for _, o := range c.settle() {
		count[o.Outcome]++
	}
	t.Logf("%d cuts, %d of them while starting, %d within a second of a payment's request; %d sales asked for, orders %v; %d writes, %d flushes; %d sectors were not flushed at a cut, %d of them lost; %d torn commits of ext4's; %.0f s",
		*cuts, starting, soon, len(c.pledges), count, c.disk.writes, c.disk.flushes, atStake, lost, c.torn,
		time.Since(began).Seconds())
	if count[payterm.Approved] == 0 || *cuts >= 20 && (soon == 0 || lost == 0) {
		t.Error("too little happened to prove anything")
	}
}

// disputes compares what the till was told, the journal and the gateway's records. It reports an order charged
// twice, an id or a code used twice, an order that was accepted and is missing, one that is approved and not
// paid, and, once nothing is under way any more, one that is paid and not approved, or still open.
func disputes(pledges []*pledge, orders []payterm.Order, ledger []row, settled bool) []string {
	var bad []string
	dispute := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	rows, journal := map[payterm.OrderID]row{}, map[payterm.OrderID]payterm.Order{}
	payers, codes, owner := map[int64]payterm.OrderID{}, map[string]payterm.OrderID{}, map[payterm.OrderID]string{}
	for _, o := range orders {
		journal[o.ID] = o
		if other, twice := codes[o.MaskedCode]; twice && o.MaskedCode != "" {
			dispute("code %s served twice: %s and %s", o.MaskedCode, other, o.ID)
		}
		codes[o.MaskedCode] = o.ID
	}
	for _, l := range ledger {
		rows[l.ID] = l
		sent := 0
		for _, q := range l.Requests {
			if q.Action != "STATUS_QUERY" {
				sent++
			}
		}
		switch other, twice := payers[l.Paid]; { // each sale has a different amount
		case journal[l.ID].ID == "":
			dispute("not in the journal: %s", l.ID)
		case sent > 1:
			dispute("sent %d times: %s", sent, l.ID)
		case l.Paid > 0 && twice:
			dispute("a customer paid twice: %s and %s", other, l.ID)
		}
		payers[l.Paid] = l.ID
	}
	for _, o := range orders {
		paid := rows[o.ID].Paid
		switch {
		case o.Outcome == payterm.Approved && (paid != o.PaidMinor || paid != o.Total().Minor):
			dispute("approved over %d, and %d paid: %s", o.PaidMinor, paid, o.ID)
		case settled && o.Outcome == payterm.Open:
			dispute("still open: %s", o.ID)
		case settled && o.Outcome != payterm.Approved && paid > 0:
			dispute("%s, but paid: %s", o.Outcome, o.ID)
		}
	}
	for _, p := range pledges {
		for _, id := range append(slices.Clone(p.taken), p.said.ID) {
			o, known := journal[id]
			switch {
			case id == "":
			case !known:
				dispute("%s was taken and forgotten: %s", p.key, id)
			case o.IdempotencyKey != p.key || o.AmountMinor != p.amount || o.Mode != p.mode:
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
		case p.said.ID == "" || p.said.Outcome == now.Outcome || p.said.Outcome == payterm.InDoubt:
		case now.Outcome != payterm.Approved || now.Reason != payterm.ReasonLatePayment:
			dispute("%s was told %s, and it is %s %s", p.key, p.said.Outcome, now.Outcome, now.Reason)
		}
	}
	return bad
}

// TestDisputes plants each error that disputes must find.
func TestDisputes(t *testing.T) {
	const one, two = "T1AAAAA000001", "T1AAAAA000002"
	type world struct {
		pledges []*pledge
		orders  []payterm.Order
		ledger  []row
	}
	pay := []struct {
		At     time.Time
		Action string
	}{{Action: "PASSIVEPAY"}, {Action: "STATUS_QUERY"}}
	for name, c := range map[string]struct {
		plant   func(*world)
		at, end string // found at a start, and at the end
	}{
		"nothing": {func(*world) {}, "", ""},
		"sent twice": {func(w *world) { w.ledger[0].Requests = append(w.ledger[0].Requests, pay[0]) },
			"sent 2 times", "sent 2 times"},
		"a customer pays twice": {func(w *world) { w.ledger[1].Paid = 500 }, "paid twice", "paid twice"},
		"paid and lost": {func(w *world) {
			w.orders[0].Outcome, w.pledges[0].said.Outcome = payterm.Declined,
				payterm.Declined
		}, "", "but paid"},
		"paid and open": {func(w *world) {
			w.orders[0].Outcome, w.pledges[0].said = payterm.Open,
				payterm.Order{}
		}, "", "still open"},
		"approved and not paid": {func(w *world) { w.ledger[0].Paid = 0 }, "and 0 paid", "and 0 paid"},
		"approved over less":    {func(w *world) { w.ledger[0].Paid = 499 }, "and 499 paid", "and 499 paid"},
		"forgotten by journal": {func(w *world) { w.orders, w.pledges = w.orders[1:], w.pledges[1:] },
			"not in the journal", "not in the journal"},
		"taken and forgotten": {func(w *world) { w.pledges[0].taken[0] = "T1AAAAA000009" }, "taken and forgotten",
			"taken and forgotten"},
		"an id given twice":   {func(w *world) { w.pledges[1].taken[0] = one }, "was taken as", "was taken as"},
		"one key, two orders": {func(w *world) { w.pledges[0].said.ID = two }, "was taken as", "was taken as"},
		"a code that serves two": {func(w *world) { w.orders[1].MaskedCode = "****0001" }, "served twice",
			"served twice"},
		"told approved": {func(w *world) { w.orders[0].Outcome, w.ledger[0].Paid = payterm.Declined, 0 },
			"was told approved", "was told approved"},
		"told declined": {func(w *world) { w.pledges[0].said.Outcome = payterm.Declined }, "was told declined",
			"was told declined"},
		"told declined, is late": {func(w *world) {
			w.pledges[0].said.Outcome, w.orders[0].Reason = payterm.Declined, payterm.ReasonLatePayment
		}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := world{
				[]*pledge{
					{key: "sale 1", mode: payterm.Passive, amount: 500, taken: []payterm.OrderID{one},
						said: payterm.Order{ID: one, Outcome: payterm.Approved}},
					{key: "sale 2", mode: payterm.Active, amount: 501, taken: []payterm.OrderID{two},
						said: payterm.Order{ID: two, Outcome: payterm.Declined}},
				},
				[]payterm.Order{
					{ID: one, Mode: payterm.Passive, AmountMinor: 500, PaidMinor: 500, Outcome: payterm.Approved,
						IdempotencyKey: "sale 1", MaskedCode: "****0001"},
					{ID: two, Mode: payterm.Active, AmountMinor: 501, Outcome: payterm.Declined,
						IdempotencyKey: "sale 2"},
				},
				[]row{{ID: one, Paid: 500, Requests: pay}, {ID: two}},
			}
			c.plant(&w)
			for settled, want := range map[bool]string{false: c.at, true: c.end} {
				found := strings.Join(disputes(w.pledges, w.orders, w.ledger, settled), "; ")
				if (found == "") != (want == "") || !strings.Contains(found, want) {
					t.Errorf("settled %v: %q, want %q", settled, found, want)
				}
			}
		})
	}
}
