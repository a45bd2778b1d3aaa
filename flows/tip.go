package flows

import "payterm"

// Tips are the percentages that a customer is offered, at most four; a zero ends
// them.
type Tips [4]int

// Count is how many there are.
func (t Tips) Count() int {
	for i, percent := range t {
		if percent <= 0 {
			return i
		}
	}
	return len(t)
}

// Tip is a percentage of an amount in whole minor units, half a unit rounded up. The
// terminal knows no taxes: the percentage is of the amount as it was typed, so a shop
// that types amounts before tax has tips on the amount before tax.
func Tip(amountMinor int64, percent int) int64 { return (amountMinor*int64(percent) + 50) / 100 }

// askTip hands the terminal to the customer, where tips are offered.
func (t Terminal) askTip(in Stamped) (Terminal, []Command) {
	if t.Settings.Tips.Count() == 0 {
		return t.check()
	}
	return t.menuAt(in, ChoosingTip), []Command{Play{payterm.SoundKey}}
}

// keyTip chooses one of the percentages, an own amount, or by 0 none. ENTER is no
// answer: it ended the amount, and a finger that presses it twice would answer in the
// customer's place.
func (t Terminal) keyTip(in Stamped, k payterm.Key) (Terminal, []Command) {
	switch n := digit(k); {
	case k == payterm.KeyCancel:
		t.Want.Mode, t.Want.Wallet = "", ""
		return t.menuAt(in, EnteringAmount), []Command{Play{payterm.SoundKey}}
	case n == 0:
		return t.check()
	case k == payterm.KeyF1:
		return t.menuAt(in, EnteringTip), []Command{Play{payterm.SoundKey}}
	case n >= 1 && n <= t.Settings.Tips.Count():
		tip := Tip(t.Want.AmountMinor, t.Settings.Tips[n-1])
		if t.Want.AmountMinor+tip > t.Settings.MaxMinor {
			return t, []Command{Play{payterm.SoundDeclined}}
		}
		t.Want.TipMinor = tip
		return t.check()
	}
	return t, nil
}

// keyOwnTip types a tip in minor units. A digit that would pass the limit of a sale
// is refused, never dropped in silence.
func (t Terminal) keyOwnTip(in Stamped, k payterm.Key) (Terminal, []Command) {
	switch {
	case k == payterm.KeyCancel:
		t.Want.TipMinor = 0
		return t.menuAt(in, ChoosingTip), []Command{Play{payterm.SoundKey}}
	case k == payterm.KeyEnter:
		return t.check()
	case k == payterm.KeyClear:
		t.Want.TipMinor /= 10
	case k.Digits() != "":
		minor, fits := typed(t.Want.TipMinor, k, t.Settings.MaxMinor-t.Want.AmountMinor)
		if !fits {
			return t, []Command{Play{payterm.SoundDeclined}}
		}
		t.Want.TipMinor = minor
	default:
		return t, nil
	}
	return t.menuAt(in, EnteringTip), []Command{Play{payterm.SoundKey}}
}
