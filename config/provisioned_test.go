package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"payterm/provision"
)

const (
	merchant = "[terminal]\nid = \"T1\" # the first\nboard = \"emulated\"\ndata_dir = \"/nowhere\"\n[merchant]\nname = \"Corner \\\"shop\\\"\"\n[gateway]\nurl = \"https://example.com/processV2\"\n" +
		"merchant_id = \"M\"\noperator_id = \"1\"\ncall_back_url = \"https://example.com/cb\"\nsign_key_file = \"/nowhere\"\n[sale]\ntips = [10, 15]\n"
	keyOld, keyNew = "0123456789ABCDEF", "FEDCBA9876543210"
)

func arrival(t *testing.T, data, key, terminal string) Arrival {
	t.Helper()
	text, err := Portable("merchant.toml", []byte(merchant), terminal)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "nowhere") || strings.Contains(string(text), "#") {
		t.Errorf("it carries what is the device's own: %s", text)
	}
	a, err := Arrive("", data, provision.Content{SignKey: key, Config: text})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// inForce returns the key and the terminal id that a start would find.
func inForce(t *testing.T, data string) (key, id string, serial uint64) {
	t.Helper()
	c, serial, err := InForce(filepath.Join(data, "none.toml"), data, nil)
	if err != nil {
		t.Fatalf("a start would fail: %v", err)
	}
	if serial == 0 {
		return "", "", 0
	}
	k, err := c.SignKey()
	if err != nil {
		t.Fatalf("a start would fail: %v", err)
	}
	return string(k), c.Terminal.ID, serial
}

// TestPortableSaysWhere: a problem has its line in the file that a person wrote, not in the portable text. An
// empty file name counts as none.
func TestPortableSaysWhere(t *testing.T) {
	t.Parallel()
	empty := "# a comment\n\n" + merchant + "[api]\ntoken_file = \"\"\n"
	for _, c := range []struct{ was, is, terminal, says string }{
		{"", "", "T2", ""},
		{"name = ", "ca_file = \"\"\nname = ", "T2", "m.toml:8: merchant.ca_file: unknown key"},
		{"sign_key_file", "ca_file = \"\"\nsign_key_file", "T2", ""},
		{"sign_key_file", "ca_file = \"/x.pem\"\nsign_key_file", "T2", "m.toml:14: gateway.ca_file: names a file"},
		{"[10, 15]", "[10, 101]\nmax_minor = -1", "T2",
			"m.toml:16: sale.tips: item 2: 101: 1 to 100 percent\nm.toml:17: sale.max_minor: -1"},
		{"board = \"emulated\"\n", "", "T2", ""},
		{"", "", "terminal22", "--terminal: \"terminal22\": 2 to 6"},
		{"\"T1\"", "\"t 1\"", "", "m.toml:4: terminal.id: "},
	} {
		_, err := Portable("m.toml", []byte(strings.Replace(empty, c.was, c.is, 1)), c.terminal)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q, --terminal %s: %v", c.is, c.terminal, err)
		}
	}
}

// TestInstallCutAnywhere simulates a power failure before each change to the disk: afterwards the old or the
// new configuration is there, complete, and a second attempt succeeds.
func TestInstallCutAnywhere(t *testing.T) {
	cut := errors.New("the power was cut")
	olds, news := 0, 0
	for k := 0; ; k++ {
		data := t.TempDir()
		if err := arrival(t, data, keyOld, "T1").Install(1); err != nil {
			t.Fatal(err)
		}
		left := k
		err := arrival(t, data, keyNew, "T2").install(2, currentLink, func() error {
			if left == 0 {
				return cut
			}
			left--
			return nil
		})
		key, id, serial := inForce(t, data)
		switch {
		case key == keyOld && id == "T1" && serial == 1 && err != nil:
			olds++
		case key == keyNew && id == "T2" && serial == 2:
			news++
		default:
			t.Errorf("cut before change %d (%v): key %q, id %s, serial %d", k, err, key, id, serial)
		}
		if err := arrival(t, data, keyNew, "T3").Install(3); err != nil {
			t.Errorf("after a cut before change %d: %v", k, err)
		}
		if _, id, _ := inForce(t, data); id != "T3" {
			t.Errorf("after a cut before change %d it is %s", k, id)
		}
		entries, err2 := os.ReadDir(filepath.Join(data, provisionDir))
		if err2 != nil || len(entries) != 2 {
			t.Errorf("left over: %v %v", entries, err2)
		}
		if left > 0 {
			break
		}
	}
	if olds < 8 || news < 2 {
		t.Errorf("%d cuts left the old, %d the new", olds, news)
	}
}

// TestWaitCutAnywhere simulates a power failure before each change to the disk while a parcel is stored to
// wait. The one in force stays in force. The parcel that waited before or the new one waits, complete, and can
// be put in force. A newer parcel that is installed replaces it.
func TestWaitCutAnywhere(t *testing.T) {
	cut := errors.New("the power was cut")
	olds, news := 0, 0
	for k := 0; ; k++ {
		data := t.TempDir()
		if err := errors.Join(arrival(t, data, keyOld, "T1").Install(1),
			arrival(t, data, keyNew, "T2").Wait(2)); err != nil {
			t.Fatal(err)
		}
		left := k
		err := arrival(t, data, keyNew, "T3").install(3, nextLink, func() error {
			if left == 0 {
				return cut
			}
			left--
			return nil
		})
		if key, id, serial := inForce(t, data); key != keyOld || id != "T1" || serial != 1 {
			t.Errorf("cut before change %d (%v): in force are key %q, id %s, serial %d", k, err, key, id, serial)
		}
		waits, serial, wrong := Waiting(data)
		switch {
		case wrong == nil && waits.Terminal.ID == "T2" && serial == 2 && err != nil:
			olds++
		case wrong == nil && waits.Terminal.ID == "T3" && serial == 3:
			news++
		default:
			t.Errorf("cut before change %d (%v): %s waits, serial %d, %v", k, err, waits.Terminal.ID, serial, wrong)
		}
		if err := TakeWaiting(data); err != nil {
			t.Errorf("after a cut before change %d: %v", k, err)
		}
		if key, id, now := inForce(t, data); key != keyNew || id != waits.Terminal.ID || now != serial {
			t.Errorf("after a cut before change %d: taken are key %q, id %s, serial %d", k, key, id, now)
		}
		if _, serial, err := Waiting(data); err != nil || serial != 0 {
			t.Errorf("and %d waits still: %v", serial, err)
		}
		entries, err2 := os.ReadDir(filepath.Join(data, provisionDir))
		if err2 != nil || len(entries) != 2 {
			t.Errorf("left over: %v %v", entries, err2)
		}
		if err := errors.Join(arrival(t, data, keyNew, "T4").Wait(4),
			arrival(t, data, keyOld, "T5").Install(5)); err != nil {
			t.Fatal(err)
		}
		if _, serial, err := Waiting(data); err != nil || serial != 0 {
			t.Errorf("an older one waits behind what was installed: %d %v", serial, err)
		}
		if left > 0 {
			break
		}
	}
	if olds < 8 || news < 2 {
		t.Errorf("%d cuts left the old, %d the new", olds, news)
	}
}

func TestInstalledKeyIsEncrypted(t *testing.T) {
	data := t.TempDir()
	if err := arrival(t, data, keyOld, "").Install(7); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(data, provisionDir, currentLink, keyFile)
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), keyOld) {
		t.Fatalf("%q %v", text, err)
	}
	for _, file := range []string{path, filepath.Join(data, deviceKeyFile), filepath.Join(data, provisionDir, "7",
		configFile)} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", file, info.Mode(), err)
		}
	}
	// The file without its data directory, as on another device.
	c, _, err := InForce("", data, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Terminal.DataDir = t.TempDir()
	if _, err := c.SignKey(); err == nil || strings.Contains(err.Error(), keyOld) ||
		!strings.Contains(err.Error(), "provision") {
		t.Errorf("without the device key: %v", err)
	}
	if _, err := DeviceKey(c.Terminal.DataDir); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SignKey(); err == nil || strings.Contains(err.Error(), keyOld) {
		t.Errorf("under another device key: %v", err)
	}
}

func TestSecretNeverChanges(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	first, err := DeviceKey(data)
	if err != nil || len(first) != 32 {
		t.Fatal(err)
	}
	again, err := DeviceKey(data)
	if err != nil || string(again) != string(first) {
		t.Errorf("another start has another key: %v", err)
	}
	path := filepath.Join(data, deviceKeyFile)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := DeviceKey(data); err == nil {
		t.Error("others may read it")
	}
	if err := errors.Join(os.Chmod(path, 0o600), os.Truncate(path, 31)); err != nil {
		t.Fatal(err)
	}
	if _, err := DeviceKey(data); err == nil {
		t.Error("a damaged one was taken, or replaced")
	}
}

func TestPortableRefuses(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"a file":      {"[sale]\n", "ca_file = \"/etc/ca.pem\"\n[sale]\n", "ca_file"},
		"no url":      {"url = \"https://example.com/processV2\"\n", "", "gateway.url"},
		"unknown key": {"tips", "tipz", "tips"},
		"no TOML":     {"[sale]", "[sale", "merchant.toml"},
	} {
		if _, err := Portable("merchant.toml", []byte(strings.Replace(merchant, c.old, c.new, 1)), ""); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Arrive("", t.TempDir(), provision.Content{SignKey: "CANARY\x00signKEY06",
		Config: []byte(merchant)}); err == nil || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("a sign key with a hole: %v", err)
	}
}

// TestParcelBringsTheAddressOfUpdates: a parcel can set the address of updates like any other key.
func TestParcelBringsTheAddressOfUpdates(t *testing.T) {
	text, err := Portable("merchant.toml", []byte(merchant+"[update]\nurl = \"https://updates.example/pi.raucb\"\n"),
		"T2")
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	a, err := Arrive("", data, provision.Content{SignKey: keyOld, Config: text})
	if err == nil {
		err = a.Install(1)
	}
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := InForce(filepath.Join(data, "none.toml"), data, nil)
	if err != nil || c.Update.URL != "https://updates.example/pi.raucb" {
		t.Errorf("%q, %v", c.Update.URL, err)
	}
	if c, err = Load("", []string{"PAYTERM_UPDATE_URL=https://updates.example/other"}); err != nil ||
		c.Update.URL != "https://updates.example/other" {
		t.Errorf("by the environment: %q, %v", c.Update.URL, err)
	}
}

// TestBoardOfAParcel: if a parcel names no board, or the default of the example, the terminal's own board is
// used. A board other than the factory's is refused. If the factory names none, the parcel's board counts, and
// after it that of the installed configuration.
func TestBoardOfAParcel(t *testing.T) {
	t.Parallel()
	const path = "/etc/payterm/board.toml"
	for name, c := range map[string]struct {
		factory, first, second string // boards; empty: no key
		board, refused         string // after the second
	}{
		"the example's":            {"pi", "emulated", "emulated", "pi", ""},
		"left out":                 {"pi", "", "", "pi", ""},
		"by path":                  {path, "", path, path, ""},
		"the same":                 {"pi", "", "pi", "pi", ""},
		"another":                  {"pi", "", "zero", "pi", `parcel: terminal.board: "zero": this terminal is "pi"`},
		"another by path":          {path, "pi0", path, path, ""}, // the first one was refused
		"no factory":               {"", "", "zero", "zero", ""},
		"no factory, then another": {"", "pi", "zero", "zero", ""},
		"no factory, then none":    {"", "pi", "", "pi", ""},
		"nobody says":              {"", "", "", "", ""},
	} {
		data, file := t.TempDir(), filepath.Join(t.TempDir(), "payterm.toml")
		if c.factory != "" {
			if err := os.WriteFile(file, []byte("[terminal]\nboard = \""+c.factory+"\"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var last error
		for i, board := range []string{c.first, c.second} {
			line := ""
			if board != "" {
				line = "board = \"" + board + "\"\n"
			}
			text, err := Portable("m.toml", []byte(strings.Replace(merchant, "board = \"emulated\"\n", line, 1)), "T2")
			if err != nil || strings.Contains(string(text), "emulated") {
				t.Fatalf("%s: %v\n%s", name, err, text)
			}
			var a Arrival
			if a, last = Arrive(file, data, provision.Content{SignKey: keyOld, Config: text}); last != nil {
				continue
			}
			if err := a.Install(uint64(i) + 1); err != nil {
				t.Fatal(err)
			}
			if now, _, err := InForce(file, data, nil); err != nil || now.Terminal.Board != a.Config.Terminal.Board ||
				now.HasBoard() != a.Config.HasBoard() {
				t.Errorf("%s: it was told %q and has %q, %v", name, a.Config.Terminal.Board, now.Terminal.Board, err)
			}
		}
		now, serial, err := InForce(file, data, nil)
		if err != nil || serial == 0 || now.HasBoard() != (c.board != "") || c.board != "" &&
			now.Terminal.Board != c.board {
			t.Errorf("%s: parcel %d, board %q, %v", name, serial, now.Terminal.Board, err)
		}
		if c.refused == "" && last != nil || c.refused != "" &&
			(last == nil || !strings.Contains(last.Error(), c.refused)) {
			t.Errorf("%s: %v", name, last)
		}
	}
}
