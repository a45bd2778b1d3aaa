package board

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"payterm/tomlfile"
)

// bases are profiles to which keys are added; some leave sections out. %s is the place of keys outside a
// section.
var bases = []string{
	"board = \"b\"\n%s[display]\ncontroller = \"st7789\"\nspi = \"SPI0.0\"\ndc = \"GPIO25\"\nwidth = 240\nheight = 240\n" +
		"backlight = \"pwmchip0:0\"\ndim_after = \"1m\"\n",
	"board = \"b\"\n%s[display]\ncontroller = \"ssd1306\"\ni2c = \"I2C1\"\nwidth = 128\nheight = 64\n",
	"board = \"b\"\n%s[display]\ncontroller = \"fbdev\"\ndevice = \"/dev/fb0\"\nbits = 16\nwidth = 320\nheight = 240\n",
	"board = \"b\"\n%s[scanner]\ndevice = \"/dev/ttyS1\"\nbaud = 9600\nframing = \"gap\"\ntrigger_start = \"a\"\n",
	"board = \"b\"\n%s[scanner]\ndevice = \"/dev/ttyS1\"\nbaud = 9600\n",
	"board = \"b\"\n%s[scanner]\nkind = \"evdev\"\nname = \"a\"\n",
	"board = \"b\"\n%s[printer]\ndevice = \"/dev/ttyS2\"\nbaud = 9600\n",
	"board = \"b\"\n%s[printer]\ndevice = \"/dev/ttyS2\"\nbaud = 9600\ncolumns = 16\n",
	"board = \"b\"\n%s[printer]\ndevice = \"/dev/ttyS2\"\nbaud = 9600\ncut = true\ndrawer = \"approved\"\n",
	"board = \"b\"\n%s[printer]\ndevice = \"/dev/ttyS2\"\nbaud = 9600\ndots = 832\n",
	"board = \"b\"\n%s[display]\ncontroller = \"hd44780\"\ni2c = \"I2C1\"\ncolumns = 20\nrows = 4\n",
	"board = \"b\"\n%s[keypad]\nkind = \"matrix\"\nrows = [\"r\"]\ndebounce = \"200ms\"\n" +
		"columns = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\", \"i\", \"j\", \"k\", \"l\"]\n" +
		"keys = [[\"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"0\", \"CANCEL\", \"ENTER\"]]\n",
	"board = \"b\"\n%s[keypad]\nkind = \"evdev\"\nname = \"a\"\n",
	"board = \"b\"\n%s[signal]\nbuzzer = \"GPIO1\"\n",
}

// with returns a base with a key set or removed, or false if it does not have the key's section.
func with(base, key, value string) (string, bool) {
	section, name, inSection := strings.Cut(key, ".")
	if !inSection {
		name = section
	}
	var text []string
	there := !inSection
	for line := range strings.Lines(base) {
		line = strings.TrimSuffix(line, "\n")
		line, top := strings.CutPrefix(line, "%s")
		if value != "" && !inSection && top {
			text = append(text, name+" = "+value)
		}
		if !strings.HasPrefix(line, name+" = ") {
			text = append(text, line)
		}
		if inSection && line == "["+section+"]" {
			there = true
			if value != "" {
				text = append(text, name+" = "+value)
			}
		}
	}
	return strings.Join(text, "\n"), there
}

// wrongs returns the number of mistakes in a profile.
func wrongs(text string) int {
	_, err := ReadProfile("p.toml", []byte(text))
	if err == nil {
		return 0
	}
	return 1 + strings.Count(err.Error(), "\n")
}

// homes returns the bases in which a value is right: there are no more mistakes than without the key.
func homes(key, value string) []string {
	var all []string
	for _, base := range bases {
		without, there := with(base, key, "")
		set, _ := with(base, key, value)
		if there && wrongs(set) <= wrongs(without) {
			all = append(all, base)
		}
	}
	return all
}

// TestFacts: the reference has each key. What it says is allowed is accepted, and what it does not allow is
// refused.
func TestFacts(t *testing.T) {
	facts := Facts()
	for _, key := range tomlfile.Keys(Profile{}) {
		f, there := facts[key.Dotted]
		if !there || f.What == "" || f.Allowed() == "" && key.Type != "true or false" {
			t.Errorf("%s is a key: say in board/facts.go what it is, what it may say and what is usual", key.Dotted)
		}
		delete(facts, key.Dotted)
		quoted := func(v string) string {
			if key.Type == "number" {
				return v
			}
			return fmt.Sprintf("%q", v)
		}
		var right, wrong []string
		switch {
		case len(f.Words) > 0:
			right, wrong = f.Words, []string{"no such word"}
		case len(f.Values) > 0:
			for _, v := range f.Values {
				right = append(right, fmt.Sprint(v))
			}
			wrong = []string{fmt.Sprint(f.Values[len(f.Values)-1] + 1)}
		case f.Least != 0 || f.Most != 0:
			right = []string{fmt.Sprint(f.Most), fmt.Sprint(f.Least)}
			wrong = []string{fmt.Sprint(f.Most + 1), fmt.Sprint(f.Least - 1)}
			if f.Least > 1 {
				wrong = append(wrong, "0") // not the same as a key that is left out
			}
		case f.Times != [2]time.Duration{}:
			right = []string{f.Times[0].String(), f.Times[1].String()}
			wrong = []string{(f.Times[0] - time.Microsecond).String(), (f.Times[1] + time.Microsecond).String()}
		}
		known := map[string]bool{}
		for _, v := range right {
			at := homes(key.Dotted, quoted(v))
			if len(at) == 0 {
				t.Errorf("%s = %s is refused, and the reference has %s", key.Dotted, v, f.Allowed())
			}
			for _, base := range at {
				known[base] = true
			}
		}
		for _, v := range wrong {
			refused := false
			for base := range known {
				set, _ := with(base, key.Dotted, quoted(v))
				good, _ := with(base, key.Dotted, quoted(right[0]))
				refused = refused || wrongs(set) > wrongs(good)
			}
			if !refused {
				t.Errorf("%s = %s is taken, and the reference has %s", key.Dotted, v, f.Allowed())
			}
		}
	}
	for key := range facts {
		t.Errorf("%s is no key", key)
	}
}

// TestUsual: the default in the reference is the value of a profile that leaves the key out.
func TestUsual(t *testing.T) {
	p, err := ReadProfile("p.toml", []byte(`board = "b"
[keypad]
kind = "matrix"
rows = ["r"]
columns = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"]
keys = [["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "CANCEL", "ENTER"]]
[scanner]
device = "/dev/ttyS1"
baud = 9600
framing = "gap"
[printer]
device = "/dev/ttyS2"
baud = 9600
`))
	if err != nil {
		t.Fatal(err)
	}
	facts := Facts()
	for key, is := range map[string]any{
		"keypad.scan_interval": p.Keypad.ScanInterval, "keypad.debounce": p.Keypad.Debounce,
		"scanner.kind": p.Scanner.Kind,
		"scanner.gap":  p.Scanner.Gap, "printer.columns": p.Printer.Columns, "printer.dots": p.Printer.Dots,
		"printer.code_page": p.Printer.CodePage, "printer.chinese": p.Printer.Chinese,
		"printer.raster": p.Printer.Raster,
		"printer.qr":     p.Printer.QR, "printer.cut_feed": p.Printer.CutFeed, "printer.buffer": p.Printer.Buffer,
		"printer.speed": p.Printer.Speed,
	} {
		if usual, _, _ := strings.Cut(facts[key].Usual, ","); usual != fmt.Sprint(is) {
			t.Errorf("%s: the reference has %q, a profile %v", key, facts[key].Usual, is)
		}
	}
}
