package board

import (
	"bytes"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"payterm"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// glass is a display that the kernel drives (a DRM frame buffer).
const glass = `[display]
controller = "fbdev"
device = "/dev/fb0"
bits = 32
width = 800
height = 480
`

// TestActiveSaleOnTheVirtualBoard: the code in the machine's own picture of its screen is the one that the
// gateway gave, and paying it completes the sale.
func TestActiveSaleOnTheVirtualBoard(t *testing.T) {
	if !*boot {
		t.Skip("make board-test")
	}
	sim, port, ca := gateway(t, unwatched)
	d := newDevices(t, sim)
	s := newSystem(t, arm64)
	s.copy(0o755, "init", "init")
	s.copy(0o755, "usr/bin/payterm", s.program("payterm"))
	s.copy(0o755, "board/probe", s.program("probe"))
	s.put(0o755, "dev/.keep", nil)
	s.board(port, ca, "bochs")
	s.put(0o644, "board/board.toml", []byte(profile+glass))
	socket := filepath.Join(t.TempDir(), "qmp")
	g := start(t, arm64, s.archive(), 512, d, "-device", "bochs-display,id=glass,xres=800,yres=480,romfile=", "-qmp",
		"unix:"+socket+",server=on,wait=off")
	monitor := newQMP(t, socket)
	g.wait("up")
	g.tell("run")
	g.wait("running")
	g.waitState("idle")
	g.tell("sale --mode active --wallet ALIPAY --amount 12.34")
	g.waitState("show_code")
	shown := ""
	for end := time.Now().Add(5 * time.Second); shown == "" &&
		time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		shown = code(t, monitor)
	}
	c := &counter{t: t, sim: sim, control: control()}
	ledger := c.ledger()
	if len(ledger) != 1 || shown == "" || shown != ledger[0].CodeURL {
		t.Fatalf("the screen shows %q, the ledger has %+v", shown, ledger)
	}
	c.ask("POST", "/sim/orders/"+string(ledger[0].ID)+"/pay", nil)
	status, said, _ := strings.Cut(g.wait("sale"), " ")
	var order payterm.Order
	if err := json.Unmarshal([]byte(said), &order); err != nil || status != "0" || order.Outcome != payterm.Approved {
		t.Fatalf("the sale: status %s, %v: %s", status, err, said)
	}
	for end := time.Now().Add(time.Minute); code(t, monitor) != ""; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the code of a sale that is paid stays on the screen")
		}
	}
	g.tell("end")
	if end := g.wait("ended"); !strings.HasPrefix(end, "0 ") {
		t.Errorf("the end: %s", end)
	}
}

// code reads the QR code from the machine's picture of its screen, as a phone does.
func code(t *testing.T, monitor qmp) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "glass.png")
	monitor.do("screendump", map[string]any{"filename": path, "format": "png", "device": "glass"}, nil)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		t.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil {
		return "" // no code is shown
	}
	return result.GetText()
}
