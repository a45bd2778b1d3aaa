package counter

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
func Tip(amount payterm.Amount, percent int) payterm.Amount {
	return amount.With((amount.Minor*int64(percent) + 50) / 100)
}

// askTip hands the terminal to the customer, where tips are offered.
func (c Counter) askTip(in Stamped) (Counter, []Command) {
	if c.Settings.Tips.Count() == 0 {
		return c.check()
	}
	return c.menuAt(in, ChoosingTip), []Command{Play{payterm.SoundKey}}
}

// keyTip chooses one of the percentages, an own amount, or by 0 none. ENTER is no
// answer: it ended the amount, and a finger that presses it twice would answer in the
// customer's place.
func (c Counter) keyTip(in Stamped, k payterm.Key) (Counter, []Command) {
	switch n := digit(k); {
	case k == payterm.KeyCancel:
		c.Want.Mode, c.Want.Wallet = "", ""
		return c.menuAt(in, EnteringAmount), []Command{Play{payterm.SoundKey}}
	case n == 0:
		return c.check()
	case k == payterm.KeyF1:
		return c.menuAt(in, EnteringTip), []Command{Play{payterm.SoundKey}}
	case n >= 1 && n <= c.Settings.Tips.Count():
		tip := Tip(c.Want.Amount(), c.Settings.Tips[n-1])
		if c.Want.AmountMinor+tip.Minor > c.Settings.MaxMinor {
			return c, []Command{Play{payterm.SoundDeclined}}
		}
		c.Want.TipMinor = tip.Minor
		return c.check()
	}
	return c, nil
}

// keyOwnTip types a tip in minor units. A digit that would pass the limit of a sale
// is refused, never dropped in silence.
func (c Counter) keyOwnTip(in Stamped, k payterm.Key) (Counter, []Command) {
	switch {
	case k == payterm.KeyCancel:
		c.Want.TipMinor = 0
		return c.menuAt(in, ChoosingTip), []Command{Play{payterm.SoundKey}}
	case k == payterm.KeyEnter:
		return c.check()
	case k == payterm.KeyClear:
		c.Want.TipMinor /= 10
	case k.Digits() != "":
		minor, fits := typed(c.Want.TipMinor, k, c.Settings.MaxMinor-c.Want.AmountMinor)
		if !fits {
			return c, []Command{Play{payterm.SoundDeclined}}
		}
		c.Want.TipMinor = minor
	default:
		return c, nil
	}
	return c.menuAt(in, EnteringTip), []Command{Play{payterm.SoundKey}}
}
