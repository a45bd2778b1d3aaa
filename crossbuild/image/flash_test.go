package image

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"payterm/internal/tooltest"
)

// card is a plain file that flash takes for a disk, with what the kernel reports about it.
type card struct {
	t                      *testing.T
	dir, image, path, cert string
}

// ownKeys are made once, since that is slow.
var ownKeys = sync.OnceValue(func() map[string]string {
	dir, err := os.MkdirTemp("", "keys")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if out, err := exec.Command("./keys", dir+"/own", "test").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v: %s", err, out))
	}
	files := map[string]string{}
	for _, name := range []string{"key.pem", "cert.pem"} {
		text, err := os.ReadFile(filepath.Join(dir, "own", name))
		if err != nil {
			panic(err)
		}
		files[name] = string(text)
	}
	return files
})

func newCard(t *testing.T) *card {
	t.Helper()
	tooltest.Need(t, "openssl")
	dir := t.TempDir()
	c := &card{t, dir, filepath.Join(dir, "x.img"), filepath.Join(dir, "sdx"), filepath.Join(dir, "keys", "cert.pem")}
	for name, text := range ownKeys() {
		c.put("keys/"+name, text)
	}
	c.put("x.img", strings.Repeat("image", 5000))
	c.sign()
	c.put("sdx", strings.Repeat("\x00", 100_000))
	for name, text := range map[string]string{
		"sys/class/block/sdx/ro": "0\n", "sys/class/block/sdx/size": "196\n", "sys/class/block/sdx/dev": "8:0\n",
		"sys/class/block/sdx/sdx1/dev": "8:1\n", "sys/class/block/sdx1/dev": "8:1\n",
		"sys/class/block/sdx1/partition": "1\n",
		"sys/class/block/sdx/holders/.k": "", "sys/class/block/sdx1/holders/.k": "",
		"mountinfo": "22 1 253:0 / / rw - ext4 /dev/vda rw\n", "swaps": "Filename Type Size Used Priority\n",
	} {
		c.put(name, text)
	}
	return c
}

func (c *card) put(name, text string) {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *card) sh(name string, args ...string) {
	c.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		c.t.Fatalf("%s %q: %v: %s", name, args, err, out)
	}
}

func (c *card) sign() {
	c.t.Helper()
	c.sh("openssl", "cms", "-sign", "-binary", "-md", "sha256", "-signer", c.cert, "-inkey",
		filepath.Join(c.dir, "keys", "key.pem"),
		"-in", c.image, "-outform", "DER", "-out", c.image+".p7s")
}

// flash runs the script, and returns its output and whether the card was changed.
func (c *card) flash(device string) (said string, touched bool, err error) {
	cmd := exec.Command("./flash", c.image, device)
	cmd.Env = append(os.Environ(), "PAYTERM_FLASH_TEST="+c.dir, "CERT="+c.cert)
	out, err := cmd.CombinedOutput()
	now, readErr := os.ReadFile(c.path)
	if readErr != nil {
		c.t.Fatal(readErr)
	}
	return string(out), strings.Trim(string(now), "\x00") != "", err
}

func TestFlash(t *testing.T) {
	t.Parallel()
	c := newCard(t)
	said, _, err := c.flash(c.path)
	written, _ := os.ReadFile(c.path)
	image, _ := os.ReadFile(c.image)
	if err != nil || !strings.Contains(said, "done and verified") || !strings.HasPrefix(string(written),
		string(image)) {
		t.Errorf("%v: %s", err, said)
	}
}

func TestFlashRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		set  func(*card) (device string)
		says string
	}{
		{"no device", func(*card) string { return "" }, "which card?"},
		{"a folder", func(c *card) string { return c.dir }, "is not a disk"},
		{"a device that is none", func(*card) string { return "/dev/null" }, "is not a disk"},
		{"a disk that is away", func(c *card) string { return c.path + "9" }, "is not a disk"},
		{"a partition", func(c *card) string { c.put("sys/class/block/sdx/partition", "1"); return c.path },
			"is a partition"},
		{"the system's disk", func(c *card) string {
			c.put("mountinfo", "22 1 8:1 / / rw - ext4 /dev/sdx1 rw\n")
			return c.path
		}, "the disk that this system runs from"},
		{"a mounted card", func(c *card) string {
			c.put("mountinfo", "22 1 8:1 / /media/card rw - vfat /dev/sdx1 rw\n")
			return c.path
		}, "umount /media/card"},
		{"the whole disk mounted", func(c *card) string {
			c.put("mountinfo", "22 1 8:0 / /mnt rw - vfat /dev/sdx rw\n")
			return c.path
		}, "umount /mnt"},
		{"a mounted file system with numbers of its own", func(c *card) string {
			c.put("mountinfo", "22 1 0:25 /home /home rw,relatime shared:1 - btrfs /dev/sdx1 rw\n")
			return c.path
		}, "umount /home"},
		{"swap", func(c *card) string { c.put("swaps", "/dev/sdx1 partition 1 0 -2\n"); return c.path }, "is swap"},
		{"encrypted, and the system beneath", func(c *card) string {
			c.put("sys/class/block/sdx1/holders/dm-0/dev", "253:9\n")
			c.put("sys/class/block/dm-0/dev", "253:9\n")
			return c.path
		}, "is part of dm-0"},
		{"locked", func(c *card) string { c.put("sys/class/block/sdx/ro", "1\n"); return c.path }, "read-only"},
		{"too small", func(c *card) string { c.put("sys/class/block/sdx/size", "40\n"); return c.path },
			"MB, the image"},
		{"an altered image", func(c *card) string { c.put("x.img", strings.Repeat("imagE", 5000)); return c.path },
			"is not what"},
		{"a certificate that is away", func(c *card) string { c.cert += "9"; return c.path }, "cannot be read by you"},
		{"a card that only root may write", func(c *card) string {
			if os.Geteuid() == 0 {
				c.t.Skip("root may write everything")
			}
			if err := os.Chmod(c.path, 0o400); err != nil {
				c.t.Fatal(err)
			}
			return c.path
		}, "sudo make flash"},
		{"an image without a signature", func(c *card) string { os.Remove(c.image + ".p7s"); return c.path },
			"no signature"},
		{"a foreign signature", func(c *card) string {
			c.cert = filepath.Join(c.dir, "foreign", "cert.pem")
			c.sh("./keys", filepath.Join(c.dir, "foreign"), "foreign")
			return c.path
		}, "is not what"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			card := newCard(t)
			said, touched, err := card.flash(c.set(card))
			if err == nil || touched || !strings.Contains(said, c.says) {
				t.Errorf("%v, touched %v, want %q: %s", err, touched, c.says, said)
			}
		})
	}
}

// TestFlashCatchesAWornCard: reading back finds a card that does not store what was written.
func TestFlashCatchesAWornCard(t *testing.T) {
	t.Parallel()
	c := newCard(t)
	c.put("worn", "")
	if said, _, err := c.flash(c.path); err == nil || !strings.Contains(said, "throw the card away") {
		t.Errorf("%v: %s", err, said)
	}
}
