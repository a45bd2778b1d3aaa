// Package config reads payterm's configuration from a TOML file and from environment variables. It is strict:
// an unknown key, a wrong type or a bad value is refused with file, line and what would be right, and all
// problems are reported at once. testdata/config/example.toml shows each key with its default.
//
// It reads the sign key when asked, but no other file that a key names. Whether a board profile or a
// certificate file is usable is checked by the packages that open it.
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

// Config is the configuration: the defaults, overridden by the file and then by the environment.
type Config struct {
	Terminal   Terminal   `toml:"terminal"`
	Merchant   Merchant   `toml:"merchant"`
	Gateway    Gateway    `toml:"gateway"`
	Sale       Sale       `toml:"sale"`
	Supervisor Supervisor `toml:"supervisor"`
	API        API        `toml:"api"`
	Update     Update     `toml:"update"`
	// Operators may sign on. If there are none, no sign-on is needed. The list cannot be set by an environment
	// variable.
	Operators []Operator `toml:"operators"`

	origin *origin // where the keys were set; nil for the defaults
}

// Terminal describes this device.
type Terminal struct {
	ID       string `toml:"id"`       // 2 to 6 of A-Z and 0-9, unique for the merchant: every order id begins with it
	Language string `toml:"language"` // en, fr or zh: of screens and slips, until another is chosen in the menu
	// ReceiptLanguages are the one or two languages of the customer's slip. Amounts are written in the first.
	// If empty, the language of the screens is used.
	ReceiptLanguages []string `toml:"receipt_languages"`
	Timezone         string   `toml:"timezone"` // IANA name
	Board            string   `toml:"board"`    // name of a built-in profile, or a file; a relative path counts from the configuration
	DataDir          string   `toml:"data_dir"`
	KeepDays         int      `toml:"keep_days"` // days until an order that is final and in a Z is deleted
	// DayStarts is the time at which a business day begins, HH:MM in Timezone.
	DayStarts string `toml:"day_starts"`
}

// Merchant is printed at the top of a receipt.
type Merchant struct {
	Name     string           `toml:"name"`
	Address  string           `toml:"address"`
	Phone    string           `toml:"phone"`
	TaxID    string           `toml:"tax_id"` // several are separated by ";" and printed as given
	Currency payterm.Currency `toml:"currency"`
	// ReceiptQR is the text of a QR code on the customer's slip of a sale that was paid. In it {order} is replaced by
	// the order number and {ref} by the till's reference. If empty, no code is printed.
	ReceiptQR string `toml:"receipt_qr"`
	// ReportsKey encrypts what a USB stick takes out (provision.SealFor). If empty, it is not encrypted.
	ReportsKey string `toml:"reports_key"`
}

// Gateway holds the gateway's address and the merchant's identity there (protocol sheet, sections 1 and 16).
type Gateway struct {
	URL               string            `toml:"url"`
	MerchantID        string            `toml:"merchant_id"`
	OperatorID        string            `toml:"operator_id"`
	TerminalNo        string            `toml:"terminal_no"` // not sent if empty
	SignKeyFile       string            `toml:"sign_key_file"`
	CallBackURL       string            `toml:"call_back_url"`
	Wallets           []payterm.Channel `toml:"wallets"`             // whose codes are scanned
	ActiveWallets     []payterm.Channel `toml:"active_wallets"`      // for which the terminal can show a code
	RefundQueryAction string            `toml:"refund_query_action"` // must be empty: no such action is known
	Versions          map[string]string `toml:"versions"`            // by action, if it is not 1.0
	CAFile            string            `toml:"ca_file"`             // empty: the system's certificates
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

// Supervisor protects what a cashier must not do alone.
type Supervisor struct {
	PINHash PINHash `toml:"pin_hash"` // bcrypt; empty: no PIN
}

// Operator is a person who sells.
type Operator struct {
	Number     string  `toml:"number"` // 1 to 9999, typed at the keypad
	Name       string  `toml:"name"`
	PINHash    PINHash `toml:"pin_hash"` // bcrypt
	Supervisor bool    `toml:"supervisor"`
}

// API is the local API over TCP. The API on the Unix socket is always there.
type API struct {
	Listen    string `toml:"listen"` // empty: off
	TokenFile string `toml:"token_file"`
}

// Update is the source of newer versions of the whole system (payterm update).
type Update struct {
	URL string `toml:"url"` // of a bundle; empty: no updates
}

// Duration is written like "60s" or "2h10m".
type Duration struct{ time.Duration }

// PINHash is the bcrypt hash of a PIN. A PIN is so short that it can be found from its hash, so the hash is
// hidden from every printer and encoder.
type PINHash string

// String returns "(set)" or, without a hash, "".
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

// Problem is one mistake in a configuration, with its place.
type Problem = tomlfile.Problem

// Default returns the defaults. The timings are those of flows/order.
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

// Rules returns the timings for the flows. A timing without a key keeps its default.
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

// Settings returns the counter's settings as far as they are in the configuration. Its lines, keys and training
// are added by package terminal.
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

// CAs returns the certificate authorities of ca_file, or nil for the system's.
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

// Zone returns the shop's time zone, or UTC if this machine does not know the zone.
func (c Config) Zone() *time.Location {
	zone, err := time.LoadLocation(c.Terminal.Timezone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Days returns the shop's business days.
func (c Config) Days() payterm.Days {
	starts, err := time.Parse(dayStarts, c.Terminal.DayStarts)
	zone, bad := time.LoadLocation(c.Terminal.Timezone)
	if err != nil || bad != nil { // Check refuses both
		return payterm.Days{}
	}
	return payterm.Days{Zone: zone, Starts: time.Duration(starts.Hour())*time.Hour +
		time.Duration(starts.Minute())*time.Minute}
}

// dayStarts is the time layout of terminal.day_starts.
const dayStarts = "15:04"

// NamedSupervisors reports whether an operator is a supervisor. Then their numbers and PINs are asked for, and
// the PIN of [supervisor] is not used.
func (c Config) NamedSupervisors() bool {
	return slices.ContainsFunc(c.Operators, func(o Operator) bool { return o.Supervisor })
}

// HasSupervisor reports whether a supervisor has a PIN at all.
func (c Config) HasSupervisor() bool { return c.Supervisor.PINHash != "" || c.NamedSupervisors() }
