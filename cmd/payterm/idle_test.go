package main

import (
	"strings"
	"testing"
	"time"
)

// Before anybody sells anything, the idle screen knows whether the gateway answers.
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
			for end := time.Now().Add(20 * time.Second); !strings.Contains(s.screen(),
				c.says); time.Sleep(50 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("idle does not say %q, but\n%s", c.says, s.screen())
				}
			}
		})
	}
}
