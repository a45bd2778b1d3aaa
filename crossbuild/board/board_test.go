// Package board tests the agent on a virtual board: a machine of QEMU's with Debian's
// kernel and nothing else, whose serial lines lead to the emulated scanner and printer
// of this process, and whose gateway is the simulator. Nothing of the agent is
// replaced: it opens real ttys and a real GPIO chip. make board-test runs it.
package board

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/gateway/ottsim"
	"payterm/hal"
	"payterm/hal/emulated"
	"payterm/internal/tooltest"
)

var boot = flag.Bool("board", false, "boot the virtual board, for which make board-test has prepared")

const (
	signKey = "0123456789ABCDEF" // guards nothing
	host    = "10.0.2.2"         // this process's loopback, seen from the guest
	built   = "../../build/board/arm64"
	// The buzzer hangs on the machine's PL061; line 3 is its power key.
	profile = `board = "virtual"
[scanner]
device = "/dev/ttyS0" # a 16550 on PCI
baud = 9600
[printer]
device = "/dev/ttyUSB0" # an FTDI adapter
baud = 9600
cut = true
status = true
[signal]
buzzer = "9030000.pl061:5"
`
	config = `[terminal]
id = "T1"
board = "/etc/payterm/board.toml"
[merchant]
name = "Corner shop"
[gateway]
url = "https://` + host + `:%s/processV2"
merchant_id = "ON00000000"
operator_id = "0000000696"
call_back_url = "https://example.com/cb"
sign_key_file = "/etc/payterm/sign_key"
ca_file = "/etc/payterm/ca.pem"
`
)

// gateway is the simulator behind TLS, with a certificate that the guest is given.
func gateway(t *testing.T) (sim *httptest.Server, port string, ca []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.ParseIP(host)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	sim = httptest.NewUnstartedServer(ottsim.New(ottsim.Config{MerchantID: "ON00000000", SignKey: signKey, Seed: 1}))
	sim.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	sim.StartTLS()
	t.Cleanup(sim.Close)
	_, port, err = net.SplitHostPort(sim.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return sim, port, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// initramfs packs the guest's whole system.
func initramfs(t *testing.T, gatewayPort string, ca []byte) string {
	t.Helper()
	root := t.TempDir()
	put := func(mode os.FileMode, place string, text []byte) {
		t.Helper()
		path := filepath.Join(root, place)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, mode); err != nil {
			t.Fatal(err)
		}
	}
	copied := func(mode os.FileMode, place, from string) {
		t.Helper()
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		put(mode, place, text)
	}
	copied(0o755, "init", "init")
	copied(0o755, "bin/busybox", built+"/busybox")
	copied(0o755, "usr/bin/payterm", "../../build/arm64/payterm")
	put(0o644, "etc/payterm/board.toml", []byte(profile))
	put(0o644, "etc/payterm/payterm.toml", fmt.Appendf(nil, config, gatewayPort))
	put(0o600, "etc/payterm/sign_key", []byte(signKey+"\n"))
	put(0o644, "etc/payterm/ca.pem", ca)
	release, err := os.ReadFile(built + "/release")
	if err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	loaded := map[string]bool{}
	for _, module := range []string{"virtio_pci", "virtio_net", "xhci-pci", "ftdi_sio"} {
		out, err := exec.Command("/sbin/modprobe", "-d", built, "-S", strings.TrimSpace(string(release)), "--show-depends", module).Output()
		if err != nil {
			t.Fatalf("modprobe %s: %v", module, err)
		}
		for line := range strings.Lines(string(out)) { // insmod PATH
			f := strings.Fields(line)
			if f[0] != "insmod" || loaded[f[1]] {
				continue
			}
			loaded[f[1]] = true
			copied(0o644, "modules/"+filepath.Base(f[1]), f[1])
			fmt.Fprintf(&list, "/modules/%s\n", filepath.Base(f[1]))
		}
	}
	put(0o644, "modules.list", []byte(list.String()))
	if err := os.Mkdir(filepath.Join(root, "dev"), 0o755); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "initramfs")
	tooltest.Need(t, "cpio")
	pack := exec.Command("sh", "-c", `find . | cpio -o -H newc --quiet | gzip -1 >"$0"`, archive)
	pack.Dir = root
	if out, err := pack.CombinedOutput(); err != nil {
		t.Fatalf("cpio: %v: %s", err, out)
	}
	return archive
}

// guest is a machine that runs.
type guest struct {
	t       *testing.T
	console io.Writer
	said    chan string // lines of the console that begin with board:
	ended   chan struct{}
	log     []string // all lines; to be read after ended
}

func start(t *testing.T, archive, scanner, printer string) *guest {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	cmd := exec.CommandContext(ctx, tooltest.Need(t, "qemu-system-aarch64"),
		"-M", "virt", "-cpu", "cortex-a53", "-smp", "2", "-m", "256", "-nodefaults", "-nographic", "-no-reboot",
		"-kernel", built+"/vmlinuz", "-initrd", archive, "-append", "console=ttyAMA0 quiet panic=-1",
		"-serial", "stdio",
		"-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile=",
		"-chardev", "serial,id=scanner,path="+scanner, "-device", "pci-serial,chardev=scanner",
		"-device", "qemu-xhci", "-chardev", "serial,id=printer,path="+printer, "-device", "usb-serial,chardev=printer",
	)
	console, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	g := &guest{t: t, console: console, said: make(chan string, 100), ended: make(chan struct{})}
	go func() {
		defer close(g.ended)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			g.log = append(g.log, lines.Text())
			if said, ours := strings.CutPrefix(strings.TrimSpace(lines.Text()), "board: "); ours {
				g.said <- said
			}
		}
		cmd.Wait() //nolint:errcheck // a guest that was ended by us
	}()
	t.Cleanup(func() {
		stop()
		<-g.ended
		if t.Failed() {
			t.Logf("the console:\n%s", strings.Join(g.log, "\n"))
		}
	})
	return g
}

// tell gives the guest a command.
func (g *guest) tell(command string) {
	g.t.Helper()
	if _, err := io.WriteString(g.console, command+"\n"); err != nil {
		g.t.Fatal(err)
	}
}

// wait gives what the guest says after word.
func (g *guest) wait(word string) string {
	g.t.Helper()
	late := time.After(2 * time.Minute)
	for {
		select {
		case said := <-g.said:
			if rest, ours := strings.CutPrefix(said, word+" "); ours {
				return rest
			}
		case <-g.ended:
			g.t.Fatalf("the guest ended before it said %s", word)
		case <-late:
			g.t.Fatalf("the guest does not say %s", word)
		}
	}
}

// waitState asks until the agent is in that state.
func (g *guest) waitState(state string) {
	g.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		g.tell("status")
		said := g.wait("status")
		var s struct {
			State   string
			Devices map[string]string
		}
		if err := json.Unmarshal([]byte(said), &s); err != nil {
			g.t.Fatalf("status %q: %v", said, err)
		}
		if len(s.Devices) > 0 {
			g.t.Fatalf("devices that do not work: %q", s.Devices)
		}
		if s.State == state {
			return
		}
		if time.Now().After(end) {
			g.t.Fatalf("the state is %s, not %s", s.State, state)
		}
	}
}

// TestSaleOnTheVirtualBoard: a whole Passive sale over real ttys.
func TestSaleOnTheVirtualBoard(t *testing.T) {
	if !*boot {
		t.Skip("make board-test")
	}
	p, err := hal.ReadProfile("virtual.toml", []byte(profile))
	if err != nil {
		t.Fatal(err)
	}
	devices, err := emulated.New(emulated.Config{Profile: p, Scale: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer devices.Close()
	scanner, err := devices.Device(p.Scanner.Device)
	if err != nil {
		t.Fatal(err)
	}
	printer, err := devices.Device(p.Printer.Device)
	if err != nil {
		t.Fatal(err)
	}
	sim, port, ca := gateway(t)
	began := time.Now()
	g := start(t, initramfs(t, port, ca), scanner, printer)
	up := g.wait("up")
	g.tell("run")
	running := strings.Fields(g.wait("running")) // begun, ready, VmRSS: n kB
	if len(running) != 5 {
		t.Fatalf("running %q", running)
	}
	t.Logf("host: ready %.1f s after the machine's start; guest: up at %s s, agent begun at %s s, ready at %s s", time.Since(began).Seconds(), up, running[0], running[1])
	g.waitState("idle")

	g.tell("sale --mode passive --amount 12.34")
	g.waitState("scan")
	if err := devices.Scan(wallet(t, sim)); err != nil {
		t.Fatal(err)
	}
	status, said, _ := strings.Cut(g.wait("sale"), " ")
	var order payterm.Order
	if err := json.Unmarshal([]byte(said), &order); err != nil || status != "0" || order.Outcome != payterm.Approved || order.AmountMinor != 1234 {
		t.Fatalf("the sale: status %s, %v: %s", status, err, said)
	}
	printed := func() string { _, text := devices.Paper(); return text }
	for end := time.Now().Add(time.Minute); !strings.Contains(printed(), string(order.ID)) && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	if text := printed(); !strings.Contains(text, "Corner shop") || !strings.Contains(text, string(order.ID)) || !strings.Contains(text, "12.34") {
		t.Errorf("the paper:\n%s", text)
	}
	for _, v := range devices.Violations() {
		t.Errorf("the chips did not accept: %v", v)
	}
	g.tell("memory")
	memory := g.wait("memory") // VmHWM: n kB
	if kB, err := strconv.Atoi(strings.Fields(memory)[1]); err != nil || kB > 25_000 {
		t.Errorf("resident at most: %s, 25 MB are allowed", memory)
	}
	g.tell("end")
	if end := g.wait("ended"); !strings.HasPrefix(end, "0 ") {
		t.Errorf("the end: %s", end)
	} else {
		t.Logf("sale approved and printed; %s; at its end: %s; %.1f s in all", memory, end, time.Since(began).Seconds())
	}
}

// wallet makes a customer at the simulator and gives a payment code.
func wallet(t *testing.T, sim *httptest.Server) string {
	t.Helper()
	c := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // our own simulator, on loopback
	resp, err := c.Post(sim.URL+"/sim/wallets", "application/json", strings.NewReader(`{"biz_type":"ALIPAY","balance_minor":5000}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var w struct{ Code string }
	if err := json.NewDecoder(resp.Body).Decode(&w); err != nil || w.Code == "" {
		t.Fatalf("no wallet: %+v %v", w, err)
	}
	return w.Code
}
