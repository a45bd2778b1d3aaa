package image

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm/internal/tooltest"
)

const (
	busPolicy = "tree/etc/dbus-1/system.d/payterm-rauc.conf"

	// bus is the system bus configuration, as far as it decides who may talk to whom.
	bus = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=%[1]s/socket</listen>
  <auth>EXTERNAL</auth>
  <servicedir>%[1]s</servicedir>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <include>%[1]s/debian.conf</include>
  %[2]s
</busconfig>
`
	// raucPolicy is the policy of Debian's rauc-service 1.8-2.
	raucPolicy = `<busconfig>
  <policy context="default">
    <allow send_destination="de.pengutronix.rauc"/>
  </policy>
  <policy user="root">
    <allow own="de.pengutronix.rauc"/>
  </policy>
</busconfig>
`
	// raucStart is the service that a call would start. It ends at once: the test needs no more of it.
	raucStart = "[D-BUS Service]\nName=de.pengutronix.rauc\nExec=/bin/false\nUser=root\n"
)

// TestRAUCIsRoots: only root may tell RAUC to install, although Debian allows more: the agent's user could
// install an older version, or have root open a file of his. Without our file he may, which proves the test. If
// the test does not run as root, it can only try as its own user.
func TestRAUCIsRoots(t *testing.T) {
	daemon, send := tooltest.Need(t, "dbus-daemon"), tooltest.Need(t, "dbus-send")
	as := map[string][]string{"himself": nil} // by user: the command that runs a program as that user
	if os.Geteuid() == 0 {
		as = map[string][]string{"root": nil, "nobody": {tooltest.Need(t, "setpriv"), "--reuid=nobody",
			"--clear-groups"}}
	}
	ours, err := filepath.Abs(busPolicy)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		added   string
		refused bool
	}{{"", false}, {"<include>" + ours + "</include>", true}} {
		dir, err := os.MkdirTemp("", "bus") // a socket's path must be short
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"bus.conf": fmt.Sprintf(bus, dir, x.added), "debian.conf": raucPolicy,
			"de.pengutronix.rauc.service": raucStart} {
			put(t, filepath.Join(dir, name), []byte(text))
		}
		cmd := exec.CommandContext(t.Context(), daemon, "--config-file="+filepath.Join(dir, "bus.conf"), "--nofork",
			"--print-address")
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			cmd.Process.Kill() //nolint:errcheck // it may have ended
			cmd.Wait()         //nolint:errcheck // killed
		})
		if n, err := out.Read(make([]byte, 200)); n == 0 { // its address, once it listens
			t.Fatal(err)
		}
		for user, command := range as {
			refused := x.refused && user != "root"
			command = append(slices.Clone(command), send, "--bus=unix:path="+filepath.Join(dir, "socket"),
				"--print-reply", "--reply-timeout="+fmt.Sprint(time.Minute.Milliseconds()),
				"--dest=de.pengutronix.rauc", "/", "de.pengutronix.rauc.Installer.Install", "string:/x.raucb")
			call := exec.CommandContext(t.Context(), command[0], command[1:]...)
			said, err := call.CombinedOutput()
			if err == nil || strings.Contains(string(said), "AccessDenied: Rejected") != refused || !refused &&
				!strings.Contains(string(said), "Spawn.ChildExited") {
				t.Errorf("%s with %q: %v %s", user, x.added, err, said)
			}
		}
	}
}
