package image

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestImageTellsWhatItPromises: the image's files contain what docs/decisions/0013 promises, as far as text can
// show.
func TestImageTellsWhatItPromises(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, says, why string }{
		{"tree/etc/systemd/system.conf.d/payterm.conf", `RuntimeWatchdogSec=1[0-5]s`,
			"a hardware watchdog that the Raspberry Pi's can keep"},
		{"tree/etc/systemd/journald.conf.d/payterm.conf", `SystemMaxUse=\d+M`, "a bounded log"},
		{"tree/etc/fstab", `(?m)^/dev/disk/by-partlabel/data /data .*x-systemd\.growfs`, "data that grows"},
		{"tree/etc/fstab", `(?m)^/dev/disk/by-partlabel/data .* 2$`,
			"data that is checked before it is mounted: the kernel refuses a torn journal"},
		{"boot.cmd", `fsck\.repair=yes`, "repairs that ask nobody"},
		{"tree/etc/fstab", `(?m)^/data/payterm /var/lib/payterm none bind`, "a journal that survives"},
		{"tree/usr/lib/repart.d/50-data.conf", `Type=linux-generic`, "a partition that grows"},
		{"tree/etc/rauc/system.conf", `bundle-formats=verity`, "bundles that are checked block by block"},
		{"rootfs", `getty@\.service serial-getty@\.service console-getty\.service`, "a console without a login"},
		{"rootfs", `usermod -L root`, "no password"},
		{"boot.cmd", `panic=5`, "a kernel that panics is counted"},
	} {
		text, err := os.ReadFile(c.file)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(c.says).Match(text) {
			t.Errorf("%s does not say %s: %s", c.file, c.says, c.why)
		}
	}
	packages, err := os.ReadFile("base")
	if err != nil {
		t.Fatal(err)
	}
	for _, never := range []string{"ssh", "telnet", "getty", "sudo"} {
		if strings.Contains(string(packages), never) {
			t.Errorf("base has %s", never)
		}
	}
}

// TestStickIsBoundToItsName: a stick with another label is ignored.
func TestStickIsBoundToItsName(t *testing.T) {
	t.Parallel()
	rule, err := os.ReadFile("tree/usr/lib/udev/rules.d/70-payterm-stick.rules")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{`ENV{ID_BUS}=="usb"`, `ENV{ID_FS_LABEL}=="PAYTERM"`, `payterm-stick@%k.service`} {
		if !strings.Contains(string(rule), word) {
			t.Errorf("the rule has no %s", word)
		}
	}
	if _, err := os.Stat(filepath.Join("tree", "usr/lib/systemd/system/payterm-stick@.service")); err != nil {
		t.Error(err)
	}
}

// TestPartitionsAreWhereTheyAreLookedFor: the recipe, U-Boot's script and the test of the whole image each have
// partition numbers and sizes of their own; they must agree.
func TestPartitionsAreWhereTheyAreLookedFor(t *testing.T) {
	t.Parallel()
	recipe, err := os.ReadFile("build")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`(?m)^start=.* name=([a-z-]+)`).FindAllStringSubmatch(string(recipe), -1)
	var got []string
	for _, n := range names {
		got = append(got, n[1])
	}
	if want := "boot env root-a root-b data"; strings.Join(got, " ") != want {
		t.Errorf("the recipe has %q, want %q", got, want)
	}
	size := regexp.MustCompile(`ROOT_MB=(\d+)`).FindStringSubmatch(string(recipe))
	if n, err := strconv.Atoi(size[1]); err != nil || dataAt != 66+2*n {
		t.Errorf("data is looked for at %d MB, roots have %s MB", dataAt, size[1])
	}
	script, err := os.ReadFile("boot.cmd")
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"${devnum} 2 at0", "setenv slot A\n\t\tsetenv part 3",
		"setenv slot B\n\t\tsetenv part 4"} {
		if !strings.Contains(string(script), words) {
			t.Errorf("boot.cmd does not say %q", words)
		}
	}
}
