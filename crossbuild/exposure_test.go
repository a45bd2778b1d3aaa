package crossbuild

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"payterm/internal/tooltest"
)

// mostExposure is the highest exposure that systemd-analyze security may give one of our services. The scale is
// 0 to 10; a service of root without a sandbox has 9.6.
const mostExposure = 4.0

// raucService is the unit of Debian's rauc-service 1.8-2, to which the image adds.
const raucService = `[Service]
Type=dbus
BusName=de.pengutronix.rauc
ExecStart=/usr/bin/rauc --mount=/run/rauc service
RuntimeDirectory=rauc
MountFlags=slave
`

// notJudged are the lines that the image adds to services of systemd itself.
var notJudged = map[string]string{
	"systemd-repart.service":  "an order of starts",
	"emergency.service":       "when nothing else starts: the root file system's own shell, once, before a restart",
	"payterm.service (image)": "an order of starts; the package's unit is judged",
}

// services returns all units that we install on a terminal, by name, as systemd merges them.
func services(t *testing.T) map[string]string {
	t.Helper()
	read := func(path string) string {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	found := map[string]string{"payterm.service": read("package/payterm.service")}
	units, err := filepath.Glob("image/tree/usr/lib/systemd/system/*.service")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range units {
		found[filepath.Base(path)] = read(path)
	}
	added, err := filepath.Glob("image/tree/etc/systemd/system/*.service.d/*.conf")
	if err != nil || len(units) < 3 || len(added) < 3 {
		t.Fatalf("units %q, additions %q, %v", units, added, err)
	}
	for _, path := range added {
		name := strings.TrimSuffix(filepath.Base(filepath.Dir(path)), ".d")
		switch name {
		case "rauc.service":
			found[name] = raucService + read(path)
		case "payterm.service":
			name += " (image)"
			fallthrough
		default:
			if notJudged[name] == "" {
				t.Errorf("%s: nobody has judged it", path)
			}
		}
	}
	return found
}

var overall = regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+) `)

// exposure returns systemd's exposure level of a unit.
func exposure(t *testing.T, name, text string) float64 {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out := run(t, ".", "systemd-analyze", "security", "--offline=true", "--no-pager", path)
	level := overall.FindStringSubmatch(out)
	if level == nil {
		t.Fatalf("systemd-analyze: %s", out)
	}
	var f float64
	if _, err := fmt.Sscan(level[1], &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestExposure: no service of ours has more rights than it needs. Without the lines that restrict it each
// service is over the limit, which shows that systemd-analyze does read them.
func TestExposure(t *testing.T) {
	tooltest.Need(t, "systemd-analyze")
	all := services(t)
	names := []string{}
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		level := exposure(t, name, all[name])
		t.Logf("%s: %.1f", name, level)
		if level >= mostExposure {
			t.Errorf("%s has an exposure of %.1f, less than %.1f is needed: systemd-analyze security --offline=true says why", name, level, mostExposure)
		}
		bare := regexp.MustCompile(`(?m)^(Protect|Private|Restrict|SystemCall|CapabilityBoundingSet|NoNewPrivileges|Device|IPAddress|UMask|KeyringMode|RemoveIPC|Lock|Memory|User)\w*=.*\n`).ReplaceAllString(all[name], "")
		if level := exposure(t, name, bare); level < 9 {
			t.Errorf("%s without its sandbox has an exposure of %.1f", name, level)
		}
	}
}

// TestUnits: systemd accepts every unit, with the programs' paths replaced by those of this machine.
func TestUnits(t *testing.T) {
	this, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	verify := func(name, text string) string {
		text = regexp.MustCompile(`(?m)^(ExecStart=)\S+`).ReplaceAllString(text, "${1}"+this)
		text = strings.Replace(text, "Documentation=man:payterm(1)\n", "", 1)
		name = strings.Replace(name, "@.", "@sda1.", 1)
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(tooltest.Need(t, "systemd-analyze"), "verify", "--man=no", path).CombinedOutput()
		var ours []string // messages about other units of this machine are ignored
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, name) {
				ours = append(ours, line)
			}
		}
		if err != nil && len(ours) == 0 {
			ours = append(ours, err.Error())
		}
		return strings.Join(ours, "")
	}
	for name, text := range services(t) {
		if out := verify(name, text); out != "" {
			t.Errorf("systemd-analyze: %s", out)
		}
		if out := verify(name, text+"[Service]\nProtectSytem=strict\n"); out == "" {
			t.Errorf("%s with a misspelt key passes", name)
		}
	}
}
