package image

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"errors"
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
	"sync/atomic"
	"testing"
	"time"

	"payterm/gateway/ottsim"
	"payterm/internal/tooltest"
)

var ab = flag.Bool("ab", false, "boot the image that make image has made")

const (
	built   = "../../build/image/"
	name    = "payterm-arm64-virt"
	uboot   = "/usr/lib/u-boot/qemu_arm64/u-boot.bin"
	signKey = "0123456789ABCDEF" // not a secret
	host    = "10.0.2.2"         // this process's loopback, seen from the guest

	// Everything is emulated, on a machine that may be busy.
	stepTime = 20 * time.Minute
	wholeRun = 100 * time.Minute

	mebi      = 1 << 20
	dataAt    = 66 + 2*512 // MB, as crossbuild/image/build lays it
	dataMB    = 64
	grownByMB = 400 // a bundle is downloaded there, and leaves 128 MB free

	board = `board = "virtual"
[display]
controller = "fbdev"
device = "/dev/fb0"
bits = 32
width = 800
height = 480
`
	config = `[terminal]
id = "T1"
board = "/etc/payterm/board.toml"
[merchant]
name = "Corner shop"
[gateway]
url = "https://` + host + `:%[1]s/processV2"
merchant_id = "ON00000000"
operator_id = "0000000696"
call_back_url = "https://example.com/cb"
sign_key_file = "/etc/payterm/sign_key"
ca_file = "/etc/payterm/ca.pem"
[update]
url = "https://` + host + `:%[1]s/newest.raucb"
`

	// Changes to a version for the tests: it looks for newer versions soon after its start, and trusts this
	// process.
	soon = "[Timer]\nOnCalendar=\nRandomizedDelaySec=0\nOnActiveSec=1\n"
	look = "[Service]\nEnvironment=SSL_CERT_FILE=/etc/payterm/ca.pem\nStandardOutput=journal+console\nStandardError=journal+console\n"
)

// run runs a program and returns its output.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), stepTime)
	defer stop()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v: %s", name, args, err, out)
	}
	return string(out)
}

func put(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// hub is the simulator behind TLS, with the certificate for the guest.
type hub struct {
	sim    *ottsim.Sim
	asked  atomic.Int64           // number of requests by terminals
	newest atomic.Pointer[string] // the newest version's bundle, once there is one
	port   string
	ca     []byte
}

func gateway(t *testing.T) *hub {
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
	h := &hub{
		sim: ottsim.New(ottsim.Config{MerchantID: "ON00000000", SignKey: signKey, Seed: 1}),
		ca:  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".raucb") {
			if file := h.newest.Load(); file != nil {
				http.ServeFile(w, r, *file)
			} else {
				http.NotFound(w, r)
			}
			return
		}
		h.asked.Add(1)
		h.sim.ServeHTTP(w, r)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	if _, h.port, err = net.SplitHostPort(server.Listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	return h
}

// newDisk returns the image on a larger disk, provisioned by hand: with the terminal's configuration, and with
// a file of the test that has to survive everything.
func newDisk(t *testing.T, dir, port string, ca []byte) string {
	t.Helper()
	disk, data := filepath.Join(dir, "disk"), filepath.Join(dir, "data")
	run(t, "cp", "--sparse=always", built+name+".img", disk)
	run(t, "dd", "if="+disk, "of="+data, "bs=1M", fmt.Sprintf("skip=%d", dataAt), fmt.Sprintf("count=%d", dataMB),
		"conv=sparse")
	for file, text := range map[string]string{
		"payterm.toml": fmt.Sprintf(config, port), "board.toml": board, "sign_key": signKey + "\n",
		"ca.pem": string(ca), "mark": "survives\n",
	} {
		put(t, filepath.Join(dir, file), []byte(text))
	}
	owner := regexp.MustCompile(`User: +(\d+) +Group: +(\d+)`).FindStringSubmatch(run(t, "/sbin/debugfs", "-R",
		"stat payterm", data))
	if owner == nil {
		t.Fatal("the data partition has no folder of the agent's")
	}
	var script strings.Builder
	fmt.Fprintf(&script, "rm etc/payterm.toml\n")
	for file, mode := range map[string]string{"payterm.toml": "0100640", "board.toml": "0100644", "ca.pem": "0100644",
		"sign_key": "0100600", "mark": "0100600"} {
		fmt.Fprintf(&script, "write %s etc/%s\nsif etc/%s mode %s\nsif etc/%s uid %s\nsif etc/%s gid %s\n",
			filepath.Join(dir, file), file, file, mode, file, owner[1], file, owner[2])
	}
	put(t, filepath.Join(dir, "script"), []byte(script.String()))
	run(t, "/sbin/debugfs", "-w", "-f", filepath.Join(dir, "script"), data)
	run(t, "dd", "if="+data, "of="+disk, "bs=1M", fmt.Sprintf("seek=%d", dataAt), "conv=notrunc")
	info, err := os.Stat(disk)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(disk, info.Size()+grownByMB*mebi); err != nil {
		t.Fatal(err)
	}
	return disk
}

// bundles are made from the image's own root file system.
type bundles struct {
	dir string
	at  int64 // time of the image's source, in seconds since 1970
}

// bundle makes a bundle whose agent was built some seconds after the image's, or one that does not start. The
// seconds must be few: a terminal does not trust a clock that is before the time of its agent's source. also is
// added to systemd units, by name.
func (b bundles) bundle(t *testing.T, file string, later int64, starts bool, also ...[2]string) string {
	t.Helper()
	work := t.TempDir()
	root := filepath.Join(work, "rootfs.ext4")
	run(t, "cp", "--sparse=always", built+name+".rootfs.ext4", root)
	script := "rm usr/lib/systemd/systemd\n"
	if starts {
		agent := filepath.Join(work, "payterm")
		cmd := exec.CommandContext(t.Context(), tooltest.Need(t, "go"), "build", "-ldflags",
			fmt.Sprintf("-X main.version=%s -X main.built=%d -s -w -linkmode external -extldflags -static", file,
				b.at+later), "-o", agent, "../../cmd/payterm")
		cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CC=aarch64-linux-gnu-gcc", "CGO_ENABLED=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build the agent: %v: %s", err, out)
		}
		script = fmt.Sprintf("rm usr/bin/payterm\nwrite %s usr/bin/payterm\nsif usr/bin/payterm mode 0100755\n", agent)
	}
	lay := t.TempDir() // the content of work goes into the bundle
	for _, unit := range also {
		text, in := filepath.Join(lay, unit[0]), "etc/systemd/system/"+unit[0]+".d"
		put(t, text, []byte(unit[1]))
		script += fmt.Sprintf("mkdir %s\nwrite %s %s/test.conf\nsif %s/test.conf mode 0100644\n", in, text, in, in)
	}
	put(t, filepath.Join(lay, "script"), []byte(script))
	run(t, "/sbin/debugfs", "-w", "-f", filepath.Join(lay, "script"), root)
	os.Remove(filepath.Join(work, "payterm"))
	return b.pack(t, work, file, later)
}

// emptied returns a directory with a minimal root file system: a bundle that is refused because of its manifest
// needs no more.
func emptied(t *testing.T) string {
	t.Helper()
	work := t.TempDir()
	noise := make([]byte, mebi) // RAUC refuses a bundle that is compressed to nothing
	rand.Read(noise)
	put(t, filepath.Join(work, "rootfs.ext4"), noise)
	return work
}

// pack signs a directory with a root file system.
func (b bundles) pack(t *testing.T, work, file string, later int64) string {
	t.Helper()
	put(t, filepath.Join(work, "manifest.raucm"),
		fmt.Appendf(nil, "[update]\ncompatible=%s\nversion=%s\nbuild=%d\ndescription=store 1\n[bundle]\nformat=verity\n[image.rootfs]\nfilename=rootfs.ext4\n", name, file, b.at+later))
	out := filepath.Join(b.dir, file+".raucb")
	run(t, "rauc", "bundle", "--mksquashfs-args=-comp zstd -Xcompression-level 1", "--cert",
		"../../build/keys/cert.pem", "--key", "../../build/keys/key.pem", work, out)
	return out
}

// stick is a USB stick with files and without partitions, as some are sold.
func stick(t *testing.T, dir, label string, files ...string) string {
	t.Helper()
	path := filepath.Join(dir, label+".stick")
	size := int64(16 * mebi)
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	put(t, path, nil)
	if err := os.Truncate(path, (size/mebi+1)*mebi); err != nil {
		t.Fatal(err)
	}
	run(t, "/sbin/mkfs.vfat", "-n", "PAYTERM", path)
	run(t, "mcopy", slices.Concat([]string{"-i", path}, files, []string{"::"})...)
	return path
}

// machine is a virtual board with U-Boot as its firmware.
type machine struct {
	t       *testing.T
	began   time.Time
	cmd     *exec.Cmd
	lines   chan string // of the console
	monitor net.Conn
	replies *bufio.Reader
}

// start switches the machine on. devices are further arguments for QEMU; the log is appended to.
func start(t *testing.T, dir, disk, log string, devices ...string) *machine {
	t.Helper()
	socket := filepath.Join(dir, "qmp")
	os.Remove(socket)
	m := &machine{t: t, began: time.Now(), lines: make(chan string, 10_000)}
	m.cmd = exec.CommandContext(t.Context(), tooltest.Need(t, "qemu-system-aarch64"),
		slices.Concat([]string{"-M", "virt", "-cpu", "cortex-a53", "-smp", "2", "-m", "768",
			"-nodefaults", "-display", "none", "-serial", "stdio", "-bios", uboot,
			"-drive", "if=none,id=card,format=raw,file=" + disk, "-device", "virtio-blk-pci,drive=card,romfile=",
			"-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile=",
			"-device", "bochs-display,id=glass,xres=800,yres=480,romfile=", "-device", "i6300esb", "-device",
			"qemu-xhci",
			"-qmp", "unix:" + socket + ",server=on,wait=off"}, devices)...)
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	m.cmd.Stderr = m.cmd.Stdout
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.cut)
	words, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	go func() { // it ends with the machine
		defer close(m.lines)
		defer words.Close()
		for scan := bufio.NewScanner(out); scan.Scan(); {
			fmt.Fprintln(words, scan.Text())
			select {
			case m.lines <- scan.Text():
			default: // more lines than anybody waits for are dropped
			}
		}
	}()
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if m.monitor, err = net.Dial("unix", socket); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	m.replies = bufio.NewReader(m.monitor)
	m.tell("qmp_capabilities", nil)
	return m
}

// cut ends the machine like a power cut.
func (m *machine) cut() {
	m.cmd.Process.Kill() //nolint:errcheck // it may have ended
	m.cmd.Wait()         //nolint:errcheck // killed
}

// tell sends QEMU a command and returns its answer.
func (m *machine) tell(order string, arguments any) json.RawMessage {
	m.t.Helper()
	text, err := json.Marshal(map[string]any{"execute": order, "arguments": arguments})
	if arguments == nil {
		text, err = json.Marshal(map[string]any{"execute": order})
	}
	if err != nil {
		m.t.Fatal(err)
	}
	m.monitor.SetDeadline(time.Now().Add(time.Minute)) //nolint:errcheck // a read reports it
	if _, err := m.monitor.Write(append(text, '\n')); err != nil {
		m.t.Fatalf("%s: %v", order, err)
	}
	for {
		line, err := m.replies.ReadBytes('\n')
		if err != nil {
			m.t.Fatalf("%s: %v", order, err)
		}
		var reply struct{ Return, Error json.RawMessage }
		if err := json.Unmarshal(line, &reply); err != nil {
			m.t.Fatalf("%s: %v: %s", order, err, line)
		}
		if reply.Error != nil {
			m.t.Fatalf("%s: %s", order, reply.Error)
		}
		if reply.Return != nil {
			return reply.Return
		}
	}
}

// plug inserts a stick with its write lock on; unplug removes it.
func (m *machine) plug(path string) {
	m.t.Helper()
	m.insert(path, true, nil)
}

// insert inserts a stick; faults are those of QEMU's blkdebug.
func (m *machine) insert(path string, locked bool, faults []any) {
	m.t.Helper()
	file := map[string]any{"driver": "file", "filename": path, "read-only": locked}
	if faults != nil {
		file = map[string]any{"driver": "blkdebug", "image": file, "inject-error": faults}
	}
	m.tell("blockdev-add", map[string]any{"driver": "raw", "node-name": "stick", "read-only": locked, "file": file})
	m.tell("device_add", map[string]any{"driver": "usb-storage", "id": "stick", "drive": "stick"})
}

func (m *machine) unplug() {
	m.t.Helper()
	m.tell("device_del", map[string]any{"id": "stick"})
	time.Sleep(2 * time.Second) // the event that reports its end may come late
	m.tell("blockdev-del", map[string]any{"node-name": "stick"})
}

// written returns how many bytes the guest has written to its card.
func (m *machine) written() int64 {
	m.t.Helper()
	var stats []struct {
		Device string
		Stats  struct {
			Written int64 `json:"wr_bytes"`
		}
	}
	if err := json.Unmarshal(m.tell("query-blockstats", nil), &stats); err != nil {
		m.t.Fatal(err)
	}
	for _, s := range stats {
		if s.Device == "card" {
			return s.Stats.Written
		}
	}
	m.t.Fatal("no card in QEMU's statistics")
	return 0
}

// What the terminal prints, on a console without a log-in.
const (
	chose     = `payterm: slot ([AB]) of `
	refused   = `payterm: update: (\S+) is refused`
	installs  = `payterm: installing version`
	restarts  = `is installed; the terminal restarts`
	good      = `slot ([AB]) is good`
	proved    = `slot ([AB]) is healthy and good`
	fellBack  = `was not healthy: slot ([AB]) is back`
	unhealthy = `this version is not healthy`
	takeOut   = `the stick can be taken out`
	panicked  = `Kernel panic`
	handed    = `stick: parcel (\S+) is handed to the agent`
	wrote     = `stick: service/(\S+) is written`
	reported  = `stick: reports/(\S+) is written`
	unwritten = `stick: service/\S+ could not be written: it needs \d+ KB`
	noDoctor  = `without doctor\.json`
	locked    = `stick: it is write-protected`
)

var words = map[string]*regexp.Regexp{}

func init() {
	for _, w := range []string{chose, refused, installs, restarts, good, proved, fellBack, unhealthy, takeOut, panicked,
		reported, handed, wrote, unwritten, locked, noDoctor} {
		words[w] = regexp.MustCompile(w)
	}
}

// errOther means that the terminal printed something that ends the wait.
var errOther = errors.New("the terminal says otherwise")

// wait waits for a line that contains want, and returns what the line is about. A line with one of others ends
// the wait with an error.
func (m *machine) wait(want string, others ...string) (string, error) {
	m.t.Helper()
	late := time.NewTimer(stepTime)
	defer late.Stop()
	for {
		select {
		case <-late.C:
			return "", fmt.Errorf("no %q within %s", want, stepTime)
		case line, ok := <-m.lines:
			if !ok {
				return "", fmt.Errorf("the machine ended before %q", want)
			}
			if strings.Contains(line, "payterm") || strings.Contains(line, "stick[") ||
				words[panicked].MatchString(line) {
				m.t.Logf("%4.0f s  %s", time.Since(m.began).Seconds(), strings.TrimSpace(line))
			}
			if found := words[want].FindStringSubmatch(line); found != nil {
				return found[len(found)-1], nil
			}
			for _, w := range others {
				if words[w].MatchString(line) {
					return "", fmt.Errorf("%w: %q instead of %q", errOther, strings.TrimSpace(line), want)
				}
			}
		}
	}
}

func (m *machine) must(want, about string, others ...string) {
	m.t.Helper()
	got, err := m.wait(want, others...)
	if err != nil || about != "" && got != about {
		m.t.Fatalf("%v; %q, want %q of %q", err, got, about, want)
	}
}

// refuses checks that nothing is installed from a stick with these files.
func (m *machine) refuses(files ...string) error {
	m.t.Helper()
	for range files {
		got, err := m.wait(refused, restarts, takeOut)
		if err != nil {
			return err
		}
		if !slices.Contains(files, got) {
			return fmt.Errorf("%s is refused, of %q", got, files)
		}
	}
	_, err := m.wait(takeOut, restarts)
	return err
}

// TestAB takes a terminal through its updates; each step is described where it is.
func TestAB(t *testing.T) {
	if !*ab {
		t.Skip("make ab-test")
	}
	for _, tool := range []string{"rauc", "mcopy", "qemu-system-aarch64", "cp", "dd"} {
		tooltest.Need(t, tool)
	}
	os.Remove(built + "ab-test.log")
	began := time.Now()
	step := func(text string, args ...any) {
		t.Helper()
		if time.Since(began) > wholeRun {
			t.Fatalf("%s and not done", wholeRun)
		}
		t.Logf("%4.0f s: "+text, append([]any{time.Since(began).Seconds()}, args...)...)
	}
	dir, err := os.MkdirTemp("/var/tmp", "ab")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	h := gateway(t)
	step("a card, larger than the image, with a configuration and a mark on it")
	disk := newDisk(t, dir, h.port, h.ca)
	m := start(t, dir, disk, built+"ab-test.log")

	step("bundles, while the board starts")
	b := bundles{dir, imageTime(t)}
	second := b.bundle(t, "second", 1, true)
	run(t, "./keys", filepath.Join(dir, "foreign"), "foreign")
	foreign := filepath.Join(dir, "foreign.raucb")
	run(t, "rauc", "resign", "--keyring", "../../build/keys/cert.pem", "--signing-keyring",
		filepath.Join(dir, "foreign", "cert.pem"), "--cert", filepath.Join(dir, "foreign", "cert.pem"), "--key",
		filepath.Join(dir, "foreign", "key.pem"), second, foreign)
	tampered := filepath.Join(dir, "tampered.raucb")
	run(t, "cp", second, tampered)
	tamper(t, tampered)
	older := b.pack(t, emptied(t), "older", -1000)

	step("A boots and is good")
	m.must(chose, "A")
	m.must(good, "A", panicked)

	step("an older, a foreign-signed and a tampered bundle are refused")
	m.plug(stick(t, dir, "bad", older, foreign, tampered))
	if err := m.refuses("older.raucb", "foreign.raucb", "tampered.raucb"); err != nil {
		t.Fatal(err)
	}
	m.unplug()

	step("a newer one boots B, which proves itself; planted: the judge of refusals must not like it")
	m.plug(stick(t, dir, "second", second))
	if err := m.refuses("second.raucb"); !errors.Is(err, errOther) {
		t.Fatalf("a bundle that is installed counts as refused: %v", err)
	}
	m.unplug()
	m.must(chose, "B")
	m.must(proved, "B", panicked, good)

	step("one that is signed and does not start falls back to B by itself")
	broken := b.bundle(t, "broken", 2, false)
	m.plug(stick(t, dir, "broken", broken))
	m.must(restarts, "", takeOut)
	m.unplug()
	for range 3 {
		m.must(chose, "A")
		m.must(panicked, "")
	}
	m.must(chose, "B")
	m.must(fellBack, "B")
	m.must(good, "B")

	step("the power is cut while a version is written, and a commit of the file system torn; B boots as if nothing had been")
	third := b.bundle(t, "third", 3, true, [2]string{"payterm-update.timer", soon}, [2]string{"payterm-update.service",
		look})
	thirdStick := stick(t, dir, "third", third)
	m.plug(thirdStick)
	m.must(installs, "")
	before := m.written()
	for end := time.Now().Add(stepTime); m.written() < before+100*mebi; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing is written")
		}
	}
	m.cut()
	tear(t, disk)
	m = start(t, dir, disk, built+"ab-test.log")
	m.must(chose, "B")
	m.must(good, "B", panicked)

	step("the same version again, to the end: A boots and proves itself")
	m.plug(thirdStick)
	fourth := b.bundle(t, "fourth", 4, true)
	m.must(restarts, "", takeOut)
	m.unplug()
	m.must(chose, "A")
	h.newest.Store(&fourth)
	m.must(proved, "A", panicked)

	step("its timer fetches a newer one from the network, while nobody is there: B boots and proves itself")
	m.must(installs, "", refused)
	m.must(restarts, "", refused)
	m.must(chose, "B")
	m.must(proved, "B", panicked)

	step("the power is cut; what was on the data partition is there, and it has grown")
	m.cut()
	survived(t, dir, disk)
	step("done")
}

// imageTime returns the time of the image's source, as its bundle gives it.
func imageTime(t *testing.T) int64 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "rauc", "info", "--keyring", "../../build/keys/cert.pem",
		"--output-format=json", built+name+".raucb")
	out, err := cmd.Output()
	var m struct{ Build string }
	if err == nil {
		err = json.Unmarshal(out, &m)
	}
	at, numberErr := strconv.ParseInt(m.Build, 10, 64)
	if err = errors.Join(err, numberErr); err != nil {
		t.Fatalf("make image has left no bundle: %v: %s", err, out)
	}
	return at
}

// tear damages the newest commit of the data partition's journal, like a power cut in the middle of its block.
// The kernel does not mount such a file system; the file system check can repair it.
func tear(t *testing.T, disk string) {
	t.Helper()
	f, err := os.OpenFile(disk, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, dataAt*mebi, 1<<40))
	if err != nil {
		t.Fatal(err)
	}
	const block, magic, commit = 1024, 0xc03b3998, 2 // journal_header_t of linux/jbd2.h, big-endian
	newest, at := uint32(0), -1
	for b := 0; b+block <= len(text); b += block {
		word := func(n int) uint32 { return binary.BigEndian.Uint32(text[b+4*n:]) }
		if word(0) == magic && word(1) == commit && word(2) > newest {
			newest, at = word(2), b
		}
	}
	if at < 0 {
		t.Fatal("the data partition's journal has no commit")
	}
	if _, err := f.WriteAt([]byte("torn"), int64(dataAt*mebi+at+block-4)); err != nil {
		t.Fatal(err)
	}
}

// tamper changes a block in the middle of a bundle's payload, which the signature covers.
func tamper(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0x5a}, 4096), info.Size()/2/4096*4096); err != nil {
		t.Fatal(err)
	}
}

// dataOf returns the data partition of a card that was removed, repaired as at a start.
func dataOf(t *testing.T, dir, disk string) string {
	t.Helper()
	var table struct {
		Partitiontable struct {
			Partitions []struct {
				Name        string
				Start, Size int64
			}
		}
	}
	if err := json.Unmarshal([]byte(run(t, "/sbin/sfdisk", "--json", disk)), &table); err != nil {
		t.Fatal(err)
	}
	parts := table.Partitiontable.Partitions
	data := parts[len(parts)-1]
	if data.Name != "data" || data.Size*512 < (dataMB+grownByMB-4)*mebi {
		t.Errorf("the last partition is %s with %d MB", data.Name, data.Size*512/mebi)
	}
	image := filepath.Join(dir, "data.after")
	run(t, "dd", "if="+disk, "of="+image, "bs=1M", fmt.Sprintf("skip=%d", data.Start*512/mebi), "conv=sparse")
	if out, err := exec.CommandContext(t.Context(), "/sbin/e2fsck", "-fy", image).CombinedOutput(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() > 1 { // 1: the journal of a cut file system was replayed
			t.Errorf("e2fsck: %v: %s", err, out)
		}
	}
	if blocks := regexp.MustCompile(`Block count: +(\d+)`).FindStringSubmatch(run(t, "/sbin/debugfs", "-R", "stats -h",
		image)); blocks == nil {
		t.Error("no size of the file system")
	} else if n, _ := strconv.ParseInt(blocks[1], 10, 64); n < 200*mebi/4096 {
		t.Errorf("the file system has %d blocks", n)
	}
	return image
}

// survived checks what the terminal must have kept.
func survived(t *testing.T, dir, disk string) {
	t.Helper()
	image := dataOf(t, dir, disk)
	if mark := run(t, "/sbin/debugfs", "-R", "cat etc/mark", image); !strings.Contains(mark, "survives") {
		t.Errorf("the mark is %q", mark)
	}
	// The old version recorded its state before the update, and the new one is compared with that record.
	var before struct {
		Agent  bool
		Passed map[string]bool
	}
	kept := run(t, "/sbin/debugfs", "-R", "cat update/before.json", image)
	if err := json.Unmarshal([]byte(kept[strings.Index(kept, "{"):]), &before); err != nil || !before.Agent {
		t.Errorf("the version before did not answer: %v: %s", err, kept)
	}
	for _, check := range []string{"display bus", "journal", "records", "network encryption", "network answer",
		"network key"} {
		if !before.Passed[check] {
			t.Errorf("%s was not well before the last update", check)
		}
	}
	// As root, payterm reads it with the rights of the agent's user, who needs access.
	after := filepath.Join(dir, "after")
	if err := errors.Join(os.Mkdir(after, 0o755), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	run(t, "/sbin/debugfs", "-R", "rdump payterm "+after, image)
	log := logOf(t, dir, image)
	for _, broken := range brokenPromises(log) {
		t.Error(broken)
	}
	if !regexp.MustCompile(`Journal transaction \d+ was corrupt`).MatchString(log) {
		t.Error("nobody has met the torn commit")
	}
	t.Logf("journal: %s", strings.TrimSpace(run(t, "../../build/payterm", "journal", "verify", "--data",
		filepath.Join(after, "payterm"))))
}
