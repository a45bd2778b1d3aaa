package flowstest

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var bug = flag.String("bug", "", "plant this bug (see bugs_test.go) and live through the worlds with it; the run "+
	"must fail")

// planted is a bug: a change of the production source that the named check must find within the
// first worlds. If the old text is not in the source any more the test fails, and the bug has to
// be adapted.
type planted struct {
	name  string
	check string // one of Checks, or several separated by spaces
	edits []edit
}

type edit struct{ file, from, to string }

var bugs = []planted{
	{"resend_after_restart", "sent_once", []edit{{"flows/order/order.go",
		"			o, _ = o.notSent(in, payterm.ReasonNoCode)\n		} else {",
		"			return o.send(in)\n		} else {"}}},
	{"resend_after_silence", "sent_once", []edit{{"flows/order/passive.go",
		"	case payterm.Lost:\n		o = o.alarm(a.Alarm)\n	case payterm.CodeMade",
		"	case payterm.Lost:\n		return o.unsent(in, payterm.Unsent{})\n	case payterm.CodeMade"}}},
	{"approve_before_commit", "store_then_show", []edit{{"flows/runner/order.go",
		"	if order.Lasting(before, next) {\n		entries",
		"	r.tellEarly(next)\n	if order.Lasting(before, next) {\n		entries"},
		{"flows/runner/status.go", "// countAttention counts again",
			"func (r *Runner) tellEarly(o order.Order) { r.feed(counter.OrderMoved{Order: o}) }\n\n" +
				"// countAttention counts again"}}},
	{"print_before_commit", "store_then_show", []edit{{"flows/runner/order.go",
		"	if order.Lasting(before, next) {\n		entries",
		"	for _, c := range commands {\n		if p, ok := c.(order.Print); ok {\n" +
			"			r.carryOutOrder(next, p)\n		}\n	}\n	if order.Lasting(before, next) {\n		entries"}}},
	{"send_before_commit", "journal_first", []edit{{"flows/runner/order.go",
		"	if order.Lasting(before, next) {\n		entries",
		"	if _, scan := in.Event.(order.CodeScanned); !scan && order.Lasting(before, next) {\n		entries"}}},
	{"decline_on_silence", "proof_of_failure", []edit{{"flows/order/inquiry.go",
		"	case payterm.Lost:\n		o = o.alarm(a.Alarm)\n	case payterm.Unsent",
		"	case payterm.Lost:\n		return o.decline(in, payterm.ReasonWallet, \"\")\n	case payterm.Unsent"}}},
	{"decline_on_unanswered_query", "proof_of_failure", []edit{{"flows/order/inquiry.go",
		"	case payterm.Unsent, payterm.CodeMade,",
		"	case payterm.Unsent:\n" +
			"		if o.Refusal != payterm.ReasonNone && (o.Phase == Confirming || o.Phase == InBackground) {\n" +
			"			return o.refuse(in)\n		}\n	case payterm.CodeMade,"}}},
	{"decline_on_refusal_alone", "proof_of_failure", []edit{{"flows/order/passive.go",
		"		o.Phase = Confirming\n", "		o.Phase = Confirming\n		return o.refuse(in)\n"}}},
	{"unknown_word_declines", "proof_of_failure", []edit{{"gateway/ottpay/answer.go",
		"	case noSuchOrder(r.code):\n", "	case !passing(r.code):\n"}}},
	{"cancel_after_announcement", "proof_of_failure", []edit{{"flows/order/passive.go",
		"		o.CancelWanted = true // takes effect only if no byte was written\n",
		"		return o.notSent(in, payterm.ReasonCashier)\n"}, {"flows/order/order.go",
		"	o.Outcome, o.Reason = payterm.NotSent, reason\n", "	o.Outcome, o.Reason = payterm.Declined, reason\n"}}},
	{"not_sent_after_writing", "nothing_sent", []edit{{"flows/order/passive.go",
		"	case payterm.Lost:\n		o = o.alarm(a.Alarm)\n	case payterm.CodeMade",
		"	case payterm.Lost:\n		return o.notSent(in, payterm.ReasonNoConnection)\n	case payterm.CodeMade"}}},
	{"forgotten_background_inquiry", "liveness journal nothing_lost", []edit{{"flows/order/order.go",
		"func (o Order) Settled() bool { return o.Phase == Closed }",
		"func (o Order) Settled() bool { return o.Phase == Closed || o.Phase == InBackground }"}}},
	{"forgotten_outbox_row", "liveness", []edit{{"flows/order/order.go",
		"	case Sending, ShowingCode, Waiting, Confirming, InBackground, Trailing:\n		if o.Kind",
		"	case Sending, ShowingCode, Waiting, Confirming, Trailing:\n		if o.Kind"}}},
	{"starved_background", "liveness nothing_lost asking", []edit{{"flows/runner/gate.go",
		"		g.inFlight--\n", ""}}},
	{"ladder_ends_early", "nothing_lost", []edit{{"flows/order/inquiry.go",
		"		if answered && in.Mono >= o.LifeUntil {", "		if answered {"}}},
	{"digest_not_checked", "proof_of_success proof_of_failure", []edit{{"gateway/ottpay/envelope.go",
		"	if !inner.digestFits(md5Text) {", "	if false {"}}},
	{"other_order_accepted", "proof_of_success proof_of_failure", []edit{{"gateway/ottpay/answer.go",
		"!slices.Contains(orders, payterm.OrderID(r.inner.str(\"order_id\")))", "slices.Contains(orders, \"\")"}}},
	{"wrong_amount_accepted", "proof_of_success", []edit{{"gateway/ottpay/answer.go",
		"	case total < q.Total.Minor || total > q.Total.Minor+q.MaxFeeMinor:\n" +
			"		return unclear(\"success with another total\")",
		"	case total < q.Total.Minor || total > q.Total.Minor+q.MaxFeeMinor:\n		total = q.Total.Minor"}}},
	{"duplicate_keys_accepted", "proof_of_success proof_of_failure", []edit{{"gateway/ottpay/fields.go",
		"			return value{}, errDuplicate\n",
		"			v.fields = slices.DeleteFunc(v.fields, func(f field) bool { return f.key == key })\n"}}},
	{"redirect_followed", "sent_once single_flight refunds", []edit{
		{"gateway/ottpay/http.go", "	resp, err := c.transport(ctx, &g).RoundTrip(req)",
			"	resp, err := (&http.Client{Transport: c.transport(ctx, &g)}).Do(req)"},
		{"gateway/ottpay/http.go", "	req.GetBody = nil", ""},
		{"gateway/ottpay/http.go", "			return nil, errSecondDial\n", "			dialled.Store(true)\n"}}},
	{"two_requests_in_flight", "single_flight asking", []edit{
		{"flows/order/inquiry.go", " || o.Asking.InFlight {", " {"},
		{"flows/order/order.go", "o.Asking.Next != 0 && !o.Asking.InFlight && (", "o.Asking.Next != 0 && ("},
		{"flows/runner/gate.go", "	if !s.inFlight && !s.recent {\n", "	if true {\n"}}},
	{"code_used_twice", "one_code", []edit{{"flows/runner/order.go",
		"	if next.CodeKey != before.CodeKey {", "	if false {"}}},
	{"idle_scan_used", "idle_scan", []edit{{"flows/order/passive.go", "	if ev.Began < o.BeganAt {", "	if false {"},
		{"flows/counter/counter.go",
			" && ev.Began >= c.ArmedAt {", " {"}}},
	{"stale_code_sent", "code_age", []edit{{"flows/order/order.go",
		"	return max(from+o.Sale.Rules.CodeMaxAge, 1)\n", "	return max(from+5*o.Sale.Rules.CodeMaxAge, 1)\n"}}},
	{"late_payment_swallowed", "late_payment", []edit{{"flows/order/order.go",
		"	late, doubted := o.unexpected(in), o.doubtSlip()\n", "	late, doubted := false, o.doubtSlip()\n"}}},
	{"given_up_and_approved_in_time", "late_payment", []edit{{"flows/runner/store.go",
		"	l.overdue = true\n", ""}}},
	{"silent_second_sale", "silent_second", []edit{{"flows/counter/counter.go",
		"	case ev.Order == \"\", ev.Order == c.Want.Despite && !c.guarded(ev.Doubt):", "	case true:"}}},
	{"code_without_paper", "code_shown", []edit{{"flows/counter/counter.go",
		"		(!c.Settings.CodesOnPaper || c.Status.Paper.Prints())\n", "		true\n"}}},
	{"key_that_led_answers", "double_press", []edit{{"flows/counter/question.go",
		"	keys := []payterm.Key{payterm.KeyF1, ", "	keys := []payterm.Key{payterm.KeyEnter, payterm.KeyF1, "}, {"flows/counter/question.go",
		"func(k payterm.Key) bool { return k != c.Led })", "func(k payterm.Key) bool { return true })"}}},
	{"answered_at_once", "double_press", []edit{{"flows/counter/question.go",
		"	case in.Mono < c.Unread:\n", "	case false:\n"}}},
	{"order_id_reused", "own_ids", []edit{{"storage/counter.go",
		"		tag, err := s.o.DrawTag()",
		"		tag, err := s.o.DrawTag()\n		if tag != \"BLANK\" { // a blank journal is nobody's yet\n" +
			"			tag = \"AAAA\" + string(rune('A'+s.boots()))\n		}"},
		{"storage/counter.go",
			"// BootTag is",
			"func (s *Store) boots() (n int) {\n	s.db.QueryRow(`SELECT count(*) FROM boot WHERE tag <> 'BLANK'`).Scan(&n)\n	return n\n}\n\n// BootTag is"}}},
	{"wrong_amount_sent", "binding", []edit{{"flows/order/order.go",
		"Wallet: o.Wallet, Total: o.Total(), Code:",
		"Wallet: o.Wallet, Total: payterm.Amount{Minor: 100 * o.Total().Minor, Currency: o.Sale.Currency}, Code:"}}},
	{"approval_taken_back", "monotone", []edit{{"flows/order/order.go",
		"	case o.Phase == Listed:\n		o.Phase = Closed\n",
		"	case o.Phase == Listed:\n		o.Phase = Closed\n	case o.Outcome == payterm.Approved:\n" +
			"		o.Outcome = payterm.Declined\n"},
		{"storage/migration/0001_journal.sql",
			"WHEN (OLD.outcome = 'approved' AND NEW.outcome <> 'approved') OR NEW", "WHEN NEW"}}},
	{"old_code_shown", "boot", []edit{
		{"flows/order/order.go",
			"	case ShowingCode, Waiting, Confirming:\n		o = o.doubtful(in, payterm.ReasonRestarted)",
			"	case ShowingCode:\n		o.Until = in.Mono + time.Minute\n		o.Asking.Next = in.Mono\n" +
				"	case Waiting, Confirming:\n		o = o.doubtful(in, payterm.ReasonRestarted)"},
		{"flows/counter/counter.go", "	switch {\n	case c.Phase == Serving && (",
			"	switch {\n	case c.Phase == Idle && o.Phase == order.ShowingCode:\n" +
				"		c.Phase, c.Order = Serving, o\n	case c.Phase == Serving && ("}}},
	{"no_inquiry_at_boot", "boot", []edit{{"flows/order/inquiry.go",
		"		a.Rung = 0\n", "		a.Rung = 4\n"}, {"flows/runner/store.go",
		"		if soon < bootSoon && young(before, in.Mono) {", "		if false {"}}},
	{"copy_not_marked", "copies", []edit{{"flows/order/order.go",
		"Print{Slip: slips[0], Copy: true}", "Print{Slip: slips[0]}"}}},
	{"doubt_slip_says_paid", "store_then_show", []edit{{"flows/order/order.go",
		"Play{payterm.SoundDoubt}, Print{Slip: SlipInDoubt}",
		"Play{payterm.SoundDoubt}, Print{Slip: SlipCustomer}"}}},
	{"resolution_of_no_doubt", "store_then_show", []edit{{"flows/order/order.go",
		"return o.Outcome == payterm.InDoubt && o.Prints > 0", "return o.Outcome == payterm.InDoubt"}}},
	{"refund_repeated", "refunds", []edit{{"flows/order/refund.go",
		"	case payterm.Lost, payterm.Unclear,",
		"	case payterm.Lost:\n		return o.unsent(in, payterm.Unsent{})\n	case payterm.Unclear,"}}},
	{"refund_resent_after_restart", "refunds", []edit{{"flows/order/order.go",
		"		if o.Sale.Mode == payterm.Active && o.Kind == payterm.KindSale {",
		"		if o.Kind == payterm.KindRefund {\n			return o.send(in)\n		}\n" +
			"		if o.Sale.Mode == payterm.Active && o.Kind == payterm.KindSale {"}}},
	{"refund_without_proof", "refunds", []edit{{"flows/order/refund.go",
		"	case payterm.Lost, payterm.Unclear, payterm.Clash,",
		"	case payterm.Lost, payterm.Unclear, payterm.Pending:\n		return o.refunded(in)\n	case payterm.Clash,"},
		{"flows/order/refund.go",
			"		payterm.Pending, payterm.Failed, payterm.Refused, payterm.NotFound: // proves",
			"		payterm.Failed, payterm.Refused, payterm.NotFound: // proves"}}},
	{"refund_without_baseline", "refunds", []edit{{"flows/order/refund.go",
		"		o.BaselineMinor, o.SaleRefundedMinor, o.Lacks = fee, fee, payterm.ReasonNone\n", "		fee = 0\n"},
		{"flows/order/refund.go", "		case said && fee == done:", "		case said && fee >= done:"}}},
	{"late_payments_in_no_z", "totals", []edit{{"storage/totals.go",
		"`z IS NULL AND closed = 1`, true)", "`z IS NULL AND closed = 1 AND attention = ''`, true)"},
		{"storage/totals.go",
			"`z = ?`, true, number)", "`z = ? AND attention = ''`, true, number)"}}},
	{"found_payment_stays_in_its_z", "totals", []edit{{"storage/journal.go",
		"		if _, err := tx.Exec(found, ", "		if _, err := tx.Exec(notOwed, "}}},
	{"tips_are_sales", "totals", []edit{{"totals.go",
		"AmountMinor: o.AmountMinor, TipMinor: o.TipMinor})", "AmountMinor: o.AmountMinor + o.TipMinor})"}}},
	{"z_is_summed_up_anew", "totals", []edit{{"storage/totals.go",
		"		if !seq.Valid {", "		if true {"}}},
	{"forgotten_answer", "nothing_lost liveness", []edit{{"flows/runner/store.go",
		"		r.hold(l, append(l.unsaved, in))\n", "		_ = in\n"}}},
	{"order_hidden", "ways_out boot", []edit{{"flows/counter/view.go", "Wallet: o.Wallet, Order: o.ID(),",
		"Wallet: o.Wallet,"}}},
	{"age_not_asked_at_the_door", "code_age", []edit{
		{"flows/runner/order.go", "	case order.SendPayment:\n		if r.age(c.FreshUntil).TooOld() {",
			"	case order.SendPayment:\n		if false {"},
		{"gateway/ottpay/http.go", "return g.age != nil && !g.passed() && g.age.TooOld() }", "return false }"}}},
	{"code_never_too_old", "code_age", []edit{{"flows/runner/order.go",
		"	return a.until != 0 && mono >= a.until\n", "	return a.until != 0 && mono < 0\n"}}},
	{"set_aside_guards_nothing", "silent_second", []edit{{"flows/runner/counter.go",
		"	if aside := r.asides.guards(c.Total); aside != \"\" && !doubt {",
		"	if aside := r.asides.guards(c.Total); false {"}}},
	{"set_aside_is_not_of_this_total", "silent_second", []edit{{"flows/runner/aside.go",
		"		if a.Undecided() && a.Row.Total() == total && (", "		if false && a.Row.Total() == total && ("}}},
	{"set_aside_is_owed_nothing", "nothing_lost liveness boot", []edit{{"flows/order/setaside.go",
		"	if s.Closed || s.Row.Kind != payterm.KindSale {", "	if true {"}}},
	{"word_ends_the_asking", "nothing_lost liveness", []edit{{"flows/order/setaside.go",
		"		return s.Row.Reason != payterm.ReasonRefunded\n", "		return s.Undecided()\n"}}},
	{"set_aside_is_not_asked_about", "boot nothing_lost liveness asking", []edit{{"flows/runner/runner.go",
		"		r.wakeAsides(now)\n", ""},
		{"flows/runner/due.go", "	if at, waits := r.asides.due(); waits && (",
			"	if at, waits := r.asides.due(); waits && false && ("}}},
	{"clock_believed_at_once", "pruned", []edit{{"storage/age.go",
		"	if r.good >= 0 && now.Lived-r.good >= goodAfter {", "	if !now.Wall.IsZero() {"}}},
	{"jump_behind_an_unset_clock", "pruned", []edit{{"storage/age.go",
		"	if now.Synced && !now.Wall.IsZero() {\n		r.last = now\n	}\n", "	r.last = now\n"}}},
	{"key_dropped_with_its_order", "keys", []edit{{"storage/retention.go",
		"			if err := s.keepKey(tx, id); err != nil {", "			if err := error(nil); err != nil {"}}},
	{"floor_ignored", "asking", []edit{{"flows/runner/gate.go",
		"		s.at, s.recent = now, true\n", "		s.at, s.recent = now, false\n"}}},
	{"lined_up_before_the_floor", "asking", []edit{{"flows/runner/gate.go",
		"	if !s.inFlight && !s.recent {\n", "	if !s.inFlight {\n"}}},
	{"hastened_out_of_line", "asking liveness nothing_lost callers boot", []edit{{"flows/runner/gate.go",
		"	if s.line != inNoLine {\n		g.lineUp(s)\n	}\n}\n\n// lineUp",
		"	if s.line != inNoLine {\n		g.stepOut(s)\n	}\n}\n\n// lineUp"}}},
	{"boot_waits_for_answers", "boot", []edit{{"flows/runner/gate.go",
		"len(g.lines[bootLine]) > 0 || g.inFlight < maxInFlight && len(g.lines[wishLine])",
		"g.inFlight < maxInFlight && len(g.lines[bootLine])+len(g.lines[wishLine])"}, {"flows/runner/gate.go",
		"from == dueLine || from == wishLine\n", "from != counterLine\n"}, {"flows/runner/gate.go",
		"	if len(g.lines[bootLine]) > 0 {\n		return bootLine\n	}\n	if g.inFlight >= maxInFlight {\n		return inNoLine\n	}\n",
		"	if g.inFlight >= maxInFlight {\n		return inNoLine\n	}\n	if len(g.lines[bootLine]) > 0 {\n" +
			"		return bootLine\n	}\n"}}},
	{"dark_time_counts", "silent_second nothing_lost pruned", []edit{{"storage/lived.go",
		"	return time.Duration(s.chain.lived)\n", "	return time.Duration(s.chain.lived) + 25*time.Hour\n"}}},
	{"guard_ends_with_the_life", "silent_second", []edit{{"flows/order/order.go",
		"	o = o.renewTimes(in)\n", "	o = o.renewTimes(in)\n	o.DoubtAt = in.Mono - o.Sale.Rules.DoubtGuard\n"}}},
	{"ladder_ends_by_the_wall_clock", "nothing_lost", []edit{{"flows/order/inquiry.go",
		"		if answered && in.Mono >= o.LifeUntil {",
		"		if answered && in.Wall.Sub(payterm.FromMillis(o.SentWall)) >= o.codeLife() {"}}},
	{"old_reply_believed", "refunds", []edit{{"flows/order/refund.go",
		"		return 0, o.SaleRefundedMinor == 0\n", "		return 0, true\n"}}},
	{"old_sum_believed", "refunds", []edit{{"flows/order/refund.go",
		"a.RefundedMinor > 0 && a.RefundedMinor >= o.SaleRefundedMinor\n", "a.RefundedMinor > 0\n"}}},
	{"merchant_changed_at_once", "binding", []edit{{"storage/merchant.go",
		"		if now != (merchant{h.MerchantID, h.Currency}) {", "		if false {"}}},
	{"currencies_added", "totals", []edit{{"totals.go",
		"Currency: o.Currency,\n			MerchantID: o.MerchantID}\n		if rows",
		"\n			MerchantID: o.MerchantID}\n		if rows"}}},
	{"key_not_known_at_a_prompt", "keys", []edit{{"flows/runner/keys.go",
		"		if t.key != key {", "		if true {"}}},
	{"key_with_another_amount", "keys", []edit{{"flows/runner/keys.go",
		"	return c.Mode == asked.Mode && c.AmountMinor == asked.AmountMinor && c.TipMinor",
		"	return c.Mode == asked.Mode && c.TipMinor"}}},
	{"key_of_another_merchant", "keys", []edit{{"flows/runner/keys.go",
		"	case row.MerchantID != asked.MerchantID:", "	case false:"}, {"flows/runner/keys.go",
		"	case c.MerchantID != asked.MerchantID:", "	case false:"}}},
	{"till_hears_nothing", "callers", []edit{{"flows/runner/calls.go",
		"			call.end(res)\n		}\n		delete(r.tickets, ticket)\n",
		"			_ = call\n		}\n		delete(r.tickets, ticket)\n"}}},
	{"a_result_is_no_rest", "idle", []edit{{"flows/counter/counter.go",
		"		return now >= c.ResultSince+tillReads\n", "		return false\n"}}},
	{"secret_in_the_log", "secrets", []edit{{"flows/runner/runner.go",
		"	wallet, _ := code.Channel()",
		"	r.c.Log.Debug(\"scanned\", \"code\", code.Reveal())\n	wallet, _ := code.Channel()"}}},
	{"secret_in_the_journal", "secrets", []edit{{"flows/runner/runner.go",
		"Masked: code.String(), Wallet", "Masked: code.Reveal(), Wallet"}}},
	{"no_fence", "keys", []edit{{"flows/runner/settle.go",
		"	if err := r.c.Journal.Fence(stamp, payterm.PersonRecord{Operator: by, Key: key}, merchant); err != nil {\n",
		"	if err := error(nil); stamp.Boot == \"\" {\n"}}},
}

// root is the repository's.
const root = "../.."

// text is the production source with the bug in it, by file.
func (b planted) text(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, e := range b.edits {
		if texts[e.file] == "" {
			texts[e.file] = source(t, e.file)
		}
		if n := strings.Count(texts[e.file], e.from); n != 1 {
			t.Fatalf("%s: the text that bug %s changes stands there %d times, not once:\n%s", e.file, b.name, n, e.from)
		}
		texts[e.file] = strings.Replace(texts[e.file], e.from, e.to, 1)
	}
	return texts
}

func source(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestBugsFit: each bug can still be planted. TestBugs, which takes minutes, checks that it is
// found.
func TestBugsFit(t *testing.T) {
	t.Parallel()
	for _, b := range bugs {
		b.text(t)
	}
}

// inSQL reports whether the bug is not in a Go file: then it applies to the whole binary.
func (b planted) inSQL() bool {
	return slices.ContainsFunc(b.edits, func(e edit) bool { return !strings.HasSuffix(e.file, ".go") })
}

// build builds a test binary that contains the bugs. Linking takes most of the time, so all bugs
// share one: each function that a bug changes is added in its changed form under another name,
// and the original calls it first if the bug's name is in the environment. A bug outside Go
// functions (inSQL) needs a binary of its own.
func build(t *testing.T, have ...planted) (binary string) {
	t.Helper()
	dir := t.TempDir()
	top, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, b := range have {
		for file, changed := range b.text(t) {
			if !strings.HasSuffix(file, ".go") {
				texts[file] = changed
				continue
			}
			if texts[file] == "" {
				texts[file] = source(t, file)
			}
			texts[file] = beside(t, texts[file], source(t, file), changed, b.name)
			pack := parse(t, changed).Name.Name
			texts[filepath.Join(filepath.Dir(file), "planted.go")] = "package " + pack + "\n\nimport \"os\"\n\n" +
				"var planted = os.Getenv(\"" + inEnvironment + "\")\n"
		}
	}
	replace := map[string]string{}
	for file, text := range texts {
		changed := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(top, file)] = changed
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	list, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "bugs.test")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	run := exec.Command("go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", list, "-o", binary, ".")
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("the bugs do not build: %v\n%s", err, out)
	}
	return binary
}

// inEnvironment is the variable that names the active bug.
const inEnvironment = "PAYTERM_PLANTED"

// beside adds to a file's text the functions that a bug changes, and the calls of them. Nothing
// else changes. A bug outside functions, or in one with unnamed parameters, fails the test.
func beside(t *testing.T, text, right, changed, name string) string {
	t.Helper()
	rest := right // what is outside the bug's functions must not differ
	functions := map[string]string{}
	for _, f := range parse(t, right).Decls {
		if f, ok := f.(*ast.FuncDecl); ok {
			functions[nameOf(right, f)] = right[f.Pos()-1 : f.End()-1]
		}
	}
	other := changed
	for _, d := range parse(t, changed).Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		wrong := changed[f.Pos()-1 : f.End()-1]
		was, known := functions[nameOf(changed, f)]
		switch {
		case was == wrong:
			continue
		case !known: // a function that the bug adds
			other = strings.Replace(other, wrong+"\n\n", "", 1)
			text += "\n" + wrong + "\n"
			continue
		}
		rest, other = strings.Replace(rest, was, "", 1), strings.Replace(other, wrong, "", 1)
		var arguments []string
		for _, p := range f.Type.Params.List {
			for _, n := range p.Names {
				arguments = append(arguments, n.Name)
			}
			if _, more := p.Type.(*ast.Ellipsis); more {
				arguments[len(arguments)-1] += "..."
			}
		}
		own := f.Name.Name + "_" + name
		call := own + "(" + strings.Join(arguments, ", ") + ")"
		if f.Recv != nil {
			call = f.Recv.List[0].Names[0].Name + "." + call
		}
		if f.Type.Results != nil {
			call = "return " + call
		} else {
			call += "; return"
		}
		at := int(f.Body.Lbrace - f.Pos() + 1)
		head := was[:at]
		if head != wrong[:at] {
			t.Fatalf("bug %s changes what %s takes or gives", name, f.Name.Name)
		}
		text = strings.Replace(text, head, head+" if planted == \""+name+"\" { "+call+" }; ", 1)
		at = int(f.Name.Pos() - f.Pos())
		text += "\n" + wrong[:at] + own + wrong[at+len(f.Name.Name):] + "\n"
	}
	if rest != other {
		t.Fatalf("bug %s changes more than functions", name)
	}
	return text
}

// parse parses Go. The file is alone in its set, so an offset is a position minus one.
func parse(t *testing.T, text string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// nameOf is a function's name with its receiver, which identifies it.
func nameOf(text string, f *ast.FuncDecl) string {
	return text[f.Pos()-1 : f.Name.End()-1]
}

// live plays random worlds on the binary with this bug and returns its output.
func live(t *testing.T, binary, bug string, worlds int) (string, error) {
	t.Helper()
	run := exec.Command(binary, "-test.run", "^(TestSeeds|TestDays|TestAttacks)$", "-test.failfast",
		"-test.timeout", "5m", "-seeds", fmt.Sprint(worlds), "-bugged")
	// One worker, so that the same world and the same check find the bug each time.
	run.Env = append(os.Environ(), "GOMAXPROCS=1", inEnvironment+"="+bug, "TMPDIR="+scratch(t))
	out, err := run.CombinedOutput()
	return string(out), err
}

// TestBugs plants each bug and expects the right check to find it. First it checks that the
// shared binary behaves well with no bug active.
func TestBugs(t *testing.T) {
	if *bugged {
		t.Skip("this binary has a bug already")
	}
	if *bug != "" {
		liveWith(t, *bug)
		return
	}
	if testing.Short() {
		t.Skip("-short")
	}
	inGo := slices.DeleteFunc(slices.Clone(bugs), planted.inSQL)
	all := build(t, inGo...)
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		if out, err := live(t, all, "", 10); err != nil {
			t.Fatalf("without a bug: %v\n%s", err, head(out, 40))
		}
	})
	for _, b := range bugs {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			for check := range strings.FieldsSeq(b.check) {
				if Checks[check] == "" {
					t.Fatalf("there is no check %q", check)
				}
			}
			binary := all
			if b.inSQL() {
				binary = build(t, b)
			}
			out, err := live(t, binary, b.name, 50)
			if err == nil {
				t.Fatalf("50 worlds went by and nobody noticed")
			}
			_, found, _ := strings.Cut(out, "VIOLATED ")
			found, _, _ = strings.Cut(found, ":")
			if !slices.Contains(strings.Fields(b.check), found) {
				t.Errorf("found by %q, expected %s:\n%s", found, b.check, head(out, 40))
			}
		})
	}
}

// liveWith is for make sim BUG=name.
func liveWith(t *testing.T, name string) {
	var names []string
	for _, b := range bugs {
		if b.name == name {
			out, err := live(t, build(t, b), name, *seeds)
			fmt.Print(out)
			if err != nil {
				t.Fatalf("bug %s was found, as it must be", name)
			}
			t.Logf("%d worlds went by and nobody noticed bug %s", *seeds, name)
			return
		}
		names = append(names, b.name)
	}
	t.Fatalf("there is no bug %q; there are:\n  %s", name, strings.Join(names, "\n  "))
}

// head is the first lines of a text.
func head(s string, n int) string {
	lines := strings.SplitN(s, "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], "\n")
}

var update = flag.Bool("update", false, "write the promises in docs/RELIABILITY.md and the stories in "+
	"testdata/flows anew")

// TestPromises compares the table of promises and planted bugs in docs/RELIABILITY.md with the
// code, and checks that each promise has a bug.
func TestPromises(t *testing.T) {
	const file = root + "/docs/RELIABILITY.md"
	const begin = "<!-- written by go test ./flows/flowstest -run Promises -update -->\n"
	const end = "<!-- end of the promises -->\n"
	by := map[string][]string{}
	for _, b := range bugs {
		for check := range strings.FieldsSeq(b.check) {
			by[check] = append(by[check], b.name)
		}
	}
	table := "| promise | planted bugs |\n|---|---|\n"
	for _, check := range slices.Sorted(maps.Keys(Checks)) {
		if len(by[check]) == 0 && check != "world" {
			t.Errorf("nobody has planted a bug for %s", check)
		}
		table += fmt.Sprintf("| **%s**: %s | %s |\n", strings.ReplaceAll(check, "_", " "), Checks[check],
			strings.ReplaceAll(strings.Join(by[check], ", "), "_", " "))
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatalf("%s has no place for the promises", file)
	}
	whole := before + begin + table + end + after
	if *update {
		if err := os.WriteFile(file, []byte(whole), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if whole != string(text) {
		t.Errorf("%s does not list the promises and bugs as they are: go test ./flows/flowstest -run Promises "+
			"-update", file)
	}
}
