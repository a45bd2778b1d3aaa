package terminal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"payterm"
	"payterm/flows"
	"payterm/flows/runner"
)

// takeTotals prints an X, or takes and prints a Z for somebody. Once a Z is taken nothing
// keeps it from its caller.
func (a *Agent) takeTotals(z bool, by payterm.TakenBy) (t payterm.Totals, err error) {
	if z {
		if t, err = a.store.TakeZ(by); err != nil {
			return t, err
		}
		a.printZ(t, false) //nolint:errcheck // it was told, and the slip comes later
		a.remind()
		return t, nil
	}
	if t, err = a.store.Totals(0); err != nil {
		return t, err
	}
	_, t.To = a.clock.Now()
	if err := a.Print(a.totalsSlip(t, false, false)); err != nil {
		a.o.Log.Warn("totals not printed", "err", err)
	}
	return t, nil
}

// zSlip begins the name of a Z's slip, before its number.
const zSlip = "z "

// printZ queues the slip of a Z. One that finds no room comes later (printOwedZs).
func (a *Agent) printZ(t payterm.Totals, again bool) error {
	slip := a.totalsSlip(t, true, again)
	slip.Name = zSlip + strconv.FormatInt(t.Number, 10)
	a.mu.Lock()
	a.queuedZs[t.Number] = true
	a.mu.Unlock()
	err := a.Print(slip)
	if err != nil {
		a.endedZ(slip, err)
	}
	return err
}

// endedZ notes what became of a slip, if it is a Z's.
func (a *Agent) endedZ(slip payterm.Receipt, err error) {
	text, is := strings.CutPrefix(slip.Name, zSlip)
	number, bad := strconv.ParseInt(text, 10, 64)
	if !is || bad != nil {
		return
	}
	a.mu.Lock()
	delete(a.queuedZs, number)
	a.mu.Unlock()
	if err == nil {
		err = a.store.ZPrinted(number)
	}
	if err != nil {
		a.o.Log.Warn("Z not printed; it comes again as a copy", "number", number, "err", err)
	}
}

// printOwedZs queues the slips of Zs of which nobody knows whether they came: the power
// went first, or the printer's queue was full. They say COPY, since they may have.
func (a *Agent) printOwedZs() {
	if a.o.Board.Printer == nil {
		return
	}
	owed, err := a.store.UnprintedZs()
	if err != nil {
		a.o.Log.Warn("look for Zs without a slip", "err", err)
	}
	for _, number := range owed {
		a.mu.Lock()
		queued := a.queuedZs[number]
		a.mu.Unlock()
		if queued {
			continue
		}
		t, err := a.store.Totals(number)
		if err == nil {
			a.o.Log.Warn("it is not known whether this Z was printed: it is printed again", "number", number)
			err = a.printZ(t, true)
		}
		if err != nil {
			return // there is a next time
		}
	}
}

// TotalsRequest is POST /totals/z: the supervisor who has typed number and PIN on the
// machine that asks. Without one the PIN is typed at the counter, where one guards the Z.
type TotalsRequest struct {
	Operator string    `json:"operator,omitempty"` // payterm.SharedSupervisor for the PIN without a name
	PIN      flows.PIN `json:"pin,omitempty"`
}

// allowZ asks whether a Z may be taken, and in whose names.
func (a *Agent) allowZ(w http.ResponseWriter, r *http.Request) (payterm.TakenBy, error) {
	var req TotalsRequest
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	d.DisallowUnknownFields()
	if err := d.Decode(&req); err != nil && !errors.Is(err, io.EOF) {
		return payterm.TakenBy{}, errors.New("totals: an operator and a PIN, or nothing") // an error of JSON may repeat the PIN
	}
	named := a.o.Config.NamedSupervisors()
	switch {
	case (req.Operator == "") != (req.PIN == ""):
		return payterm.TakenBy{}, errors.New("operator: it comes with a PIN, and a PIN with an operator")
	case req.Operator != "" && !a.o.Config.HasSupervisor():
		return payterm.TakenBy{}, errors.New("operator: no supervisor is set up here: leave it out")
	case req.Operator != "" && named == (req.Operator == payterm.SharedSupervisor):
		return payterm.TakenBy{}, fmt.Errorf("operator %q: the number of a supervisor, or %q where the PIN has no name", req.Operator, payterm.SharedSupervisor)
	}
	if !named {
		req.Operator = ""
	}
	by, err := a.runner.AllowZ(r.Context(), req.Operator, req.PIN)
	var no runner.NotNowError
	if errors.As(err, &no) {
		err = errors.New(noZ[no.Reason])
	}
	return by, err
}

// noZ says what to do about the reasons for which no Z is taken.
var noZ = map[payterm.Reason]string{
	payterm.ReasonBusy:       "somebody is at the counter: try again when the terminal is idle",
	payterm.ReasonCashier:    "no supervisor typed the PIN at the counter",
	payterm.ReasonNoOperator: "nobody is signed on: sign on at the terminal first",
	payterm.ReasonWrongPIN:   "that is not the PIN of a supervisor of this number",
	payterm.ReasonLocked:     "too many wrong PINs of this supervisor: wait, the screen says how long",
	payterm.ReasonStorage:    "the journal cannot be written: payterm doctor says why",
}

// totals prints X or Z and answers with it. A Z is taken once: what went into it is
// in no other. It needs what it needs at the keys. With a number an earlier Z is printed again, as it was; with a day
// that business day is summed up, on no paper.
func (a *Agent) totals(w http.ResponseWriter, r *http.Request) {
	which, day, number := r.PathValue("which"), r.FormValue("day"), r.FormValue("number")
	var t payterm.Totals
	var err error
	switch {
	case which == "x" && number == "" && day != "":
		t, err = a.store.DayTotals(day)
	case which == "z" && number != "" && day == "":
		t, err = a.printAgain(number)
	case which == "x" && number == "" && day == "":
		t, err = a.takeTotals(false, payterm.TakenBy{})
	case which == "z" && number == "" && day == "":
		var by payterm.TakenBy
		if by, err = a.allowZ(w, r); err == nil {
			t, err = a.takeTotals(true, by)
		}
	default:
		err = errors.New("totals: x, perhaps of a day, or z, perhaps of a number")
	}
	reply(w, t, err)
}

// printAgain prints an earlier Z once more.
func (a *Agent) printAgain(number string) (payterm.Totals, error) {
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 {
		return payterm.Totals{}, errors.New("totals: the number of a Z is 1 or more")
	}
	t, err := a.store.Totals(n)
	if err != nil {
		return t, err
	}
	return t, a.printZ(t, true)
}

// remind looks whether an earlier business day is not closed yet, and has the idle
// screen say so.
func (a *Agent) remind() {
	_, now := a.clock.Now()
	day, err := a.store.Unclosed(now)
	if err != nil {
		a.o.Log.Warn("look for a day that is open", "err", err)
		return
	}
	a.runner.Remind(day)
}
