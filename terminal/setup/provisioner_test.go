package setup

import (
	"os"
	"testing"

	"payterm/config"
	"payterm/storage"
)

// TestWaitsFor: what a parcel waits for follows from whose orders the journal holds.
func TestWaitsFor(t *testing.T) {
	const here = "https://a.example/processV2"
	file := t.TempDir() + "/payterm.toml"
	text := "[merchant]\ncurrency = \"CAD\"\n[gateway]\nurl = \"" + here +
		"\"\nmerchant_id = \"ON1\"\noperator_id = \"1\"\ncall_back_url = \"https://a.example\"\nsign_key_file = \"/k\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := Provisioner{Config: file, Data: t.TempDir()}
	held := func(merchant string, open, untotalled int) storage.Held {
		return storage.Held{MerchantID: merchant, Currency: "CAD", Open: open, Untotalled: untotalled}
	}
	for _, c := range []struct {
		merchant, url string
		held          []storage.Held
		want          Waits
	}{
		{"ON2", here, nil, WaitsForNothing},
		{"ON2", here, []storage.Held{held("ON1", 0, 1)}, WaitsForZ},
		{"ON2", here, []storage.Held{held("ON1", 1, 0)}, WaitsForOrders},
		{"ON2", here, []storage.Held{held("ON0", 0, 1), held("ON1", 1, 1)}, WaitsForOrders},
		{"ON2", here, []storage.Held{held("ON2", 3, 3)}, WaitsForNothing}, // the key of these orders comes back
		{"ON1", here, []storage.Held{held("ON1", 3, 3)}, WaitsForNothing},
		{"ON1", "https://b.example/processV2", []storage.Held{held("ON1", 0, 3)}, WaitsForNothing}, // the same money
		{"ON1", "https://b.example/processV2", []storage.Held{held("ON1", 1, 3)}, WaitsForOrders},
	} {
		next := config.Default()
		next.Gateway.MerchantID, next.Gateway.URL = c.merchant, c.url
		if got := p.waitsFor(c.held, next); got != c.want {
			t.Errorf("%s at %s with %+v waits for %q, want %q", c.merchant, c.url, c.held, got, c.want)
		}
		next.Merchant.Currency = "JPY"
		if got := p.waitsFor(c.held, next); (got == WaitsForNothing) != (len(c.held) == 0) {
			t.Errorf("%s in JPY with %+v waits for %q", c.merchant, c.held, got)
		}
	}
}
