package agent

import (
	"errors"
	"net/http"
	"strconv"

	"payterm"
)

// takeTotals prints an X, or takes and prints a Z.
func (a *Agent) takeTotals(z bool) (payterm.Totals, error) {
	number := int64(0)
	if z {
		taken, err := a.store.TakeZ()
		if err != nil {
			return payterm.Totals{}, err
		}
		number = taken.Number
	}
	t, err := a.store.Totals(number)
	if err != nil {
		return t, err
	}
	if !z {
		_, t.To = a.clock.Now()
	}
	if err := a.Print(a.totalsSlip(t, z, false)); err != nil {
		a.o.Log.Warn("totals not printed", "number", t.Number, "err", err)
	}
	a.remind()
	return t, nil
}

// totals prints X or Z and answers with it. A Z is taken once: what went into it is
// in no other. With a number an earlier Z is printed again, as it was; with a day
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
	case (which == "x" || which == "z") && number == "" && day == "":
		t, err = a.takeTotals(which == "z")
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
	return t, a.Print(a.totalsSlip(t, true, true))
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
