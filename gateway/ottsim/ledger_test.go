package ottsim

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	testKey      = "0123456789ABCDEF"
	testMerchant = "ON00000000"
)

// shop is a merchant with its own gateway and clock.
type shop struct {
	*Sim
	t   testing.TB
	now atomic.Int64 // seconds
}

func newShop(t testing.TB) *shop {
	s := &shop{t: t}
	s.now.Store(1_800_000_000)
	s.Sim = New(Config{
		MerchantID: testMerchant, SignKey: testKey, Seed: 1, BaseURL: "http://127.0.0.1:9",
		Now: func() time.Time { return time.Unix(s.now.Load(), 0) },
	})
	return s
}

func (s *shop) later(seconds int64) { s.now.Add(seconds) }

// envelope returns the body of a request.
func envelope(action string, fields map[string]string) []byte {
	var inner [][2]string
	for name, value := range fields {
		inner = append(inner, [2]string{name, text(value)})
	}
	data, sum := sealFields(inner, testKey)
	b, err := json.Marshal(message{Action: action, Version: "1.0", MerchantID: testMerchant, Data: data, MD5: sum})
	if err != nil {
		panic(err)
	}
	return b
}

// opened reads a reply and returns the outer code and the inner values as text.
func opened(t testing.TB, body []byte) (string, map[string]string) {
	t.Helper()
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if a.Data == "" {
		return a.Code, nil
	}
	plain := unseal(t, a, testKey)
	var inner map[string]any
	if err := json.Unmarshal(plain, &inner); err != nil {
		t.Fatalf("%v: %s", err, plain)
	}
	texts := map[string]string{}
	for name, value := range inner {
		texts[name] = fmt.Sprint(value)
	}
	return a.Code, texts
}

// ask makes one request of the protocol.
func (s *shop) ask(action string, fields map[string]string) (string, map[string]string) {
	s.t.Helper()
	w := s.call("POST", "/processV2", envelope(action, fields))
	if w.Code != http.StatusOK {
		s.t.Fatalf("%s: HTTP %d", action, w.Code)
	}
	return opened(s.t, w.Body.Bytes())
}

func (s *shop) call(method, path string, body []byte) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(method, path, bytes.NewReader(body)))
	return w
}

// control makes a call under /sim and returns its result.
func (s *shop) control(status int, method, path, body string) map[string]any {
	s.t.Helper()
	w := s.call(method, path, []byte(body))
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != status {
		s.t.Fatalf("%s %s %s: HTTP %d, want %d: %s", method, path, body, w.Code, status, w.Body)
	}
	return out
}

func (s *shop) code(wallet string) string {
	s.t.Helper()
	return s.control(200, "POST", "/sim/wallets", wallet)["code"].(string)
}

func pay(id, amount, biz, code string) map[string]string {
	return map[string]string{"order_id": id, "operator_id": "1", "amount": amount, "biz_type": biz, "auth_code": code}
}

func (s *shop) passive(id, amount, biz, code string) (string, string) {
	s.t.Helper()
	word, inner := s.ask("PASSIVEPAY", pay(id, amount, biz, code))
	return word, inner["order_status"]
}

func (s *shop) active(id string) string {
	s.t.Helper()
	word, _ := s.ask("ACTIVEPAY", map[string]string{"order_id": id, "operator_id": "1", "amount": "1050",
		"biz_type": "ALIPAY", "call_back_url": "https://example.com/cb"})
	return word
}

func (s *shop) status(id string) string {
	s.t.Helper()
	_, inner := s.ask("STATUS_QUERY", map[string]string{"order_id": id})
	return inner["order_status"]
}

func (s *shop) refunds(id, sale, amount string) string {
	s.t.Helper()
	word, _ := s.ask("REFUND", map[string]string{"order_id": id, "ori_order_id": sale, "refund_amt": amount})
	return word
}

func (s *shop) want(what, got, want string) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestActive(t *testing.T) {
	s := newShop(t)
	word, inner := s.ask("ACTIVEPAY", map[string]string{"order_id": "A1", "operator_id": "1", "amount": "1050",
		"biz_type": "ALIPAY", "call_back_url": "https://example.com/cb"})
	if word != "SUCCESS" || !maps.Equal(inner, map[string]string{"order_id": "A1",
		"code_url": "http://127.0.0.1:9/pay/A1"}) {
		t.Fatalf("%s %v", word, inner)
	}
	s.want("unpaid", s.status("A1"), "notpay")
	s.want("asked again", s.active("A1"), "ORDER_USED")
	s.control(200, "POST", "/sim/orders/A1/pay", "")
	_, inner = s.ask("STATUS_QUERY", map[string]string{"order_id": "A1"})
	if inner["order_status"] != "success" || inner["total_amount"] != "1050" || inner["refund_fee"] != "0" ||
		inner["trade_time"] == "" || inner["exchange_rate"] != "5.24740000" {
		t.Errorf("%v", inner)
	}
	s.want("paid and asked again", s.active("A1"), "ORDER_PAID")
	s.control(409, "POST", "/sim/orders/A1/pay", "")
	s.control(409, "POST", "/sim/orders/A1/decline", "")
	s.active("A2")
	s.control(200, "POST", "/sim/orders/A2/decline", "")
	s.want("declined", s.status("A2"), "failure")
	s.active("A3")
	s.control(200, "POST", "/sim/orders/A3/close", "")
	s.want("closed", s.status("A3"), "orderclosed")
	s.control(409, "POST", "/sim/orders/A3/pay", "")
	s.active("A4")
	s.later(2 * 60 * 60)
	s.want("two hours old", s.status("A4"), "notpay")
	s.later(1)
	s.want("and a second", s.status("A4"), "orderclosed")
	s.control(409, "POST", "/sim/orders/A4/pay", "")
	s.control(409, "POST", "/sim/orders/none/pay", "")
	s.active("A5")
	s.control(409, "POST", "/sim/orders/A5/steal", "")
	s.want("after an unknown call", s.status("A5"), "notpay")
	s.want("unknown", s.status("A6"), "")
}

func TestTerms(t *testing.T) {
	s := newShop(t)
	good := map[string]string{"order_id": "T1", "operator_id": "1", "amount": "1050", "biz_type": "ALIPAY",
		"call_back_url": "https://example.com/cb"}
	for _, c := range [][3]string{
		{"order_id", "", "PARAM_ERROR"}, {"order_id", strings.Repeat("X", 21), "PARAM_ERROR"},
		{"operator_id", "", "PARAM_ERROR"},
		{"amount", "", "PARAM_ERROR"}, {"amount", "0", "PARAM_ERROR"}, {"amount", "-1", "PARAM_ERROR"},
		{"amount", "+1", "PARAM_ERROR"},
		{"amount", "10.50", "PARAM_ERROR"}, {"amount", "1e3", "PARAM_ERROR"},
		{"amount", "9223372036854775807", "PARAM_ERROR"},
		{"biz_type", "CASH", "PARAM_INVALID"}, {"call_back_url", "", "PARAM_INVALID"},
	} {
		bad := maps.Clone(good)
		bad[c[0]] = c[1]
		if word, _ := s.ask("ACTIVEPAY", bad); word != c[2] {
			t.Errorf("%s %q: %s, want %s", c[0], c[1], word, c[2])
		}
	}
	if len(s.byTime) != 0 {
		t.Errorf("%d orders were made", len(s.byTime))
	}
	if word, _ := s.ask("CANCEL", good); word != "PARAM_INVALID" {
		t.Errorf("unknown action: %s", word)
	}
	s.cfg.MerchantID = "ON99999999"
	if word, _ := s.ask("ACTIVEPAY", good); word != "PARAM_INVALID" {
		t.Errorf("unknown merchant: %s", word)
	}
	for body, status := range map[string]int{"": 200, "x": 200, `{}`: 200, `[]`: 200,
		strings.Repeat(" ", 65<<10): 413} {
		if w := s.call("POST", "/process", []byte(body)); w.Code != status {
			t.Errorf("%.10q: HTTP %d, want %d", body, w.Code, status)
		}
	}
	if w := s.call("GET", "/processV2", nil); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: HTTP %d", w.Code)
	}
}

func TestWallets(t *testing.T) {
	s := newShop(t)
	for biz, form := range map[string]string{"ALIPAY": `^28\d{16}$`, "WECHATPAY": `^13\d{16}$`,
		"UNIONPAY": `^62\d{17}$`} {
		out := s.control(200, "POST", "/sim/wallets", `{"biz_type":"`+biz+`"}`)
		code := out["code"].(string)
		if !regexp.MustCompile(form).MatchString(code) || out["expires_at"] != time.Unix(s.now.Load()+60,
			0).UTC().Format(time.RFC3339) {
			t.Errorf("%s: %v", biz, out)
		}
		word, status := s.passive("W"+biz, "100", biz, code)
		s.want(biz, word+" "+status, "SUCCESS success")
		word, _ = s.passive("V"+biz, "100", biz, code)
		s.want("the same code again", word, "AUTH_CODE_INVALID")
		s.want("of that no order", s.status("V"+biz), "")
	}
	word, _ := s.passive("P1", "100", "ALIPAY", "280000000000000000")
	s.want("a code of nobody", word, "AUTH_CODE_INVALID")
	word, _ = s.passive("P1", "100", "ALIPAY", "")
	s.want("no code", word, "AUTH_CODE_INVALID")

	code := s.code(`{"biz_type":"ALIPAY"}`)
	word, _ = s.passive("P2", "100", "WECHATPAY", code)
	s.want("another wallet's code", word, "AUTH_CODE_INVALID")
	word, _ = s.passive("P3", "100", "ALIPAY", code)
	s.want("spent by that", word, "AUTH_CODE_INVALID")

	onTime, late := s.code(`{"biz_type":"ALIPAY"}`), s.code(`{"biz_type":"ALIPAY"}`)
	s.later(60)
	word, _ = s.passive("P4", "100", "ALIPAY", onTime)
	s.want("after a minute", word, "SUCCESS")
	s.later(1)
	word, _ = s.passive("P5", "100", "ALIPAY", late)
	s.want("and a second", word, "AUTH_CODE_INVALID")

	word, status := s.passive("P6", "5001", "ALIPAY", s.code(`{"biz_type":"ALIPAY","balance_minor":5000}`))
	s.want("too little money", word+" "+status, "SUCCESS failure")
	word, status = s.passive("P7", "5000", "ALIPAY", s.code(`{"biz_type":"ALIPAY","balance_minor":5000}`))
	s.want("just enough", word+" "+status, "SUCCESS success")

	for biz, life := range map[string]int64{"WECHATPAY": 45, "ALIPAY": 180, "UNIONPAY": 180} {
		password := `{"biz_type":"` + biz + `","needs_password":true}`
		word, status = s.passive("Q"+biz, "100", biz, s.code(password))
		s.want("password", word+" "+status, "PROCESSING notpay")
		s.control(200, "POST", "/sim/orders/Q"+biz+"/pay", "")
		s.want("typed", s.status("Q"+biz), "success")
		s.passive("R"+biz, "100", biz, s.code(password))
		s.later(life)
		s.want(biz+" waits", s.status("R"+biz), "notpay")
		s.later(1)
		s.want(biz+" closes", s.status("R"+biz), "orderclosed")
	}

	s.want("a code of one's own", s.code(`{"biz_type":"ALIPAY","code":"X<&>"}`), "X<&>")
	s.control(409, "POST", "/sim/wallets", `{"biz_type":"ALIPAY","code":"X<&>"}`)
	for _, bad := range []string{
		``, `{}`, `[]`, `{"biz_type":"CASH"}`, `{"biz_type":"ALIPAY","balance_minor":-1}`,
		`{"biz_type":"ALIPAY","ttl_seconds":-1}`,
		`{"biz_type":"ALIPAY","ttl_seconds":9223372036854775807}`, `{"biz_type":"ALIPAY","pin":"1"}`,
		`{"biz_type":"ALIPAY"} {}`,
		`{"biz_type":"ALIPAY","code":"` + strings.Repeat("1", 1025) + `"}`,
	} {
		if s.control(400, "POST", "/sim/wallets", bad)["error"] == "" {
			t.Errorf("%s is refused without a reason", bad)
		}
	}
}

func TestRefunds(t *testing.T) {
	s := newShop(t)
	s.passive("S1", "1000", "ALIPAY", s.code(`{"biz_type":"ALIPAY"}`))
	s.want("first", s.refunds("R1", "S1", "300"), "SUCCESS")
	_, inner := s.ask("STATUS_QUERY", map[string]string{"order_id": "S1"})
	s.want("in part", inner["order_status"]+" "+inner["refund_fee"]+" "+inner["total_amount"],
		"partial_refunded 300 1000")
	for what, c := range map[string][4]string{
		"the same again":    {"R1", "S1", "300", "ORDER_USED"},
		"under a sale's id": {"S1", "S1", "1", "ORDER_USED"},
		"too much":          {"R2", "S1", "701", "FAIL"},
		"far too much":      {"R2", "S1", "9223372036854775807", "PARAM_ERROR"},
		"nothing":           {"R2", "S1", "0", "PARAM_ERROR"},
		"less than nothing": {"R2", "S1", "-1", "PARAM_ERROR"},
		"a fraction":        {"R2", "S1", "1.0", "PARAM_ERROR"},
		"under no id":       {"", "S1", "1", "PARAM_ERROR"},
		"of no sale":        {"R2", "none", "1", "FAIL"},
	} {
		s.want(what, s.refunds(c[0], c[1], c[2]), c[3])
	}
	s.want("the rest", s.refunds("R2", "S1", "700"), "SUCCESS")
	s.want("all of it", s.status("S1"), "fully_refunded")
	s.want("and one more", s.refunds("R3", "S1", "1"), "FAIL")
	s.active("S2")
	s.want("of an unpaid sale", s.refunds("R3", "S2", "1"), "FAIL")
	s.want("a sale under a refund's id", s.active("R1"), "ORDER_USED")
	if o := s.control(200, "GET", "/sim/orders/S1", ""); o["refunded_minor"] != 1000.0 || o["paid_minor"] != 1000.0 {
		t.Errorf("%v", o)
	}
}

func TestRates(t *testing.T) {
	s := newShop(t)
	word, inner := s.ask("EX_RATE_QUERY", map[string]string{"fee_type": "CAD"})
	if word != "SUCCESS" || inner["feeType"] != "CAD" || inner["rate"] != "524740000" {
		t.Errorf("%s %v", word, inner)
	}
	word, _ = s.ask("EX_RATE_QUERY", map[string]string{"fee_type": "XXX"})
	s.want("unknown", word, "PARAM_INVALID")
}

// TestLedgerShape: the JSON names stay as they are, since other programs read them.
func TestLedgerShape(t *testing.T) {
	s := newShop(t)
	s.active("A1")
	s.status("B1")
	keys := []string{"amount_minor", "biz_type", "code_url", "mode", "order_id", "paid_minor", "refunded_minor",
		"requests", "status"}
	list := s.control(200, "GET", "/sim/orders", "")["orders"].([]any)
	if len(list) != 2 {
		t.Fatalf("%d orders", len(list))
	}
	for _, entry := range append(list, s.control(200, "GET", "/sim/orders/A1", ""),
		s.control(200, "GET", "/sim/orders/B1", "")) {
		o := entry.(map[string]any)
		if got := slices.Sorted(maps.Keys(o)); !slices.Equal(got, keys) {
			t.Errorf("%v", got)
		}
		r := o["requests"].([]any)[0].(map[string]any)
		if got := slices.Sorted(maps.Keys(r)); !slices.Equal(got, []string{"action", "at"}) {
			t.Errorf("%v", got)
		}
	}
	if b1 := list[1].(map[string]any); b1["status"] != "unknown" || b1["order_id"] != "B1" {
		t.Errorf("%v", b1)
	}
	s.active("B1")
	if o := s.control(200, "GET", "/sim/orders/B1", ""); len(o["requests"].([]any)) != 2 {
		t.Errorf("the inquiry before it is not with the order: %v", o)
	}
	if list := s.control(200, "GET", "/sim/orders", "")["orders"].([]any); len(list) != 2 {
		t.Errorf("B1 is listed twice: %v", list)
	}
	s.control(404, "GET", "/sim/orders/none", "")
}

// audit checks the orders: no money without a payment, no more refunded than paid, no code used for two orders.
func audit(orders []*order) error {
	codes := map[*wallet]string{}
	for _, o := range orders {
		paid := o.Status == "success"
		switch {
		case paid && o.Paid != o.Amount || !paid && o.Paid != 0:
			return fmt.Errorf("%s is %s with %d of %d paid", o.ID, o.Status, o.Paid, o.Amount)
		case o.Refunded < 0 || o.Refunded > o.Paid:
			return fmt.Errorf("%s: %d of %d went back", o.ID, o.Refunded, o.Paid)
		case o.wallet != nil && codes[o.wallet] != "":
			return fmt.Errorf("%s and %s were paid with one code", codes[o.wallet], o.ID)
		case o.wallet != nil && o.wallet.Balance < 0:
			return fmt.Errorf("%s: the wallet owes %d", o.ID, o.wallet.Balance)
		}
		if o.wallet != nil {
			codes[o.wallet] = o.ID
		}
	}
	return nil
}

func TestAuditCatches(t *testing.T) {
	w := &wallet{}
	for what, ledger := range map[string][]*order{
		"paid, and not": {{ID: "A", Status: "notpay", Amount: 1, Paid: 1}},
		"0 of 1 paid":   {{ID: "A", Status: "success", Amount: 1}},
		"went back":     {{ID: "A", Status: "success", Amount: 1, Paid: 1, Refunded: 2}},
		"one code":      {{ID: "A", Status: "failure", wallet: w}, {ID: "B", Status: "failure", wallet: w}},
		"owes":          {{ID: "A", Status: "failure", wallet: &wallet{Balance: -1}}},
	} {
		if audit(ledger) == nil {
			t.Errorf("%s was planted and not seen", what)
		}
	}
	if err := audit([]*order{{ID: "A", Status: "success", Amount: 2, Paid: 2, Refunded: 1, wallet: w},
		{ID: "B", Status: "notpay", Amount: 1}}); err != nil {
		t.Error(err)
	}
}

// TestManyAtOnce: tills, phones and readers work at once; the sums are right and each request is recorded.
func TestManyAtOnce(t *testing.T) {
	s := newShop(t)
	const tills, rounds = 8, 12
	s.passive("SALE", "1000", "ALIPAY", s.code(`{"biz_type":"ALIPAY"}`))
	var refunded, sent atomic.Int64
	var all sync.WaitGroup
	shared := s.code(`{"biz_type":"ALIPAY","balance_minor":1000}`) // all tills scan this code too
	for till := range tills {
		all.Go(func() {
			for round := range rounds {
				id := fmt.Sprintf("T%dR%d", till, round)
				code := shared
				if round > 0 {
					code = s.code(`{"biz_type":"ALIPAY","balance_minor":1000,"needs_password":` +
						fmt.Sprint(round%2 == 0) + `}`)
				}
				s.ask("PASSIVEPAY", pay(id, "1000", "ALIPAY", code))
				s.ask("PASSIVEPAY", pay("SAME", "1000", "ALIPAY", code)) // an id that all of them use
				s.call("POST", "/sim/orders/"+id+"/pay", nil)
				s.call("POST", "/sim/faults", []byte(`{"action":"EX_RATE_QUERY","fault":"empty"}`))
				s.call("POST", "/processV2", envelope("EX_RATE_QUERY", map[string]string{"fee_type": "CAD"}))
				for n := range 3 {
					if s.refunds(fmt.Sprintf("F%dR%dN%d", till, round, n), "SALE", "150") == "SUCCESS" {
						refunded.Add(150)
					}
				}
				s.status(id)
				sent.Add(2) // payment and inquiry of id
				s.call("GET", "/sim/orders", nil)
				s.call("GET", "/pay/"+id, nil)
			}
		})
	}
	all.Wait()
	if err := audit(s.byTime); err != nil {
		t.Error(err)
	}
	if got := s.orders["SALE"].Refunded; got != 900 || refunded.Load() != 900 { // six times 150
		t.Errorf("%d of 1000 went back, %d were promised", got, refunded.Load())
	}
	var seen int64
	paidShared := 0
	for id, o := range s.orders {
		if strings.HasPrefix(id, "T") {
			for _, r := range o.Requests {
				if r.Action == "PASSIVEPAY" || r.Action == "STATUS_QUERY" {
					seen++
				}
			}
		}
		if o.wallet == s.wallets[shared] {
			paidShared++
		}
	}
	for id, requests := range s.strays {
		if strings.HasPrefix(id, "T") {
			seen += int64(len(requests))
		}
	}
	if seen != sent.Load() {
		t.Errorf("%d requests in the ledger, %d were sent", seen, sent.Load())
	}
	if paidShared != 1 {
		t.Errorf("one code paid for %d orders", paidShared)
	}
}

// stuck is a client that does not read the answer.
type stuck struct {
	http.ResponseWriter
	held, free chan struct{}
}

func (w stuck) Write(b []byte) (int, error) {
	close(w.held)
	<-w.free
	return w.ResponseWriter.Write(b)
}

func TestSlowReaderHoldsUpNobody(t *testing.T) {
	for _, path := range []string{"/sim/orders", "/sim/orders/A1", "/sim/faults"} {
		s := newShop(t)
		s.active("A1")
		w := stuck{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		}()
		<-w.held
		passed := make(chan string, 1)
		go func() { passed <- s.status("A1") }()
		select {
		case got := <-passed:
			s.want(path, got, "notpay")
		case <-time.After(20 * time.Second):
			t.Errorf("%s holds the ledger while it writes", path)
		}
		close(w.free)
		<-done
	}
}

// FuzzProcess: any body gets an answer with a code, and no request moves money that does not exist.
func FuzzProcess(f *testing.F) {
	f.Add([]byte(`{"order_id":"A1","operator_id":"1","amount":"1","biz_type":"ALIPAY","auth_code":"281"}`),
		"PASSIVEPAY", "11ALIPAY281A11", true)
	f.Add([]byte(`{"order_id":"R1","ori_order_id":"S1","refund_amt":"1000"}`), "REFUND", "S1R11000", true)
	f.Add([]byte(`{"action":"ACTIVEPAY","merchant_id":"ON00000000","data":"","md5":""}`), "", "", false)
	f.Fuzz(func(t *testing.T, body []byte, action, joined string, seal bool) {
		s := newShop(t)
		s.control(200, "POST", "/sim/wallets", `{"biz_type":"ALIPAY","code":"281"}`)
		s.control(200, "POST", "/sim/wallets", `{"biz_type":"ALIPAY","code":"282"}`)
		s.passive("S1", "1000", "ALIPAY", "282")
		if seal {
			var in map[string]string
			if json.Unmarshal(body, &in) == nil { // add a digest that fits, so that the rest is reached
				joined = ""
				for _, name := range slices.Sorted(maps.Keys(in)) {
					joined += in[name]
				}
			}
			data, sum := sealed(string(body), joined)
			b, err := json.Marshal(message{Action: action, MerchantID: testMerchant, Data: data, MD5: sum})
			if err != nil {
				t.Fatal(err)
			}
			body = b
		}
		w := s.call("POST", "/processV2", body)
		if w.Code == http.StatusRequestEntityTooLarge {
			return
		}
		if code, _ := opened(t, w.Body.Bytes()); w.Code != http.StatusOK || code == "" {
			t.Fatalf("HTTP %d %s", w.Code, w.Body)
		}
		if err := audit(s.byTime); err != nil {
			t.Fatal(err)
		}
	})
}

// unseal decrypts a reply.
func unseal(t testing.TB, a answer, key string) []byte {
	t.Helper()
	b, err := blockFor(a.MD5, key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(a.Data)
	if err != nil || len(raw) == 0 || len(raw)%16 != 0 {
		t.Fatalf("%d bytes: %v", len(raw), err)
	}
	plain := ecb(b, raw, true)
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > 16 {
		return nil
	}
	return plain[:len(plain)-pad]
}
