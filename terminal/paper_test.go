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
			for end := time.Now().Add(never); !said() &&
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
			for end := time.Now().Add(never); status().Unprinted != 1 ||
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
