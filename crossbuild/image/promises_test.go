package image

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// What the log of a terminal must and must not contain; the words are systemd's.
var (
	promised = map[string]string{
		"the hardware watchdog is in use": `Using hardware watchdog '?i6300ESB`,
		"its patience is kept":            `Watchdog running with a hardware timeout of 1[45]s`,
		"network time is looked for":      `Started .*Network Time Synchronization`,
		"the log is kept, and bounded":    `System Journal \(/var/log/journal/[0-9a-f]+\) is .*, max 64\.0M`,
	}
	forbidden = map[string]string{
		"a login is offered": `(?i)started.*(getty|ssh)`,
		"the agent fell":     `payterm\.service: (Failed with result|Main process exited).*`,
		"a sandbox hinders":  `(payterm|stick|rauc|systemd-mount|dbus-daemon)\[\d+\]: .*(Operation not permitted|Permission denied|Read-only file system|Rejected send message|AccessDenied).*`,
	}
)

// brokenPromises checks the log of a terminal.
func brokenPromises(log string) (broken []string) {
	for what, words := range promised {
		if !regexp.MustCompile(words).MatchString(log) {
			broken = append(broken, "not in the log: "+what+": "+words)
		}
	}
	for what, words := range forbidden {
		if said := regexp.MustCompile(words).FindString(log); said != "" {
			broken = append(broken, what+": "+said)
		}
	}
	return broken
}

// TestBrokenPromisesAreSeen plants each broken promise.
func TestBrokenPromisesAreSeen(t *testing.T) {
	t.Parallel()
	kept := []string{
		"Using hardware watchdog 'i6300ESB timer', version 0, device /dev/watchdog0",
		"Watchdog running with a hardware timeout of 14s.",
		"Started systemd-timesyncd.service - Network Time Synchronization.",
		"System Journal (/var/log/journal/0f) is 8.0M, max 64.0M, 56.0M free.",
	}
	if broken := brokenPromises(strings.Join(kept, "\n")); len(broken) > 0 {
		t.Errorf("a good log: %q", broken)
	}
	for i := range kept {
		if broken := brokenPromises(strings.Join(append(append([]string{}, kept[:i]...), kept[i+1:]...),
			"\n")); len(broken) != 1 {
			t.Errorf("without %q: %q", kept[i], broken)
		}
	}
	for _, bad := range []string{"Started getty@tty1.service - Getty on tty1.",
		"Started ssh.service - OpenBSD Secure Shell server.",
		"payterm.service: Main process exited, code=killed, status=31/SYS",
		"T1 rauc[301]: mount: /run/rauc/bundle: Operation not permitted",
		`T1 dbus-daemon[200]: [system] Rejected send message, 2 matched rules; type="method_call", sender=":1.9" (uid=0)`} {
		if broken := brokenPromises(strings.Join(append(kept, bad), "\n")); len(broken) != 1 {
			t.Errorf("with %q: %q", bad, broken)
		}
	}
}

// logOf returns the log of all starts of a terminal.
func logOf(t *testing.T, dir, data string) string {
	t.Helper()
	to := filepath.Join(dir, "log")
	if err := os.Mkdir(to, 0o700); err != nil {
		t.Fatal(err)
	}
	run(t, "/sbin/debugfs", "-R", "rdump log "+to, data)
	return run(t, "journalctl", "--no-pager", "-q", "-o", "short-iso", "--directory", filepath.Join(to, "log"))
}

// nobodyLogsIn checks a root file system: no password, no program that accepts one.
func nobodyLogsIn(t *testing.T, root string) {
	t.Helper()
	shadow := run(t, "/sbin/debugfs", "-R", "cat etc/shadow", root)
	if !regexp.MustCompile(`(?m)^root:[!*]`).MatchString(shadow) ||
		!regexp.MustCompile(`(?m)^payterm:[!*]`).MatchString(shadow) {
		t.Error("the passwords of root and payterm are not locked")
	}
	for line := range strings.Lines(shadow) {
		if user, rest, found := strings.Cut(line, ":"); found && !strings.Contains(user, " ") &&
			!strings.HasPrefix(rest, "*") && !strings.HasPrefix(rest, "!") {
			t.Errorf("%s has a password, or none", user)
		}
	}
	for _, program := range []string{"usr/sbin/sshd", "usr/sbin/dropbear", "usr/sbin/telnetd", "usr/sbin/in.telnetd"} {
		if said := run(t, "/sbin/debugfs", "-R", "stat "+program, root); !strings.Contains(said, "File not found") {
			t.Errorf("the image has %s", program)
		}
	}
}

// hang stops every processor with its interrupts off, through QEMU's debugger, without help from the guest.
func (m *machine) hang(socket string) {
	m.t.Helper()
	c, err := net.Dial("unix", socket)
	if err != nil {
		m.t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute)) //nolint:errcheck // a read reports it
	in := bufio.NewReader(c)
	ask := func(order string) string {
		m.t.Helper()
		sum := byte(0)
		for _, b := range []byte(order) {
			sum += b
		}
		if _, err := fmt.Fprintf(c, "$%s#%02x", order, sum); err != nil {
			m.t.Fatal(err)
		}
		if order == "D" {
			return ""
		}
		for {
			answer, err := in.ReadString('#')
			for range 2 { // its checksum; the socket loses nothing, so it is not checked
				if err == nil {
					_, err = in.ReadByte()
				}
			}
			if err != nil {
				m.t.Fatalf("%s: %v", order, err)
			}
			fmt.Fprint(c, "+")
			// A stop is reported on its own, and again when asked for.
			if said := strings.TrimLeft(strings.TrimSuffix(answer, "#"), "+$"); order == "?" ||
				!strings.HasPrefix(said, "T05") {
				return said
			}
		}
	}
	ask("?")
	for _, processor := range []string{"1", "2"} {
		if said := ask("Hg" + processor); said != "OK" {
			m.t.Fatalf("processor %s: %s", processor, said)
		}
		// Registers x0 to x30, sp, pc of 8 bytes, then the state of 4; little-endian.
		all := ask("g")
		if len(all) < 33*16+8 {
			m.t.Fatalf("registers: %s", all)
		}
		masked := []byte(all)
		masked[33*16] = 'c' // bits 7 and 6: no IRQ, no FIQ; 5 and 4 are never set on arm64
		if said := ask("G" + string(masked)); said != "OK" {
			m.t.Fatalf("its state: %s", said)
		}
		var pc uint64
		for i := 7; i >= 0; i-- {
			var b uint64
			fmt.Sscanf(all[32*16+2*i:32*16+2*i+2], "%02x", &b) //nolint:errcheck // QEMU writes hexadecimal
			pc = pc<<8 | b
		}
		if said := ask(fmt.Sprintf("M%x,4:00000014", pc)); said != "OK" { // a branch to itself
			m.t.Fatalf("its next instruction at %x: %s", pc, said)
		}
	}
	ask("D") // detach: the machine runs on
}
