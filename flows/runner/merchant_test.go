package runner

import (
	"errors"
	"testing"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

// TestOtherMerchant: after the terminal's merchant or currency has changed, earlier sales are
// neither asked about nor refunded. The gateway knows nothing of them under the new key, and its
// answer would be believed.
func TestOtherMerchant(t *testing.T) {
	for name, other := range map[string]func(*counter.Settings){
		"merchant": func(s *counter.Settings) { s.MerchantID = "ON2" },
		"currency": func(s *counter.Settings) { s.Currency = "JPY" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.alter = func(c *Config) { c.Settings.MerchantID = "ON1" }
			w.boot()
			w.answers = []payterm.Answer{paid}
			w.scanSale(alipayCode)
			w.run(time.Second)
			sale := w.order(0)
			if sale.Outcome != payterm.Approved || sale.MerchantID != "ON1" {
				t.Fatalf("%+v", sale)
			}
			w.alter = func(c *Config) {
				c.Settings.MerchantID = "ON1"
				other(&c.Settings)
			}
			w.boot()
			asked := w.asked
			w.press(payterm.KeyF3, "3", payterm.KeyEnter) // "was it paid?"
			w.run(time.Second)
			w.press("1")
			w.run(10 * time.Second)
			if m := w.r.counter.Menu; m.Verdict != counter.VerdictPaid {
				t.Errorf("%s: %+v", w.r.counter.Phase, m)
			}
			if _, err := w.checkNow(sale.ID); !errors.Is(err, ErrOtherMerchant) {
				t.Errorf("reconciled: %v", err)
			}
			call := saleCall{began: make(chan payterm.OrderID, 1), result: make(chan SaleResult, 1)}
			w.press(payterm.KeyCancel, payterm.KeyCancel, payterm.KeyCancel, payterm.KeyCancel)
			if err := w.r.askRefund(order.RefundBegan{SaleID: sale.ID}, call); err != nil {
				t.Fatal(err)
			}
			w.run(time.Second)
			select {
			case res := <-call.result:
				if res.Began || res.Reason != payterm.ReasonOtherMerchant {
					t.Errorf("a refund: %+v", res)
				}
			default:
				t.Error("nobody is told of the refund")
			}
			if w.asked != asked || len(w.sent) != 1 {
				t.Errorf("%d questions, sent %v", w.asked-asked, w.sent)
			}
		})
	}
}

// TestOtherMerchantsUnreadableOrder: the same for an unreadable order, by the merchant in its
// row.
func TestOtherMerchantsUnreadableOrder(t *testing.T) {
	of := func(id string, currency payterm.Currency) func(*Config) {
		return func(c *Config) { c.Settings.MerchantID, c.Settings.Currency = id, currency }
	}
	for _, now := range []func(*Config){of("ON2", "CAD"), of("ON1", "JPY")} {
		w := newWorld(t)
		w.alter = of("ON1", "CAD")
		w.boot()
		o := w.declined()
		w.spoilClosed(o)
		w.alter = now
		w.boot()
		asked := w.asked
		w.heard = func(payterm.Inquiry) payterm.Answer { return paid }
		if _, err := w.checkNow(o.ID); !errors.Is(err, ErrOtherMerchant) {
			t.Errorf("reconciled: %v", err)
		}
		w.press(payterm.KeyF3, "3", payterm.KeyEnter) // "was it paid?"
		w.run(time.Second)
		w.press("1")
		w.run(10 * time.Second)
		if now := w.order(0); w.asked != asked || now.Outcome != o.Outcome || now.Attention != o.Attention {
			t.Errorf("%d questions; it is %s %s", w.asked-asked, now.Outcome, now.Attention)
		}
		w.alter = of("ON1", "CAD") // whose gateway does know it
		w.boot()
		if c, err := w.checkNow(o.ID); err != nil || c.Order.Outcome != payterm.Approved {
			t.Errorf("%+v %v", c, err)
		}
	}
}

// TestOtherCurrencyDoesNotBegin: no sale begins in another currency than the terminal's, and no
// refund in another than its sale's.
func TestOtherCurrencyDoesNotBegin(t *testing.T) {
	w := newWorld(t, paid)
	for _, c := range []payterm.Currency{"JPY", ""} {
		call := newCall(t.Context())
		err := w.r.askSale(order.SaleBegan{Mode: payterm.Passive, AmountMinor: 1234, Currency: c, IdempotencyKey: "K1"},
			call)
		if !errors.Is(err, ErrCurrency) || len(call.result)+len(w.r.tickets) != 0 {
			t.Errorf("a sale in %q: %v", c, err)
		}
	}
	till := w.asks(passive(1234, "K1"))
	w.now += time.Second
	w.r.scan(payterm.NewPayCode(alipayCode), w.now)
	w.run(time.Second)
	sold := w.order(0)
	if till.heard() != "approved "+string(sold.ID) {
		t.Fatal(till.heard())
	}
	back := w.asksBack(order.RefundBegan{SaleID: sold.ID, AmountMinor: 500, Currency: "JPY"})
	if !errors.Is(back.err, ErrCurrency) {
		t.Errorf("a refund in JPY: %s", back.heard())
	}
	if list, err := w.store.Orders(); err != nil || len(list) != 1 {
		t.Errorf("%d orders %v", len(list), err)
	}
}

// TestMerchantOfARefund: a refund, and its row, have the sale's merchant.
func TestMerchantOfARefund(t *testing.T) {
	w := newWorld(t)
	w.alter = func(c *Config) { c.Settings.MerchantID = "ON1" }
	w.boot()
	w.answers = []payterm.Answer{paid, payterm.Paid{PaidMinor: 1234, Status: "success"}, payterm.Lost{},
		payterm.Refunded{PaidMinor: 1234, RefundedMinor: 1234, Status: "refunded"}}
	w.scanSale(alipayCode)
	w.run(time.Second)
	call := saleCall{began: make(chan payterm.OrderID, 1), result: make(chan SaleResult, 1)}
	if err := w.r.askRefund(order.RefundBegan{SaleID: w.order(0).ID}, call); err != nil {
		t.Fatal(err)
	}
	w.run(time.Minute)
	if refund := w.order(1); refund.Kind != payterm.KindRefund || refund.MerchantID != "ON1" ||
		refund.Outcome != payterm.Approved {
		t.Errorf("%+v", refund)
	}
}
