// Package config reads payterm's configuration from a TOML file and from
// environment variables, strictly: an unknown key, a wrong type or a bad value
// is refused with file, line and what would be right, and everything that is
// wrong is said at once. testdata/config/example.toml shows each key with its
// default.
//
// It reads the sign key when asked, and nothing else beside the configuration:
// whether a board profile or a certificate file can be used is for those who
// open them to say.
package config

import (
	"crypto/x509"
	"fmt"
	"os"
	"slices"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
	"payterm/tomlfile"
)

// Config is what the file and the environment say over the defaults.
type Config struct {
	Terminal   Terminal   `toml:"terminal"`
	Merchant   Merchant   `toml:"merchant"`
	Gateway    Gateway    `toml:"gateway"`
	Sale       Sale       `toml:"sale"`
	Supervisor Supervisor `toml:"supervisor"`
	API        API        `toml:"api"`
	Update     Update     `toml:"update"`
	// Operators are who may sign on; with none nobody has to. A list of tables: no
	// environment variable stands for it.
	Operators []Operator `toml:"operators"`

	origin *origin // where the keys were set; nil for the defaults
}

// Terminal is this device.
type Terminal struct {
	ID       string `toml:"id"`       // 2 to 6 of A-Z and 0-9, unique for the merchant: every order id begins with it
	Language string `toml:"language"` // en, fr or zh
	// ReceiptLanguages are one or two for what a customer takes along, the first
	// one's amounts; empty: Language.
	ReceiptLanguages []string `toml:"receipt_languages"`
	Timezone         string   `toml:"timezone"` // IANA name
	Board            string   `toml:"board"`    // name of a profile that comes along, or a file
	DataDir          string   `toml:"data_dir"`
	KeepDays         int      `toml:"keep_days"` // orders that are final and in a Z, before they are dropped
	// DayStarts is when a business day begins, HH:MM in Timezone.
	DayStarts string `toml:"day_starts"`
}

// Merchant is what a receipt has at its top.
type Merchant struct {
	Name     string           `toml:"name"`
	Address  string           `toml:"address"`
	Phone    string           `toml:"phone"`
	TaxID    string           `toml:"tax_id"` // several parted by ;, printed as given
	Currency payterm.Currency `toml:"currency"`
}

// Gateway is whom to ask and as whom (protocol sheet, sections 1 and 16).
type Gateway struct {
	URL               string            `toml:"url"`
	MerchantID        string            `toml:"merchant_id"`
	OperatorID        string            `toml:"operator_id"`
	TerminalNo        string            `toml:"terminal_no"` // left out when empty
	SignKeyFile       string            `toml:"sign_key_file"`
	CallBackURL       string            `toml:"call_back_url"`
	Wallets           []payterm.Channel `toml:"wallets"`             // whose codes are scanned
	ActiveWallets     []payterm.Channel `toml:"active_wallets"`      // for which a code can be shown
	RefundQueryAction string            `toml:"refund_query_action"` // none is known: always empty
	Versions          map[string]string `toml:"versions"`            // by action, where it is not 1.0
	CAFile            string            `toml:"ca_file"`             // empty: the system's
}

// Sale holds the timings of an order and its limits.
type Sale struct {
	ScanTimeout     Duration   `toml:"scan_timeout"`
	CodeMaxAge      Duration   `toml:"code_max_age"`
	FirstInquiry    Duration   `toml:"first_inquiry"`
	InquiryInterval Duration   `toml:"inquiry_interval"`
	InquiryJitter   Duration   `toml:"inquiry_jitter"`
	LeaveAfter      Duration   `toml:"leave_after"`
	PassiveCounter  Duration   `toml:"passive_counter"`
	ActiveDisplay   Duration   `toml:"active_display"`
	Ladder          []Duration `toml:"ladder"`
	LadderRepeat    Duration   `toml:"ladder_repeat"`
	ActiveCodeLife  Duration   `toml:"active_code_life"`
	PassiveCodeLife Duration   `toml:"passive_code_life"`
	RefundInterval  Duration   `toml:"refund_interval"`
	RefundWindow    Duration   `toml:"refund_window"`
	ConnectTimeout  Duration   `toml:"connect_timeout"`
	HTTPTimeout     Duration   `toml:"http_timeout"`
	MaxMinor        int64      `toml:"max_minor"`     // of one sale, in minor units
	DayMaxMinor     int64      `toml:"day_max_minor"` // of all sales of a business day, in minor units; 0: none
	Tips            []int      `toml:"tips"`          // percent, at most four; empty: none are offered
	MaxFeeMinor     int64      `toml:"max_fee_minor"` // on top of the total, in minor units
	LatePayment     string     `toml:"late_payment"`  // ask or keep
}

// Supervisor guards what a cashier alone must not do.
type Supervisor struct {
	PINHash PINHash `toml:"pin_hash"` // bcrypt; empty: no PIN
}

// Operator is somebody who sells.
type Operator struct {
	Number     string  `toml:"number"` // 1 to 9999, typed at the keypad
	Name       string  `toml:"name"`
	PINHash    PINHash `toml:"pin_hash"` // bcrypt
	Supervisor bool    `toml:"supervisor"`
}

// API is the local interface over TCP, beside the socket.
type API struct {
	Listen    string `toml:"listen"` // empty: off
	TokenFile string `toml:"token_file"`
}

// Update is where newer versions of the whole system lie (payterm update).
type Update struct {
	URL string `toml:"url"` // of a bundle; empty: nothing is looked for
}

// Duration is written like "60s" or "2h10m".
type Duration struct{ time.Duration }

// PINHash is the bcrypt hash of a PIN. A PIN is short enough to
// be found from its hash, so it shows itself to nobody.
type PINHash string

// String tells only whether there is one.
func (h PINHash) String() string {
	if h == "" {
		return ""
	}
	return "(set)"
}

// GoString hides the hash from %#v.
func (h PINHash) GoString() string { return `config.PINHash("` + h.String() + `")` }

// MarshalText hides the hash from encoders.
func (h PINHash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// Problem is one thing that is wrong, with its place.
type Problem = tomlfile.Problem

// Default is what holds where nothing is said. The timings are the flows'.
func Default() Config {
	r := order.DefaultRules()
	d := func(v time.Duration) Duration { return Duration{v} }
	ladder := make([]Duration, r.Ladder.Rungs())
	for i := range ladder {
		ladder[i] = d(r.Ladder[i])
	}
	return Config{
		Terminal: Terminal{
			ID: "T1", Language: "en", ReceiptLanguages: []string{}, Timezone: "America/Toronto", Board: "emulated",
			DataDir: "/var/lib/payterm", KeepDays: 400, DayStarts: "00:00",
		},
		Merchant: Merchant{Currency: "CAD"},
		Gateway: Gateway{
			Wallets:       []payterm.Channel{payterm.Alipay, payterm.WeChatPay, payterm.UnionPay},
			ActiveWallets: []payterm.Channel{payterm.Alipay, payterm.WeChatPay},
			Versions:      map[string]string{},
		},
		Sale: Sale{
			ScanTimeout: d(r.ScanTimeout), CodeMaxAge: d(r.CodeMaxAge),
			FirstInquiry: d(r.FirstInquiry), InquiryInterval: d(r.InquiryInterval), InquiryJitter: d(r.InquiryJitter),
			LeaveAfter: d(r.LeaveAfter), PassiveCounter: d(r.PassiveCounter), ActiveDisplay: d(r.ActiveDisplay),
			Ladder: ladder, LadderRepeat: d(r.LadderRepeat),
			ActiveCodeLife: d(r.ActiveCodeLife), PassiveCodeLife: d(r.PassiveCodeLife),
			RefundInterval: d(r.RefundInterval), RefundWindow: d(r.RefundWindow),
			ConnectTimeout: d(5 * time.Second), HTTPTimeout: d(r.HTTPTimeout),
			MaxMinor: 1_000_000, Tips: []int{}, LatePayment: lateAsk,
		},
	}
}

// Rules are the timings for the flows; what no key sets keeps its default there.
func (c Config) Rules() order.Rules {
	r, s := order.DefaultRules(), c.Sale
	r.ScanTimeout, r.CodeMaxAge = s.ScanTimeout.Duration, s.CodeMaxAge.Duration
	r.FirstInquiry, r.InquiryInterval, r.InquiryJitter = s.FirstInquiry.Duration, s.InquiryInterval.Duration,
		s.InquiryJitter.Duration
	r.LeaveAfter, r.PassiveCounter, r.ActiveDisplay = s.LeaveAfter.Duration, s.PassiveCounter.Duration,
		s.ActiveDisplay.Duration
	r.Ladder = order.Ladder{}
	for i, pause := range s.Ladder[:min(len(s.Ladder), len(r.Ladder))] {
		r.Ladder[i] = pause.Duration
	}
	r.LadderRepeat = s.LadderRepeat.Duration
	r.ActiveCodeLife, r.PassiveCodeLife = s.ActiveCodeLife.Duration, s.PassiveCodeLife.Duration
	r.RefundInterval, r.RefundWindow = s.RefundInterval.Duration, s.RefundWindow.Duration
	r.HTTPTimeout, r.MaxFeeMinor, r.KeepLate = s.HTTPTimeout.Duration, s.MaxFeeMinor, s.LatePayment == lateKeep
	return r
}

// Settings are the counter's, as far as this file says: its lines, keys and training are the
// terminal's to add.
func (c Config) Settings() counter.Settings {
	var tips counter.Tips
	copy(tips[:], c.Sale.Tips)
	return counter.Settings{
		Currency: c.Merchant.Currency, MerchantID: c.Gateway.MerchantID, MaxMinor: c.Sale.MaxMinor,
		Rules: c.Rules(), DayMaxMinor: c.Sale.DayMaxMinor, Tips: tips,
		PINSet: c.HasSupervisor(), SupervisorsNamed: c.NamedSupervisors(), SignOn: len(c.Operators) > 0,
		ActiveWallets: payterm.ChannelSetOf(c.Gateway.ActiveWallets...),
		Wallets:       payterm.ChannelSetOf(c.Gateway.Wallets...),
	}
}

// CAs are the certificate authorities of ca_file; nil for the system's.
func (g Gateway) CAs() (*x509.CertPool, error) {
	if g.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(g.CAFile)
	if err != nil {
		return nil, fmt.Errorf("gateway.ca_file: %w", err)
	}
	cas := x509.NewCertPool()
	if !cas.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("gateway.ca_file: %s holds no certificate", g.CAFile)
	}
	return cas, nil
}

// Zone is the shop's time zone; UTC if it is unknown on this machine.
func (c Config) Zone() *time.Location {
	zone, err := time.LoadLocation(c.Terminal.Timezone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Days are the shop's business days.
func (c Config) Days() payterm.Days {
	starts, err := time.Parse(dayStarts, c.Terminal.DayStarts)
	zone, bad := time.LoadLocation(c.Terminal.Timezone)
	if err != nil || bad != nil { // which Check refuses
		return payterm.Days{}
	}
	return payterm.Days{Zone: zone, Starts: time.Duration(starts.Hour())*time.Hour +
		time.Duration(starts.Minute())*time.Minute}
}

// dayStarts is the form of terminal.day_starts.
const dayStarts = "15:04"

// NamedSupervisors reports whether an operator is a supervisor. Then it is their
// numbers and PINs that are asked for, and not the one of [supervisor].
func (c Config) NamedSupervisors() bool {
	return slices.ContainsFunc(c.Operators, func(o Operator) bool { return o.Supervisor })
}

// HasSupervisor reports whether there is any PIN to ask a supervisor for.
func (c Config) HasSupervisor() bool { return c.Supervisor.PINHash != "" || c.NamedSupervisors() }
