package provision

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"filippo.io/age"
)

// TestSealFor: only the owner of the key reads what was sealed, and a wrong key is refused.
func TestSealFor(t *testing.T) {
	t.Parallel()
	mine, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	others, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var sealed bytes.Buffer
	w, err := SealFor(mine.Recipient().String(), &sealed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = io.WriteString(w, "takings"); err == nil {
		err = w.Close()
	}
	if err != nil || bytes.Contains(sealed.Bytes(), []byte("takings")) {
		t.Errorf("%v %q", err, sealed.Bytes())
	}
	r, err := age.Decrypt(bytes.NewReader(sealed.Bytes()), mine)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(r); err != nil || string(text) != "takings" {
		t.Errorf("%v %q", err, text)
	}
	if _, err := age.Decrypt(bytes.NewReader(sealed.Bytes()), others); err == nil {
		t.Error("somebody else reads it")
	}
	for _, wrong := range []string{"", "age1x", mine.String(), "ssh-ed25519 AAAA"} {
		if err := CheckKey(wrong); err == nil || wrong != "" && strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
