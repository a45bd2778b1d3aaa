package ottpay_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"payterm"
	"payterm/gateway/ottpay"
)

// scanned is the age of a payment code that must be sent within a minute.
type scanned struct{ at time.Time }

func (s scanned) TooOld() bool { return time.Since(s.at) >= time.Minute }

// TestAgeAtTheFirstByte: a code that was fresh when the payment was requested becomes too old while the
// connection is being made. Then no byte of it is sent.
func TestAgeAtTheFirstByte(t *testing.T) {
	for _, c := range []struct {
		name         string
		before, dial time.Duration // age of the code before; time that the dial takes
		aged         bool          // the payment has an age at all
		want         payterm.Answer
	}{
		{"fresh", 40 * time.Second, time.Second, true, payterm.Paid{PaidMinor: 1234, Status: "success"}},
		{"just fresh", 40 * time.Second, 20*time.Second - time.Nanosecond, true,
			payterm.Paid{PaidMinor: 1234, Status: "success"}},
		{"a minute old", 40 * time.Second, 20 * time.Second, true, payterm.Unsent{TooOld: true}},
		{"old after a long dial", time.Second, 75 * time.Second, true, payterm.Unsent{TooOld: true}},
		{"what has no age", 40 * time.Second, 75 * time.Second, false,
			payterm.Paid{PaidMinor: 1234, Status: "success"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				arrived := 0
				client := client(t, "http://127.0.0.1:9/processV2", func(cfg *ottpay.Config) {
					cfg.ConnectTimeout, cfg.Timeout = 5*time.Minute, 5*time.Minute
					cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
						time.Sleep(c.dial)
						near, far := net.Pipe()
						go func() {
							defer far.Close()
							r, err := http.ReadRequest(bufio.NewReader(far))
							if err != nil {
								return
							}
							b, _ := io.ReadAll(r.Body)
							arrived = len(b)
							io.WriteString(far, http200(paidBody())) //nolint:errcheck // the client may have closed
						}()
						return near, nil
					}
				})
				p := wirePayment()
				if c.aged {
					p.Age = scanned{time.Now()}
				}
				time.Sleep(c.before)
				got := client.Pay(context.Background(), p)
				synctest.Wait()
				if a, unsent := got.(payterm.Unsent); unsent {
					a.Why = ""
					got = a
				}
				if _, paid := c.want.(payterm.Paid); got != c.want || paid != (arrived > 0) {
					t.Errorf("%+v and %d bytes, want %+v", got, arrived, c.want)
				}
			})
		})
	}
}

// TestRefundsAge is the same for a refund.
func TestRefundsAge(t *testing.T) {
	for _, c := range []struct {
		dial time.Duration
		sent bool
	}{{59 * time.Second, true}, {60 * time.Second, false}} {
		synctest.Test(t, func(t *testing.T) {
			arrived := 0
			client := client(t, "http://127.0.0.1:9/processV2", func(cfg *ottpay.Config) {
				cfg.ConnectTimeout, cfg.Timeout = 5*time.Minute, 5*time.Minute
				cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
					time.Sleep(c.dial)
					near, far := net.Pipe()
					go func() {
						defer far.Close()
						if r, err := http.ReadRequest(bufio.NewReader(far)); err == nil {
							b, _ := io.ReadAll(r.Body)
							arrived = len(b)
						}
					}()
					return near, nil
				}
			})
			got := client.Refund(context.Background(), payterm.RefundRequest{OrderID: "R1WIRES000001",
				SaleOrderID: wireOrder, Amount: payterm.Amount{Minor: 100, Currency: "CAD"}, Age: scanned{time.Now()}})
			synctest.Wait()
			a, unsent := got.(payterm.Unsent)
			if unsent == c.sent || a.TooOld == c.sent || c.sent != (arrived > 0) {
				t.Errorf("a dial of %s: %+v and %d bytes", c.dial, got, arrived)
			}
		})
	}
}
