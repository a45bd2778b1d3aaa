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
		{runner.ErrCurrency, api.Invalid},
		{runner.ErrBusy, api.Busy},
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
