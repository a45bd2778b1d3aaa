package crossbuild

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"payterm/internal/tooltest"
)

var packages = flag.Bool("packages", false, "check what make package has just packed")

// packed returns the only package of a target, and its tar file.
func packed(t *testing.T, target Target) (deb, tar string) {
	t.Helper()
	if !*packages {
		t.Skip("make package")
	}
	for pattern, path := range map[string]*string{"payterm_*_" + target.Debian + ".deb": &deb, "payterm-*-" +
		target.Name + ".tar.gz": &tar} {
		found, err := filepath.Glob(filepath.Join("../build/packages", pattern))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != 1 {
			tooltest.Missing(t, "build/packages/"+pattern, "make package")
		}
		*path = found[0]
	}
	return deb, tar
}

func run(t *testing.T, dir, tool string, args ...string) string {
	t.Helper()
	cmd := exec.Command(tooltest.Need(t, tool), args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v: %s", tool, args, err, out)
	}
	return string(out)
}

// contents are all files of a package: mode, owner and place.
var contents = []string{
	"-rw-r----- root/root ./etc/payterm/payterm.toml",
	"-rwxr-xr-x root/root ./usr/bin/payterm",
	"-rw-r--r-- root/root ./usr/lib/systemd/system/payterm.service",
	"-rw-r--r-- root/root ./usr/lib/sysusers.d/payterm.conf",
	"-rw-r--r-- root/root ./usr/lib/udev/rules.d/60-payterm.rules",
	"-rw-r--r-- root/root ./usr/share/bash-completion/completions/payterm",
	"-rw-r--r-- root/root ./usr/share/doc/payterm/cashier.md",
	"-rw-r--r-- root/root ./usr/share/doc/payterm/changelog.gz",
	"-rw-r--r-- root/root ./usr/share/doc/payterm/copyright",
	"-rw-r--r-- root/root ./usr/share/doc/payterm/examples/payterm.toml",
	"-rw-r--r-- root/root ./usr/share/doc/payterm/field.md",
	"-rw-r--r-- root/root ./usr/share/doc/payterm/merchant.md",
	"-rw-r--r-- root/root ./usr/share/doc/payterm/payterm.cdx.json",
	"-rw-r--r-- root/root ./usr/share/doc/payterm/porting.md",
	"-rw-r--r-- root/root ./usr/share/doc/payterm/printers.md",
	"-rw-r--r-- root/root ./usr/share/doc/payterm/reference.md",
	"-rw-r--r-- root/root ./usr/share/fish/vendor_completions.d/payterm.fish",
	"-rw-r--r-- root/root ./usr/share/man/man1/payterm.1.gz",
	"-rw-r--r-- root/root ./usr/share/zsh/vendor-completions/_payterm",
}

var board = regexp.MustCompile(`^-rw-r--r-- root/root \./usr/share/payterm/boards/[a-z0-9-]+\.toml$`)

// wrongContents compares a listing of dpkg-deb or tar with contents.
func wrongContents(listing string) (wrong []string) {
	missing := slices.Clone(contents)
	boards := 0
	for line := range strings.Lines(listing) {
		f := strings.Fields(line)
		if len(f) < 6 {
			wrong = append(wrong, "cannot be read: "+line)
			continue
		}
		shown := f[0] + " " + f[1] + " " + f[len(f)-1]
		at := slices.Index(missing, shown)
		switch {
		case at >= 0:
			missing = slices.Delete(missing, at, at+1)
		case board.MatchString(shown):
			boards++
		case f[0] == "drwxr-xr-x" && f[1] == "root/root": // any directory above
		default:
			wrong = append(wrong, "has "+shown)
		}
	}
	for _, m := range missing {
		wrong = append(wrong, "lacks "+m)
	}
	if boards == 0 {
		wrong = append(wrong, "lacks board profiles")
	}
	return wrong
}

func TestPackageContents(t *testing.T) {
	for _, target := range targets(t) {
		t.Run(target.Name, func(t *testing.T) {
			deb, tar := packed(t, target)
			for _, w := range wrongContents(run(t, ".", "dpkg-deb", "-c", deb)) {
				t.Errorf("%s: %s", deb, w)
			}
			control := run(t, ".", "dpkg-deb", "-f", deb)
			for _, want := range []string{"Architecture: " + target.Debian, "Depends: systemd"} {
				if !strings.Contains(control, want) {
					t.Errorf("%s: control lacks %q:\n%s", deb, want, control)
				}
			}
			// The program inside is the one that was checked.
			dir := t.TempDir()
			run(t, ".", "dpkg-deb", "-x", deb, dir)
			run(t, ".", "cmp", filepath.Join(dir, "usr/bin/payterm"), filepath.Join("..", target.Artefact()))
			// The tar file contains the same files.
			plain := t.TempDir()
			run(t, ".", "tar", "-C", plain, "--strip-components=1", "-xzf", tar)
			if err := os.Remove(filepath.Join(dir, "usr/share/doc/payterm/changelog.gz")); err != nil {
				t.Fatal(err)
			}
			run(t, ".", "diff", "-r", dir, filepath.Join(plain, "tree"))
			for _, path := range []string{deb, tar} {
				info, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%s: %.1f MB", filepath.Base(path), float64(info.Size())/1e6)
			}
		})
	}
}

func TestWrongContentsCatches(t *testing.T) {
	const tail = " 0 2026-01-02 03:04 "
	listing := "drwxr-xr-x root/root" + tail + "./\n-rw-r--r-- root/root" + tail +
		"./usr/share/payterm/boards/pi.toml\n"
	for _, line := range contents {
		mode, rest, _ := strings.Cut(line, " ")
		owner, place, _ := strings.Cut(rest, " ")
		listing += mode + " " + owner + tail + place + "\n"
	}
	if wrong := wrongContents(listing); len(wrong) > 0 {
		t.Fatalf("a good listing: %q", wrong)
	}
	for name, c := range map[string]struct{ old, new string }{
		"a configuration for all":   {"-rw-r----- root/root", "-rw-r--r-- root/root"},
		"somebody's program":        {"-rwxr-xr-x root/root", "-rwxr-xr-x me/me"},
		"a set-user-id program":     {"-rwxr-xr-x", "-rwsr-xr-x"},
		"a stranger":                {"./usr/share/payterm/boards/pi.toml", "./usr/share/payterm/boards/pi.toml~"},
		"a directory for all":       {"drwxr-xr-x", "drwxrwxrwx"},
		"a line that says nothing":  {"drwxr-xr-x root/root" + tail + "./", "?"},
		"a unit in the wrong place": {"./usr/lib/systemd/system/", "./lib/systemd/system/"},
	} {
		if bad := strings.Replace(listing, c.old, c.new, 1); bad == listing || len(wrongContents(bad)) == 0 {
			t.Errorf("%s passes", name)
		}
	}
}

// TestPackageVersions: dpkg takes each version for an upgrade of the one before.
func TestPackageVersions(t *testing.T) {
	last := "0~"
	for _, described := range []string{"ef602a1", "0badcaf-dirty", "0.1.0", "0.1.0+ef602a1", "0.1.0+0badcaf-dirty",
		"v1.2.0-alpha.2", "v1.2.0-rc1", "v1.2.0-rc2", "v1.2.0-rc2-3-gabcdef0", "v1.2.0", "v1.2.0-3-gabcdef0",
		"v1.2.0-12-gabcdef0-dirty", "v1.10.0"} {
		at := "1700000000"
		if strings.HasSuffix(described, "0badcaf-dirty") {
			at = "1700000060" // the next minute's commit
		}
		version := strings.TrimSpace(run(t, ".", "package/version", described, at))
		if out, err := exec.Command(tooltest.Need(t, "dpkg"), "--compare-versions", last, "lt",
			version).CombinedOutput(); err != nil {
			t.Errorf("%s, which is %s, is no upgrade of %s: %v: %s", described, version, last, err, out)
		}
		last = version
	}
}

// promised are lines that the unit must have: it restarts the agent, but not for ever, it has a watchdog, and
// it gives the agent no more rights than needed.
var promised = []string{
	"Type=notify", "WatchdogSec=30s", "Restart=always", "RestartSec=5s", "StartLimitIntervalSec=10min",
	"StartLimitBurst=30", "RestartPreventExitStatus=78",
	"User=payterm", "SupplementaryGroups=spi i2c gpio dialout lp input video", "StateDirectory=payterm",
	"StateDirectoryMode=0700", "UMask=0077",
	"NoNewPrivileges=yes", "CapabilityBoundingSet=", "ProtectSystem=strict", "ProtectHome=yes",
	"RestrictNamespaces=yes", "SystemCallFilter=@system-service",
}

func brokenPromises(unit string) (lacks []string) {
	lines := strings.Split(unit, "\n")
	for _, line := range promised {
		key, _, _ := strings.Cut(line, "=")
		last := "" // the last one counts, except for lists
		for _, l := range lines {
			if strings.HasPrefix(l, key+"=") && (last == "" || key != "SystemCallFilter") {
				last = l
			}
		}
		if last != line {
			lacks = append(lacks, line)
		}
	}
	return lacks
}

// TestPackagePromises also plants each broken promise: a line left out, and a line overridden below.
func TestPackagePromises(t *testing.T) {
	text, err := os.ReadFile("package/payterm.service")
	if err != nil {
		t.Fatal(err)
	}
	unit := string(text)
	if lacks := brokenPromises(unit); len(lacks) > 0 {
		t.Fatalf("the unit lacks %q", lacks)
	}
	for _, line := range promised {
		if without := strings.Replace(unit, "\n"+line+"\n", "\n", 1); !slices.Equal(brokenPromises(without),
			[]string{line}) {
			t.Errorf("a unit without %s passes", line)
		}
		key, _, _ := strings.Cut(line, "=")
		if key == "SystemCallFilter" {
			continue // a list: later lines add to it
		}
		if again := unit + key + "=other\n"; !slices.Equal(brokenPromises(again), []string{line}) {
			t.Errorf("a unit that takes %s back passes", line)
		}
	}
	// The groups of the unit are created and joined in every place that creates the user.
	_, groups, _ := strings.Cut(promised[8], "=")
	for file, form := range map[string]func(string) string{
		"package/payterm.sysusers": func(g string) string { return "\nm payterm " + g + "\n" },
		"package/install.sh":       func(string) string { return "\ngroups=\"" + groups + "\"\n" },
		"board/service":            func(g string) string { return " " + g },
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range strings.Fields(groups) {
			if !strings.Contains(string(text), form(g)) {
				t.Errorf("%s does not know the group %s", file, g)
			}
		}
	}
}

// TestPackageChangelog: a package says what changed, in the form that Debian's tools read.
func TestPackageChangelog(t *testing.T) {
	t.Parallel()
	const who = "Anne Roy <anne@shop.example>"
	made := func(log string) (string, error) {
		cmd := exec.Command("package/changelog", "1.2.0", who)
		cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1700000000")
		cmd.Stdin = strings.NewReader(log)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, c := range []struct{ log, want string }{
		{"# Changelog\n\nThe form is that.\n\n## [Unreleased]\n\n## [1.2.0] - 2026-01-02\n\n### Added\n\n- One `thing`,\n" +
			"  " + strings.Repeat("long ", 20) + "\n- Two.\n\n### Fixed\n\n- Three.\n\n## [1.1.0] - 2026-01-01\n\n- Old.\n",
			"  [ Added ]\n  * One `thing`," + strings.Repeat(" long", 12) + "\n   " + strings.Repeat(" long", 8) +
				"\n  * Two.\n\n  [ Fixed ]\n  * Three."},
		{"# Changelog\n\n## [Unreleased]\n\n- Next.\n\n## [1.1.0] - 2026-01-01\n\n- Old.\n", "  * Next."},
	} {
		want := "payterm (1.2.0) stable; urgency=medium\n\n" + c.want + "\n\n -- " + who +
			"  Tue, 14 Nov 2023 22:13:20 +0000\n"
		if got, err := made(c.log); err != nil || got != want {
			t.Errorf("%v\n%s\nwant:\n%s", err, got, want)
		}
	}
	if got, err := made("# Changelog\n\n## [Unreleased]\n"); err == nil {
		t.Errorf("without entries: %s", got)
	}
	log, err := os.ReadFile("../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	ours, err := made(string(log))
	if err != nil || strings.Count(ours, "\n  * ") < 2 {
		t.Errorf("%v: %s", err, ours)
	}
	path := filepath.Join(t.TempDir(), "changelog")
	if err := os.WriteFile(path, []byte(ours), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := run(t, ".", "dpkg-parsechangelog", "--all", "-l", path); !strings.Contains(said, "Version: 1.2.0") ||
		!strings.Contains(said, "Maintainer: "+who) || strings.Contains(said, "dpkg-parsechangelog: warning") {
		t.Errorf("%s", said)
	}
}

// TestPackageLint runs Debian's lintian.
func TestPackageLint(t *testing.T) {
	deb, _ := packed(t, targets(t)[1]) // only the program differs between targets
	lintian := tooltest.Need(t, "lintian")
	// Suppressed: a static program is intended, its libraries are in its bill of materials; modes are checked
	// by TestPackageContents; the authors have no address.
	out, err := exec.Command(lintian, "--allow-root", "--fail-on", "error,warning", "--suppress-tags",
		"statically-linked-binary,embedded-library,initial-upload-closes-no-bugs,non-standard-file-perm,bogus-mail-host,bogus-mail-host-in-debian-changelog", deb).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v: %s", deb, err, out)
	}
}

// TestPackagePlain installs the tar file into a directory tree, upgrades and removes it: configuration and data
// survive.
func TestPackagePlain(t *testing.T) {
	_, tar := packed(t, targets(t)[1])
	dir, root := t.TempDir(), t.TempDir()
	run(t, ".", "tar", "-C", dir, "--strip-components=1", "-xzf", tar)
	install := filepath.Join(dir, "install.sh")
	said := run(t, "/", install, "--root", root)
	_, groups, _ := strings.Cut(promised[8], "=")
	if groups = strings.ReplaceAll(groups, " ", ","); !strings.Contains(said, " "+groups+" ") {
		t.Errorf("the image's user is not told to be in %s: %s", groups, said)
	}
	run(t, ".", "diff", "-r", filepath.Join(dir, "tree/usr"), filepath.Join(root, "usr"))
	config, data, program := filepath.Join(root, "etc/payterm/payterm.toml"),
		filepath.Join(root, "var/lib/payterm/payterm.db"), filepath.Join(root, "usr/bin/payterm")
	for _, path := range []string{config, data, program} {
		if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mine := func(path string) bool {
		text, err := os.ReadFile(path)
		return err == nil && string(text) == "mine"
	}
	run(t, "/", install, "--root", root)
	if !mine(config) || !mine(data) || mine(program) {
		t.Errorf("after an upgrade: configuration kept %v, data kept %v, program replaced %v", mine(config), mine(data),
			!mine(program))
	}
	run(t, "/", install, "--remove", "--root", root)
	if _, err := os.Stat(program); !mine(config) || !mine(data) || err == nil {
		t.Errorf("after removal: configuration kept %v, data kept %v, program gone %v", mine(config), mine(data),
			err != nil)
	}
}
