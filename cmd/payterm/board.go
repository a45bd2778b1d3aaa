package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"payterm/board"
	"payterm/boards"
	"payterm/config"
	"payterm/terminal/devices"
	"payterm/tomlfile"
)

// readBoard reads a profile: a file, or a built-in one by its name.
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

// boardOf reads the profile that a configuration names: a file, whose path has a slash, or a known board.
func boardOf(cfg config.Config) (string, board.Profile, error) {
	name := cfg.Terminal.Board
	if strings.Contains(name, "/") {
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			return "", board.Profile{}, cfg.BoardProblem(fmt.Sprintf("there is no file %s; a relative path begins at "+
				"the configuration's directory (payterm board list has the boards that need no file)", name))
		}
		return readBoard(name)
	}
	text, err := boards.Read(name)
	if err != nil {
		return "", board.Profile{}, cfg.BoardProblem(fmt.Sprintf("%q: no board of this name; payterm board list names those that "+
			"are known, and a profile of your own is a file beside the configuration, such as %q", name, name+".toml"))
	}
	p, err := board.ReadProfile(name+".toml", text)
	return name + ".toml", p, err
}

type boardListCmd struct {
	JSON bool `help:"Print one JSON document." name:"json"`
}

func (c boardListCmd) Run() error {
	type known struct {
		Name   string `json:"name"`
		Board  string `json:"board"`
		Header string `json:"header,omitempty"` // of the known pins
	}
	var list []known
	for _, name := range boards.Names() {
		_, p, err := readBoard(name)
		if err != nil {
			return err
		}
		list = append(list, known{name, p.Board, headerOf(p)})
	}
	return store{JSON: c.JSON}.print(struct {
		Boards []known `json:"boards"`
	}{list}, func() {
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		for _, b := range list {
			fmt.Fprintf(w, "%s\t%s\n", b.Name, b.Board)
		}
		w.Flush() //nolint:errcheck // as fmt.Println has it
	})
}

// headerOf returns the name of a board's header, or "" if none is known.
func headerOf(p board.Profile) string {
	if h := p.Header(); h != nil {
		return h.Name
	}
	return ""
}

type boardCheckCmd struct {
	File string `arg:"" help:"Board profile: a file, or a name of payterm board list."`
	JSON bool   `help:"Print one JSON document." name:"json"`

	Config string `help:"Also check that the display can show the language of this configuration." type:"existingfile" placeholder:"FILE"`
}

// checked is the result of a check.
type checked struct {
	File     string             `json:"file"`
	OK       bool               `json:"ok"`
	Board    string             `json:"board,omitempty"`
	Header   string             `json:"header,omitempty"` // whose pins were checked
	Warnings []string           `json:"warnings,omitempty"`
	Problems []tomlfile.Problem `json:"problems,omitempty"`
}

func (c boardCheckCmd) Run() error {
	file, p, err := readBoard(c.File)
	if problems := problemsIn(err); len(problems) > 0 {
		return errors.Join(store{JSON: c.JSON}.print(checked{File: file, Problems: problems}, func() {}), err)
	}
	if err != nil {
		return err
	}
	if err := c.shows(p); err != nil {
		return errors.Join(store{JSON: c.JSON}.print(checked{File: file, Problems: problemsIn(err)}, func() {}), err)
	}
	found := checked{File: file, OK: true, Board: p.Board, Header: headerOf(p)}
	switch err := devices.CheckLogo(p); {
	case errors.Is(err, fs.ErrNotExist):
		found.Warnings = append(found.Warnings, err.Error())
	case err != nil:
		return fmt.Errorf("%s: %w", file, err)
	}
	return store{JSON: c.JSON}.print(found, func() {
		for _, w := range found.Warnings {
			fmt.Println("warning:", w)
		}
		pins := "" // what was not checked is printed too
		if found.Header == "" && hasPins(p) {
			pins = "; its header is not known, so that lines and buses were not held against it"
		}
		fmt.Printf("%s is right: %s%s\n", file, p.Board, pins)
	})
}

// shows returns an error if the board's display cannot show the configuration's language.
func (c boardCheckCmd) shows(p board.Profile) error {
	if c.Config == "" {
		return nil
	}
	cfg, err := config.Load(c.Config, os.Environ())
	if err != nil {
		return err
	}
	for _, problem := range cfg.Unshown(p.LettersOnly()) {
		err = errors.Join(err, problem)
	}
	return err
}

// hasPins reports whether a profile uses any pins.
func hasPins(p board.Profile) bool {
	return p.Display != nil && p.Display.SPI+p.Display.I2C != "" || p.Keypad != nil && p.Keypad.Kind == board.KindMatrix ||
		p.Signal != nil
}

// problemsIn returns all problems that an error joins.
func problemsIn(err error) []tomlfile.Problem {
	var one tomlfile.Problem
	var several interface{ Unwrap() []error }
	switch {
	case errors.As(err, &several):
		var all []tomlfile.Problem
		for _, e := range several.Unwrap() {
			all = append(all, problemsIn(e)...)
		}
		return all
	case errors.As(err, &one):
		return []tomlfile.Problem{one}
	}
	return nil
}

type boardShowCmd struct {
	File string `arg:"" help:"Board profile: a file, or a name of payterm board list."`
	JSON bool   `help:"Print one JSON document." name:"json"`
}

func (c boardShowCmd) Run() error {
	file, p, err := readBoard(c.File)
	if err != nil {
		return err
	}
	shown := struct {
		File   string       `json:"file"`
		Board  string       `json:"board"`
		Header string       `json:"header"`
		Wires  []connection `json:"wires"`
	}{file, p.Board, headerOf(p), connections(p)}
	return store{JSON: c.JSON}.print(shown, func() { fmt.Print(wiring(p)) })
}

// connection is one wire of a board.
type connection struct {
	Device string `json:"device"`
	Signal string `json:"signal"`
	Wire   string `json:"wire"`
	Pins   string `json:"pins,omitempty"` // on the board's header
}

// wiring returns a table of a board's wires, in Markdown.
func wiring(p board.Profile) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n| device | signal | wire |\n|---|---|---|\n", p.Board)
	for _, c := range connections(p) {
		wire := c.Wire
		if c.Pins != "" {
			wire += ", " + c.Pins
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", c.Device, c.Signal, wire)
	}
	return b.String()
}

// connections returns the wires that a profile names.
func connections(p board.Profile) []connection {
	var all []connection
	header := p.Header()
	add := func(device, what, wire string) {
		if wire != "" {
			all = append(all, connection{device, what, wire, header.Pins(wire)})
		}
	}
	if d := p.Display; d != nil {
		device := "display, " + d.Controller
		add(device, "bus", d.SPI)
		if d.I2C != "" {
			add(device, fmt.Sprintf("bus, address %#02x", d.Address), d.I2C)
		}
		add(device, "frame buffer", d.Device)
		add(device, "RS", d.RS)
		add(device, "E", d.Enable)
		for i, name := range d.Data {
			add(device, fmt.Sprintf("D%d", 4+i), name)
		}
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
