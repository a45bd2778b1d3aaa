package config

import (
	"fmt"
	"strings"
	"time"

	"payterm"
	"payterm/flows/order"
	"payterm/tomlfile"
)

// Facts returns what the reference manual says of each key. Words and bounds are the ones that Check uses. What
// a key is for is described in testdata/config/example.toml.
func Facts() map[string]tomlfile.Fact {
	const id = "at most 32 letters and digits"
	words := strings.Join(payterm.Languages[:], ", ")
	wallets := make([]string, len(payterm.Channels))
	for i, c := range payterm.Channels {
		wallets[i] = string(c)
	}
	text, file := tomlfile.Fact{Form: "any text"}, tomlfile.Fact{Form: "a file"}
	facts := map[string]tomlfile.Fact{
		"terminal.id":                {Form: "2 to 6 of A-Z and 0-9", Needed: true, Usual: "to run"},
		"terminal.language":          {Words: payterm.Languages[:]},
		"terminal.receipt_languages": {Form: "one or two of " + words},
		"terminal.timezone":          {Form: "an IANA name"},
		"terminal.board":             {Form: "a name of `payterm board list`, or a file: its path is relative to this file", Needed: true, Usual: "to run"},
		"terminal.data_dir":          {Form: "a directory"},
		"terminal.keep_days":         {Least: leastDays, Most: mostDays, Unit: "days"},
		"terminal.day_starts":        {Form: "HH:MM"},

		"merchant.name":    {Form: "any text", Needed: true, Usual: "to run"},
		"merchant.address": text, "merchant.phone": text, "merchant.tax_id": text,
		"merchant.currency":    {Form: "a code of ISO 4217"},
		"merchant.receipt_qr":  {Form: "an https address with {order} or {ref} in it, of at most 200 characters"},
		"merchant.reports_key": {Form: "a public key of age, `age1...`"},

		"gateway.url":                 {Form: "an https address; http on loopback only", Needed: true, Usual: "to run"},
		"gateway.merchant_id":         {Form: id, Needed: true, Usual: "to run"},
		"gateway.operator_id":         {Form: id, Needed: true, Usual: "to run"},
		"gateway.terminal_no":         {Form: id},
		"gateway.sign_key_file":       {Form: "a file that only its owner can read", Needed: true, Usual: "to run"},
		"gateway.call_back_url":       {Form: "an https address", Needed: true, Usual: "to run"},
		"gateway.wallets":             {Words: wallets},
		"gateway.active_wallets":      {Form: "of gateway.wallets"},
		"gateway.refund_query_action": {Form: "empty"},
		"gateway.versions":            {Form: "by action: " + strings.Join(actions, ", ")},
		"gateway.ca_file":             file,

		"sale.ladder": {Form: fmt.Sprintf("1 to %d of %s to %s", order.LadderRungs, tomlfile.Short(leastPause),
			tomlfile.Short(mostPause))},
		"sale.max_minor":     {Least: 1, Most: payterm.MaxMinor, Unit: "minor units"},
		"sale.day_max_minor": {Least: 0, Most: maxDayMinor, Unit: "minor units"},
		"sale.tips":          {Form: fmt.Sprintf("at most %d of 1 to 100", maxTips), Unit: "percent"},
		"sale.max_fee_minor": {Least: 0, Most: payterm.MaxMinor, Unit: "minor units"},
		"sale.late_payment":  {Words: []string{lateAsk, lateKeep}},

		"supervisor.pin_hash": {Form: "what `payterm pin` makes"},

		"api.listen":     {Form: "host and port on loopback"},
		"api.token_file": {Form: "a file, with api.listen"},

		"update.url": {Form: "an https address; http on loopback only"},

		"operators.number":     {Form: "1 to 9999, in quotes", Needed: true},
		"operators.name":       {Form: fmt.Sprintf("1 to %d letters", maxName), Needed: true},
		"operators.pin_hash":   {Form: "what `payterm pin` makes", Needed: true},
		"operators.supervisor": {Usual: "false"},
	}
	for _, t := range Default().Sale.timings() {
		// If the least value is another key, its name is shown in place of a number.
		f := tomlfile.Fact{Times: [2]time.Duration{t.atLeast, t.atMost}}
		if other, is := strings.CutPrefix(t.whyAtLeast, ": "); is {
			f = tomlfile.Fact{Form: other + " to " + tomlfile.Short(t.atMost)}
		}
		facts["sale."+t.name] = f
	}
	return facts
}

// Variable returns the name of a key's environment variable, or "" if it has none.
func Variable(dotted string) string {
	if strings.HasPrefix(dotted, operatorsKey+".") {
		return ""
	}
	return key{dotted: dotted}.variable()
}

// Usual returns the default of a key, as a file would write it.
func Usual(dotted string) string {
	c := Default()
	keys, _ := c.keys()
	for _, k := range keys {
		if k.dotted == dotted {
			return written(k.value.Interface())
		}
	}
	return ""
}

// written formats a value as a file would.
func written(v any) string {
	switch v := v.(type) {
	case Duration:
		return tomlfile.Short(v.Duration)
	case []Duration:
		all := make([]string, len(v))
		for i, d := range v {
			all[i] = tomlfile.Short(d.Duration)
		}
		return strings.Join(all, ", ")
	case map[string]string:
		return ""
	case []string, []int, []payterm.Channel:
		return strings.Join(strings.Fields(strings.Trim(fmt.Sprint(v), "[]")), ", ")
	}
	return fmt.Sprint(v)
}
