package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestIdleKnowsOfTheGateway: before the first sale the idle screen shows whether the gateway
// answers.
func TestIdleKnowsOfTheGateway(t *testing.T) {
	for _, c := range []struct{ name, gateway, says string }{
		{"it answers", "", "Network and gateway ok"},
		{"nobody is there", "http://127.0.0.1:1/processV2", "The gateway does not answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newShopBehind(t, func(gateway string) string {
				if c.gateway != "" {
					return c.gateway
				}
				return gateway
			}, "")
			s.untilScreen(c.says)
		})
	}
}

// untilScreen waits until the screen says something.
func (s *shop) untilScreen(says string) {
	s.t.Helper()
	end := time.Now().Add(never)
	for !strings.Contains(s.screen(), says) {
		if time.Now().After(end) {
			s.t.Fatalf("the screen does not say %q, but\n%s", says, s.screen())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// TestIdleKnowsOfABrokenLine: after a sale whose replies were lost, idle screen and status say so
// at once; the next answered inquiry ends that.
func TestIdleKnowsOfABrokenLine(t *testing.T) {
	t.Parallel()
	s := newShop(t, quick+"http_timeout = \"1s\"\npassive_counter = \"2s\"\n")
	s.untilScreen("Network and gateway ok")
	s.faults("*", "drop_before_apply", 0)
	sale := s.begin("--mode", "passive", "--amount", "12.34")
	s.waitScreen("scan")
	s.scan(s.wallet("ALIPAY", false))
	_, o := sale.end()
	if o.Outcome != inDoubt {
		t.Fatalf("%s %s", o.Outcome, o.Reason)
	}
	s.keys("ENTER")
	s.waitScreen("idle")
	if says := s.screen(); !strings.Contains(says, "The gateway does not answer") {
		t.Errorf("idle says\n%s", says)
	}
	var is struct {
		Network, Link string
		AgeMS         *int64 `json:"network_age_ms"`
	}
	said, err := exec.Command(filepath.Join(bin, "payterm"), "status", "--json", "--data", s.data).Output()
	if err != nil || json.Unmarshal(said, &is) != nil || is.Network != "down" || is.Link != "up" || is.AgeMS == nil ||
		*is.AgeMS > 20_000 {
		t.Errorf("status: %s %v", said, err)
	}
	s.call("DELETE", s.sim+"/sim/faults", nil)
	s.status(o.ID)
	s.untilScreen("Network and gateway ok")
}
