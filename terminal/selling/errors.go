package selling

import (
	"cmp"
	"errors"

	"payterm"
	"payterm/flows/runner"
	"payterm/storage"
	"payterm/terminal/api"
)

// Coded gives an error of the loop or the journal its API code.
func Coded(err error) error {
	var known *api.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	for _, is := range []struct {
		what error
		code api.Code
	}{
		{runner.ErrKeyReused, api.KeyReused},
		{runner.ErrFenced, api.Fenced},
		{runner.ErrCurrency, api.Invalid},
		{runner.ErrBusy, api.Busy},
		{runner.ErrNothingThere, api.NothingThere},
		{runner.ErrUnknown, api.Unknown},
		{storage.ErrNoZ, api.Unknown},
		{runner.ErrNotAsked, api.NotNow},
		{runner.ErrOtherMerchant, api.NotNow},
		{runner.ErrNotWired, api.NotNow},
		{runner.ErrNoSupervisor, api.NotAllowed},
		{runner.ErrCrowded, api.TooMany},
		{runner.ErrStopped, api.NotOpen},
	} {
		if errors.Is(err, is.what) {
			return api.Wrap(is.code, err)
		}
	}
	return err
}

// NotNow words the reason why the counter does not do something.
func NotNow(err error, words map[payterm.Reason]string) error {
	var no runner.NotNowError
	if !errors.As(err, &no) {
		return Coded(err)
	}
	code := api.NotNow
	switch no.Reason {
	case payterm.ReasonBusy:
		code = api.Busy
	case payterm.ReasonCashier, payterm.ReasonWrongPIN, payterm.ReasonLocked:
		code = api.NotAllowed
	case payterm.ReasonStorage:
		code = api.NotOpen
	}
	return api.Errorf(code, "%s", cmp.Or(words[no.Reason], err.Error()))
}

// NoTraining says what to do, by the reason why training does not begin or end.
var NoTraining = map[payterm.Reason]string{
	payterm.ReasonBusy:       "somebody is at the counter: try again when the terminal is idle",
	payterm.ReasonCashier:    "no supervisor typed the PIN at the counter",
	payterm.ReasonOrdersOpen: "an order is still open: payterm queue list shows it; try again when it is settled",
	payterm.ReasonSlipsWait:  "slips are still to be printed: see to the printer, and try again",
	payterm.ReasonStorage:    "the journal cannot be written: payterm doctor says why",
	payterm.ReasonTraining:   "this agent cannot train",
	payterm.ReasonRestarted:  "the counter began anew: try again",
	payterm.ReasonNoOperator: "nobody is signed on at the counter",
	payterm.ReasonLocked:     "too many wrong PINs: wait as the terminal says, and try again",
}
