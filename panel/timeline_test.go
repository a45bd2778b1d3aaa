package panel

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"payterm"
	"payterm/flows/order"
	"payterm/gateway/ottsim"
	"payterm/storage"
)

// TestTimeline makes a sale and reads its timeline: events, decisions, messages, and no secret.
func TestTimeline(t *testing.T) {
	d := newRig(t)
	d.call("POST", "/emu/key", `{"keys":["1","2","3","4","ENTER"]}`)
	_, wallet, _ := d.call("POST", "/phone/wallet", `{"biz_type":"ALIPAY","balance_minor":5000}`)
	var w struct{ Code string }
	if err := json.Unmarshal([]byte(wallet), &w); err != nil {
		t.Fatal(err)
	}
	d.shows("scan")
	d.call("POST", "/emu/scan", `{"code":"`+w.Code+`"}`)
	d.shows("approved")
	_, text, _ := d.call("GET", "/emu/timeline", "")
	var got struct {
		Orders []story
		Books  books
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil || len(got.Orders) != 1 || len(got.Books.Pairs) != 1 {
		t.Fatalf("%v: %s", err, text)
	}
	o := got.Orders[0]
	var moments []string
	for _, m := range o.Moments {
		moments = append(moments, fmt.Sprint(m.Event, " | ", m.Facts, " | ", strings.Join(m.Decided, ", "), " | ",
			m.Wire))
	}
	want := []string{
		"sale_began | 12.34 CAD, passive | wait for a scan | ",
		"code_scanned | code ****" + w.Code[14:] + " Alipay | send once, sound scan | out: PASSIVEPAY " + string(o.ID),
		"PASSIVEPAY |  |  | at the gateway",
		"payment_answered | 12.34 CAD paid | closed, approved, sound approved, print merchant, print customer | in: authentic reply, success",
	}
	if !slices.Equal(moments, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(moments, "\n"), strings.Join(want, "\n"))
	}
	if o.Title != "sale, Alipay" || o.Total != "12.34 CAD" || o.Outcome != payterm.Approved || o.Moments[0].AtMS != 0 {
		t.Errorf("order %+v", o)
	}
	if p := got.Books.Pairs[0]; p.Verdict != same || p.Journal != "approved, paid 12.34 CAD" ||
		p.Ledger != "success, paid 12.34 CAD" {
		t.Errorf("books %+v", p)
	}
	for _, secret := range []string{w.Code, "0123456789ABCDEF"} {
		if strings.Contains(text, secret) {
			t.Errorf("the timeline tells %s", secret)
		}
	}
}

func (d *rig) shows(screen string) {
	d.t.Helper()
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		_, words, _ := d.call("GET", "/emu/display.txt", "")
		if strings.HasPrefix(words, "screen: "+screen+"\n") {
			return
		}
		if time.Now().After(end) {
			d.t.Fatalf("no screen %s, but %s", screen, words)
		}
	}
}

// journaled returns events as the journal stores them, one second apart.
func journaled(t *testing.T, events ...order.Event) []payterm.Journaled {
	t.Helper()
	var list []payterm.Journaled
	for i, ev := range events {
		name, body, err := order.EncodeEvent(ev)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Duration(i) * time.Second
		list = append(list, payterm.Journaled{Event: name, Body: body, Stamp: payterm.Stamp{Boot: "AAAAA", Mono: at +
			time.Hour, Wall: time.Unix(1e9, 0).Add(at)}})
	}
	return list
}

// TestStoryAcrossARestart: the monotonic clock starts again, so the wall clock is used; an event of a later
// version is shown, not hidden.
func TestStoryAcrossARestart(t *testing.T) {
	sale := order.SaleBegan{ID: "A1", Mode: payterm.Passive, AmountMinor: 500, Currency: "CAD",
		Rules: order.DefaultRules()}
	events := journaled(t, sale, order.Restarted{}, order.Restarted{})
	events[1].Boot, events[1].Mono = "BBBBB", time.Millisecond
	events[2].Event = "beamed_up"
	got := storyOf(payterm.Order{ID: "A1"}, events, ledgerRow{})
	if len(got.Moments) != 3 || got.Moments[1].AtMS != 1000 || !slices.Contains(got.Moments[1].Decided,
		"cancelled: restarted") && !slices.Contains(got.Moments[1].Decided, "not sent: restarted") {
		t.Errorf("%+v", got.Moments)
	}
	if !strings.Contains(got.Moments[2].Facts, "does not know") {
		t.Errorf("%+v", got.Moments[2])
	}
}

// TestStoryIsBounded: of a long timeline the beginning and the end are shown.
func TestStoryIsBounded(t *testing.T) {
	events := journaled(t, order.SaleBegan{ID: "A1", Mode: payterm.Active, Wallet: payterm.Alipay, AmountMinor: 500,
		Currency: "CAD", Rules: order.DefaultRules()})
	var row ledgerRow
	for i := range 100 {
		row.Requests = append(row.Requests, struct {
			At     time.Time `json:"at"`
			Action string    `json:"action"`
		}{events[0].Wall.Add(time.Duration(i) * time.Minute), fmt.Sprint("Q", i)})
	}
	got := storyOf(payterm.Order{ID: "A1"}, events, row).Moments
	if len(got) != maxMoments || got[0].Event != "sale_began" || got[maxMoments-1].Event != "Q99" ||
		got[maxMoments/3].Facts != "42 more: payterm journal show A1" {
		t.Errorf("%d lines, %+v ... %+v", len(got), got[0], got[len(got)-1])
	}
}

// TestWithSeen: what the gateway received is inserted at its time, and the journal's own order is kept although
// its clock was set back.
func TestWithSeen(t *testing.T) {
	began := time.Unix(1e9, 0)
	var row ledgerRow
	if err := json.Unmarshal([]byte(`{"requests":[{"at":"2001-09-09T01:46:42Z","action":"late"},{"at":"2001-09-09T01:46:40.5Z","action":"early"}]}`), &row); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range withSeen([]moment{{AtMS: 0, Event: "a"}, {AtMS: 1000, Event: "b"}, {AtMS: -5, Event: "c"}}, row,
		began) {
		got = append(got, m.Event)
	}
	if s := strings.Join(got, " "); s != "a early b c late" {
		t.Error(s)
	}
}

// TestRequestsInOrder: a request stands after the step that sent it and before its reply, also where the times that
// were rounded say otherwise; the times that are shown do not go back.
func TestRequestsInOrder(t *testing.T) {
	began := time.Unix(1e9, 0)
	send := func(at int64, action string) moment { return moment{AtMS: at, Event: "send", sends: action} }
	reply := func(at int64) moment { return moment{AtMS: at, Event: "reply", answers: true} }
	woke := func(at int64) moment { return moment{AtMS: at, Event: "woke"} }
	for name, c := range map[string]struct {
		moments []moment
		seen    []int64
		want    string
	}{
		"at once":             {[]moment{send(5, "Q"), reply(5)}, []int64{5}, "5 send, 5 Q, 5 reply"},
		"the start was cut":   {[]moment{send(0, "Q"), reply(0)}, []int64{1}, "0 send, 0 Q, 0 reply"},
		"before it was sent":  {[]moment{send(7, "Q"), reply(9)}, []int64{6}, "7 send, 7 Q, 9 reply"},
		"a step between":      {[]moment{send(0, "Q"), woke(1), reply(9)}, []int64{4}, "0 send, 1 woke, 4 Q, 9 reply"},
		"never arrived":       {[]moment{send(0, "Q"), reply(50), send(100, "Q"), reply(100)}, []int64{101}, "0 send, 50 reply, 100 send, 100 Q, 100 reply"},
		"twice":               {[]moment{send(0, "Q"), reply(1), send(1, "Q"), reply(2)}, []int64{1, 2}, "0 send, 1 Q, 1 reply, 1 send, 2 Q, 2 reply"},
		"no reply yet":        {[]moment{send(3, "Q")}, []int64{3}, "3 send, 3 Q"},
		"another's, by time":  {[]moment{send(0, "P"), reply(9)}, []int64{4}, "0 send, 4 Q, 9 reply"},
		"another's, the same": {[]moment{send(0, "P"), woke(4), reply(9)}, []int64{4}, "0 send, 4 woke, 4 Q, 9 reply"},
	} {
		var row ledgerRow
		for _, at := range c.seen {
			row.Requests = append(row.Requests, ledgerRequest{began.Add(time.Duration(at) * time.Millisecond), "Q"})
		}
		var got []string
		for _, m := range withSeen(c.moments, row, began) {
			got = append(got, fmt.Sprint(m.AtMS, " ", m.Event))
		}
		if s := strings.Join(got, ", "); s != c.want {
			t.Errorf("%s: %s, want %s", name, s, c.want)
		}
	}
}

// TestPhasesHaveWords: no phase is shown by its name in the code.
func TestPhasesHaveWords(t *testing.T) {
	for p := order.Scanning; !strings.HasPrefix(p.String(), "Phase("); p++ {
		if said := phaseWords.Replace(p.String()); strings.ContainsFunc(said, unicode.IsUpper) {
			t.Errorf("%s: %q", p, said)
		}
	}
}

// TestCompare tests each possible result of comparing journal and simulator.
func TestCompare(t *testing.T) {
	closed := time.Unix(1e9, 0)
	order := func(outcome payterm.Outcome, paid, refunded int64) payterm.Order {
		o := payterm.Order{ID: "A1", Kind: payterm.KindSale, AmountMinor: 500, TipMinor: 50, Currency: "CAD",
			Outcome: outcome, PaidMinor: paid, RefundedMinor: refunded}
		if outcome != payterm.Open && outcome != payterm.InDoubt {
			o.ClosedAt = closed
		}
		return o
	}
	resolved := order(payterm.InDoubt, 0, 0)
	resolved.ClosedAt = closed
	row := func(status string, paid, refunded int64) ledgerRow {
		return ledgerRow{ID: "A1", Amount: 550, Status: status, Paid: paid, Refunded: refunded}
	}
	none := ledgerRow{Status: unknown}
	for _, c := range []struct {
		name      string
		order     payterm.Order
		row       ledgerRow
		refunding bool
		want      verdict
	}{
		{"both approved", order(payterm.Approved, 550, 0), row("success", 550, 0), false, same},
		{"a fee is on both", order(payterm.Approved, 560, 0), row("success", 560, 0), false, same},
		{"declined and unpaid", order(payterm.Declined, 0, 0), row("failure", 0, 0), false, same},
		{"cancelled before it was sent", order(payterm.Cancelled, 0, 0), none, false, same},
		{"refunded in part", order(payterm.Approved, 550, 200), row("partial_refunded", 550, 200), false, same},
		{"at the counter", order(payterm.Open, 0, 0), none, false, open},
		{"the wallet waits", order(payterm.Open, 0, 0), row("notpay", 0, 0), false, open},
		{"the reply is lost", order(payterm.InDoubt, 0, 0), row("success", 550, 0), false, open},
		{"a refund is under way", order(payterm.Approved, 550, 0), row("partial_refunded", 550, 200), true, open},
		{"approved out of nothing", order(payterm.Approved, 550, 0), none, false, differs},
		{"approved and unpaid", order(payterm.Approved, 550, 0), row("notpay", 0, 0), false, differs},
		{"declined and paid", order(payterm.Declined, 0, 0), row("success", 550, 0), false, differs},
		{"declined, paid and given back in full", order(payterm.Declined, 0, 0), row("fully_refunded", 550, 550), false,
			same},
		{"resolved unpaid, and paid", resolved, row("success", 550, 0), false, differs},
		{"another total", order(payterm.Approved, 550, 0), ledgerRow{Amount: 5500, Status: "success", Paid: 5500},
			false, differs},
		{"another fee", order(payterm.Approved, 550, 0), row("success", 560, 0), false, differs},
		{"a refund that only the ledger knows", order(payterm.Approved, 550, 0), row("fully_refunded", 550, 550), false,
			differs},
		{"a refund that only the journal knows", order(payterm.Approved, 550, 200), row("success", 550, 0), false,
			differs},
	} {
		got, why := compare(c.order, c.row, c.refunding)
		if got != c.want || got == differs && why == "" {
			t.Errorf("%s: %s (%s), want %s", c.name, got, why, c.want)
		}
	}
}

// TestCompareAll: an order that only the simulator has is a difference; one that was under way while it was
// read is none; a refund is not a sale.
func TestCompareAll(t *testing.T) {
	sale := payterm.Order{ID: "A1", Kind: payterm.KindSale, AmountMinor: 500, Currency: "CAD",
		Outcome: payterm.Approved, PaidMinor: 500, ClosedAt: time.Unix(1e9, 0)}
	was := sale
	was.Outcome, was.PaidMinor, was.ClosedAt = payterm.Open, 0, time.Time{}
	refund := payterm.Order{ID: "A2", Kind: payterm.KindRefund, SaleID: "A1", AmountMinor: 200,
		Outcome: payterm.InDoubt}
	unpaid, paid := ledgerRow{ID: "A1", Amount: 500, Status: "notpay"},
		ledgerRow{ID: "A1", Amount: 500, Status: "success", Paid: 500}
	back := paid
	back.Refunded = 200
	stray := ledgerRow{ID: "Z9", Status: "success", Paid: 1}
	for _, c := range []struct {
		name          string
		before, after []payterm.Order
		ledger        []ledgerRow
		want          string
	}{
		{"paid between the readings", []payterm.Order{was}, []payterm.Order{sale}, []ledgerRow{unpaid}, "A1 open"},
		{"begun between the readings", nil, []payterm.Order{sale}, nil, "A1 open"},
		{"unpaid before and after", []payterm.Order{sale}, []payterm.Order{sale}, []ledgerRow{unpaid}, "A1 differs"},
		{"a refund that began after", []payterm.Order{sale}, []payterm.Order{refund, sale}, []ledgerRow{back},
			"A1 open"},
		{"the ledger's own", []payterm.Order{sale}, []payterm.Order{sale}, []ledgerRow{paid, stray},
			"Z9 differs, A1 same"},
	} {
		var got []string
		for _, p := range compareAll(c.before, c.after, c.ledger).Pairs {
			got = append(got, fmt.Sprint(p.ID, " ", p.Verdict))
		}
		if s := strings.Join(got, ", "); s != c.want {
			t.Errorf("%s: %s, want %s", c.name, s, c.want)
		}
	}
}

// TestCompareAllShowsEachDifference, even if many newer orders agree.
func TestCompareAllShowsEachDifference(t *testing.T) {
	var orders []payterm.Order
	for i := range 30 {
		orders = append(orders, payterm.Order{ID: payterm.OrderID(fmt.Sprint("A", i)), Kind: payterm.KindSale,
			Outcome: payterm.Cancelled})
	}
	orders[29].Outcome = payterm.Approved
	b := compareAll(orders, orders, nil)
	if n := len(b.Pairs); n != maxStories+1 || b.Pairs[n-1].ID != "A29" || b.Counts[same] != 29 || b.Counts[differs] != 1 {
		t.Errorf("%+v", b)
	}
}

// TestFaultsAreTheSimulators: the page offers exactly the simulator's faults.
func TestFaultsAreTheSimulators(t *testing.T) {
	sim := ottsim.New(ottsim.Config{MerchantID: "ON00000000", SignKey: "0123456789ABCDEF", Seed: 1})
	ask := func(action, fault string) string {
		w := httptest.NewRecorder()
		sim.ServeHTTP(w, httptest.NewRequest("POST", "/sim/faults",
			strings.NewReader(fmt.Sprintf(`{"action":%q,"fault":%q}`, action, fault))))
		var said struct{ Error string }
		if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil {
			t.Fatal(err)
		}
		return said.Error
	}
	names := func(list []named) (all []string) {
		for _, n := range list {
			all = append(all, strings.Replace(n.Name, "code:", "code:WORD", 1))
		}
		slices.Sort(all)
		return all
	}
	for said, ours := range map[string][]named{ask("*", "?"): faults, ask("?", "empty"): actions} {
		_, list, _ := strings.Cut(said, "one of ")
		theirs := strings.Split(strings.Replace(list, "; or a genuine reply in another form: ", ", ", 1), ", ")
		if slices.Sort(theirs); !slices.Equal(theirs, names(ours)) {
			t.Errorf("the simulator knows %q, the page %q", theirs, names(ours))
		}
	}
}

// TestTimelineOfADamagedJournal: what cannot be read is reported.
func TestTimelineOfADamagedJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "payterm.db")
	if err := os.WriteFile(path, []byte("this is no journal"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, want := storage.OpenReader(path)
	p, err := New(Options{Journal: path})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1/emu/timeline", nil))
	var got answerTimeline
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || want == nil || got.Trouble != want.Error() {
		t.Errorf("%v: %s, want %v", err, w.Body, want)
	}
}
