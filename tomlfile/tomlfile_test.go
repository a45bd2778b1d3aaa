package tomlfile_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

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

// TestKeysAreReadToTheLetter: a key counts only in its documented spelling. The decoder ignores case and takes
// one of two spellings at random (findings/toml-two-spellings.sh).
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

// TestMistakes: each message names the key and what is wrong in plain words, all mistakes are reported at once,
// and no message repeats a value.
func TestMistakes(t *testing.T) {
	type part struct {
		Name  string            `toml:"name"`
		Baud  int               `toml:"baud"`
		Cut   bool              `toml:"cut"`
		Wait  wait              `toml:"wait"`
		Rows  []string          `toml:"rows"`
		Keys  [][]string        `toml:"keys"`
		Map   map[string]string `toml:"map"`
		Small int8              `toml:"small"`
	}
	type whole struct {
		Title string `toml:"title"`
		Part  *part  `toml:"part"`
	}
	for _, c := range []struct{ text, wrong string }{
		{"name = \"a\"\nbaud = 9600\ncut = true\nwait = \"5ms\"\nrows = []\nkeys = [[]]\nmap = {a = \"b\"}", ""},
		{"baud = \"9600\"", "f.toml:2: part.baud: is text; a whole number is needed, without quotes or point"},
		{"'baud' = 1.5", "f.toml:2: part.baud: is a number with a point; a whole number is needed"},
		{"baud = 99999999999999999999", "f.toml:2: part.baud: the number is too large"},
		{"baud = 09600", "part.baud: a number does not begin with 0"},
		{"baud = 9600 Bd", "part.baud: a number stands alone, without a unit"},
		{"baud = 1,5", "part.baud: a number has no comma"},
		{"baud = -", "part.baud: is not written as TOML has it"},
		{"baud =", "part.baud: a value is missing behind ="},
		{"baud 9600", "f.toml:2: part.baud: a key is written name = value"},
		{"baud : 9600", "f.toml:2: part.baud: a key is written name = value"},
		{"baud = 1\nname = \"\"\nbaud = 2", "f.toml:4: part.baud: occurs twice, on line 2 too"},
		{"[part]", "f.toml:2: part: occurs twice, on line 1 too"},
		{"[part", "f.toml:2: part: a section is written [name], on a line of its own"},
		{"cut = yes", "part.cut: true or false is needed, in small letters and without quotes"},
		{"cut = True # it has one", "part.cut: true or false is needed, in small letters"},
		{"cut = \"true\"", "part.cut: is text; true or false is needed, without quotes"},
		{"wait = 5ms", "part.wait: a number stands alone, without a unit; text, such as \"5ms\", needs quotes"},
		{"wait = 5", "part.wait: is a number; a duration in quotes is needed, such as \"5ms\""},
		{"wait = \"5\"", "part.wait: no duration"},
		{"name = /dev/ttyS1", "part.name: text needs quotes around it"},
		{"name = 192.0.2.7:9100", "part.name: text needs quotes around it"},
		{"name = 04:30", "part.name: is a date or time; text in quotes is needed"},
		{"name = 0c2e:0b61 # by lsusb", "part.name: text needs quotes around it"},
		{"name = “/dev/ttyS1”", "part.name: quotes are the straight ones"},
		{"name = \"/dev/ttyS1", "part.name: the text's quote is not closed on its line"},
		{"name = \"a\" \"b\"", "part.name: behind the text stands something more"},
		{"name = \"a\\q\"", "part.name: a backslash in text is written twice"},
		{"name = \"\xff\"", "f.toml:2: part.name: has signs that are no UTF-8"},
		{"rows = \"GPIO1\"", "part.rows: is text; a list is needed, such as [\"a\", \"b\"]"},
		{"rows = [\"GPIO1\", 5]", "part.rows: item 2: is a number; text in quotes is needed"},
		{"rows = [\"GPIO1\"", "part.rows: the list is not whole"},
		{"rows = [\n  \"a\"\n  \"b\"\n]", "f.toml:3: part.rows: a comma is missing at the end of this line"},
		{"rows = [\n  \"a\", # [\n  \"b\" # ,\n\n  # c\n  'c',\n]\nbaud = 1",
			"f.toml:4: part.rows: a comma is missing at the end"},
		{"keys = [[\"1\", \"2\"]\n  [\"3\", \"4\"]]", "f.toml:2: part.keys: a comma is missing at the end of this line"},
		{"keys = [\n  [\"1\"],\n  [\"2\"]\n  [\"3\"],\n]\nname = \"a\"",
			"f.toml:4: part.keys: a comma is missing at the end"},
		{"keys = [\n  [\"1\"],\n  [\"2\" \"3\"],\n]\nname = \"a\"",
			"f.toml:4: part.keys: a comma is missing between two items"},
		{"keys = [[\"1\"] [\"2\"]]", "f.toml:2: part.keys: a comma is missing between two items"},
		{"keys = [\"1\"]\n  [\"2\", \"3\"]", "f.toml:2: part.keys: the list ends on this line, and the next line goes on with it"},
		{"keys = [\"1\"],\n  [\"2\"]", "f.toml:2: part.keys: the list ends before the comma: a list of lists stands"},
		{"rows = \"a\", \"b\"", "f.toml:2: part.rows: a list stands between [ and ]: [\"a\", \"b\"]"},
		{"rows = 'a', 'b']", "f.toml:2: part.rows: a list stands between [ and ]"},
		{"rows = GPIO1, GPIO2", "part.rows: a list of text stands between [ and ], each in quotes"},
		{"rows = [GPIO1, GPIO2]", "part.rows: each item of text needs quotes"},
		{"rows = [\"a\"; \"b\"]", "part.rows: items have commas between them, and no semicolon"},
		{"rows = [\"a\",, \"b\"]", "part.rows: there is a comma without an item"},
		{"rows = [\"a\"]]", "part.rows: a bracket is closed that was not opened"},
		{"map = { a = \"1\", b = \"2\"\nname = \"a\"", "f.toml:2: part.map: a } is missing: the values stand"},
		{"map = { a = \"1\"\n\n[other]\nb = 1", "f.toml:2: part.map: a } is missing"},
		{"map = { a = \"1\"", "f.toml:2: part.map: a } is missing"},
		{"map = { a = \"1\" b = \"2\" }", "f.toml:2: part.map: a comma is missing between two items"},
		{"map = { a: \"1\" }", "f.toml:2: part.map: between { and } each name has = and not : before its value"},
		{"map = a = \"1\"", "f.toml:2: part.map: the values stand between { and }, as in { name = 1,"},
		{"map = {\n  a = \"1\",\n  b = \"2\"\n}\nbaud = ", "f.toml:6: part.baud: a value is missing behind ="},
		{"baud = 0X27", "f.toml:2: part.baud: a hexadecimal number is written with 0x and a small x, such as 0x27"},
		{"baud = 27h", "part.baud: a hexadecimal number is written with 0x"},
		{"baud = $27", "part.baud: a hexadecimal number is written with 0x"},
		{"baud = 0x2G", "part.baud: a hexadecimal number is written with 0x"},
		{"rows = [\"a\", \"b\"\nbaud = 5", "f.toml:2: part.rows: the list is not whole"},
		{"rows = [\n  \"a\",\n  \"b\",\n\nbaud = 5", "f.toml:2: part.rows: the list is not whole"},
		{"keys = [[\"1\"], [\"]\"]\n# ]\n[map]\na = \"b\"", "f.toml:2: part.keys: the list is not whole"},
		{"keys = [[\"1\"],\n  [\"2\"]\n\n[[other]] # more\na = 1", "f.toml:2: part.keys: the list is not whole"},
		{"rows = [\"[\", \"a#b\"] # [\nbaud = ", "f.toml:3: part.baud: a value is missing behind ="},
		{"[other\nbaud = 5", "f.toml:2: other: a section is written [name], on a line of its own"},
		{"keys = [\"1\"]", "part.keys: item 1: is text; a list is needed"},
		{"map = 5", "part.map: is a number; a section [part.map] is needed"},
		{"map = {a = 1}", "part.map.a: is a number; text in quotes is needed"},
		{"[[part]]", "part: occurs twice"},
		{"uzb = 1\nbaut = 2", "f.toml:3: part.baut: unknown key; did you mean part.baud?"},
		{"title = \"a\"", "part.title: unknown key; did you mean title?"},
		{"x = 1", "part.x: unknown key"},
		{"0123456789ABCDEF", "f.toml:2: part: a key is written name = value"},
		{"name = 0123456789ABCDEF", "part.name: a number does not begin with 0"},
		{"cut = 5\nbaud = true\nnome = \"\"", "part.cut: is a number; true or false"},
		{"cut = 5\nbaud = true\nnome = \"\"", "f.toml:3: part.baud: is true or false; a whole"},
		{"cut = 5\nbaud = true\nnome = \"\"", "f.toml:4: part.nome: unknown key; did you mean part.name?"},
	} {
		var w whole
		_, err := tomlfile.Decode("f.toml", []byte("[part]\n"+c.text+"\n"), &w)
		switch {
		case c.wrong == "" && err != nil:
			t.Errorf("%q is refused: %v", c.text, err)
		case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
			t.Errorf("%q: got %v, want %s", c.text, err, c.wrong)
		case err != nil && (strings.Contains(err.Error(), "0123456789ABCDEF") || !utf8.ValidString(err.Error())):
			t.Errorf("%q: %q", c.text, err)
		}
	}
	var w whole
	for text, wrong := range map[string]string{
		"part = 5":                        "f.toml:1: part: is a number; a section [part] is needed",
		"[[part]]\nname = \"\"":           "f.toml:1: part: is in double brackets",
		"[prt]\nbaud = 1\n[prt.x]\na = 1": "f.toml:1: prt: unknown key; did you mean part?",
		"title = 5":                       "f.toml:1: title: is a number; text in quotes is needed",
		"root:$y$secret = a secret\n[root:$y$secret": "f.toml:1: a key is written name = value",
		"[root:$y$secret": "f.toml:1: a section is written [name]",
		"secret words":    "f.toml:1: a key is written name = value",
		"root:$y$secret":  "f.toml:1: a key is written name = value",
		"title":           "f.toml:1: title: a key is written name = value",
	} {
		if _, err := tomlfile.Decode("f.toml", []byte(text), &w); err == nil || !strings.Contains(err.Error(), wrong) ||
			strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v, want %s", text, err, wrong)
		}
	}
}

// wait is a duration as profiles have it.
type wait struct{ time.Duration }

func (d *wait) UnmarshalText(b []byte) (err error) {
	if d.Duration, err = time.ParseDuration(string(b)); err != nil {
		return errors.New("no duration")
	}
	return nil
}

// FuzzMistakes: any file is read, or refused with a message and a line that exists.
func FuzzMistakes(f *testing.F) {
	for _, text := range []string{
		"[port]\nbaud = 1", "[port\n", "a = [\n1\n2", "[[ports]]\nbaud = \"x\"", "\xff", "\n\n", "a.b.c = 1",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var b board
		_, err := tomlfile.Decode("f.toml", []byte(text), &b)
		var p tomlfile.Problem
		if errors.As(err, &p) && (p.Line < 0 || p.Line > strings.Count(text, "\n")+1 || p.Text == "") {
			t.Errorf("%q: %+v", text, p)
		}
	})
}
