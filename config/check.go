package config

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"payterm"
	"payterm/flows/order"
	"payterm/provision"

	"golang.org/x/crypto/bcrypt"
)

var (
	terminalID = regexp.MustCompile(`^[A-Z0-9]{2,6}$`)
	plainID    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

	operatorNumber = regexp.MustCompile(`^[1-9][0-9]{0,3}$`)
)

// Bounds of terminal.keep_days, in days.
const leastDays, mostDays = 31, 3660

// actions are the gateway's actions whose version can be set.
var actions = []string{"ACTIVEPAY", "PASSIVEPAY", "STATUS_QUERY", "REFUND", "EX_RATE_QUERY"}

// Values of sale.late_payment.
const (
	lateAsk  = "ask"
	lateKeep = "keep"
)

// maxName is the longest name of an operator that the idle screen can show, in characters.
const maxName = 24

// maxTips is the number of keys that can offer a tip.
const maxTips = 4

// maxDayMinor is the largest day limit, in minor units. It is far below an overflow of int64.
const maxDayMinor int64 = 1_000 * payterm.MaxMinor

// minPINCost is the lowest bcrypt cost that is accepted: with less, all PINs could be tried against a stolen
// hash.
const minPINCost = 10

// Check returns everything that is wrong with the values, or nothing if they are right. It does not depend on
// what the agent is started for.
func (c Config) Check() []Problem {
	k := checker{c: c}
	k.terminal()
	k.gateway()
	k.timings()
	k.limits()
	k.access()
	if k.c.Update.URL != "" {
		k.address("update.url", k.c.Update.URL, true)
	}
	return k.problems
}

// Missing returns the keys that an agent on real hardware needs and that are not set. An emulated one runs
// without them.
func (c Config) Missing() []Problem {
	k := checker{c: c}
	given := func(dotted string) bool { return c.origin != nil && c.origin.set[dotted] }
	k.bad(!given("terminal.id"), "terminal.id",
		"is missing: 2 to 6 of A-Z and 0-9, unique among the merchant's terminals")
	k.bad(!c.HasBoard(), boardKey, "is missing: the name of a board profile, or its file")
	k.bad(c.Merchant.Name == "", "merchant.name", "is missing: it is printed on every receipt")
	k.bad(c.Gateway.URL == "", "gateway.url", "is missing: the gateway's https address")
	return k.problems
}

type checker struct {
	c        Config
	problems []Problem
}

func (k *checker) bad(wrong bool, dotted, format string, args ...any) {
	if wrong {
		k.problems = append(k.problems, k.c.problem(dotted, fmt.Sprintf(format, args...)))
	}
}

func (k *checker) terminal() {
	t, m := k.c.Terminal, k.c.Merchant
	k.bad(!terminalID.MatchString(t.ID), "terminal.id",
		"%q: 2 to 6 of A-Z and 0-9 are needed, unique among the merchant's terminals", t.ID)
	k.bad(!slices.Contains(payterm.Languages[:], t.Language), "terminal.language", "%q: %s is needed", t.Language,
		languages())
	k.bad(len(t.ReceiptLanguages) > 2, "terminal.receipt_languages", "has %d entries: a slip has room for 2",
		len(t.ReceiptLanguages))
	for i, l := range t.ReceiptLanguages {
		k.bad(!slices.Contains(payterm.Languages[:], l), "terminal.receipt_languages", "%q: %s is needed", l,
			languages())
		k.bad(slices.Contains(t.ReceiptLanguages[:i], l), "terminal.receipt_languages", "%s is listed twice", l)
	}
	_, err := time.LoadLocation(t.Timezone)
	// LoadLocation accepts "" as UTC and "Local" as the time zone of the machine.
	k.bad(err != nil || t.Timezone == "" || t.Timezone == "Local", "terminal.timezone",
		"%q: a zone such as America/Toronto is needed", t.Timezone)
	_, err = time.Parse(dayStarts, t.DayStarts)
	k.bad(err != nil || len(t.DayStarts) != len(dayStarts), "terminal.day_starts",
		"%q: a time such as 00:00 or 04:30 is needed", t.DayStarts)
	k.bad(t.Board == "", "terminal.board", "is empty: the name of a board profile, or its file")
	k.bad(t.KeepDays < leastDays || t.KeepDays > mostDays, "terminal.keep_days",
		"%d: %d to %d are possible; a refund needs the sale", t.KeepDays, leastDays, mostDays)
	k.bad(t.DataDir == "", "terminal.data_dir", "is empty: a directory such as /var/lib/payterm")
	k.bad(!m.Currency.Known(), "merchant.currency", "%q: an ISO 4217 code such as CAD is needed", m.Currency)
	k.receiptQR(m.ReceiptQR)
}

// maxReceiptQR is the longest address of a receipt: its code fits a roll of 58 mm with modules that phones read.
const maxReceiptQR = 200

func (k *checker) receiptQR(text string) {
	if text == "" {
		return
	}
	u, err := url.Parse(strings.NewReplacer("{order}", "A", "{ref}", "A").Replace(text))
	k.bad(err != nil || u.Scheme != "https" || u.Host == "", "merchant.receipt_qr",
		"%q: an address such as https://example.com/receipt/{order} is needed", text)
	k.bad(!strings.Contains(text, "{order}") && !strings.Contains(text, "{ref}"), "merchant.receipt_qr",
		"%q names no receipt: {order} becomes the order number, {ref} the till's reference", text)
	k.bad(len(text) > maxReceiptQR, "merchant.receipt_qr", "has %d characters: a code has room for %d", len(text),
		maxReceiptQR)
}

// languages lists all languages for a message.
func languages() string { return payterm.Either(payterm.Languages[:]...) }

func (k *checker) gateway() {
	g := k.c.Gateway
	if g.URL != "" {
		k.address("gateway.url", g.URL, true)
		k.bad(g.MerchantID == "", "gateway.merchant_id", "is missing: the gateway assigns one")
		k.bad(g.OperatorID == "", "gateway.operator_id", "is missing: the gateway requires one")
		k.bad(g.SignKeyFile == "", "gateway.sign_key_file",
			"is missing: a file that holds the 16 characters of the sign key, readable by its owner alone")
		k.bad(g.CallBackURL == "", "gateway.call_back_url",
			"is missing: the gateway requires one, any https address of the merchant's")
	}
	if g.CallBackURL != "" {
		k.address("gateway.call_back_url", g.CallBackURL, false)
	}
	for _, id := range []struct{ dotted, text string }{
		{"gateway.merchant_id", g.MerchantID}, {"gateway.operator_id", g.OperatorID},
		{"gateway.terminal_no", g.TerminalNo},
	} {
		k.bad(id.text != "" && !plainID.MatchString(id.text), id.dotted, "%q: letters and digits only, at most 32",
			id.text)
	}
	k.wallets("gateway.wallets", g.Wallets)
	k.wallets("gateway.active_wallets", g.ActiveWallets)
	k.bad(len(g.Wallets) == 0, "gateway.wallets", "is empty: %s is needed",
		payterm.Either(payterm.Channels...))
	for _, w := range g.ActiveWallets {
		k.bad(w.Valid() && !slices.Contains(g.Wallets, w), "gateway.active_wallets", "%s is not among gateway.wallets",
			w)
	}
	k.bad(g.RefundQueryAction != "", "gateway.refund_query_action",
		"%q: no document of the gateway names such an action; leave it empty, and refunds are followed by STATUS_QUERY",
		g.RefundQueryAction)
	for _, action := range slices.Sorted(maps.Keys(g.Versions)) {
		known := slices.Contains(actions, action)
		k.bad(!known, "gateway.versions", "%q: ACTIVEPAY, PASSIVEPAY, STATUS_QUERY, REFUND or EX_RATE_QUERY is needed",
			action)
		k.bad(g.Versions[action] == "", "gateway.versions", "%s has no version such as 1.0", action)
	}
}

// address checks that a URL is https. Plain http is accepted only on loopback.
func (k *checker) address(dotted, text string, loopback bool) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		// The text is not repeated: it may contain a password.
		k.bad(true, dotted, "is no address such as https://example.com/path")
	case u.Scheme == "http" && loopback:
		k.bad(!IsLoopback(u.Hostname()), dotted, "http:// is accepted on loopback only: https:// is needed")
	default:
		k.bad(u.Scheme != "https", dotted, "https:// is needed")
	}
}

// BareAddress is an address without what may be a secret: user, password, query and fragment.
func BareAddress(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(not told)"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// IsLoopback reports whether a host, without a port, is this machine.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (k *checker) wallets(dotted string, list []payterm.Channel) {
	for i, w := range list {
		k.bad(!w.Valid(), dotted, "%q: %s is needed", string(w), payterm.Either(payterm.Channels...))
		k.bad(slices.Contains(list[:i], w), dotted, "%s is listed twice", w)
	}
}

// timing is a duration of [sale] and its bounds.
type timing struct {
	name       string
	value      Duration
	atLeast    time.Duration
	atMost     time.Duration
	whyAtLeast string
}

const (
	day        = 24 * time.Hour
	leastPause = time.Second // of sale.ladder
	mostPause  = day
)

func (s Sale) timings() []timing {
	return []timing{
		{"scan_timeout", s.ScanTimeout, time.Second, 10 * time.Minute, ""},
		{"code_max_age", s.CodeMaxAge, time.Second, time.Minute, ""},
		{"first_inquiry", s.FirstInquiry, 100 * time.Millisecond, time.Minute, "; wallets want 2s to 5s"},
		{"inquiry_interval", s.InquiryInterval, 100 * time.Millisecond, time.Minute, "; wallets want 3s to 5s"},
		{"inquiry_jitter", s.InquiryJitter, 0, time.Minute, ""},
		{"leave_after", s.LeaveAfter, 0, 10 * time.Minute, ""},
		{"passive_counter", s.PassiveCounter, time.Second, time.Hour, ""},
		{"active_display", s.ActiveDisplay, time.Second, time.Hour, ""},
		{"ladder_repeat", s.LadderRepeat, time.Second, day, ""},
		{"active_code_life", s.ActiveCodeLife, s.ActiveDisplay.Duration, 7 * day, ": sale.active_display"},
		{"passive_code_life", s.PassiveCodeLife, s.PassiveCounter.Duration, 7 * day, ": sale.passive_counter"},
		{"refund_interval", s.RefundInterval, 100 * time.Millisecond, time.Hour, ""},
		{"refund_window", s.RefundWindow, s.RefundInterval.Duration, day, ": sale.refund_interval"},
		{"connect_timeout", s.ConnectTimeout, 100 * time.Millisecond, time.Minute, ""},
		{"http_timeout", s.HTTPTimeout, time.Second, 2 * time.Minute, ""},
	}
}

func (k *checker) timings() {
	s := k.c.Sale
	for _, t := range s.timings() {
		k.bad(t.value.Duration < t.atLeast, "sale."+t.name, "%v is too short: at least %v%s", t.value, t.atLeast,
			t.whyAtLeast)
		k.bad(t.value.Duration > t.atMost, "sale."+t.name, "%v is too long: at most %v", t.value, t.atMost)
	}
	k.bad(len(s.Ladder) == 0 || len(s.Ladder) > order.LadderRungs, "sale.ladder", "has %d pauses: 1 to %d are needed",
		len(s.Ladder), order.LadderRungs)
	for i, pause := range s.Ladder {
		k.bad(pause.Duration < leastPause || pause.Duration > mostPause, "sale.ladder",
			"item %d: %v: 1s to 24h is needed", i+1, pause)
	}
}

func (k *checker) limits() {
	s := k.c.Sale
	k.bad(s.MaxMinor < 1 || s.MaxMinor > payterm.MaxMinor, "sale.max_minor", "%d: 1 to %d minor units", s.MaxMinor,
		payterm.MaxMinor)
	k.bad(s.DayMaxMinor < 0 || s.DayMaxMinor > maxDayMinor, "sale.day_max_minor", "%d: 0 (none) to %d minor units",
		s.DayMaxMinor, maxDayMinor)
	k.bad(s.MaxFeeMinor < 0 || s.MaxFeeMinor > payterm.MaxMinor, "sale.max_fee_minor", "%d: 0 to %d minor units",
		s.MaxFeeMinor, payterm.MaxMinor)
	k.bad(s.LatePayment != lateAsk && s.LatePayment != lateKeep, "sale.late_payment", "%q: ask or keep is needed",
		s.LatePayment)
	k.bad(len(s.Tips) > maxTips, "sale.tips", "has %d entries: there are keys for %d", len(s.Tips), maxTips)
	for i, percent := range s.Tips {
		k.bad(percent < 1 || percent > 100, "sale.tips", "item %d: %d: 1 to 100 percent", i+1, percent)
		k.bad(slices.Contains(s.Tips[:i], percent), "sale.tips", "%d is listed twice", percent)
	}
}

func (k *checker) access() {
	if key := k.c.Merchant.ReportsKey; key != "" {
		err := provision.CheckKey(key)
		k.bad(err != nil, "merchant.reports_key", "%v", err)
	}
	if hash := k.c.Supervisor.PINHash; hash != "" {
		k.pinHash("supervisor.pin_hash", hash)
	}
	k.operators()
	a := k.c.API
	if a.Listen == "" {
		k.bad(a.TokenFile != "", "api.token_file", "has no use without api.listen")
		return
	}
	host, port, err := net.SplitHostPort(a.Listen)
	k.bad(err != nil || port == "" || strings.Contains(host, "/"), "api.listen",
		"%q: an address such as 127.0.0.1:8181 is needed", a.Listen)
	k.bad(err == nil && !IsLoopback(host), "api.listen",
		"%q: a loopback address such as 127.0.0.1:8181 is needed, since nothing encrypts what is said", a.Listen)
	k.bad(a.TokenFile == "", "api.token_file", "is missing: a file with the token that callers show")
}

// pinHash checks a PIN hash and returns its bcrypt cost, or 0 if it is no hash.
func (k *checker) pinHash(dotted string, hash PINHash) int {
	cost, err := bcrypt.Cost([]byte(hash))
	if err != nil || len(hash) != 60 {
		k.bad(true, dotted, "is no bcrypt hash such as payterm pin makes; put the hash here, never the PIN")
		return 0
	}
	k.bad(cost < minPINCost, dotted, "its cost is %d, at least %d is needed", cost, minPINCost)
	return cost
}

// maxOperators is more than one terminal needs; it bounds the list.
const maxOperators = 200

func (k *checker) operators() {
	list := k.c.Operators
	k.bad(len(list) > maxOperators, operatorsKey, "%d of them: at most %d", len(list), maxOperators)
	first := 0
	for i, o := range list {
		at := func(key string) string { return fmt.Sprintf("%s.%d.%s", operatorsKey, i+1, key) }
		k.bad(!operatorNumber.MatchString(o.Number), at("number"),
			"%q: \"1\" to \"9999\" is needed, without zeros before it", o.Number)
		k.bad(slices.ContainsFunc(list[:i], func(b Operator) bool { return b.Number == o.Number }), at("number"),
			"%s is another operator's", o.Number)
		length := utf8.RuneCountInString(o.Name)
		k.bad(length == 0 || length > maxName || strings.TrimSpace(o.Name) != o.Name ||
			strings.ContainsFunc(o.Name, unicode.IsControl),
			at("name"), "%q: a name of 1 to %d letters is needed", o.Name, maxName)
		cost := k.pinHash(at("pin_hash"), o.PINHash)
		if first == 0 {
			first = cost
		}
		// The PIN of an unknown number is compared with another operator's hash (ComparePIN). If costs
		// differed, the time of a comparison would show which numbers exist.
		k.bad(cost != 0 && cost != first, at("pin_hash"),
			"its cost is %d, and that of another operator %d: make all of them with payterm pin", cost, first)
	}
}
