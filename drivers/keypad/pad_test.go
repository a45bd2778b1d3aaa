package keypad_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/drivers/keypad"
	"payterm/hal"
)

// events is an event device that plays a script.
type events []struct {
	code  uint16
	value int32
	err   error
}

func (e *events) ReadKey(time.Duration) (uint16, int32, error) {
	next := (*e)[0]
	*e = (*e)[1:]
	return next.code, next.value, next.err
}

func TestPad(t *testing.T) {
	script := events{
		{79, 1, nil}, {79, 0, nil}, // pressed
		{80, 1, nil}, {80, 2, nil}, {80, 2, nil}, {80, 0, nil}, // held
		{69, 1, nil}, {69, 0, nil}, // num lock
		{0, 0, hal.ErrTimeout}, {0, 0, hal.ErrDropped},
		{96, 1, nil}, {79, 1, nil}, {96, 0, nil}, {79, 0, nil}, // rolled over
		{0, 0, hal.ErrUnplugged},
	}
	var got []payterm.Key
	err := keypad.NewPad(&script, map[uint16]payterm.Key{79: "1", 80: "2", 96: "ENTER"}).Run(t.Context(),
		func(k payterm.Key) { got = append(got, k) })
	if want := []payterm.Key{"1", "2", "ENTER", "1"}; !slices.Equal(got, want) {
		t.Errorf("read %q, want %q", got, want)
	}
	if !errors.Is(err, hal.ErrUnplugged) || !strings.HasPrefix(err.Error(), "keypad: ") {
		t.Errorf("unplugged: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := keypad.NewPad(nil, nil).Run(ctx, nil); err != nil {
		t.Errorf("a context that has ended: %v", err)
	}
}
