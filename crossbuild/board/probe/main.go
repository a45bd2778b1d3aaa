// Command probe runs beside the agent in the guests of the virtual board. It gives the host's tests access to
// what only the guest can reach, through hal and the drivers like the agent itself. The tests do all checking.
// It prints its findings on standard output, in lines that begin with "board:".
//
//	probe relay ADDRESS SOCKET       forwards TCP connections to the agent's socket
//	probe notify SOCKET              prints when a service reports READY=1 there, in seconds since the kernel's start
//	probe keys PROFILE               prints each key of the profile's matrix, up to ENTER
//	probe edges LINE N               prints the level of a line after each of N edges
//	probe i2c BUS ADDRESS WRITE N    writes bytes (in hex), then reads N
//	probe spi PORT WRITE             exchanges bytes (in hex)
//	probe oled PROFILE               draws a pattern on the profile's ssd1306
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"payterm"
	"payterm/board"
	"payterm/drivers/keypad"
	"payterm/drivers/lcd"
	"payterm/hal"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	words := map[string]struct {
		n  int
		do func([]string) error
	}{"relay": {2, relay}, "notify": {1, notify}, "keys": {1, keys}, "edges": {2, edges}, "i2c": {4, readI2C},
		"spi": {2, exchange}, "oled": {1, oled}}
	if len(args) == 0 || words[args[0]].do == nil || len(args)-1 != words[args[0]].n {
		return fmt.Errorf("%q: what is asked is not known", args)
	}
	return words[args[0]].do(args[1:])
}

func say(format string, args ...any) { fmt.Printf("board: "+format+"\n", args...) }

// relay runs until the guest ends. If nobody listens on the socket, it closes the connection, as the socket
// would refuse it.
func relay(args []string) error {
	l, err := net.Listen("tcp", args[0])
	if err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	for {
		caller, err := l.Accept()
		if err != nil {
			return fmt.Errorf("relay: %w", err)
		}
		go func() {
			defer caller.Close()
			agent, err := net.Dial("unix", args[1])
			if err != nil {
				return
			}
			go func() {
				io.Copy(agent, caller) //nolint:errcheck // either end may close at any time
				agent.Close()
			}()
			io.Copy(caller, agent) //nolint:errcheck // either end may close at any time
		}()
	}
}

// notify reads the agent's messages in systemd's place, until it is ended.
func notify(args []string) error {
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: args[0], Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	for b := make([]byte, 4096); ; {
		n, err := c.Read(b)
		if err != nil {
			return fmt.Errorf("notify: %w", err)
		}
		if slices.Contains(strings.Split(string(b[:n]), "\n"), "READY=1") {
			up, err := os.ReadFile("/proc/uptime")
			if err != nil {
				return err
			}
			since, _, _ := strings.Cut(string(up), " ")
			say("running %s", since)
		}
	}
}

// openBoard opens the ports of a profile.
func openBoard(path string) (*board.Board, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p, err := board.ReadProfile(path, text)
	if err != nil {
		return nil, err
	}
	ports, err := hal.Host()
	if err != nil {
		return nil, err
	}
	b := board.Open(p, ports)
	for _, err := range b.Faults {
		return nil, err
	}
	return b, nil
}

// row lets the host connect contacts. In a real matrix a column follows its row at once; here it follows when
// the host has read the rows and has answered with a line.
type row struct {
	gpio.PinIO
	host *bufio.Reader
}

func (r row) Out(l gpio.Level) error {
	if err := r.PinIO.Out(l); err != nil {
		return err
	}
	say("look")
	_, err := r.host.ReadString('\n')
	return err
}

func keys(args []string) error {
	b, err := openBoard(args[0])
	if err != nil {
		return err
	}
	host := bufio.NewReader(os.Stdin)
	var rows []keypad.Row
	var columns []keypad.Column
	for _, p := range b.Keypad.Rows {
		rows = append(rows, row{p, host})
	}
	for _, p := range b.Keypad.Columns {
		columns = append(columns, p)
	}
	m, err := keypad.New(rows, columns, b.Profile.Keypad.Keys, keypad.Options{Sleep: hal.Sleep})
	if err != nil {
		return err
	}
	ctx, end := context.WithTimeout(context.Background(), 5*time.Minute)
	defer end()
	err = m.Run(ctx, func(k payterm.Key) {
		say("key %s", k)
		if k == payterm.KeyEnter {
			end()
		}
	})
	return errors.Join(err, b.Close())
}

func edges(args []string) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	ports, err := hal.Host()
	if err != nil {
		return err
	}
	p, err := ports.Pin(args[0])
	if err != nil {
		return err
	}
	if err := p.In(gpio.PullUp, gpio.BothEdges); err != nil {
		return err
	}
	say("level %v", p.Read())
	for range n {
		if !p.WaitForEdge(time.Minute) {
			return errors.New("no edge within a minute")
		}
		say("level %v", p.Read())
	}
	return nil
}

func readI2C(args []string) error {
	address, err := strconv.ParseUint(args[1], 0, 7)
	if err != nil {
		return err
	}
	w, err := hex.DecodeString(args[2])
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	ports, err := hal.Host()
	if err != nil {
		return err
	}
	bus, err := ports.I2C(args[0])
	if err != nil {
		return err
	}
	r := make([]byte, n)
	if err := (&i2c.Dev{Bus: bus, Addr: uint16(address)}).Tx(w, r); err != nil {
		return err
	}
	say("read %x", r)
	return bus.Close()
}

func exchange(args []string) error {
	w, err := hex.DecodeString(args[1])
	if err != nil {
		return err
	}
	ports, err := hal.Host()
	if err != nil {
		return err
	}
	port, err := ports.SPI(args[0])
	if err != nil {
		return err
	}
	c, err := port.Connect(physic.MegaHertz, spi.Mode0, 8)
	if err != nil {
		return err
	}
	r := make([]byte, len(w))
	if err := c.Tx(w, r); err != nil {
		return err
	}
	say("read %x", r)
	return port.Close()
}

// ssd0303 is QEMU's chip of this family. It knows only one of the two ways to send commands: each byte after a
// control byte of its own (Co set). The driver uses the other, so this converts.
type ssd0303 struct{ conn.Conn }

func (c ssd0303) Tx(w, r []byte) error {
	if len(w) > 0 && w[0] == 0x00 {
		var each []byte
		for _, b := range w[1:] {
			each = append(each, 0x80, b)
		}
		w = each
	}
	return c.Conn.Tx(w, r)
}

// oled lights the dots where (x*x + 3*x*y + 7*y) mod 11 is below 5. The pattern differs from itself shifted or
// mirrored.
func oled(args []string) error {
	b, err := openBoard(args[0])
	if err != nil {
		return err
	}
	p := b.Profile.Display
	d, err := lcd.NewSSD1306(lcd.Wires{Conn: ssd0303{b.Display.Conn}}, lcd.Options{Width: p.Width, Height: p.Height,
		Contrast: p.Contrast, Sleep: hal.Sleep})
	if err != nil {
		return err
	}
	if err := d.Init(); err != nil {
		return err
	}
	img := image.NewRGBA(image.Rect(0, 0, p.Width, p.Height))
	for y := range p.Height {
		for x := range p.Width {
			img.Set(x, y, color.Black)
			if (x*x+3*x*y+7*y)%11 < 5 {
				img.Set(x, y, color.White)
			}
		}
	}
	return errors.Join(d.Send(img), b.Close())
}
