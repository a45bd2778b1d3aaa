package counter

import "payterm"

// Tips are the percentages offered to a customer, at most four; a zero ends them.
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

// Tip is a percentage of an amount in minor units, rounded half up. The terminal knows no taxes:
// a shop that types amounts before tax gets tips on the amount before tax.
func Tip(amount payterm.Amount, percent int) payterm.Amount {
	return amount.With((amount.Minor*int64(percent) + 50) / 100)
}

// askTip asks the customer for a tip, if tips are offered.
func (c Counter) askTip(in Stamped) (Counter, []Command) {
	if c.Settings.Tips.Count() == 0 {
		return c.check()
	}
	return c.menuAt(in, ChoosingTip), []Command{Play{payterm.SoundKey}}
}

// keyTip chooses one of the percentages, an own amount, or with 0 none. ENTER is ignored: it
// ended the amount, and pressed twice it would answer for the customer.
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

// keyOwnTip types a tip in minor units. A digit that would pass the limit of a sale is refused
// with a sound.
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
