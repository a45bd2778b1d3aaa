// Package config reads payterm's configuration, strictly: what is wrong is
// refused with file, line and what would be right.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"payterm"
	"payterm/flows"
	"payterm/tomlfile"
)

// Config is the file.
type Config struct {
	Terminal struct {
		ID       string `toml:"id"`
		Language string `toml:"language"`
		Timezone string `toml:"timezone"`
		Board    string `toml:"board"`
		DataDir  string `toml:"data_dir"`
	} `toml:"terminal"`
	Merchant struct {
		Name     string           `toml:"name"`
		Address  string           `toml:"address"`
		Phone    string           `toml:"phone"`
		TaxID    string           `toml:"tax_id"`
		Currency payterm.Currency `toml:"currency"`
	} `toml:"merchant"`
	Gateway struct {
		URL               string           `toml:"url"`
		MerchantID        string           `toml:"merchant_id"`
		OperatorID        string           `toml:"operator_id"`
		SignKeyFile       string           `toml:"sign_key_file"`
		CallBackURL       string           `toml:"call_back_url"`
		ActiveWallets     []payterm.Wallet `toml:"active_wallets"`
		RefundQueryAction string           `toml:"refund_query_action"`
		CAFile            string           `toml:"ca_file"`
	} `toml:"gateway"`
	Sale struct {
		ScanTimeout     Duration `toml:"scan_timeout"`
		CodeMaxAge      Duration `toml:"code_max_age"`
		FirstInquiry    Duration `toml:"first_inquiry"`
		InquiryInterval Duration `toml:"inquiry_interval"`
		InquiryJitter   Duration `toml:"inquiry_jitter"`
		LeaveAfter      Duration `toml:"leave_after"`
		PassiveCounter  Duration `toml:"passive_counter"`
		ActiveDisplay   Duration `toml:"active_display"`
		HTTPTimeout     Duration `toml:"http_timeout"`
		MaxMinor        int64    `toml:"max_minor"`
		MaxFeeMinor     int64    `toml:"max_fee_minor"`
		LatePayment     string   `toml:"late_payment"`
	} `toml:"sale"`
}

// Duration is written like "60s".
type Duration struct{ time.Duration }

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil || v < 0 {
		return fmt.Errorf("%q is no duration such as 60s", b)
	}
	d.Duration = v
	return nil
}

// Default is what holds where the file says nothing.
func Default() Config {
	var c Config
	c.Terminal.ID, c.Terminal.Language, c.Terminal.Timezone, c.Terminal.Board = "T1", "en", "America/Toronto", "emulated"
	c.Merchant.Currency = "CAD"
	c.Gateway.ActiveWallets = []payterm.Wallet{payterm.Alipay, payterm.WeChatPay}
	r := flows.DefaultRules()
	s := &c.Sale
	s.ScanTimeout.Duration, s.CodeMaxAge.Duration = r.ScanTimeout, r.CodeMaxAge
	s.FirstInquiry.Duration, s.InquiryInterval.Duration, s.InquiryJitter.Duration = r.FirstInquiry, r.InquiryInterval, r.InquiryJitter
	s.LeaveAfter.Duration, s.PassiveCounter.Duration, s.ActiveDisplay.Duration = r.LeaveAfter, r.PassiveCounter, r.ActiveDisplay
	s.HTTPTimeout.Duration, s.MaxMinor, s.LatePayment = r.HTTPTimeout, 1_000_000, "ask"
	return c
}

// Rules are the timings for the flows.
func (c Config) Rules() flows.Rules {
	r, s := flows.DefaultRules(), c.Sale
	r.ScanTimeout, r.CodeMaxAge = s.ScanTimeout.Duration, s.CodeMaxAge.Duration
	r.FirstInquiry, r.InquiryInterval, r.InquiryJitter = s.FirstInquiry.Duration, s.InquiryInterval.Duration, s.InquiryJitter.Duration
	r.LeaveAfter, r.PassiveCounter, r.ActiveDisplay = s.LeaveAfter.Duration, s.PassiveCounter.Duration, s.ActiveDisplay.Duration
	r.HTTPTimeout, r.MaxFeeMinor, r.KeepLate = s.HTTPTimeout.Duration, s.MaxFeeMinor, s.LatePayment == "keep"
	return r
}

var terminalID = regexp.MustCompile(`^[A-Z0-9]{2,6}$`)

// Read reads and checks a file.
func Read(path string) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	return Parse(path, text)
}

// Parse reads and checks a text. The error joins everything that is wrong.
func Parse(name string, text []byte) (Config, error) {
	c := Default()
	f, err := tomlfile.Decode(name, text, &c)
	if err != nil {
		return Config{}, err
	}
	var problems []error
	bad := func(wrong bool, key, why string) {
		if wrong {
			problems = append(problems, f.Problem(key, why))
		}
	}
	bad(!terminalID.MatchString(c.Terminal.ID), "terminal.id", "2 to 6 of A-Z and 0-9 are needed, unique for the merchant")
	bad(!slices.Contains([]string{"en", "fr", "zh"}, c.Terminal.Language), "terminal.language", "en, fr or zh")
	_, zoneErr := time.LoadLocation(c.Terminal.Timezone)
	bad(zoneErr != nil, "terminal.timezone", "a zone such as America/Toronto is needed")
	bad(!c.Merchant.Currency.Valid(), "merchant.currency", "an ISO 4217 code such as CAD is needed")
	if c.Gateway.URL != "" {
		bad(!goodURL(c.Gateway.URL), "gateway.url", "an https address is needed; http only on loopback")
		bad(c.Gateway.MerchantID == "", "gateway.merchant_id", "is missing")
		bad(c.Gateway.OperatorID == "", "gateway.operator_id", "is missing: the gateway requires one")
		bad(c.Gateway.SignKeyFile == "", "gateway.sign_key_file", "is missing")
		bad(!strings.HasPrefix(c.Gateway.CallBackURL, "https://"), "gateway.call_back_url", "the gateway requires an https address, any of the merchant's")
	}
	for _, w := range c.Gateway.ActiveWallets {
		bad(!w.Valid(), "gateway.active_wallets", "ALIPAY, WECHATPAY or UNIONPAY")
	}
	bad(c.Sale.MaxMinor <= 0 || c.Sale.MaxMinor > payterm.MaxMinor, "sale.max_minor", fmt.Sprintf("1 to %d", payterm.MaxMinor))
	bad(c.Sale.MaxFeeMinor < 0, "sale.max_fee_minor", "cannot be negative")
	bad(c.Sale.LatePayment != "ask" && c.Sale.LatePayment != "keep", "sale.late_payment", "ask or keep")
	bad(c.Sale.InquiryInterval.Duration < 100*time.Millisecond, "sale.inquiry_interval", "100ms at the least; wallets want 3s")
	bad(c.Sale.HTTPTimeout.Duration < time.Second, "sale.http_timeout", "1s at the least")
	return c, errors.Join(problems...)
}

func goodURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

// SignKey reads the key file, which its owner alone may read.
func SignKey(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("gateway.sign_key_file: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("gateway.sign_key_file: %s can be read by others: chmod 600 %s", path, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("gateway.sign_key_file: %w", err)
	}
	key := strings.TrimSpace(string(b))
	if len(key) != 16 {
		return "", fmt.Errorf("gateway.sign_key_file: the key has %d characters, 16 are needed", len(key))
	}
	return key, nil
}
