package terminal

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"payterm"
	"payterm/board"
	"payterm/config"
	"payterm/flows/counter"
	"payterm/flows/order"
	"payterm/screen"
	"payterm/terminal/setup"
	"payterm/terminal/upkeep"
)

// TestATerminalOfATillRests: with a till nobody presses a key, but what waits for an idle counter
// happens: upkeep, dimming, a parcel; the result stays on the glass until then.
func TestATerminalOfATillRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config.Default()
		c.Gateway.URL, c.Gateway.MerchantID, c.Gateway.OperatorID = "http://127.0.0.1:9/processV2", "ON00000000",
			"0000000696"
		c.Gateway.CallBackURL = "https://example.com/back"
		a, err := Start(Options{
			Config: c, Data: t.TempDir(), SignKey: "0123456789ABCDEF", Board: &board.Board{}, Sleep: time.Sleep,
			Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Provisioner: &setup.Provisioner{Now: time.Now},
		})
		if err != nil || !a.isOpen() {
			t.Fatal(err)
		}
		defer func() {
			if err := a.store.Close(); err != nil {
				t.Error(err)
			}
			a.lock.Close()
		}()
		ctx, stop := context.WithCancel(t.Context())
		var parts sync.WaitGroup
		defer parts.Wait()
		defer stop()
		parts.Go(func() { a.runner.Run(ctx) }) //nolint:errcheck // it ends with ctx
		parts.Go(func() { a.upkeep.Tidy(ctx) })
		parts.Go(func() { a.arrivals.Run(ctx) })
		logged := func() int64 {
			info, err := os.Stat(filepath.Join(a.o.Data, "payterm.db-wal"))
			if err != nil {
				t.Fatal(err)
			}
			return info.Size()
		}
		left := func() bool {
			select {
			case <-a.leaving:
				return true
			default:
				return false
			}
		}
		time.Sleep(upkeep.TidyEvery / 2) // so that upkeep looks between the sale's end and rest
		res, err := a.runner.Sale(ctx, order.SaleBegan{Mode: payterm.Passive, AmountMinor: 500,
			Currency: c.Merchant.Currency}, func(payterm.OrderID) {})
		if err != nil || res.Order.Reason != payterm.ReasonNoScan { // after a minute
			t.Fatalf("%+v, %v", res, err)
		}
		time.Sleep(45 * time.Second)
		bright := payterm.Screen{Tone: payterm.Good}
		if logged() == 0 || a.MayDim(ctx, bright) {
			t.Errorf("somebody may read the result: %d bytes are in the log, it dims: %t", logged(),
				a.MayDim(ctx, bright))
		}
		time.Sleep(90 * time.Second)
		if logged() != 0 || !a.MayDim(ctx, bright) {
			t.Errorf("two minutes later: %d bytes are in the log, it dims: %t", logged(), a.MayDim(ctx, bright))
		}
		if name := a.Screen().Name; name != string(counter.ViewCancelled) {
			t.Errorf("the glass shows %s", name)
		}
		if left() {
			t.Error("it leaves for nothing")
		}
		// A parcel is installed.
		provisioned := filepath.Join(a.o.Data, "provision")
		if err := errors.Join(os.MkdirAll(provisioned, 0o700),
			os.Symlink("5", filepath.Join(provisioned, "current"))); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * setup.LookEvery)
		if !left() {
			t.Error("the parcel is not taken")
		}
		if name := a.Screen().Name; name == screen.SetupName {
			t.Errorf("the glass shows %s", name)
		}
	})
}
