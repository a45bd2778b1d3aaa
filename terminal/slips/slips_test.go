package slips

import (
	"fmt"
	"testing"
	"time"

	"payterm"
)

// stand is a terminal around slips.
type stand struct {
	*Slips
	t      *testing.T
	now    time.Duration
	alarms int
	n      int
	last   payterm.OrderID
}

func newStand(t *testing.T) *stand {
	st := &stand{t: t}
	st.Slips = New(Options{
		Now: func() time.Duration { return st.now }, Alarm: func() { st.alarms++ },
		Tell: func(n int, last payterm.OrderID) { st.n, st.last = n, last },
	})
	return st
}

func (st *stand) lost(want int, last payterm.OrderID) {
	st.t.Helper()
	if st.n != want || st.last != last {
		st.t.Errorf("%d are lost, the last of %q; want %d of %q", st.n, st.last, want, last)
	}
}

// TestLost: a slip counts as lost until it, or a copy of its order, was printed, or for an hour.
func TestLost(t *testing.T) {
	st := newStand(t)
	merchant := payterm.Receipt{Name: "merchant", Order: "T1AAAAA000001"}
	customer := payterm.Receipt{Name: "customer", Order: "T1AAAAA000001"}
	other, z := payterm.Receipt{Name: "merchant", Order: "T1AAAAA000002"}, payterm.Receipt{Name: "z", Z: 1}
	st.Lost(merchant)
	st.Lost(merchant)
	st.Printed(customer)
	st.Printed(other)
	st.lost(1, merchant.Order)
	st.Lost(z)
	st.lost(2, "")
	st.Lost(other)
	st.lost(3, other.Order)
	if st.alarms != 3 {
		t.Errorf("%d alarms for 3 slips", st.alarms)
	}
	st.Printed(payterm.Receipt{Name: "totals"})
	st.Printed(payterm.Receipt{Name: "totals", Copy: true})
	st.lost(3, other.Order)
	st.Printed(payterm.Receipt{Name: "customer", Order: merchant.Order, Copy: true})
	st.lost(2, other.Order)
	st.Printed(z)
	st.Printed(other)
	st.lost(0, "")
	for i := range 2 * most {
		st.Lost(payterm.Receipt{Name: "merchant", Order: payterm.OrderID(fmt.Sprint(i))})
	}
	st.lost(most, payterm.OrderID(fmt.Sprint(2*most-1)))
	st.now = Stands
	st.Lost(merchant)
	st.now++
	st.Forget()
	st.lost(1, merchant.Order)
}

// TestCode: a code's slip is wanted until its order's code is void or another code is on paper.
func TestCode(t *testing.T) {
	st := newStand(t)
	first := st.Code("1")
	st.VoidCode("2")
	if !first() {
		t.Error("another order's end made the code void")
	}
	second := st.Code("2")
	if first() || !second() {
		t.Error("two codes are wanted, or none")
	}
	st.VoidCode("1")
	st.VoidCode("2")
	if second() {
		t.Error("a void code is wanted")
	}
}

// TestCodeState: what became of the slip with a code, until the code is void.
func TestCodeState(t *testing.T) {
	st := newStand(t)
	slip := payterm.Receipt{Name: CodeSlip, Order: "1"}
	is := func(want CodeState) {
		t.Helper()
		if got := st.CodeState("1"); got != want || st.CodeState("2") != NoCode {
			t.Errorf("the code's slip is %d, want %d; another order's %d", got, want, st.CodeState("2"))
		}
	}
	is(NoCode)
	st.Code("1")
	st.Printed(payterm.Receipt{Name: "customer", Order: "1"})
	st.Printed(payterm.Receipt{Name: CodeSlip, Order: "2"})
	is(CodeWaits)
	st.Lost(slip)
	is(CodeLost)
	st.Code("1")
	is(CodeWaits)
	st.Printed(slip)
	is(CodePrinted)
	st.VoidCode("1")
	is(NoCode)
}
