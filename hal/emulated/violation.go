package emulated

import "fmt"

// Rule names what a chip demands of its driver.
type Rule string

// The rules of the displays, of their buses, of event devices, and of the printer.
const (
	NoReset        Rule = "no_reset"        // a command after power-on, and neither a reset pulse nor SWRESET before it
	ResetPulse     Rule = "reset_pulse"     // the reset line was low for less than 10 us
	HeldInReset    Rule = "held_in_reset"   // bytes while the reset line is low
	TooSoon        Rule = "too_soon"        // a command before the chip is ready for it
	UnknownCommand Rule = "unknown_command" // no command that the chip has, or the emulation knows
	ParameterCount Rule = "parameter_count" // too few or too many bytes with D/C high
	DataCommand    Rule = "data_command"    // D/C: bytes before the line was ever driven, or data without a command
	BadWindow      Rule = "bad_window"      // CASET or RASET outside of the RAM
	WindowOverflow Rule = "window_overflow" // RAMWR with more pixels than its window has
	HalfPixel      Rule = "half_pixel"      // a pixel that broke off between its bytes
	Asleep         Rule = "asleep"          // pixels for a panel that sleeps
	PixelFormat    Rule = "pixel_format"    // pixels before COLMOD was set to 16 bits
	TransferSize   Rule = "transfer_size"   // an SPI transfer that spidev refuses
	NoSupply       Rule = "no_supply"       // a display is switched on and its charge pump is not
	AddressSetup   Rule = "address_setup"   // RS changes together with the rise of E
	BadAddress     Rule = "bad_address"     // a cell, or memory, that is not there
	ClockSpeed     Rule = "clock_speed"     // an SPI clock above what the chip takes
	NotGrabbed     Rule = "not_grabbed"     // an event device is read that others read as well

	BufferOverflow Rule = "buffer_overflow" // bytes that came faster than they could be printed were lost
	BadArgument    Rule = "bad_argument"    // an argument outside of its range
	NotAtLineStart Rule = "not_at_line_start"
	CutText        Rule = "cut_text"       // a cut without LF before it, or through what was printed last
	NoCutter       Rule = "no_cutter"      // a cut on a printer that has none
	TooWide        Rule = "too_wide"       // a symbol or a picture wider than the roll
	NothingStored  Rule = "nothing_stored" // a QR code is to be printed and none was stored
)

// Violation is what a driver did that a real chip would not accept.
type Violation struct {
	Chip   string // as the profile has it, or spi, i2c, escpos
	Rule   Rule
	Detail string
}

// Error is the violation in words.
func (v Violation) Error() string { return fmt.Sprintf("%s: %s: %s", v.Chip, v.Rule, v.Detail) }

// report takes a breach of a rule from a chip.
type report func(rule Rule, format string, args ...any)

// maxViolations are kept; the first ones tell the most.
const maxViolations = 100

// reporter collects what a chip has to say.
func (b *Board) reporter(chip string) report {
	return func(rule Rule, format string, args ...any) {
		v := Violation{chip, rule, fmt.Sprintf(format, args...)}
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.bad) < maxViolations {
			b.bad = append(b.bad, v)
		}
	}
}

// Violations are what drivers did that a real chip would not accept, oldest
// first, 100 at the most.
func (b *Board) Violations() []Violation {
	if b.printer != nil {
		b.printer.settle()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Violation(nil), b.bad...)
}
