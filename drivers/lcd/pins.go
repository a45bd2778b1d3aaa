package lcd

import (
	"fmt"
	"time"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio"
)

// pins is a PCF8574 made of GPIO lines: each byte has the levels of its pins.
type pins struct {
	rs, enable gpio.PinOut
	data       []gpio.PinOut // D4 to D7
	sleep      func(time.Duration)
	known      int // levels of the lines; -1 if a line could not be set
}

var _ conn.Conn = (*pins)(nil)

// execute is the chip's time for an instruction (37 us) or a data byte (41). On I2C the next byte
// takes longer.
const execute = 50 * time.Microsecond

func (p *pins) String() string      { return "lines" }
func (p *pins) Duplex() conn.Duplex { return conn.Half }

// Tx implements conn.Conn. The lines that the chip reads when E falls are set before E rises.
func (p *pins) Tx(w, _ []byte) error {
	for _, levels := range w {
		if p.known < 0 { // E may be high: with its fall the chip reads the old lines
			if err := p.enable.Out(gpio.Low); err != nil {
				return fmt.Errorf("line %s: %w", p.enable.Name(), err)
			}
			p.sleep(execute)
		}
		was, fell := p.known, p.known >= 0 && byte(p.known)&pinE != 0 && levels&pinE == 0
		p.known = -1
		for _, line := range []struct {
			pin gpio.PinOut
			bit byte
		}{{p.rs, pinRS}, {p.data[0], 0x10}, {p.data[1], 0x20}, {p.data[2], 0x40}, {p.data[3], 0x80}, {p.enable, pinE}} {
			if was >= 0 && (byte(was)^levels)&line.bit == 0 {
				continue
			}
			if err := line.pin.Out(levels&line.bit != 0); err != nil {
				return fmt.Errorf("line %s: %w", line.pin.Name(), err)
			}
		}
		p.known = int(levels)
		if fell {
			p.sleep(execute)
		}
	}
	return nil
}
