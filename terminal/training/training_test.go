package training

import (
	"errors"
	"testing"
	"time"

	"payterm"
	"payterm/config"
)

// TestMissed: customers who wait until the cashier has left hear of it from the journal when the
// changes themselves were missed.
func TestMissed(t *testing.T) {
	of := config.Config{Merchant: config.Merchant{Currency: "CAD"}}
	of.Sale.ConnectTimeout.Duration, of.Sale.HTTPTimeout.Duration = time.Second, time.Second
	g, err := New(of, 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	for _, id := range []payterm.OrderID{"LEFT", "OPEN", "UNREAD", "UNKNOWN"} {
		g.late[id] = true
	}
	g.Missed(func(id payterm.OrderID) (payterm.Order, bool, error) {
		switch id {
		case "LEFT":
			return payterm.Order{ID: id, Outcome: payterm.InDoubt}, true, nil
		case "UNREAD":
			return payterm.Order{ID: id, Outcome: payterm.InDoubt}, true, errors.New("it cannot be read")
		case "OPEN":
			return payterm.Order{ID: id, Outcome: payterm.Open}, true, nil
		}
		return payterm.Order{}, false, nil
	})
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.late["LEFT"] || !g.late["OPEN"] || !g.late["UNREAD"] || !g.late["UNKNOWN"] {
		t.Errorf("still waiting: %v", g.late)
	}
}
