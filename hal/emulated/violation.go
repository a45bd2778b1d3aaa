package emulated

import "fmt"

// Rule names a requirement of a chip.
type Rule string

// The rules of the displays, of their buses, of event devices, and of the printer.
const (
	NoReset        Rule = "no_reset"        // a command after power-on without a reset pulse or SWRESET
	ResetPulse     Rule = "reset_pulse"     // the reset line was low for less than 10 us
	HeldInReset    Rule = "held_in_reset"   // bytes while the reset line is low
	TooSoon        Rule = "too_soon"        // a command before the chip is ready for it
	UnknownCommand Rule = "unknown_command" // the chip does not have it, or the emulation does not know it
	ParameterCount Rule = "parameter_count" // too few or too many bytes with D/C high
	DataCommand    Rule = "data_command"    // D/C: bytes before the line was ever driven, or data without a command
	BadWindow      Rule = "bad_window"      // CASET or RASET outside of the RAM
	WindowOverflow Rule = "window_overflow" // RAMWR with more pixels than its window has
	HalfPixel      Rule = "half_pixel"      // a pixel that was interrupted between its bytes
	Asleep         Rule = "asleep"          // pixels while the panel sleeps
	PixelFormat    Rule = "pixel_format"    // pixels before COLMOD was set to 16 bits
	TransferSize   Rule = "transfer_size"   // an SPI transfer that spidev refuses
	NoSupply       Rule = "no_supply"       // a display is switched on without its charge pump
	AddressSetup   Rule = "address_setup"   // RS changes together with the rise of E
	BadAddress     Rule = "bad_address"     // a cell, or memory, that does not exist
	ClockSpeed     Rule = "clock_speed"     // an SPI clock above what the chip takes
	NotGrabbed     Rule = "not_grabbed"     // an event device is read without EVIOCGRAB

	BufferOverflow Rule = "buffer_overflow" // bytes were lost because the buffer was full
	BadArgument    Rule = "bad_argument"    // an argument outside of its range
	NotAtLineStart Rule = "not_at_line_start"
	CutText        Rule = "cut_text"       // a cut without LF before it, or through printed text
	NoCutter       Rule = "no_cutter"      // a cut on a printer that has none
	TooWide        Rule = "too_wide"       // a symbol or a picture wider than the roll
	NothingStored  Rule = "nothing_stored" // a QR code is to be printed and none was stored
)

// Violation is something that a real chip would not accept.
type Violation struct {
	Chip   string // as in the profile, or spi, i2c, escpos
	Rule   Rule
	Detail string
}

// Error describes the violation.
func (v Violation) Error() string { return fmt.Sprintf("%s: %s: %s", v.Chip, v.Rule, v.Detail) }

// report records a violation of a chip.
type report func(rule Rule, format string, args ...any)

// maxViolations bounds them; the first ones tell the most.
const maxViolations = 100

// reporter returns a chip's report.
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

// Violations are what a real chip would not have accepted, oldest first, at most 100.
func (b *Board) Violations() []Violation {
	if b.printer != nil {
		b.printer.settle()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Violation(nil), b.bad...)
}
