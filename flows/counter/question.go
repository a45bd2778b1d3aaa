package counter

import (
	"slices"
	"time"

	"payterm"
)

// A question about money (is the same amount to be charged again? may it go back? is the day
// closed? is it settled?) is answered by another key than the one that led to it, and by none
// within a second: a finger that presses a key twice, or a key that bounces, has not read it.
//
// The key is F1, or where F1 led there, or the board has none, a digit with which no amount
// begins. Whoever types on has not seen the question: each key that is no answer begins the
// second anew.

// unread is how long a question is on the glass before anybody can have read it.
const unread = time.Second

// asks reports whether the phase is such a question.
func (p Phase) asks() bool { return p == Warned || p == AskingYes }

// asks reports whether a question about money is on the glass, the choice on the screen of a
// late payment among them.
func (c Counter) asks() bool { return c.Phase.asks() || c.Phase == ShowingResult && late(c.Order) }

// yes is the key that answers the question with yes.
func (c Counter) yes() payterm.Key {
	keys := []payterm.Key{payterm.KeyF1, payterm.Key0, payterm.Key9}
	if c.Settings.WithoutF1 {
		keys = keys[1:]
	}
	return keys[slices.IndexFunc(keys, func(k payterm.Key) bool { return k != c.Led })]
}

// led notes the last key before a question, and when that may be answered.
func (c Counter) led(in Stamped, before Counter) Counter {
	if key, pressed := in.Event.(KeyPressed); pressed && !before.Phase.asks() {
		c.Led = key.Key
	}
	switch {
	case !c.asks():
		c.Unread = 0
	case !before.asks(), c.Phase.asks() != before.Phase.asks():
		c.Unread = in.Mono + unread
	}
	return c
}

// keyQuestion takes a key at a question: yes, or CANCEL.
func (c Counter) keyQuestion(in Stamped, k payterm.Key) (Counter, []Command) {
	switch {
	case in.Mono < c.Unread:
		return c, nil
	case k != c.yes() && k != payterm.KeyCancel:
		c.Unread = in.Mono + unread
		return c, nil
	case c.Phase == Warned:
		return c.keyWarned(in, k)
	}
	return c.keyMenu(in, k)
}
