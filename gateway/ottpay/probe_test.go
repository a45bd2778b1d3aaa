package ottpay_test

import (
	"context"
	"crypto/x509"
	"net"
	"strings"
	"testing"
	"time"

	"payterm/gateway/ottpay"
)

// TestProbe fails at each stage of the way and checks which one is reported.
func TestProbe(t *testing.T) {
	good := newBench(t)
	ours, stranger := newAuthority(t), newAuthority(t)
	now := time.Now()
	foreign, _ := server(t, &stranger, "127.0.0.1", now.Add(-day), now.Add(day), x509.ExtKeyUsageServerAuth, nil)
	odd, _ := server(t, &ours, "127.0.0.1", now.Add(-day), now.Add(day), x509.ExtKeyUsageServerAuth, nil)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	names(t, true) // no name is resolved; addresses need none
	for _, c := range []struct {
		name, url string
		change    func(*ottpay.Config)
		stages    string
		says      string // error of the last stage
	}{
		{"good", good.URL + "/processV2", nil, "address connection answer key", ""},
		{"no such name", "https://gateway.example:1", nil, "address", "name cannot be looked up"},
		{"nobody there", "https://" + nobody, nil, "address connection", "connection refused"},
		{"a stranger's certificate", foreign.URL, func(c *ottpay.Config) { c.CAs = ours.pool() },
			"address connection encryption", "check ca_file"},
		{"something else answers", odd.URL, func(c *ottpay.Config) { c.CAs = ours.pool() },
			"address connection encryption answer", "exchange rate"},
		{"another key", good.URL + "/processV2", func(c *ottpay.Config) { c.SignKey = "ABCDEFGHIJKLMNOP" },
			"address connection answer key", "refuses merchant_id, operator_id or the sign key"},
		{"another merchant", good.URL + "/processV2", func(c *ottpay.Config) { c.MerchantID = "ON99999999" },
			"address connection answer key", "refuses merchant_id, operator_id or the sign key"},
	} {
		hops := client(t, c.url, c.change).Probe(context.Background(), "CAD")
		var stages []string
		for _, h := range hops {
			stages = append(stages, h.Name)
		}
		last := hops[len(hops)-1].Err
		if got := strings.Join(stages, " "); got != c.stages || (last == nil) != (c.says == "") || last != nil &&
			!strings.Contains(last.Error(), c.says) {
			t.Errorf("%s: %s, %v", c.name, got, last)
		}
	}
}
