package terminal

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/hal/emulated"
)

// TestSlipsOfABadPrinter: slips for a printer that failed or is missing are reported on screen
// and in the status, do not wait, and the doctor says what to do.
func TestSlipsOfABadPrinter(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func() *clinic{
		"a profile that no driver takes": func() *clinic {
			return newClinic(t, "emulated", func(p *board.Profile) { p.Printer.CodePage = "latin" })
		},
		"a port that does not open": func() *clinic {
			return startClinic(t, "emulated", nil, func(o *Options, _ *emulated.Board) {
				o.Board.Printer, o.Board.Faults = nil, map[string]error{"printer": errors.New("no such file")}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start()
			c.awaitIdle()
			slip := payterm.Receipt{Name: "merchant", Order: "T1AAAAA000001",
				Lines: []payterm.ReceiptLine{{Text: "APPROVED"}}}
			for range 64 {
				c.a.devices.Print(slip) //nolint:errcheck // the caller gets the same error
			}
			said := func() bool {
				return strings.Contains(strings.Join(c.a.Screen().Lines, "|"),
					"A slip was not printed")
			}
			for end := time.Now().Add(20 * time.Second); !said() &&
				!strings.Contains(strings.Join(c.a.Screen().Lines, "|"),
					"The printer does not answer"); time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("the screen says nothing: %q", c.a.Screen().Lines)
				}
			}
			status := func() (s struct{ Unprinted int }) {
				w := httptest.NewRecorder()
				c.a.socket().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/status", nil))
				if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil {
					t.Fatal(err)
				}
				return s
			}
			for end := time.Now().Add(20 * time.Second); status().Unprinted != 1 ||
				c.a.printed() != nil; time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("the status is %+v; %v", status(), c.a.printed())
				}
			}
			rep, _ := c.doctor("", nil)
			if got := named(rep, "slips"); got.Result != "warn" || !strings.Contains(got.Says, "1 did not come out") ||
				named(rep, "printer").Result != "fail" {
				t.Errorf("the doctor says %+v and %+v", got, named(rep, "printer"))
			}
		})
	}
}

// TestLostSlips: a slip counts as lost until it, or a copy of its order, was printed, or for an
// hour.
func TestLostSlips(t *testing.T) {
	a := bare(t)
	lost := func(want int, order payterm.OrderID) {
		t.Helper()
		a.mu.Lock()
		defer a.mu.Unlock()
		if len(a.lost) != want || want > 0 && a.lost[want-1].order != order {
			t.Errorf("%+v are lost, want %d, the last of %s", a.lost, want, order)
		}
	}
	merchant, customer := payterm.Receipt{Name: "merchant", Order: "T1AAAAA000001"},
		payterm.Receipt{Name: "customer", Order: "T1AAAAA000001"}
	other, z := payterm.Receipt{Name: "merchant", Order: "T1AAAAA000002"}, payterm.Receipt{Name: "z", Z: 1}
	a.Lost(merchant)
	a.Lost(merchant)
	a.cameOut(customer)
	a.cameOut(other)
	lost(1, merchant.Order)
	a.Lost(z)
	a.Lost(other)
	lost(3, other.Order)
	a.cameOut(payterm.Receipt{Name: "totals"})
	a.cameOut(payterm.Receipt{Name: "totals", Copy: true})
	lost(3, other.Order)
	a.cameOut(payterm.Receipt{Name: "customer", Order: merchant.Order, Copy: true})
	lost(2, other.Order)
	a.cameOut(z)
	a.cameOut(other)
	lost(0, "")
	for range 2 * maxLost {
		a.Lost(payterm.Receipt{Name: "merchant", Order: payterm.OrderID(time.Now().String())})
	}
	a.mu.Lock()
	if len(a.lost) > maxLost {
		t.Errorf("%d are remembered", len(a.lost))
	}
	a.lost = []lostSlip{{name: "merchant", at: a.devices.Now() - lostStands - 1},
		{name: "customer", at: a.devices.Now()}}
	a.mu.Unlock()
	a.forgetSlips()
	lost(1, "")
}
