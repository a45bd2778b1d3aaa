package hal

import (
	"strings"
	"testing"

	"periph.io/x/host/v3/gpioioctl"
)

// chip is a GPIO chip with named lines.
type chip struct {
	name, label string
	lines       []string
	made        []*gpioioctl.GPIOLine
}

func newChip(name, label string, lines ...string) *chip {
	c := &chip{name: name, label: label, lines: lines}
	for range lines {
		c.made = append(c.made, &gpioioctl.GPIOLine{})
	}
	return c
}

func (c *chip) Name() string                       { return c.name }
func (c *chip) Label() string                      { return c.label }
func (c *chip) LineCount() int                     { return len(c.lines) }
func (c *chip) ByNumber(n int) *gpioioctl.GPIOLine { return c.made[n] }
func (c *chip) ByName(name string) *gpioioctl.GPIOLine {
	for i, n := range c.lines {
		if n == name {
			return c.made[i]
		}
	}
	return nil
}

func TestFindLine(t *testing.T) {
	a := newChip("gpiochip0", "pinctrl-rp1", "ID_SDA", "GPIO25", "WAKE")
	b := newChip("gpiochip1", "gpio-brcmstb", "gpiochip1-GPIO18", "WAKE") // renamed by periph
	chips := []*chip{a, b}
	for _, c := range []struct {
		name string
		line *gpioioctl.GPIOLine
		bad  string
	}{
		{"gpiochip0:1", a.made[1], ""},
		{"pinctrl-rp1:1", a.made[1], ""},
		{"GPIO25", a.made[1], ""},
		{"GPIO18", b.made[0], ""},
		{"gpiochip1:1", b.made[1], ""},
		{"WAKE", nil, "2 chips have one: name it as chip:offset"},
		{"GPIO7", nil, "gpiochip0 (pinctrl-rp1), gpiochip1 (gpio-brcmstb)"},
		{"gpiochip0:3", nil, "there is no line gpiochip0:3"},
		{"gpiochip0:-1", nil, "behind the colon"},
		{"gpiochip0:x", nil, "behind the colon"},
		{"gpiochip9:0", nil, "there is no line gpiochip9:0"},
	} {
		line, err := findLine(chips, c.name)
		if line != c.line || (err == nil) != (c.bad == "") || err != nil && !strings.Contains(err.Error(), c.bad) {
			t.Errorf("%s: %p %v, want %p %q", c.name, line, err, c.line, c.bad)
		}
	}
}
