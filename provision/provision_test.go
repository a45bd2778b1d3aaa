package provision_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base32"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"payterm/provision"
)

// Canaries are secrets that must not appear anywhere.
const (
	signKey = "CANARYsignKEY016"
	code    = provision.Code("471122869103")
	config  = "[terminal]\nid = \"T2\"\n[merchant]\nname = \"Corner shop\"\n"
)

var made = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func newSigner(t testing.TB, seed byte) ed25519.PrivateKey {
	t.Helper()
	signer, text, err := provision.NewSigner(bytes.NewReader(bytes.Repeat([]byte{seed}, 64)))
	if err != nil {
		t.Fatal(err)
	}
	read, err := provision.ReadSigner(text)
	if err != nil || !read.Equal(signer) {
		t.Fatalf("the signer's file: %v", err)
	}
	return signer
}

func public(s ed25519.PrivateKey) ed25519.PublicKey { return s.Public().(ed25519.PublicKey) }

func parcel(t testing.TB, terms provision.Terms, signer ed25519.PrivateKey) string {
	t.Helper()
	text, err := provision.Make(terms, provision.Content{SignKey: signKey, Config: []byte(config)}, code, signer)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func reason(err error) provision.Reason {
	var refused provision.Refused
	if errors.As(err, &refused) {
		return refused.Reason
	}
	return ""
}

func TestRoundTrip(t *testing.T) {
	signer := newSigner(t, 1)
	text := parcel(t, provision.Terms{Made: made, Life: time.Hour}, signer)
	if strings.ContainsFunc(text, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) {
		t.Errorf("a typing scanner could get it wrong: %s", text)
	}
	if raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text[4:]); err != nil ||
		bytes.Contains(raw, []byte(signKey)) || bytes.Contains(raw, []byte("Corner")) {
		t.Errorf("it can be read: %v", err)
	}
	t.Logf("%d characters", len(text))
	p, err := provision.Read(" " + text + "\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Check(provision.Receiver{Signers: []ed25519.PublicKey{public(newSigner(t, 2)), public(signer)},
		Now: made}); err != nil {
		t.Fatal(err)
	}
	c, err := p.Open(code)
	if err != nil || c.SignKey != signKey || string(c.Config) != config {
		t.Errorf("%v", err)
	}
	if _, err := p.Open("471122869104"); reason(err) != provision.WrongCode {
		t.Errorf("another code: %v", err)
	}
}

func TestRefused(t *testing.T) {
	signer, other := newSigner(t, 1), newSigner(t, 2)
	device, another := provision.DeviceOf([]byte("this")), provision.DeviceOf([]byte("that"))
	terms := provision.Terms{Made: made, Life: time.Hour}
	mine, his := terms, terms
	mine.Device, his.Device = device, another
	good := parcel(t, terms, signer)
	serial := uint64(made.UnixMilli())
	// flip changes one bit of the bytes, so that the base32 text stays canonical.
	flip := func(text string, at int) string {
		e := base32.StdEncoding.WithPadding(base32.NoPadding)
		b, err := e.DecodeString(text[4:])
		if err != nil {
			t.Fatal(err)
		}
		if at < 0 {
			at += len(b)
		}
		b[at] ^= 1
		return text[:4] + e.EncodeToString(b)
	}
	for _, c := range []struct {
		name      string
		text      string
		installed uint64
		now       time.Time
		want      provision.Reason
	}{
		{"good", good, 0, made, ""},
		{"for this device", parcel(t, mine, signer), 0, made, ""},
		{"at its last moment", good, 0, made.Add(time.Hour - 1), ""},
		{"a clock that is a little slow", good, 0, made.Add(-9 * time.Minute), ""},
		{"newer than the last", good, serial - 1, made, ""},
		{"foreign", parcel(t, terms, other), 0, made, provision.Foreign},
		{"signer's name altered", flip(good, 1), 0, made, provision.Foreign},
		{"serial altered", flip(good, 16), 0, made, provision.Altered},
		{"life altered", flip(good, 19), 0, made, provision.Altered},
		{"device altered", flip(good, 22), 0, made, provision.Altered},
		{"body altered", flip(good, 100), 0, made, provision.Altered},
		{"signature altered", flip(good, -1), 0, made, provision.Altered},
		{"cut short in its body", good[:len(good)/8*8-200+4], 0, made, provision.Altered},
		{"for another device", parcel(t, his, signer), 0, made, provision.ForAnother},
		{"the same again", good, serial, made, provision.Older},
		{"older", good, serial + 1, made, provision.Older},
		{"clock not set", good, 0, time.Time{}, provision.ClockNotSet},
		{"clock before it was made", good, 0, made.Add(-time.Hour), provision.ClockNotSet},
		{"expired", good, 0, made.Add(time.Hour), provision.Expired},
		{"version", flip(good, 0), 0, made, provision.Unreadable},
		{"nothing", "", 0, made, provision.Unreadable},
		{"prefix alone", "PPV1", 0, made, provision.Unreadable},
		{"payment code", "281234567890123456", 0, made, provision.Unreadable},
		{"no base32", good + "!", 0, made, provision.Unreadable},
		{"small letters", "PPV1" + strings.ToLower(good[4:]), 0, made, provision.Unreadable},
		{"too long", "PPV1" + strings.Repeat("A", provision.MaxText), 0, made, provision.Unreadable},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := provision.Read(c.text)
			if err == nil {
				err = p.Check(provision.Receiver{Signers: []ed25519.PublicKey{public(signer)}, Device: device,
					Installed: c.installed, Now: c.now})
			}
			if reason(err) != c.want || (err == nil) != (c.want == "") {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	p, err := provision.Read(good)
	if err == nil {
		err = p.Check(provision.Receiver{Now: made})
	}
	if reason(err) != provision.Foreign || !strings.Contains(err.Error(), "--trust") {
		t.Errorf("without any signer: %v", err)
	}
}

func TestMakeRefuses(t *testing.T) {
	signer := newSigner(t, 1)
	noise := make([]byte, 4000)
	for i := range noise {
		noise[i] = byte(i*i>>3 ^ i*7)
	}
	for _, c := range []struct {
		name string
		life time.Duration
		key  string
		text []byte
	}{
		{"no life", 0, signKey, nil},
		{"for ever", 100 * 24 * time.Hour, signKey, nil},
		{"short key", time.Hour, "short", nil},
		{"too large for a code", time.Hour, signKey, noise},
	} {
		if _, err := provision.Make(provision.Terms{Made: made, Life: c.life},
			provision.Content{SignKey: c.key, Config: c.text}, code, signer); err == nil {
			t.Errorf("%s: was made", c.name)
		}
	}
}

func TestSecretsHide(t *testing.T) {
	held := []any{
		code, &code2, provision.Content{SignKey: signKey, Config: []byte(signKey)},
		&provision.Content{SignKey: signKey},
		struct {
			C provision.Code
			D provision.Content
		}{code, provision.Content{SignKey: signKey, Config: []byte(signKey)}},
	}
	for _, h := range held {
		text, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		for _, shown := range []string{fmt.Sprint(h), fmt.Sprintf("%+v", h), fmt.Sprintf("%#v", h),
			fmt.Sprintf("%q", h), string(text)} {
			if strings.Contains(shown, signKey) || strings.Contains(shown, string(code)) {
				t.Errorf("%T shows itself: %s", h, shown)
			}
		}
	}
	_, err := provision.ReadSigner("payterm-signer-secret-1 " + signKey)
	_, err2 := provision.OpenKey(make([]byte, 32), []byte("payterm-sealed-1 "+signKey))
	_, err3 := provision.ReadSigners("payterm-signer-secret-1 " + signKey)
	for _, err := range []error{err, err2, err3} {
		if err == nil || strings.Contains(err.Error(), signKey) {
			t.Errorf("%v", err)
		}
	}
}

var code2 = code

func TestSealedKey(t *testing.T) {
	device, other := bytes.Repeat([]byte{7}, 32), bytes.Repeat([]byte{8}, 32)
	text, err := provision.SealKey(device, bytes.NewReader(bytes.Repeat([]byte{9}, 24)), signKey)
	if err != nil || strings.Contains(text, signKey) || !provision.IsSealed([]byte(text)) ||
		provision.IsSealed([]byte(signKey)) {
		t.Fatalf("%q %v", text, err)
	}
	if key, err := provision.OpenKey(device, []byte(text)); err != nil || key != signKey {
		t.Errorf("%v", err)
	}
	if _, err := provision.OpenKey(other, []byte(text)); err == nil {
		t.Error("another device's key opened it")
	}
	for i := len("payterm-sealed-1 "); i < len(text)-1; i++ {
		b := []byte(text)
		b[i] ^= 2
		if key, err := provision.OpenKey(device, b); err == nil && key != signKey {
			t.Errorf("altered at %d it gave another key", i)
		}
	}
}

func TestSigners(t *testing.T) {
	one, two := newSigner(t, 1), newSigner(t, 2)
	all, err := provision.ReadSigners("# our fleet\n\n" + provision.PublicLine(one) + " alice, 2026\n" +
		provision.PublicLine(two))
	if err != nil || len(all) != 2 || !all[0].Equal(public(one)) || !all[1].Equal(public(two)) {
		t.Errorf("%d signers, %v", len(all), err)
	}
	for _, bad := range []string{"payterm-signer-1", "payterm-signer-1 AAAA", "ssh-ed25519 AAAA",
		strings.Repeat(provision.PublicLine(one)+"\n", 65)} {
		if _, err := provision.ReadSigners(bad); err == nil {
			t.Errorf("%.30q was taken", bad)
		}
	}
}

func TestCodes(t *testing.T) {
	drawn, err := provision.DrawCode(bytes.NewReader([]byte{255, 250, 0, 11, 22, 33, 44, 55, 66, 77, 88, 99, 249, 1,
		2}))
	if err != nil || drawn.Reveal() != "0123 4567 8991" {
		t.Errorf("%s %v", drawn.Reveal(), err)
	}
	for text, good := range map[string]bool{"4711 2286 9103": true, " 471122869103\n": true, "4711-2286-9103": true,
		"47112286910": false, "47112286910x": false, "": false} {
		if c, err := provision.ParseCode(text); (err == nil) != good || good && c != code {
			t.Errorf("%q: %v", text, err)
		}
	}
	d := provision.DeviceOf([]byte("this"))
	if read, err := provision.ParseDevice(strings.ToLower(d.String())); err != nil || read != d {
		t.Errorf("%s: %v", d, err)
	}
	if _, err := provision.ParseDevice("ABCD-EFG1"); err == nil {
		t.Error("1 is no sign of base32")
	}
}

var update = flag.Bool("update", false, "make testdata/version1.ppv anew; only with a new version")

// TestParcelOfVersion1 opens a parcel of an earlier build: the format and its dictionary must not change for
// parcels already sent.
func TestParcelOfVersion1(t *testing.T) {
	file := filepath.Join("testdata", "version1.ppv")
	if *update {
		if err := os.WriteFile(file, []byte(parcel(t, provision.Terms{Made: made, Life: time.Hour}, newSigner(t, 1))+
			"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := provision.Read(string(text))
	if err == nil {
		err = p.Check(provision.Receiver{Signers: []ed25519.PublicKey{public(newSigner(t, 1))}, Now: made})
	}
	if err != nil {
		t.Fatal(err)
	}
	if c, err := p.Open(code); err != nil || c.SignKey != signKey || string(c.Config) != config {
		t.Errorf("%v", err)
	}
}

// FuzzRead: any scanned text is refused with a reason, or is a parcel with exactly one text that only its
// signer can have made.
func FuzzRead(f *testing.F) {
	signer := newSigner(f, 1)
	text, err := os.ReadFile(filepath.Join("testdata", "version1.ppv"))
	if err != nil {
		f.Fatal(err)
	}
	good := strings.TrimSpace(string(text))
	for _, seed := range []string{good, good[:200], "PPV1", "PPV1AE======", "281234567890123456", good + good,
		strings.ToLower(good)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := provision.Read(text)
		if err != nil {
			if reason(err) != provision.Unreadable {
				t.Errorf("%v", err)
			}
			return
		}
		err = p.Check(provision.Receiver{Signers: []ed25519.PublicKey{public(signer)}, Now: made})
		if (err == nil) != (strings.TrimSpace(text) == good) {
			t.Errorf("%.80q: %v", text, err)
		}
		if err != nil && reason(err) == "" {
			t.Errorf("no reason: %v", err)
		}
	})
}
