package board

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// sabrelite is an i.MX6 board. QEMU emulates its I2C and SPI controllers and the chips on them. The second UART
// is the console.
var sabrelite = machine{"armhf", "armv7", "qemu-system-arm", []string{"-M", "sabrelite", "-dtb",
	"../../build/board/armhf/imx6q-sabrelite.dtb"}, "console=ttymxc1"}

// wire is a connection to QEMU by a protocol of lines.
type wire struct {
	t *testing.T
	c net.Conn
	r *bufio.Reader
}

func dial(t *testing.T, path string) *wire {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		c, err := net.Dial("unix", path)
		if err == nil {
			t.Cleanup(func() { c.Close() })
			return &wire{t, c, bufio.NewReader(c)}
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

func (w *wire) ask(format string, args ...any) string {
	w.t.Helper()
	err := w.c.SetDeadline(time.Now().Add(time.Minute))
	if err == nil {
		_, err = fmt.Fprintf(w.c, format+"\n", args...)
	}
	line := ""
	if err == nil {
		line, err = w.r.ReadString('\n')
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// qtest sets lines and reads registers from outside the guest.
type qtest struct{ *wire }

func (q qtest) ask(format string, args ...any) string {
	q.t.Helper()
	said, fine := strings.CutPrefix(q.wire.ask(format, args...), "OK")
	if !fine {
		q.t.Fatalf("qtest: %s: %s", fmt.Sprintf(format, args...), said)
	}
	return strings.TrimSpace(said)
}

func (q qtest) register(address int) (v int) {
	q.t.Helper()
	if _, err := fmt.Sscanf(q.ask("readl %#x", address), "0x%x", &v); err != nil {
		q.t.Fatal(err)
	}
	return v
}

// qmp is QEMU's monitor.
type qmp struct{ *wire }

func newQMP(t *testing.T, path string) qmp {
	t.Helper()
	q := qmp{dial(t, path)}
	if _, err := q.r.ReadString('\n'); err != nil { // its greeting
		t.Fatal(err)
	}
	q.do("qmp_capabilities", nil, nil)
	return q
}

func (q qmp) do(command string, arguments map[string]any, into any) {
	q.t.Helper()
	call := map[string]any{"execute": command}
	if arguments != nil {
		call["arguments"] = arguments
	}
	text, err := json.Marshal(call)
	if err != nil {
		q.t.Fatal(err)
	}
	said := q.ask("%s", text)
	for strings.HasPrefix(said, `{"timestamp"`) { // an event
		if said, err = q.r.ReadString('\n'); err != nil {
			q.t.Fatal(err)
		}
	}
	var answer struct{ Return, Error json.RawMessage }
	err = json.Unmarshal([]byte(said), &answer)
	if err == nil && into != nil {
		err = json.Unmarshal(answer.Return, into)
	}
	if err != nil || answer.Error != nil {
		q.t.Fatalf("qmp: %s: %s %v", command, said, err)
	}
}

// chip returns the path of the machine's only device of a type.
func (q qmp) chip(kind string) string {
	q.t.Helper()
	var list []struct{ Name, Type string }
	q.do("qom-list", map[string]any{"path": "/machine/unattached"}, &list)
	for _, d := range list {
		if d.Type == "child<"+kind+">" {
			return "/machine/unattached/" + d.Name
		}
	}
	q.t.Fatalf("no %s among %v", kind, list)
	return ""
}

// probing starts a guest that runs probe.
func probing(t *testing.T, m machine, profile string, modules []string, more ...string) *guest {
	t.Helper()
	s := newSystem(t, m)
	s.copy(0o755, "init", "init")
	s.put(0o755, "dev/.keep", nil)
	s.base()
	s.copy(0o755, "board/probe", m.program("probe"))
	s.put(0o644, "board/board.toml", []byte(profile))
	s.modules(modules...)
	g := launch(t, m, s.archive(), 256, more...)
	g.wait("up")
	return g
}

// matrix simulates the contacts between rows and columns: a column is low while a pressed key connects it to a
// row that is driven low.
type matrix struct {
	rows, columns []int
	held          map[[2]int]bool // by row and column
}

// levels returns the levels of the columns, given the registers of the rows.
func (m matrix) levels(direction, data int) []int {
	levels := make([]int, len(m.columns))
	for c := range m.columns {
		levels[c] = 1
		for r, line := range m.rows {
			if m.held[[2]int{r, c}] && direction>>line&1 == 1 && data>>line&1 == 0 {
				levels[c] = 0
			}
		}
	}
	return levels
}

const (
	pl061      = 0x9030000
	pl061Data  = pl061 + 0x3fc // all eight lines
	pl061Dir   = pl061 + 0x400
	keyProfile = `board = "virtual"
[keypad]
kind = "matrix"
rows = ["9030000.pl061:0", "9030000.pl061:1", "9030000.pl061:2"]
columns = ["9030000.pl061:3", "9030000.pl061:4", "9030000.pl061:5", "9030000.pl061:6", "9030000.pl061:7"]
keys = [
	["1", "2", "3", "CANCEL", "F1"],
	["4", "5", "6", "CLEAR", "00"],
	["7", "8", "9", "0", "ENTER"],
]
`
)

// TestLinesOnTheVirtualBoard changes the lines of the machine's GPIO chip from outside: periph reports the
// edges, and key presses of a matrix arrive through hal and our driver.
func TestLinesOnTheVirtualBoard(t *testing.T) {
	if !*boot {
		t.Skip("make board-test")
	}
	sockets := t.TempDir()
	g := probing(t, arm64, keyProfile, nil, "-nodefaults", "-serial", "stdio",
		"-qtest", "unix:"+filepath.Join(sockets, "qtest")+",server=on,wait=off", "-qtest-log", os.DevNull,
		"-qmp", "unix:"+filepath.Join(sockets, "qmp")+",server=on,wait=off")
	q, chip := qtest{dial(t, filepath.Join(sockets, "qtest"))}, newQMP(t, filepath.Join(sockets, "qmp")).chip("pl061")
	set := func(line, level int) { q.ask("set_irq_in %s unnamed-gpio-in %d %d", chip, line, level) }

	set(6, 0)
	g.tell("probe edges 9030000.pl061:6 4")
	for i, want := range []string{"Low", "High", "Low", "High", "Low"} {
		if i > 0 {
			set(6, i%2)
		}
		if level := g.wait("level"); level != want {
			t.Errorf("edge %d: the level is %s, not %s", i, level, want)
		}
	}
	if said := g.wait("probed"); said != "0" {
		t.Errorf("edges: %s", said)
	}

	m := matrix{rows: []int{0, 1, 2}, columns: []int{3, 4, 5, 6, 7}, held: map[[2]int]bool{}}
	want := []string{"1", "2", "3", "CANCEL", "F1", "4", "5", "6", "CLEAR", "00", "7", "8", "9", "0", "ENTER"}
	var pressed []string
	looks := 0
	g.tell("probe keys /board/board.toml")
	for ended := false; !ended; {
		select {
		case said := <-g.said:
			word, rest, _ := strings.Cut(said, " ")
			switch word {
			case "look":
				// No key is pressed for 20 scans of all three rows, since a key that is down when the driver
				// starts counts as pressed before. Then each key is pressed for 20 scans and released for 20.
				clear(m.held)
				if n := looks / 3 / 20; n%2 == 1 && n/2 < len(want) {
					m.held[[2]int{n / 2 / len(m.columns), n / 2 % len(m.columns)}] = true
				}
				looks++
				for c, level := range m.levels(q.register(pl061Dir), q.register(pl061Data)) {
					set(m.columns[c], level)
				}
				g.tell("")
			case "key":
				pressed = append(pressed, rest)
			case "probed":
				ended = true
				if rest != "0" {
					t.Errorf("keys: %s", rest)
				}
			}
		case <-g.ended:
			t.Fatal("the guest ended")
		case <-time.After(2 * time.Minute):
			t.Fatalf("after %d looks nothing more, keys %q", looks, pressed)
		}
	}
	if !slices.Equal(pressed, want) {
		t.Errorf("keys %q, pressed were %q", pressed, want)
	}
	t.Logf("%d looks at rows, keys %q", looks, pressed)
}

// oledProfile is for QEMU's ssd0303, a predecessor of the ssd1306 with a smaller display. Like an SH1106 it has
// 132 columns and only page addressing; the driver concludes that from the width.
const oledProfile = `board = "virtual"
[display]
controller = "ssd1306"
i2c = "I2C0"
address = 0x3d
width = 132
height = 64
contrast = 207
`

// TestChipsOnTheVirtualBoard reaches QEMU's chips through periph on a real kernel's I2C and SPI, and draws on
// one of its displays.
func TestChipsOnTheVirtualBoard(t *testing.T) {
	if !*boot {
		t.Skip("make board-test")
	}
	dir := t.TempDir()
	eeprom := filepath.Join(dir, "eeprom")
	memory := make([]byte, 4096)
	for i := range memory {
		memory[i] = byte(rand.Uint32())
	}
	if err := os.WriteFile(eeprom, memory, 0o600); err != nil {
		t.Fatal(err)
	}
	g := probing(t, sabrelite, oledProfile, []string{"i2c-imx", "i2c-dev", "gpio-mxc", "spi-imx"}, "-serial", "null",
		"-serial", "stdio",
		"-device", "tmp105,id=thermometer,bus=i2c-bus.0,address=0x48",
		"-drive", "if=none,id=eeprom,format=raw,file="+eeprom, "-device",
		"at24c-eeprom,bus=i2c-bus.0,address=0x52,rom-size=4096,drive=eeprom",
		"-device", "ssd0303,id=glass,bus=i2c-bus.0,address=0x3d",
		"-qmp", "unix:"+filepath.Join(dir, "qmp")+",server=on,wait=off")
	monitor := newQMP(t, filepath.Join(dir, "qmp"))
	read := func(command string) string {
		t.Helper()
		g.tell("probe " + command)
		for {
			said := <-g.said
			word, rest, _ := strings.Cut(said, " ")
			switch word {
			case "read":
				g.wait("probed")
				return rest
			case "probed":
				t.Fatalf("%s: %s", command, rest)
			}
		}
	}
	// A thermometer reports the set temperature, in 1/16 of a degree above 4 unused bits.
	for degrees, want := range map[int]string{25: "1900", -2: "fe00"} {
		monitor.do("qom-set", map[string]any{"path": "/machine/peripheral/thermometer", "property": "temperature",
			"value": 1000 * degrees}, nil)
		if got := read("i2c I2C0 0x48 00 2"); got != want {
			t.Errorf("%d degrees are read as %s, not %s", degrees, got, want)
		}
	}
	if got, want := read("i2c I2C0 0x52 0110 32"), fmt.Sprintf("%x", memory[0x110:0x130]); got != want {
		t.Errorf("the EEPROM holds %s, read was %s", want, got)
	}
	// The flash's id (JEDEC, command 9F): SST25VF016B.
	g.tell("spidev")
	g.wait("spidev")
	if got := read("spi SPI0.0 9f000000"); !strings.HasSuffix(got, "bf2541") {
		t.Errorf("the flash answers %s, not bf2541", got)
	}

	g.tell("probe oled /board/board.toml")
	if said := g.wait("probed"); said != "0" {
		t.Fatalf("oled: %s", said)
	}
	path := filepath.Join(dir, "glass.png")
	monitor.do("screendump", map[string]any{"filename": path, "format": "png", "device": "glass"}, nil)
	judgeGlass(t, path)
}

// judgeGlass compares QEMU's picture of its ssd0303 with the pattern that probe drew.
func judgeGlass(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if wrong := wrongDots(picture); len(wrong) > 0 {
		t.Errorf("%v: %d dots are wrong: %v", picture.Bounds(), len(wrong), wrong[:min(len(wrong), 10)])
	}
}

// The display shows 96 by 16 dots of the RAM, from column 36 to the last.
const glassWidth, glassHeight, glassFrom = 96, 16, 36

func wrongDots(picture image.Image) (wrong []image.Point) {
	scale := picture.Bounds().Dx() / glassWidth
	for y := range glassHeight {
		for x := range glassWidth {
			lit := color.GrayModel.Convert(picture.At(x*scale+scale/2, y*scale+scale/2)).(color.Gray).Y > 127
			if at := x + glassFrom; lit != ((at*at+3*at*y+7*y)%11 < 5) {
				wrong = append(wrong, image.Pt(x, y))
			}
		}
	}
	return wrong
}

// TestWrongDots: judgeGlass refuses a picture that is shifted, mirrored or inverted.
func TestWrongDots(t *testing.T) {
	dot := func(x, y int) bool { return (x*x+3*x*y+7*y)%11 < 5 }
	for name, lit := range map[string]func(x, y int) bool{
		"":           dot,
		"a column":   func(x, y int) bool { return dot(x+1, y) },
		"a row":      func(x, y int) bool { return dot(x, y+1) },
		"sideways":   func(x, y int) bool { return dot(2*glassFrom+glassWidth-1-x, y) },
		"headfirst":  func(x, y int) bool { return dot(x, glassHeight-1-y) },
		"inverted":   func(x, y int) bool { return !dot(x, y) },
		"one dot":    func(x, y int) bool { return dot(x, y) != (x == 50 && y == 7) },
		"dark":       func(int, int) bool { return false },
		"other page": func(x, y int) bool { return dot(x, y+8) },
	} {
		picture := image.NewGray(image.Rect(0, 0, 2*glassWidth, 2*glassHeight))
		for y := range 2 * glassHeight {
			for x := range 2 * glassWidth {
				if lit(x/2+glassFrom, y/2) {
					picture.SetGray(x, y, color.Gray{Y: 255})
				}
			}
		}
		if wrong := wrongDots(picture); (len(wrong) == 0) != (name == "") {
			t.Errorf("%q: %d dots are wrong", name, len(wrong))
		}
	}
}

// TestMatrixContacts: a column follows a row that is driven low, through a pressed key, and nothing else.
func TestMatrixContacts(t *testing.T) {
	m := matrix{rows: []int{0, 1}, columns: []int{4, 5}, held: map[[2]int]bool{{1, 0}: true}}
	for _, c := range []struct {
		direction, data int
		want            []int
	}{
		{0b00, 0b00, []int{1, 1}}, // all rows float
		{0b10, 0b00, []int{0, 1}}, // its row is low
		{0b10, 0b10, []int{1, 1}}, // its row is high
		{0b01, 0b00, []int{1, 1}}, // another row is low
	} {
		if got := m.levels(c.direction, c.data); !slices.Equal(got, c.want) {
			t.Errorf("direction %02b, data %02b: columns %v, want %v", c.direction, c.data, got, c.want)
		}
	}
}
