package board_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"payterm/board"
	"payterm/hal"
	"payterm/hal/haltest"

	"periph.io/x/conn/v3/gpio"
)

// wire is a line that the test provides; each is a different pin.
type wire struct {
	gpio.PinIO
	name string
}

// workshop has everything that the profile good names.
func workshop(t *testing.T) (board.Profile, *haltest.Ports, *haltest.Bus, *haltest.Cable) {
	t.Helper()
	p, err := board.ReadProfile("good.toml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	bus, cable := &haltest.Bus{}, haltest.NewCable(t)
	ports := &haltest.Ports{
		Buses: map[string]*haltest.Bus{"SPI0.0": bus},
		Pins:  map[string]gpio.PinIO{},
		Lines: map[string]func() *hal.Line{
			"/dev/ttyS1": func() *hal.Line { return hal.OpenLine(cable.Device, 9600) },
			"/dev/ttyS2": func() *hal.Line { return hal.OpenLine(func() string { return "" }, 9600) },
		},
	}
	lines := []string{"gpiochip0:25", "gpiochip0:27", "GPIO18", "gpiochip0:17"}
	for _, name := range slices.Concat(lines, p.Keypad.Rows, p.Keypad.Columns) {
		ports.Pins[name] = &wire{gpio.INVALID, name}
	}
	return p, ports, bus, cable
}

func TestOpen(t *testing.T) {
	p, ports, bus, _ := workshop(t)
	before := haltest.TakeCensus(t)
	b := board.Open(p, ports)
	if len(b.Faults) != 0 || b.Display == nil || b.Keypad == nil || b.Scanner == nil || b.Printer == nil ||
		b.Buzzer == nil {
		t.Fatalf("%+v", b)
	}
	if got := bus.String(); got != "connect 40MHz Mode0 8\n" {
		t.Errorf("the bus: %q", got)
	}
	if len(b.Keypad.Rows) != 4 || len(b.Keypad.Columns) != 4 {
		t.Errorf("%+v", b.Keypad)
	}
	if ok, err := b.Scanner.Plugged(); !ok || err != nil {
		t.Errorf("scanner: %v %v", ok, err)
	}
	if ok, err := b.Printer.Plugged(); ok || !errors.Is(err, hal.ErrUnplugged) {
		t.Errorf("a printer that is not there: %v %v", ok, err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if !slices.Equal(ports.Closed, []string{"SPI0.0"}) {
		t.Errorf("closed: %v", ports.Closed)
	}
	before.Same(t)
}

// TestOpenFaults: a device that cannot be opened is left out with its reason, and the others work.
func TestOpenFaults(t *testing.T) {
	for _, c := range []struct {
		name   string
		spoil  func(*haltest.Ports)
		device string
		why    string
	}{
		{"no bus", func(p *haltest.Ports) { delete(p.Buses, "SPI0.0") }, "display", "no bus SPI0.0"},
		{"bus refuses", func(p *haltest.Ports) {
			p.Buses["SPI0.0"].Fail = func(string) error { return errors.New("mode not supported") }
		}, "display", "connect SPI0.0: mode not supported"},
		{"no D/C", func(p *haltest.Ports) { delete(p.Pins, "gpiochip0:25") }, "display", "no line gpiochip0:25"},
		{"no column", func(p *haltest.Ports) { delete(p.Pins, "gpiochip0:12") }, "keypad", "no line gpiochip0:12"},
		{"no scanner", func(p *haltest.Ports) { delete(p.Lines, "/dev/ttyS1") }, "scanner",
			"no serial line /dev/ttyS1"},
		{"no printer", func(p *haltest.Ports) { delete(p.Lines, "/dev/ttyS2") }, "printer",
			"no serial line /dev/ttyS2"},
		{"no buzzer", func(p *haltest.Ports) { delete(p.Pins, "gpiochip0:17") }, "buzzer", "no line gpiochip0:17"},
		{"one line, two names", func(p *haltest.Ports) { p.Pins["gpiochip0:5"] = p.Pins["GPIO18"] }, "keypad",
			"keypad.rows: line gpiochip0:5 is line GPIO18 of display.backlight already"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, ports, _, _ := workshop(t)
			c.spoil(ports)
			b := board.Open(p, ports)
			defer b.Close()
			fault := errString(b.Faults[c.device])
			if len(b.Faults) != 1 || !strings.Contains(fault, "board: "+c.device+": ") ||
				!strings.Contains(fault, c.why) {
				t.Errorf("faults: %v", b.Faults)
			}
			for device, open := range map[string]bool{"display": b.Display != nil, "keypad": b.Keypad != nil,
				"scanner": b.Scanner != nil, "printer": b.Printer != nil, "buzzer": b.Buzzer != nil} {
				if open == (device == c.device) {
					t.Errorf("%s open: %v", device, open)
				}
			}
		})
	}
}

// TestOpenInputAndSignals: event devices, PWM channels and LEDs are opened as in the profile, and what is
// missing is reported by device.
func TestOpenInputAndSignals(t *testing.T) {
	p, err := board.ReadProfile("p.toml", []byte(`board = "b"
[keypad]
kind = "evdev"
name = "Pad"
[scanner]
kind = "evdev"
usb = "0c2e:0b61"
[signal]
buzzer = "pwmchip0:1"
led_ready = "L:5"
led_attention = "L:6"
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ without, device, why string }{
		{"", "", ""},
		{"Pad", "keypad", "no serial line Pad"},
		{"0c2e:0b61", "scanner", "no serial line 0c2e:0b61"},
		{"pwmchip0:1", "buzzer", "no line pwmchip0:1"},
		{"L:6", "leds", "no line L:6"},
	} {
		before := haltest.TakeCensus(t)
		none := func() *hal.Line {
			return hal.OpenEvents(func() (hal.EventFile, error) { return nil, errors.New("not here yet") })
		}
		ports := &haltest.Ports{
			Pins: map[string]gpio.PinIO{}, Lines: map[string]func() *hal.Line{"Pad": none, "0c2e:0b61": none},
		}
		for _, name := range []string{"pwmchip0:1", "L:5", "L:6"} {
			ports.Pins[name] = &wire{gpio.INVALID, name}
		}
		delete(ports.Pins, c.without)
		delete(ports.Lines, c.without)
		b := board.Open(p, ports)
		if c.device == "" && len(b.Faults) != 0 || c.device != "" &&
			(len(b.Faults) != 1 || !strings.Contains(errString(b.Faults[c.device]), c.why)) {
			t.Errorf("without %q: %v", c.without, b.Faults)
		}
		for device, open := range map[string]bool{"keypad": b.Keypad != nil, "scanner": b.Scanner != nil,
			"buzzer": b.Buzzer != nil, "leds": b.LEDs != nil} {
			if open == (device == c.device) {
				t.Errorf("without %q: %s open: %v", c.without, device, open)
			}
		}
		if c.device == "" && (len(b.Lines()) != 2 || b.LEDs.Approved != nil) {
			t.Errorf("%v, %+v", b.Lines(), b.LEDs)
		}
		for device, l := range b.Lines() {
			if ok, err := l.Plugged(); ok || !strings.Contains(errString(err), "not here yet") {
				t.Errorf("%s: %v %v", device, ok, err)
			}
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		before.Same(t)
	}
}

func errString(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
