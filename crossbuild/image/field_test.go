package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"payterm/internal/tooltest"
)

var field = flag.Bool("field", false, "meet the image that make field-test has made as a field engineer does")

const (
	fieldBuilt = "../../build/field/"
	rootA      = 66 * mebi
	rootMB     = 512

	merchant = `[terminal]
id = "T1"
board = "/etc/payterm/board.toml"
[merchant]
name = "Corner shop"
[gateway]
url = "https://` + host + `:%s/processV2"
merchant_id = "ON00000000"
operator_id = "0000000696"
call_back_url = "https://example.com/cb"
`
)

// keyboards are the keypad and the scanner, on a second display: QEMU types on the keyboard of the named
// display.
var keyboards = []string{
	"-device", "bochs-display,id=other,romfile=",
	"-device", "usb-kbd,serial=keypad,port=1,display=glass",
	"-device", "usb-kbd,serial=scanner,port=2,display=other",
}

// types types characters on a US keyboard, so slowly that a guest on a busy host keeps up.
func (m *machine) types(display, text string, pause time.Duration) {
	m.t.Helper()
	send := func(down bool, key string) map[string]any {
		return map[string]any{"type": "key", "data": map[string]any{"down": down, "key": map[string]any{"type": "qcode",
			"data": key}}}
	}
	for _, sign := range text {
		key := strings.ToLower(string(sign))
		if sign == '\n' {
			key = "ret"
		}
		for _, down := range []bool{true, false} {
			events := []any{send(down, key)}
			if sign >= 'A' && sign <= 'Z' { // shift goes down first and up last
				events = []any{send(down, "shift"), send(down, key)}
				if !down {
					slices.Reverse(events)
				}
			}
			m.tell("input-send-event", map[string]any{"device": display, "head": 0, "events": events})
			time.Sleep(pause)
		}
	}
}

// press presses keys of the keypad.
func (m *machine) press(keys ...string) {
	m.t.Helper()
	for _, key := range keys {
		for _, down := range []bool{true, false} {
			m.tell("input-send-event", map[string]any{"device": "glass", "head": 0,
				"events": []any{map[string]any{"type": "key", "data": map[string]any{"down": down,
					"key": map[string]any{"type": "qcode", "data": key}}}}})
			time.Sleep(60 * time.Millisecond)
		}
	}
}

// picture saves the screen for people to look at, as build/field-N.png. It returns the colour of the bar, which
// shows the kind of screen.
func (m *machine) picture(n int) color.Color {
	m.t.Helper()
	name, err := filepath.Abs(fmt.Sprintf("../../build/field-%d.png", n))
	if err != nil {
		m.t.Fatal(err)
	}
	for end := time.Now().Add(stepTime); ; time.Sleep(200 * time.Millisecond) {
		m.tell("screendump", map[string]any{"filename": name, "device": "glass", "format": "png"})
		text, err := os.ReadFile(name)
		if err != nil {
			m.t.Fatal(err)
		}
		shown, err := png.Decode(bytes.NewReader(text))
		if err != nil {
			m.t.Fatal(err)
		}
		if len(text) > 2000 { // a black screen has 1200 bytes
			return color.RGBAModel.Convert(shown.At(shown.Bounds().Dx()/2, 5))
		}
		if time.Now().After(end) {
			m.t.Fatalf("the screen is dark: build/field-%d.png", n)
		}
	}
}

// until waits for a condition that does not show on the console.
func (m *machine) until(what string, true func() bool) {
	m.t.Helper()
	for end := time.Now().Add(stepTime); !true(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			m.t.Fatalf("%s: not within %s", what, stepTime)
		}
	}
	m.t.Logf("%4.0f s  %s", time.Since(m.began).Seconds(), what)
}

// parcelMaker makes parcels.
type parcelMaker struct {
	t   *testing.T
	dir string
}

// parcel makes a parcel and returns its file and its code.
func (m parcelMaker) parcel(name, terminal, life, signer string) (file, code string) {
	m.t.Helper()
	file = filepath.Join(m.dir, name+".ppv")
	var made struct{ Code string }
	said := run(m.t, "../../build/payterm", "provision", "make", "--json", "--config",
		filepath.Join(m.dir, "merchant.toml"),
		"--sign-key-file", filepath.Join(m.dir, "sign_key"), "--terminal", terminal, "--expires", life, "--signer",
		signer, "--out", file)
	if err := json.Unmarshal([]byte(said), &made); err != nil || made.Code == "" {
		m.t.Fatalf("provision make: %v: %s", err, said)
	}
	return file, strings.ReplaceAll(made.Code, " ", "")
}

// serviceStick is a FAT32 stick with a partition table, a directory for the service, and room bytes free.
func serviceStick(t *testing.T, dir, label string, room int, files ...string) string {
	t.Helper()
	const size, first = 64, 1 // MB
	path := filepath.Join(dir, label+".stick")
	put(t, path, nil)
	if err := os.Truncate(path, size*mebi); err != nil {
		t.Fatal(err)
	}
	layout := filepath.Join(dir, label+".layout")
	put(t, layout, []byte("label: dos\nstart=2048, type=c\n"))
	run(t, "sh", "-c", `/sbin/sfdisk -q "$0" <"$1"`, path, layout)
	run(t, "/sbin/mkfs.vfat", "-F", "32", "-n", "PAYTERM", "--offset", "2048", path, strconv.Itoa((size-first)*1024))
	inside := fmt.Sprintf("%s@@%dM", path, first)
	run(t, "mmd", "-i", inside, "::service")
	for _, f := range files {
		run(t, "mcopy", "-i", inside, f, "::")
	}
	if room > 0 {
		free := regexp.MustCompile(`([\d ]+) bytes free`).FindStringSubmatch(run(t, "mdir", "-i", inside, "::"))
		if free == nil {
			t.Fatal("mdir says nothing of room")
		}
		left, err := strconv.Atoi(strings.ReplaceAll(free[1], " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		filler := filepath.Join(dir, "filler")
		put(t, filler, nil)
		if err := os.Truncate(filler, int64(left-room)); err != nil {
			t.Fatal(err)
		}
		run(t, "mcopy", "-i", inside, filler, "::")
	}
	return path
}

// taken returns the files that the service finds in a bundle on a stick.
func taken(t *testing.T, dir, stickFile, name string) map[string]string {
	t.Helper()
	to := filepath.Join(dir, name)
	run(t, "mcopy", "-i", stickFile+"@@1M", "::service/"+name, to)
	packed, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	files := map[string]string{}
	for archive := tar.NewReader(zip); ; {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		files[strings.TrimPrefix(head.Name, "payterm/")] = string(text)
	}
	t.Logf("%s: %d bytes; without %s", name, len(packed), strings.Join(strings.Fields(files["missing.json"]), " "))
	return files
}

// wallet makes a customer at the simulator and returns a payment code.
func (h *hub) wallet(t *testing.T) string {
	t.Helper()
	var w struct{ Code string }
	answer := httptest.NewRecorder()
	h.sim.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/sim/wallets",
		strings.NewReader(`{"biz_type":"ALIPAY","balance_minor":5000,"ttl_seconds":3600}`)))
	if err := json.Unmarshal(answer.Body.Bytes(), &w); err != nil || w.Code == "" {
		t.Fatalf("no wallet: %v: %s", err, answer.Body)
	}
	return w.Code
}

// orders returns the simulator's orders.
func (h *hub) orders() string {
	answer := httptest.NewRecorder()
	h.sim.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/sim/orders", nil))
	return answer.Body.String()
}

func paid(h *hub) bool { return strings.Contains(h.orders(), "1234") }

// clockServer is a network time server for the guest, if this process may open its port: it is below 1024, and
// systemd's client uses no other.
func clockServer(t *testing.T) bool {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:123")
	if err != nil {
		t.Logf("the guest has its clock from QEMU, not from the network: %v", err)
		return false
	}
	t.Cleanup(func() { c.Close() })
	go func() { // it ends with the socket
		const since1900 = 2_208_988_800
		for question := make([]byte, 512); ; {
			n, from, err := c.ReadFrom(question)
			if err != nil {
				return
			}
			if n < 48 {
				continue
			}
			now := time.Now()
			stamp := uint64(now.Unix()+since1900)<<32 | uint64(now.Nanosecond())<<32/1e9
			a := make([]byte, 48)
			a[0], a[1], a[2], a[3] = 4<<3|4, 1, 6, 0xec // version 4, a server; of stratum 1
			copy(a[12:], "TEST")
			binary.BigEndian.PutUint64(a[16:], stamp)
			copy(a[24:], question[40:48])
			binary.BigEndian.PutUint64(a[32:], stamp)
			binary.BigEndian.PutUint64(a[40:], stamp)
			c.WriteTo(a, from) //nolint:errcheck // the client asks again
		}
	}()
	return true
}

// trusting makes the slot trust the simulator, which no parcel can, and use the test's time server.
func trusting(t *testing.T, dir, disk string, ca []byte, clock bool) {
	t.Helper()
	at := fmt.Sprintf("%s?offset=%d", disk, rootA)
	store := filepath.Join(dir, "ca.crt")
	run(t, "/sbin/debugfs", "-R", "dump etc/ssl/certs/ca-certificates.crt "+store, at)
	known, err := os.ReadFile(store)
	if err != nil || len(known) < 100_000 {
		t.Fatalf("the image's authorities: %d bytes, %v", len(known), err)
	}
	put(t, store, append(known, ca...))
	script := fmt.Sprintf("cd etc/ssl/certs\nrm ca-certificates.crt\nwrite %s ca-certificates.crt\nsif ca-certificates.crt mode 0100644\n", store)
	if clock {
		conf := filepath.Join(dir, "clock.conf")
		put(t, conf, []byte("[Time]\nNTP="+host+"\n"))
		script += fmt.Sprintf("cd /etc/systemd\nmkdir timesyncd.conf.d\ncd timesyncd.conf.d\nwrite %s test.conf\nsif test.conf mode 0100644\n", conf)
	}
	put(t, filepath.Join(dir, "script"), []byte(script))
	run(t, "/sbin/debugfs", "-w", "-f", filepath.Join(dir, "script"), at)
}

// slotSum returns a digest of slot A.
func slotSum(t *testing.T, disk string) string {
	t.Helper()
	return run(t, "sh", "-c", fmt.Sprintf(`dd if="$0" bs=1M skip=%d count=%d status=none | sha256sum`, rootA/mebi,
		rootMB), disk)
}

// TestField: from a new card to a terminal that sells, using only stick, scanner and keypad. Each step is
// described where it is.
func TestField(t *testing.T) {
	if !*field {
		t.Skip("make field-test")
	}
	for _, tool := range []string{"mcopy", "qemu-system-aarch64", "journalctl"} {
		tooltest.Need(t, tool)
	}
	began := time.Now()
	step := func(text string, args ...any) {
		t.Helper()
		t.Logf("%4.0f s: "+text, append([]any{time.Since(began).Seconds()}, args...)...)
	}
	dir, err := os.MkdirTemp("/var/tmp", "field")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	log := fieldBuilt + "field-test.log"
	os.Remove(log)
	h := gateway(t)

	step("at the desk: parcels; one of a foreign signer, one that is expired when it arrives")
	d := parcelMaker{t, dir}
	put(t, filepath.Join(dir, "merchant.toml"), fmt.Appendf(nil, merchant, h.port))
	put(t, filepath.Join(dir, "sign_key"), []byte(signKey+"\n"))
	fleet := fieldBuilt + "fleet.key"
	stranger := filepath.Join(dir, "stranger.key")
	run(t, "../../build/payterm", "provision", "make", "--new-signer", "--signer", stranger)
	foreign, _ := d.parcel("foreign", "T9", "24h", stranger)
	expired, _ := d.parcel("expired", "T8", "1s", fleet)
	good2, code2 := d.parcel("t2", "T2", "24h", fleet)
	time.Sleep(10 * time.Millisecond) // serials count milliseconds
	good3, code3 := d.parcel("t3", "T3", "24h", fleet)

	step("a card as make image wrote it; the gateway's authority is made known to it")
	nobodyLogsIn(t, fieldBuilt+name+".rootfs.ext4")
	disk := filepath.Join(dir, "disk")
	run(t, "cp", "--sparse=always", fieldBuilt+name+".img", disk)
	info, err := os.Stat(disk)
	if err == nil {
		err = os.Truncate(disk, info.Size()+grownByMB*mebi)
	}
	if err != nil {
		t.Fatal(err)
	}
	clock := clockServer(t)
	trusting(t, dir, disk, h.ca, clock)
	before := slotSum(t, disk)
	devices := keyboards
	if clock { // like a board without a battery
		devices = append(slices.Clone(devices), "-rtc", "base=2024-01-01T00:00:00")
	}
	m := start(t, dir, disk, log, devices...)
	m.must(chose, "A")
	m.must(good, "A", panicked)
	setup := m.picture(1)

	step("a stick with parcels that are refused; its lock is on, so that no bundle can be written")
	m.plug(serviceStick(t, dir, "refused", 0, foreign, expired))
	m.must(handed, "")
	m.must(handed, "", takeOut)
	m.must(locked, "", wrote, noDoctor)
	m.must(takeOut, "")
	m.until("the screen says that it is refused", func() bool { return m.picture(2) != setup })
	m.unplug()

	step("a stick without a partition table, with the right parcel; its code is typed")
	m.plug(stick(t, dir, "t2", good2))
	m.must(handed, "t2.ppv")
	m.must(takeOut, "")
	m.unplug()
	m.enters(code2, h)
	time.Sleep(5 * time.Second)
	m.picture(3)

	step("a sale of 12.34")
	m.press("1", "2", "3", "4", "ret")
	time.Sleep(3 * time.Second)
	m.picture(4)
	for attempt := 1; !paid(h); attempt++ { // a guest on a busy host may lose a stroke
		if attempt > 4 {
			t.Fatalf("the scanner has typed a payment code four times: %s", h.orders())
		}
		m.types("other", h.wallet(t)+"\n", time.Duration(attempt)*50*time.Millisecond)
		for end := time.Now().Add(30 * time.Second); !paid(h) && time.Now().Before(end); {
			time.Sleep(200 * time.Millisecond)
		}
	}
	time.Sleep(5 * time.Second)
	m.picture(5)
	m.press("ret")
	time.Sleep(2 * time.Second)

	step("a newer parcel, for T3, comes from the scanner, which types it")
	text, err := os.ReadFile(good3)
	if err != nil {
		t.Fatal(err)
	}
	idle := m.picture(6)
	for attempt := 1; m.picture(6) == idle; attempt++ {
		if attempt > 4 {
			t.Fatal("the scanner has typed the parcel four times, and its code is not asked for")
		}
		m.types("other", string(text), time.Duration(attempt)*25*time.Millisecond)
		time.Sleep(5 * time.Second)
	}
	m.enters(code3, h)

	step("sticks with a folder for the service: a full one, a broken one, a good one, which is for the office too")
	m.insert(serviceStick(t, dir, "full", 2048), false, nil)
	m.must(unwritten, "", wrote)
	m.must(takeOut, "")
	m.unplug()
	m.insert(serviceStick(t, dir, "broken", 0), false,
		[]any{map[string]any{"event": "write_aio", "errno": 5, "once": false}})
	m.must(unwritten, "", wrote)
	m.must(takeOut, "")
	m.unplug()
	service := serviceStick(t, dir, "service", 0)
	run(t, "mmd", "-i", service+"@@1M", "::reports")
	m.insert(service, false, nil)
	bundle, err := m.wait(wrote, takeOut)
	if err != nil {
		t.Fatal(err)
	}
	reports, err := m.wait(reported, takeOut)
	if err != nil {
		t.Fatal(err)
	}
	m.must(takeOut, "")
	m.unplug()
	m.picture(7)

	step("the power is cut; what the bundle and the card tell")
	m.cut()
	if !strings.HasPrefix(bundle, "payterm-T3-") {
		t.Errorf("the bundle is %s", bundle)
	}
	run(t, "mcopy", "-s", "-i", service+"@@1M", "::reports/"+reports, dir)
	run(t, "sh", "-c", `cd "$0" && sha256sum --quiet -c SHA256SUMS`, filepath.Join(dir, reports))
	run(t, "../../build/payterm", "journal", "verify", filepath.Join(dir, reports, "payterm.db"))
	if days := run(t, "sh", "-c", `cat "$0"/day-*.csv`, filepath.Join(dir, reports)); !strings.Contains(days, ",1234,") ||
		!strings.HasPrefix(reports, "T3-") {
		t.Errorf("%s has no sale: %s", reports, days)
	}
	files := taken(t, dir, service, bundle)
	for file, says := range map[string]string{
		"doctor.json": `"network key"`, "config.toml": `T3`, "journal.json": `1234`, "version.json": `arm64`,
	} {
		if !strings.Contains(files[file], says) {
			t.Errorf("%s does not say %s: %.300q", file, says, files[file])
		}
	}
	for _, says := range []string{"none of those that this terminal trusts", "expired", "write-protected",
		"could not be written"} {
		if !strings.Contains(files["log.txt"], says) {
			t.Errorf("log.txt does not say %q: %.600q", says, files["log.txt"])
		}
	}
	data := dataOf(t, dir, disk)
	said := logOf(t, dir, data)
	for file, text := range files {
		for _, secret := range []string{signKey, code2, code3} {
			if strings.Contains(text, secret) {
				t.Errorf("%s has a secret in it", file)
			}
		}
	}
	for _, secret := range []string{signKey, code2, code3} {
		if strings.Contains(said, secret) {
			t.Error("the log has a secret in it")
		}
	}
	for _, broken := range brokenPromises(said) {
		t.Error(broken)
	}
	if clock && (!strings.Contains(said, "Contacted time server "+host) ||
		!strings.Contains(said, "Initial clock synchronization to ")) {
		t.Error("the network has not set the clock")
	}
	if slotSum(t, disk) != before {
		t.Error("the root file system was written to")
	}
	step("done")
}

// enters types a parcel's code until the terminal asks the gateway again. It may not have asked for the code
// yet, or may have missed a key.
func (m *machine) enters(code string, h *hub) {
	m.t.Helper()
	asked := h.asked.Load()
	for range 5 {
		m.press(slices.Repeat([]string{"backspace"}, len(code))...)
		m.press(append(strings.Split(code, ""), "ret")...)
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
			if h.asked.Load() > asked {
				m.t.Logf("%4.0f s  the gateway is asked", time.Since(m.began).Seconds())
				return
			}
		}
	}
	m.picture(9)
	m.t.Fatal("the code is typed, and the gateway was never asked: build/field-9.png")
}

// TestWatchdog: every processor hangs, and the board's hardware watchdog restarts it.
func TestWatchdog(t *testing.T) {
	if !*field {
		t.Skip("make field-test")
	}
	dir, err := os.MkdirTemp("/var/tmp", "watchdog")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	disk, debugger := filepath.Join(dir, "disk"), filepath.Join(dir, "gdb")
	run(t, "cp", "--sparse=always", fieldBuilt+name+".img", disk)
	m := start(t, dir, disk, fieldBuilt+"field-test.log", "-gdb", "unix:"+debugger+",server=on,wait=off")
	m.must(chose, "A")
	m.must(good, "A", panicked)
	m.hang(debugger)
	hung := time.Now()
	m.must(chose, "A", panicked)
	t.Logf("U-Boot again after %.0f s", time.Since(hung).Seconds())
}
