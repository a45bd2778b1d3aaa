package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"payterm"
	"payterm/board"
	"payterm/hal/emulated"
)

// counterBoard is a scanner and a printer on PTYs: enough for a Passive sale from a till.
func counterBoard(t *testing.T) (*emulated.Board, string) {
	t.Helper()
	const text = "board = \"counter\"\n[scanner]\ndevice = \"%s\"\nbaud = 9600\n[printer]\ndevice = \"%s\"\n" +
		"baud = 9600\ncut = true\nstatus = true\n"
	p, err := board.ReadProfile("counter.toml", fmt.Appendf(nil, text, "/dev/ttyS1", "/dev/ttyS2"))
	if err != nil {
		t.Fatal(err)
	}
	board, err := emulated.New(emulated.Config{Profile: p, Scale: 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, v := range board.Violations() {
			t.Errorf("the chips did not accept: %v", v)
		}
		board.Close()
	})
	scanner, err := board.Device("/dev/ttyS1")
	if err != nil {
		t.Fatal(err)
	}
	printer, err := board.Device("/dev/ttyS2")
	if err != nil {
		t.Fatal(err)
	}
	return board, fmt.Sprintf(text, scanner, printer)
}

// systemd is the receiving end of a notify socket.
type systemd struct {
	t    *testing.T
	path string
	conn *net.UnixConn
}

func newSystemd(t *testing.T) *systemd {
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &systemd{t, path, conn}
}

// wait reads until a message has a line with this prefix.
func (s *systemd) wait(line string) string {
	s.t.Helper()
	var seen string
	buf := make([]byte, 4096)
	if err := s.conn.SetReadDeadline(time.Now().Add(never)); err != nil {
		s.t.Fatal(err)
	}
	for {
		n, err := s.conn.Read(buf)
		if err != nil {
			s.t.Fatalf("systemd was not told %s, but last %q: %v", line, seen, err)
		}
		said := string(buf[:n])
		if slices.ContainsFunc(strings.Split(said, "\n"), func(l string) bool { return strings.HasPrefix(l, line) }) {
			return said
		}
		seen = said
	}
}

// TestRun: ready, alive, a whole sale over ttys, a refused refund, and a clean end.
func TestRun(t *testing.T) {
	t.Parallel()
	board, profile := counterBoard(t)
	s := &shop{t: t, dir: t.TempDir()}
	s.data = filepath.Join(s.dir, "data")
	key := filepath.Join(s.dir, "key")
	write(t, key, "0123456789ABCDEF\n")
	_, ready := program(t, "ottsim", "--listen", "127.0.0.1:0", "--merchant-id", "ON00000000", "--sign-key-file", key)
	s.sim = ready["gateway"].(string)
	write(t, filepath.Join(s.dir, "counter.toml"), profile)
	write(t, filepath.Join(s.dir, "payterm.toml"), fmt.Sprintf(`[terminal]
id = "T1"
board = "%s/counter.toml"
data_dir = "%s/data"
[merchant]
name = "Corner shop"
[gateway]
url = "%s/processV2"
merchant_id = "ON00000000"
operator_id = "0000000696"
call_back_url = "https://example.com/cb"
sign_key_file = "%s"
`, s.dir, s.dir, s.sim, key))

	pid1 := newSystemd(t)
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "payterm"), "run", "--config",
		filepath.Join(s.dir, "payterm.toml"))
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+pid1.path, "WATCHDOG_USEC=1500000")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if said := pid1.wait("READY=1"); !strings.Contains(said, "STATUS=idle") {
		t.Errorf("at its start: %q", said)
	}
	pid1.wait("WATCHDOG=1")

	sale := s.begin("--mode", "passive", "--amount", "12.34")
	pid1.wait("STATUS=scan,")
	if err := board.Scan(s.wallet("ALIPAY", false)); err != nil {
		t.Fatal(err)
	}
	status, order := sale.end()
	if status != 0 || order.Outcome != payterm.Approved || order.AmountMinor != 1234 {
		t.Fatalf("the sale: status %d, %+v", status, order)
	}
	printed := func() string { _, text := board.Paper(); return text }
	for end := time.Now().Add(never); !strings.Contains(printed(), string(order.ID)) &&
		time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	if text := printed(); !strings.Contains(text, "Corner shop") || !strings.Contains(text, string(order.ID)) ||
		strings.Contains(text, "SIMULATION") {
		t.Errorf("the slip:\n%s", text)
	}

	refund := exec.CommandContext(t.Context(), filepath.Join(bin, "payterm"), "refund", "--data",
		filepath.Join(s.dir, "data"), string(order.ID))
	if out, err := refund.CombinedOutput(); err == nil || !strings.Contains(string(out), "pin_hash") {
		t.Errorf("a refund without a supervisor's PIN: %v: %s", err, out)
	}

	// The emulated board holds both ttys open as well, which another program could do.
	out, _ := exec.CommandContext(t.Context(), filepath.Join(bin, "payterm"), "doctor", "--data",
		filepath.Join(s.dir, "data")).CombinedOutput()
	if also := fmt.Sprintf("(pid %d) as well", os.Getpid()); strings.Count(string(out), also) != 2 {
		t.Errorf("who else has the ttys open is not told: %s", out)
	}

	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	pid1.wait("STOPPING=1")
	if err := cmd.Wait(); err != nil {
		t.Errorf("the end: %v: %s", err, stderr.String())
	}
	if strings.Contains(stderr.String(), "level=ERROR") { // an interrupted slip is a warning
		t.Errorf("it complained: %s", stderr.String())
	}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRunRefuses: what no restart can repair ends with systemd's CONFIG, and the error says what
// to do.
func TestRunRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "key"), "0123456789ABCDEF\n")
	good := fmt.Sprintf("[terminal]\nid = \"T1\"\nboard = \"raspberrypi-spi-st7789\"\ndata_dir = %q\n[merchant]\n"+
		"name = \"Shop\"\n[gateway]\nurl = \"https://example.com/\"\n"+
		"merchant_id = \"M\"\noperator_id = \"1\"\ncall_back_url = \"https://example.com/cb\"\nsign_key_file = %q\n",
		dir+"/data", dir+"/key")
	for _, c := range []struct{ name, old, new, want string }{
		{"no name", "name = \"Shop\"\n", "", "merchant.name: is missing"},
		{"no board", "board = \"raspberrypi-spi-st7789\"\n", "", "terminal.board: is missing"},
		{"unknown board", "raspberrypi-spi-st7789", "pi", "payterm board list names those that are known"},
		{"no board file", "raspberrypi-spi-st7789", dir + "/pi.toml", "payterm.toml:3: terminal.board: there is no file "},
		{"no key", dir + "/key", dir + "/none", "sign_key_file: cannot be opened"},
		{"no TOML", "id = \"T1\"", "id = T1", "payterm.toml:2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "payterm.toml")
			write(t, path, strings.Replace(good, c.old, c.new, 1))
			out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "payterm"), "run", "--config",
				path).CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != int(exitConfig) || !strings.Contains(string(out), c.want) {
				t.Errorf("%v: %s, want %q", err, out, c.want)
			}
		})
	}
}

// TestRunDamagedWithoutABoard: the parcel's files are damaged and the board is unknown: it ends,
// and does not use the default board.
func TestRunDamagedWithoutABoard(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	installed := filepath.Join(dir, "data", "provision", "7")
	if err := errors.Join(os.MkdirAll(installed, 0o700),
		os.Symlink("7", filepath.Join(dir, "data", "provision", "current"))); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(installed, "payterm.toml"), "[terminal")
	path := filepath.Join(dir, "payterm.toml")
	write(t, path, fmt.Sprintf("[terminal]\nid = \"T1\"\ndata_dir = %q\n", dir+"/data"))
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	out, err := exec.CommandContext(ctx, filepath.Join(bin, "payterm"), "run", "--config", path).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != int(exitConfig) {
		t.Errorf("%v: %s", err, out)
	}
}

// TestRunWithoutHardware: without the board's devices it names them, and runs, because open
// orders have to be settled.
func TestRunWithoutHardware(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "key"), "0123456789ABCDEF\n")
	write(t, filepath.Join(dir, "board.toml"),
		"board = \"none\"\n[scanner]\ndevice = \"/dev/tty-none\"\nbaud = 9600\n[signal]\nbuzzer = \"nochip:1\"\n")
	write(t, filepath.Join(dir, "payterm.toml"),
		fmt.Sprintf("[terminal]\nid = \"T1\"\nboard = %q\ndata_dir = %q\n[merchant]\nname = \"Shop\"\n[gateway]\n"+
			"url = \"http://127.0.0.1:9/\"\n"+
			"merchant_id = \"M\"\noperator_id = \"1\"\ncall_back_url = \"https://example.com/cb\"\n"+
			"sign_key_file = %q\n", dir+"/board.toml", dir+"/data", dir+"/key"))
	pid1 := newSystemd(t)
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "payterm"), "run", "--config",
		filepath.Join(dir, "payterm.toml"))
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+pid1.path)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if said := pid1.wait("READY=1"); !strings.Contains(said, ", without buzzer and scanner") {
		t.Errorf("systemd is told %q", said)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "payterm"), "status", "--json", "--data",
		filepath.Join(dir, "data")).Output()
	var is struct{ Devices map[string]string }
	if err := errors.Join(err, json.Unmarshal(out, &is)); err != nil || len(is.Devices) != 2 ||
		!strings.Contains(is.Devices["scanner"], "/dev/tty-none") {
		t.Errorf("status: %v: %s", err, out)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the end: %v", err)
	}
	for _, want := range []string{"device=buzzer", "there is no line nochip:1", "device=scanner", "/dev/tty-none"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("stderr lacks %s: %s", want, stderr.String())
		}
	}
}

// TestWatchFallsSilent: without an answer systemd gets no sign of life, and no READY before the
// first answer.
func TestWatchFallsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var said []string
		hung := true
		w := watch{every: 30 * time.Second, log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			notify: func(state string) error {
				mu.Lock()
				defer mu.Unlock()
				said = append(said, state)
				return nil
			},
			ask: func(ctx context.Context) (string, error) {
				mu.Lock()
				stuck := hung
				mu.Unlock()
				if stuck {
					<-ctx.Done()
					return "", context.Cause(ctx)
				}
				return "idle", nil
			},
		}
		phase := func(d time.Duration, stuck bool) []string {
			mu.Lock()
			said, hung = nil, stuck
			mu.Unlock()
			time.Sleep(d)
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return said
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go w.run(ctx)
		if got := phase(time.Minute, true); len(got) != 0 {
			t.Errorf("before the loop's first answer: %q", got)
		}
		if got := phase(time.Minute, false); len(got) < 5 || !strings.HasPrefix(got[0], "READY=1\nWATCHDOG=1\n") ||
			strings.Contains(got[1], "READY") {
			t.Errorf("while it answers, within a minute: %q", got)
		}
		if got := phase(time.Minute, true); len(got) != 0 {
			t.Errorf("while it hangs: %q", got)
		}
		mu.Lock()
		said = nil
		mu.Unlock()
		stop()
		synctest.Wait()
		if len(said) != 1 || !strings.HasPrefix(said[0], "STOPPING=1") {
			t.Errorf("at the end: %q", said)
		}
	})
}
