package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"payterm/board"
	"payterm/boards"
	"payterm/terminal/devices"
)

// readBoard reads a profile: a file, or one of those that payterm knows by name.
func readBoard(name string) (string, board.Profile, error) {
	file := name
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && slices.Contains(boards.Names(), name) {
		file = name + ".toml"
		text, err = boards.Read(name)
	}
	if err != nil {
		return "", board.Profile{}, fmt.Errorf("board profile: %w; payterm board list names those that are known", err)
	}
	p, err := board.ReadProfile(file, text)
	return file, p, err
}

type boardListCmd struct{}

func (boardListCmd) Run() error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, name := range boards.Names() {
		_, p, err := readBoard(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\t%s\n", name, p.Board)
	}
	return w.Flush()
}

type boardCheckCmd struct {
	File string `arg:"" help:"Board profile: a file, or a name of payterm board list."`
}

func (c boardCheckCmd) Run() error {
	file, p, err := readBoard(c.File)
	if err != nil {
		return err
	}
	switch err := devices.CheckLogo(p); {
	case errors.Is(err, fs.ErrNotExist):
		fmt.Println("warning:", err)
	case err != nil:
		return fmt.Errorf("%s: %w", file, err)
	}
	fmt.Printf("%s is right: %s\n", file, p.Board)
	return nil
}

type boardShowCmd struct {
	File string `arg:"" help:"Board profile: a file, or a name of payterm board list."`
}

func (c boardShowCmd) Run() error {
	_, p, err := readBoard(c.File)
	if err != nil {
		return err
	}
	fmt.Print(wiring(p))
	return nil
}

// connection is one wire of a board.
type connection struct{ device, what, wire string }

// wiring is the table of a board's wires, in Markdown.
func wiring(p board.Profile) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n| device | signal | wire |\n|---|---|---|\n", p.Board)
	pi := strings.HasPrefix(p.Board, "Raspberry Pi")
	for _, c := range connections(p) {
		wire := c.wire
		if pins := headerPins(c.wire); pi && pins != "" {
			wire += ", " + pins
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", c.device, c.what, wire)
	}
	return b.String()
}

// connections lists the wires that a profile names.
func connections(p board.Profile) []connection {
	var all []connection
	add := func(device, what, wire string) {
		if wire != "" {
			all = append(all, connection{device, what, wire})
		}
	}
	if d := p.Display; d != nil {
		device := "display, " + d.Controller
		add(device, "bus", d.SPI)
		if d.I2C != "" {
			add(device, fmt.Sprintf("bus, address %#02x", d.Address), d.I2C)
		}
		add(device, "frame buffer", d.Device)
		add(device, "D/C", d.DC)
		add(device, "reset", d.Reset)
		add(device, "backlight", d.Backlight)
	}
	if k := p.Keypad; k != nil && k.Kind == board.KindEvdev {
		add("keypad", "event device", k.Events().String())
		for _, name := range slices.Sorted(maps.Keys(k.Map)) {
			add("keypad", "key "+string(k.Map[name]), name)
		}
	} else if k != nil {
		for i, name := range k.Rows {
			var keys []string
			for _, key := range k.Keys[i] {
				keys = append(keys, string(key))
			}
			add("keypad", fmt.Sprintf("row %d: %s", i+1, strings.Join(keys, " ")), name)
		}
		for i, name := range k.Columns {
			add("keypad", fmt.Sprintf("column %d", i+1), name)
		}
	}
	if s := p.Scanner; s != nil && s.Kind == board.KindEvdev {
		add("scanner", "event device", s.Events().String())
	} else if s != nil {
		add("scanner", fmt.Sprintf("%d baud, %s", s.Baud, s.Framing), s.Device)
	}
	if r := p.Printer; r != nil {
		add("printer", fmt.Sprintf("%d baud, %d columns", r.Baud, r.Columns), r.Device)
		add("printer", fmt.Sprintf("TCP, %d columns", r.Columns), r.Network)
		add("printer", fmt.Sprintf("USB, %d columns", r.Columns), r.USB)
	}
	if s := p.Signal; s != nil {
		how := "on"
		if s.Passive() {
			how = "PWM"
		}
		add("buzzer", how, s.Buzzer)
		add("LED", "ready", s.Ready)
		add("LED", "approved", s.Approved)
		add("LED", "attention", s.Attention)
	}
	return all
}

// piHeader is the pin of each GPIO on the 40-pin header of a Raspberry Pi.
var piHeader = [28]int{27, 28, 3, 5, 7, 29, 31, 26, 24, 21, 19, 23, 32, 33, 8, 10, 36, 11, 12, 35, 38, 40, 15, 16, 18,
	22, 37, 13}

// piBuses are the pins of what is more than one line.
var piBuses = map[string]string{
	"SPI0.0":       "pins 19 (MOSI), 23 (SCLK), 24 (CE0)",
	"SPI0.1":       "pins 19 (MOSI), 23 (SCLK), 26 (CE1)",
	"I2C1":         "pins 3 (SDA), 5 (SCL)",
	"/dev/serial0": "pins 8 (TXD), 10 (RXD)",
}

var piLine = regexp.MustCompile(`^GPIO([0-9]{1,2})$`)

// headerPins says where a wire is on the header of a Raspberry Pi; "" elsewhere.
func headerPins(wire string) string {
	if pins, ok := piBuses[wire]; ok {
		return pins
	}
	m := piLine.FindStringSubmatch(wire)
	if m == nil {
		return ""
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n >= len(piHeader) {
		return ""
	}
	return fmt.Sprintf("pin %d", piHeader[n])
}
