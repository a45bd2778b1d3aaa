package tomlfile_test

import (
	"strings"
	"testing"

	"payterm/tomlfile"
)

type port struct {
	Baud int `toml:"baud"`
	Name string
}

type board struct {
	Port   port           `toml:"port"`
	Ports  []port         `toml:"ports"`
	Labels map[string]int `toml:"labels"`
}

// A key counts only as it is documented: the decoder underneath takes any case, and of
// two spellings in one file chance decides (findings/toml-two-spellings.sh).
func TestKeysAreReadToTheLetter(t *testing.T) {
	for _, c := range []struct{ text, wrong string }{
		{"[port]\nbaud = 1\n[[ports]]\nbaud = 2\n[[ports]]\nbaud = 3\n[labels]\nBaud = 1\nbaud = 2\n", ""},
		{"[port]\nbaud = 1\nBAUD = 2\n", "f.toml:3: port.BAUD: unknown key; did you mean port.baud?"},
		{"[port]\nBaud = 2\n", "f.toml:2: port.Baud: unknown key; did you mean port.baud?"},
		{"[Port]\nbaud = 2\n", "Port: unknown key; did you mean port?"},
		{"[[ports]]\nbaud = 1\n[[ports]]\nBaud = 2\n[[ports]]\nBaud = 2\n", "ports.Baud: unknown key"},
		{"[port]\nname = \"a field without a tag is no key\"\n", "port.name: unknown key"},
	} {
		var b board
		_, err := tomlfile.Decode("f.toml", []byte(c.text), &b)
		switch {
		case c.wrong == "" && err != nil:
			t.Errorf("%q is refused: %v", c.text, err)
		case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
			t.Errorf("%q: got %v, want %s", c.text, err, c.wrong)
		case c.wrong != "" && strings.Count(err.Error(), c.wrong) != 1:
			t.Errorf("%q: told more than once: %v", c.text, err)
		}
	}
}
