// Package board tests the agent on a virtual board: a QEMU machine with Debian's kernel and nothing else. Its
// serial lines lead to the emulated scanner and printer in this process, and its gateway is the simulator.
// Nothing of the agent is replaced: it opens real ttys and a real GPIO chip. make board-test runs it.
package board

import (
	"archive/tar"
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
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/gateway/ottsim"
	"payterm/hal/emulated"
	"payterm/internal/tooltest"
)

var boot = flag.Bool("board", false, "boot the virtual board, for which make board-test has prepared")

const (
	signKey = "0123456789ABCDEF" // not a secret
	// Limits of the agent on a board.
	maxStart    = 2.0    // seconds from its start until it is ready
	maxResident = 25_000 // peak, in kB

	host = "10.0.2.2" // this process's loopback, seen from the guest
	// The buzzer is on a line of the machine's PL061; line 3 is the power key.
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
board = "/board/board.toml"
[merchant]
name = "Corner shop"
[gateway]
url = "https://` + host + `:%s/processV2"
merchant_id = "ON00000000"
operator_id = "0000000696"
call_back_url = "https://example.com/cb"
sign_key_file = "/etc/payterm/sign_key"
ca_file = "/board/ca.pem"
`
)

// machine is a kind of board that QEMU emulates.
type machine struct {
	arch   string // Debian's name: build/board/ARCH has its kernel
	target string // of crossbuild/targets.tsv
	qemu   string
	model  []string
	boot   string // the kernel's command line, which names the console
}

// consoleAndGlass keeps the console off the screen, as a profile with a frame buffer requires, and keeps the
// name eth0 under udev.
const consoleAndGlass = "console=ttyAMA0 fbcon=map:1 vt.global_cursor_default=0 net.ifnames=0"

var (
	arm64 = machine{"arm64", "arm64", "qemu-system-aarch64", []string{"-M", "virt", "-cpu", "cortex-a53", "-smp", "2"},
		consoleAndGlass}
	armv7 = machine{"armhf", "armv7", "qemu-system-arm", []string{"-M", "virt,highmem=off", "-cpu", "cortex-a7", "-smp",
		"2"}, consoleAndGlass}
)

// built returns the path of a file that fetch downloaded for the machine.
func (m machine) built(name string) string { return "../../build/board/" + m.arch + "/" + name }

// program returns the path of a program built for the machine.
func (m machine) program(name string) string { return "../../build/" + m.target + "/" + name }

// gateway is the simulator behind TLS; the guest gets its certificate. watch wraps its handler.
func gateway(t *testing.T, watch func(http.Handler) http.Handler) (sim *httptest.Server, port string, ca []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.ParseIP(host)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	sim = httptest.NewUnstartedServer(watch(ottsim.New(ottsim.Config{MerchantID: "ON00000000", SignKey: signKey,
		Seed: 1})))
	sim.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		MinVersion: tls.VersionTLS12}
	sim.StartTLS()
	t.Cleanup(sim.Close)
	_, port, err = net.SplitHostPort(sim.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return sim, port, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func unwatched(h http.Handler) http.Handler { return h }

// system is the initramfs of a guest, under construction.
type system struct {
	machine
	t    *testing.T
	path string
	out  *bufio.Writer
	dirs map[string]bool
	n    int
}

func newSystem(t *testing.T, m machine) *system {
	t.Helper()
	path := filepath.Join(t.TempDir(), "initramfs")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &system{machine: m, t: t, path: path, out: bufio.NewWriterSize(f, 1<<20), dirs: map[string]bool{}}
}

// entry adds a file of cpio's newc format; mode includes the file type.
func (s *system) entry(place string, mode uint32, uid, gid, major, minor int, body []byte) {
	s.n++
	fmt.Fprintf(s.out, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00",
		s.n, mode, uid, gid, 1, 0, len(body), 0, 0, major, minor, len(place)+1, 0, place)
	s.out.Write(make([]byte, -(110+len(place)+1)&3)) //nolint:errcheck // Flush reports an error
	s.out.Write(body)                                //nolint:errcheck // Flush reports an error
	s.out.Write(make([]byte, -len(body)&3))          //nolint:errcheck // Flush reports an error
}

const (
	typeDir  = 0o040000
	typeFile = 0o100000
	typeLink = 0o120000
	typeChar = 0o020000
)

// put adds a file owned by root, and the directories above it.
func (s *system) put(mode uint32, place string, text []byte) {
	for i, c := range place {
		if dir := place[:i]; c == '/' && !s.dirs[dir] {
			s.dirs[dir] = true
			s.entry(dir, typeDir|0o755, 0, 0, 0, 0, nil)
		}
	}
	s.entry(place, typeFile|mode, 0, 0, 0, 0, text)
}

func (s *system) copy(mode uint32, place, from string) {
	s.t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		s.t.Fatal(err)
	}
	s.put(mode, place, text)
}

// unpack adds a whole tar file.
func (s *system) unpack(path string) {
	s.t.Helper()
	f, err := os.Open(path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	bodies := map[string][]byte{}
	for archive := tar.NewReader(bufio.NewReaderSize(f, 1<<20)); ; {
		h, err := archive.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			s.t.Fatal(err)
		}
		place, mode := strings.Trim(strings.TrimPrefix(h.Name, "."), "/"), uint32(h.Mode)
		switch h.Typeflag {
		case tar.TypeDir:
			s.dirs[place] = true
			if place != "" {
				s.entry(place, typeDir|mode, h.Uid, h.Gid, 0, 0, nil)
			}
		case tar.TypeReg:
			body, err := io.ReadAll(archive)
			if err != nil {
				s.t.Fatal(err)
			}
			bodies[place] = body
			s.entry(place, typeFile|mode, h.Uid, h.Gid, 0, 0, body)
		case tar.TypeLink: // stored as a copy
			s.entry(place, typeFile|mode, h.Uid, h.Gid, 0, 0,
				bodies[strings.Trim(strings.TrimPrefix(h.Linkname, "."), "/")])
		case tar.TypeSymlink:
			s.dirs[place] = true // /bin is /usr/bin
			s.entry(place, typeLink|0o777, h.Uid, h.Gid, 0, 0, []byte(h.Linkname))
		case tar.TypeChar:
			s.entry(place, typeChar|mode, h.Uid, h.Gid, int(h.Devmajor), int(h.Devminor), nil)
		default:
			s.t.Fatalf("%s: %s has type %c", path, h.Name, h.Typeflag)
		}
	}
}

// base adds what every guest needs.
func (s *system) base() {
	s.t.Helper()
	s.copy(0o755, "bin/busybox", s.built("busybox"))
	s.copy(0o644, "board/commands", "commands")
}

// board adds the files below /board of a guest that sells, with the kernel modules that all of them need and
// more.
func (s *system) board(gatewayPort string, ca []byte, more ...string) {
	s.t.Helper()
	s.base()
	s.put(0o644, "board/board.toml", []byte(profile))
	s.put(0o644, "board/payterm.toml", fmt.Appendf(nil, config, gatewayPort))
	s.put(0o600, "board/sign_key", []byte(signKey+"\n"))
	s.put(0o644, "board/ca.pem", ca)
	s.modules(append([]string{"virtio_pci", "virtio_net", "xhci-pci", "ftdi_sio"}, more...)...)
}

// modules adds the kernel modules that the guest loads, with their dependencies.
func (s *system) modules(names ...string) {
	s.t.Helper()
	release, err := os.ReadFile(s.built("release"))
	if err != nil {
		s.t.Fatal(err)
	}
	var list strings.Builder
	loaded := map[string]bool{}
	for _, module := range names {
		out, err := exec.Command("/sbin/modprobe", "-d", s.built(""), "-S", strings.TrimSpace(string(release)),
			"--show-depends", module).Output()
		if err != nil {
			s.t.Fatalf("modprobe %s: %v", module, err)
		}
		for line := range strings.Lines(string(out)) { // insmod PATH
			f := strings.Fields(line)
			if f[0] != "insmod" || loaded[f[1]] {
				continue
			}
			loaded[f[1]] = true
			s.copy(0o644, "board/modules/"+filepath.Base(f[1]), f[1])
			fmt.Fprintf(&list, "/board/modules/%s\n", filepath.Base(f[1]))
		}
	}
	s.put(0o644, "board/modules.list", []byte(list.String()))
}

// archive completes the initramfs and returns its path.
func (s *system) archive() string {
	s.t.Helper()
	s.entry("TRAILER!!!", 0, 0, 0, 0, 0, nil)
	if err := s.out.Flush(); err != nil {
		s.t.Fatal(err)
	}
	return s.path
}

// guest is a running machine.
type guest struct {
	t       *testing.T
	console io.Writer
	said    chan string // lines of the console that begin with board:
	ended   chan struct{}
	kill    func()   // ends the machine like a power cut
	log     []string // all lines; read it only after ended is closed
}

// start starts a machine with a network, a scanner and a printer.
func start(t *testing.T, m machine, archive string, megabytes int, d *devices, more ...string) *guest {
	t.Helper()
	return launch(t, m, archive, megabytes, append([]string{
		"-nodefaults", "-serial", "stdio",
		"-netdev", "user,id=net" + d.forward, "-device", "virtio-net-pci,netdev=net,romfile=",
		"-chardev", "serial,id=scanner,path=" + d.scanner, "-device", "pci-serial,chardev=scanner",
		"-device", "qemu-xhci,id=usb", "-chardev", "serial,id=printer,path=" + d.printer, "-device",
		"usb-serial,chardev=printer",
	}, more...)...)
}

func launch(t *testing.T, m machine, archive string, megabytes int, more ...string) *guest {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
	cmd := exec.CommandContext(ctx, tooltest.Need(t, m.qemu), slices.Concat(m.model, []string{
		"-m", strconv.Itoa(megabytes), "-display", "none", "-no-reboot",
		"-kernel", m.built("vmlinuz"), "-initrd", archive, "-append", m.boot + " quiet panic=-1",
	}, more)...)
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
	g := &guest{t: t, console: console, said: make(chan string, 100), ended: make(chan struct{}), kill: stop}
	go func() {
		defer close(g.ended)
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 16<<20) // a journal is one line
		for lines.Scan() {
			g.log = append(g.log, lines.Text())
			if said, ours := strings.CutPrefix(strings.TrimSpace(lines.Text()), "board: "); ours {
				g.said <- said
			}
		}
		cmd.Wait() //nolint:errcheck // fails if the test ended the guest
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

// tell sends the guest a command.
func (g *guest) tell(command string) {
	g.t.Helper()
	if _, err := io.WriteString(g.console, command+"\n"); err != nil {
		g.t.Fatal(err)
	}
}

// wait returns the rest of the guest's line that begins with word.
func (g *guest) wait(word string) string {
	g.t.Helper()
	late := time.After(4 * time.Minute)
	for {
		select {
		case said := <-g.said:
			first, rest, _ := strings.Cut(said, " ")
			if first == "wrong" {
				g.t.Errorf("the guest: %s", rest)
			}
			if first == word {
				return rest
			}
		case <-g.ended:
			g.t.Fatalf("the guest ended before it said %s", word)
		case <-late:
			g.t.Fatalf("the guest does not say %s", word)
		}
	}
}

// status is the agent's status.
type status struct {
	State   string
	Devices map[string]string // those that do not work, with the reason
}

func (g *guest) status() (s status) {
	g.t.Helper()
	g.tell("status")
	said := g.wait("status")
	if err := json.Unmarshal([]byte(said), &s); err != nil {
		g.t.Fatalf("status %q: %v", said, err)
	}
	return s
}

// waitState waits until the agent is in a state.
func (g *guest) waitState(state string) {
	g.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		s := g.status()
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

// devices are the scanner and the printer at the host's end of the serial lines.
type devices struct {
	*emulated.Board
	t                *testing.T
	sim              *httptest.Server
	scanner, printer string // paths of their PTYs
	forward          string // host ports that are forwarded into the guest
}

// newDevices makes devices. At the end of the test it reports every rule of theirs that the agent broke.
func newDevices(t *testing.T, sim *httptest.Server) *devices {
	t.Helper()
	d := openDevices(t, sim)
	t.Cleanup(func() {
		for _, v := range d.Violations() {
			t.Errorf("the chips did not accept: %v", v)
		}
		d.Close()
	})
	return d
}

func openDevices(t *testing.T, sim *httptest.Server) *devices {
	t.Helper()
	p, err := board.ReadProfile("virtual.toml", []byte(profile))
	if err != nil {
		t.Fatal(err)
	}
	board, err := emulated.New(emulated.Config{Profile: p, Scale: 1})
	if err != nil {
		t.Fatal(err)
	}
	d := &devices{Board: board, t: t, sim: sim}
	if d.scanner, err = board.Device(p.Scanner.Device); err == nil {
		d.printer, err = board.Device(p.Printer.Device)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sell makes a Passive sale from the start to the slip.
func (d *devices) sell(g *guest) payterm.Order {
	d.t.Helper()
	return d.sellBy(g, func(code string) {
		d.t.Helper()
		if err := d.Scan(code); err != nil {
			d.t.Fatal(err)
		}
	})
}

// sellBy is sell with a function that reads the code.
func (d *devices) sellBy(g *guest, read func(code string)) payterm.Order {
	d.t.Helper()
	g.tell("sale --mode passive --amount 12.34")
	g.waitState("scan")
	read(wallet(d.t, d.sim))
	status, said, _ := strings.Cut(g.wait("sale"), " ")
	var order payterm.Order
	if err := json.Unmarshal([]byte(said), &order); err != nil || status != "0" || order.Outcome != payterm.Approved ||
		order.AmountMinor != 1234 {
		d.t.Fatalf("the sale: status %s, %v: %s", status, err, said)
	}
	printed := func() string { _, text := d.Paper(); return text }
	for end := time.Now().Add(time.Minute); !strings.Contains(printed(), string(order.ID)) && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	if text := printed(); !strings.Contains(text, "Corner shop") || !strings.Contains(text, string(order.ID)) ||
		!strings.Contains(text, "12.34") {
		d.t.Errorf("the paper:\n%s", text)
	}
	return order
}

// TestSaleOnTheVirtualBoard: a complete Passive sale over real ttys.
func TestSaleOnTheVirtualBoard(t *testing.T) {
	if !*boot {
		t.Skip("make board-test")
	}
	for _, m := range []machine{arm64, armv7} {
		t.Run(m.target, func(t *testing.T) { saleOn(t, m) })
	}
}

func saleOn(t *testing.T, m machine) {
	sim, port, ca := gateway(t, unwatched)
	d := newDevices(t, sim)
	s := newSystem(t, m)
	s.copy(0o755, "init", "init")
	s.copy(0o755, "usr/bin/payterm", m.program("payterm"))
	s.copy(0o755, "board/probe", m.program("probe"))
	s.put(0o755, "dev/.keep", nil)
	s.board(port, ca)
	began := time.Now()
	g := start(t, s.machine, s.archive(), 256, d)
	up := g.wait("up")
	g.tell("run")
	// In seconds since the kernel's start. The host may be busy, so the fastest of a few starts counts.
	begun, ready := seconds(t, g.wait("begun")), seconds(t, g.wait("running"))
	took := ready - begun
	t.Logf("host: ready %.1f s after the machine's start; guest: up at %s s, agent begun at %.2f and ready at %.2f",
		time.Since(began).Seconds(), up, begun, ready)
	for tries := 0; took > maxStart && tries < 4; tries++ {
		g.tell("stop")
		g.wait("stopped")
		g.tell("run")
		begun := seconds(t, g.wait("begun"))
		took = min(took, seconds(t, g.wait("running"))-begun)
	}
	if took > maxStart {
		t.Errorf("the quickest start takes %.1f s, %.0f s are allowed", took, maxStart)
	}
	g.waitState("idle")
	d.sell(g)
	g.tell("memory")
	memory := g.wait("memory") // VmHWM: n kB
	if kB, err := strconv.Atoi(strings.Fields(memory)[1]); err != nil || kB > maxResident {
		t.Errorf("resident at most: %s, %d are allowed", memory, maxResident)
	}
	g.tell("end")
	if end := g.wait("ended"); !strings.HasPrefix(end, "0 ") {
		t.Errorf("the end: %s", end)
	} else {
		t.Logf("sale approved and printed; %s; at its end: %s; %.1f s in all", memory, end, time.Since(began).Seconds())
	}
}

func seconds(t *testing.T, text string) float64 {
	t.Helper()
	s, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPackageOnTheVirtualBoard: the package is installed on a Debian with systemd, sells from within its
// sandbox, is restarted by systemd, upgraded and removed. Journal and configuration survive.
func TestPackageOnTheVirtualBoard(t *testing.T) {
	if !*boot {
		t.Skip("make board-test")
	}
	sim, port, ca := gateway(t, unwatched)
	d := newDevices(t, sim)
	s := newSystem(t, arm64)
	s.unpack(s.built("system.tar"))
	s.board(port, ca)
	s.entry("init", typeLink|0o777, 0, 0, 0, 0, []byte("lib/systemd/systemd"))
	s.copy(0o755, "board/service", "service")
	s.put(0o644, "etc/systemd/system/board.service",
		[]byte("[Unit]\nAfter=dbus.service systemd-udevd.service\n[Service]\nExecStart=/board/service\nStandardError=tty\nTTYPath=/dev/console\n"))
	s.entry("etc/systemd/system/multi-user.target.wants/board.service", typeLink|0o777, 0, 0, 0, 0,
		[]byte("/etc/systemd/system/board.service"))
	s.entry("etc/systemd/system/serial-getty@ttyAMA0.service", typeLink|0o777, 0, 0, 0, 0, []byte("/dev/null"))
	for place, version := range map[string]string{"first": "v1.0.0", "second": "v1.1.0"} {
		s.copy(0o644, "board/"+place+".deb", filepath.Join(packed(t, version), "payterm_"+version[1:]+"_arm64.deb"))
	}
	began := time.Now()
	g := start(t, s.machine, s.archive(), 1536, d)
	up := g.wait("up")
	g.tell("install")
	g.wait("installed")
	g.tell("run")
	t.Logf("guest: up at %s s; running: %s", up, g.wait("running"))
	g.waitState("idle")
	d.sell(g)
	g.tell("crash")
	g.wait("crashed")
	g.waitState("idle")
	g.tell("upgrade")
	if upgraded := g.wait("upgraded"); upgraded != "1.1.0 1" {
		t.Errorf("after the upgrade: version and orders are %q", upgraded)
	}
	g.waitState("idle")
	d.sell(g)
	g.tell("remove")
	g.wait("removed")
	g.tell("end")
	<-g.ended
	t.Logf("installed, sold, crashed, hung, upgraded, sold, removed, purged: %.0f s", time.Since(began).Seconds())
}

// TestPlainOnTheVirtualBoard is the same with the tar file, on a system without systemd.
func TestPlainOnTheVirtualBoard(t *testing.T) {
	if !*boot {
		t.Skip("make board-test")
	}
	sim, port, ca := gateway(t, unwatched)
	d := newDevices(t, sim)
	s := newSystem(t, arm64)
	s.copy(0o755, "init", "init")
	s.copy(0o644, "board/plain", "plain")
	s.copy(0o755, "board/probe", s.program("probe"))
	s.put(0o755, "dev/.keep", nil)
	s.put(0o755, "etc/.keep", nil)
	s.put(0o755, "usr/bin/.keep", nil)
	s.board(port, ca, "usbhid", "hid-generic", "evdev")
	// The board's own mdev.conf, and what docs/porting.md adds to it.
	guide, err := os.ReadFile("../../docs/porting.md")
	if err != nil {
		t.Fatal(err)
	}
	rules := regexp.MustCompile(`(?m)^    \S+ +root:[a-z0-9]+ 660.*\n`).FindAllString(string(guide), -1)
	s.put(0o644, "etc/mdev.conf", []byte("null root:root 666\n"+strings.Join(rules, "")))
	s.copy(0o644, "board/plain.tar.gz", filepath.Join(packed(t, "v1.0.0"), "payterm-1.0.0-arm64.tar.gz"))
	began := time.Now()
	g := start(t, arm64, s.archive(), 512, d, "-device", "usb-kbd")
	g.wait("up")
	g.tell("install")
	g.wait("installed")
	g.tell("run")
	g.wait("running")
	g.waitState("idle")
	d.sell(g)
	g.tell("upgrade")
	g.wait("upgraded")
	g.tell("stop")
	if status := g.wait("stopped"); status != "0" {
		t.Errorf("the agent's end: %s", status)
	}
	g.tell("run")
	g.wait("running")
	g.waitState("idle")
	g.tell("stop")
	g.wait("stopped")
	g.tell("journal")
	if said := g.wait("journal"); !strings.HasPrefix(said, "0 ") || strings.Count(said, `"order_id"`) != 1 {
		t.Errorf("the journal after the upgrade: %s", said)
	}
	g.tell("remove")
	g.wait("removed")
	g.kill()
	<-g.ended
	t.Logf("installed from the tar file, sold, upgraded, removed: %.0f s", time.Since(began).Seconds())
}

// packed returns a directory with the packages of a version.
func packed(t *testing.T, version string) string {
	t.Helper()
	out := t.TempDir()
	pack := exec.Command("../package/build", "arm64", out)
	pack.Env = append(os.Environ(), "VERSION="+version, "SOURCE_DATE_EPOCH=1700000000")
	if text, err := pack.CombinedOutput(); err != nil {
		t.Fatalf("package: %v: %s", err, text)
	}
	return out
}

// control returns a client for the simulator's control calls.
func control() *http.Client {
	return &http.Client{Timeout: 20 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
}

// wallet makes a customer at the simulator and returns a payment code.
func wallet(t *testing.T, sim *httptest.Server) string {
	t.Helper()
	resp, err := control().Post(sim.URL+"/sim/wallets", "application/json",
		strings.NewReader(`{"biz_type":"ALIPAY","balance_minor":5000}`))
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
