package payterm_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"payterm/internal/tooltest"
)

// The laws of the house: what may import what, where time and chance may enter, where a
// payment code is read whole, and what every package has. Tests have to keep only the last:
// they may bring any two rooms together.

const module = "payterm"

// room says what the packages of one part of the tree may import. A pattern is
// a path below the module ("." for the root), where * stands for one element and
// a trailing /... for whatever lies below as well; the first row that fits holds.
type room struct {
	path    string
	ours    string // our packages, separated by blanks
	modules string // modules of others, as prefixes
	banned  string // of the standard library, with what lies below
	reason  string
}

// impure is what a package that only thinks has no business with.
const impure = "os net log math/rand crypto/rand database/sql syscall"

var rooms = []room{
	{".", "", "", impure,
		"the words know no clock, no chance, no file and no network"},
	{"flows/order", ".", "", impure,
		"an order is a pure machine: the same events give the same state"},
	{"flows/counter", ". flows/order", "", impure,
		"a pure machine too; it sees an order's state, and an order sees nothing of it"},
	{"screen", ". flows/counter flows/order locale", "", impure,
		"what is shown follows from the state alone"},
	{"receipt", ". flows/order locale", "", impure,
		"what is printed follows from the order alone"},
	{"locale", ".", "", impure,
		"a language's way with numbers"},
	{"unifont", "", "golang.org/x/text", impure,
		"signs are data, and a text is made of them; glasses and rolls draw them"},
	{"glass", ". unifont", "golang.org/x/image golang.org/x/text rsc.io/qr", impure,
		"how a screen lies on a glass follows from the screen and the size"},
	{"flows/runner", ". flows/counter flows/order", "", "os net database/sql math/rand crypto/rand",
		"the runner declares the interfaces that it needs and knows nobody who fits them"},
	{"flows/flowstest", ". flows/counter flows/order flows/runner screen receipt storage gateway/ottpay gateway/ottsim",
		"", "os/exec",
		"the simulated world stands around the production code, down to the gateway's bytes; its devices are words"},
	{"storage", ".", "github.com/mattn/go-sqlite3", "net/http math/rand",
		"storage keeps what it is given; it knows neither flows nor hardware"},
	{"hal", "", "periph.io/x/ github.com/tarm/serial golang.org/x/sys", "net/http database/sql",
		"hal opens ports by name; what is said through them is the drivers' affair"},
	{"board", ". hal tomlfile", "periph.io/x/conn/v3", "os net/http database/sql math/rand crypto/rand",
		"a profile says what hangs on which wire; the files are read by whoever calls"},
	{"hal/emulated/...", ". board hal",
		"periph.io/x/conn/v3 github.com/creack/pty golang.org/x/sys golang.org/x/image golang.org/x/text rsc.io/qr",
		"net/http database/sql",
		"an emulated chip knows its bus and never the driver that it checks"},
	{"hal/haltest", "hal", "periph.io/x/conn/v3 github.com/creack/pty", "net database/sql",
		"scripted ports"},
	{"drivers/lcd", "unifont", "periph.io/x/conn/v3", "os net database/sql math/rand crypto/rand",
		"a picture or characters in, bytes out: it knows no screen"},
	{"drivers/*", ". unifont", "periph.io/x/conn/v3 golang.org/x/text rsc.io/qr",
		"os net database/sql math/rand crypto/rand",
		"a driver speaks to one kind of chip through the port that it is handed: no other driver, no hal"},
	{"gateway/ottpay", ".", "", "math/rand os database/sql",
		"the client says what the gateway answered, and decides nothing"},
	{"gateway/ottsim", "", "", "database/sql os/exec",
		"a twin on purpose: what it shared with the client would be wrong in both alike"},
	{"tomlfile", "", "github.com/BurntSushi/toml", "net",
		"reads text; whose text is the caller's affair"},
	{"provision", "", "filippo.io/age golang.org/x/crypto", impure,
		"a format: whoever calls has the files, the clock and the dice"},
	{"boards", "", "", "net os",
		"the profiles are data"},
	{"crossbuild/board/probe", ". board hal drivers/*", "periph.io/x/conn/v3", "net/http database/sql",
		"a guest's hands, for the tests of the virtual board: real drivers on real ports"},
	{"crossbuild/...", "", "github.com/CycloneDX/cyclonedx-go", "net",
		"looks at artefacts"},
	{"internal/tooltest", "", "", "net",
		"asks the machine for tools"},
	{"internal/httpd", "", "", "os database/sql",
		"bounds what callers take; what they are answered is the programs' affair"},
	{"internal/durable", "", "", "net database/sql",
		"files that a power cut must not halve"},
	{"internal/crash", "", "", "net database/sql",
		"keeps the stacks of a program that crashed"},
	{"internal/beneath", "", "golang.org/x/sys", "net database/sql",
		"opens files below a folder that somebody else may write to"},
	{"config", ". flows/counter flows/order provision tomlfile internal/beneath internal/durable", "golang.org/x/crypto",
		"net/http database/sql os/exec",
		"a configuration file in, values out; what they set going is the terminal's affair"},
	{"terminal", ". board config flows/counter flows/order flows/runner gateway/ottpay receipt screen storage terminal/*",
		"", "net/http database/sql os/exec",
		"it puts the rooms together on the ports that it is handed, real or emulated"},
	{"terminal/api", ". flows/counter screen internal/durable internal/httpd", "golang.org/x/sys", "database/sql os/exec",
		"the local API's words, client and server; who answers is an interface to it, never the terminal"},
	{"terminal/devices", ". board drivers/* glass hal", "", "net/http database/sql os/exec math/rand crypto/rand",
		"a goroutine for each device; what a key, a screen or a slip means is their owner's affair"},
	{"terminal/doctor", ". board config flows/counter glass hal screen terminal/api terminal/devices unifont internal/beneath internal/durable", "golang.org/x/sys", "database/sql os/exec math/rand",
		"journal, gateway, counter and devices are interfaces to the doctor, who changes nothing"},
	{"terminal/notice", "screen terminal/api", "", "os net database/sql math/rand",
		"what stands on the screens for a while; whose it is does not matter"},
	{"terminal/selling", ". config flows/counter flows/order flows/runner storage terminal/api", "",
		"os net database/sql math/rand crypto/rand",
		"what callers ask of a terminal that sells; the loop and the journal are interfaces to it, it decides about no money"},
	{"terminal/setup", ". board config provision screen storage terminal/api terminal/devices terminal/doctor terminal/notice", "", "net/http database/sql os/exec math/rand",
		"it sells nothing: no gateway and no loop; the journal it only reads, for what a parcel has to wait for"},
	{"terminal/slips", ".", "", "os net database/sql math/rand",
		"what a terminal owes on paper; the printer and the loop are functions to it"},
	{"terminal/training", ". config flows/counter gateway/ottpay gateway/ottsim internal/httpd terminal/api", "",
		"database/sql os os/exec",
		"the gateway of a training: nothing of the merchant's, and none of the journals"},
	{"terminal/upkeep", "flows/counter storage terminal/api terminal/doctor terminal/notice", "",
		"os net database/sql math/rand",
		"what a terminal does by itself beside selling; it decides about no order"},
	{"servicefile", ". config internal/beneath internal/crash storage tomlfile", "", "net database/sql os/exec",
		"what may leave a terminal, and in which words; who wants it and where it goes is the program's affair"},
	{"update", "config internal/durable screen", "golang.org/x/sys", "database/sql os/exec math/rand crypto/rand",
		"versions of the system: the terminal is an interface to it, and programs are run for it"},
	{"panel", ". config flows/counter flows/order hal/emulated provision screen storage", "github.com/makiuchi-d/gozxing",
		"database/sql os/exec",
		"the page of the emulated terminal: it presses the emulated keys and looks at the emulated glass"},
	{"cmd/payterm", ". board boards config flows/counter flows/runner gateway/ottsim hal hal/emulated internal/... panel provision screen servicefile storage terminal terminal/* tomlfile update", "github.com/alecthomas/kong github.com/coreos/go-systemd github.com/systemd/slog-journal golang.org/x/crypto golang.org/x/sys rsc.io/qr", "",
		"flags, wiring, printing"},
	{"cmd/ottsim", "gateway/ottsim internal/durable internal/httpd", "", "os/exec",
		"flags around the simulated gateway"},
}

// closed lists what only some may import, the programs included.
type closed struct {
	what   string // prefix of an import path; ours begin with the module's name
	only   string // patterns of the packages that may, separated by blanks; empty for tests only
	reason string
}

var closedDoors = []closed{
	{"periph.io/x/host/", "hal", "one place opens hardware; everybody else is handed a port"},
	{"github.com/tarm/serial", "hal", "its pitfalls (time-outs, hang-ups) are dealt with once"},
	{"github.com/mattn/go-sqlite3", "storage", "one place knows what makes a commit durable"},
	{"database/sql", "storage", "an event and its outbox row share a transaction"},
	{"github.com/creack/pty", "hal/emulated/... hal/haltest",
		"serial devices are emulated in one place, and a test's cable is pulled in another"},
	{"github.com/BurntSushi/toml", "tomlfile", "files are read strictly in one way"},
	{"filippo.io/age", "provision", "one place encrypts parcels"},
	{"github.com/alecthomas/kong", "cmd/payterm", "flags end at the program"},
	{"github.com/systemd/slog-journal", "cmd/payterm", "where the log goes is the program's affair"},
	{"github.com/makiuchi-d/gozxing", "panel", "only the emulated customer's phone reads codes"},
	{"github.com/chromedp", "", "a browser belongs to tests"},
	{"github.com/rogpeppe/go-internal", "", "command stories belong to tests"},
	{"pgregory.net/rapid", "", "properties belong to tests"},
	{module + "/cmd", "", "nothing imports a program"},
	{module + "/terminal", "terminal terminal/... cmd/...", "whoever puts a terminal together is a program"},
	{module + "/hal/emulated", "panel cmd/...", "a terminal with real hardware is wired without knowing of it"},
	{module + "/gateway/ottsim", "terminal/training cmd/... flows/flowstest", "the simulator is wired, never called"},
	{module + "/hal/haltest", "", "for tests"},
	{module + "/flows/flowstest", "", "for tests"},
	{module + "/internal/tooltest", "", "for tests"},
}

// gate is a place where time or chance enters or a payment code is read whole, with its reason.
type gate struct{ prefix, reason string }

var timeGates = []gate{
	{"hal/", "hardware takes real time: serial back-off, emulated baud rates"},
	{"cmd/", "the programs hand out clocks and sleeps"},
	{"terminal/", "devices are retried, callers wait, days end"},
	{"update/", "a silent server is given up, a restart waits for the counter, a signature has a date"},
	{"panel/", "a page asks again, a phone waits"},
	{"internal/crash/", "a name for a stack that is kept"},
	{"internal/httpd/", "callers have so much time"},
	{"flows/runner/clock.go", "the one clock of the loop"},
	{"gateway/ottsim/", "latency, delays and the lives of codes"},
	{"flows/flowstest/", "a world that lives in a bubble of synctest, whose clock it is"},
}

var chanceGates = []gate{
	{"cmd/", "keys of parcels and idempotency keys"},
	{"terminal/", "the boot tag is drawn there and handed to storage"},
	{"config/", "keys that a terminal seals its secrets with"},
	{"gateway/ottsim/", "payment codes and channel order ids, from a seed"},
	{"flows/flowstest/", "random worlds, from a seed"},
}

// Reveal is called in these files; everywhere else a payment code shows its masked form only.
var codeGates = []gate{
	{"gateway/ottpay/ottpay.go", "the code is checked and sent"},
	{"terminal/agent.go", "a keyed hash tells a code that was used before"},
	{"terminal/parcels.go", "a scan may be a parcel, which its text tells"},
	{"terminal/setup/setup.go", "before provisioning every scan is taken for a parcel"},
	{"terminal/devices/input.go", "another keyboard layout is found out by the signs of the whole text"},
	{"terminal/doctor/trials.go", "the scan of the doctor's own test code is compared with it"},
	{"cmd/payterm/provision.go", "not a payment code: a parcel's (provision.Code), for the person who gives it on"},
	{"flows/flowstest/", "the simulated world notes which code was sent for which order"},
}

// clockWords are the words of package time that read or wait for the clock.
var clockWords = []string{"Now", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Since", "Until"}

// listed is what go list says of a package.
type listed struct {
	ImportPath string
	Name       string
	Doc        string
	GoFiles    []string
	Imports    []string
}

// below is the path under the module, "." for its root.
func (p listed) below() string {
	if p.ImportPath == module {
		return "."
	}
	return strings.TrimPrefix(p.ImportPath, module+"/")
}

// fits tells whether a path below the module matches one of the patterns.
func fits(where, patterns string) bool {
	for _, pattern := range strings.Fields(patterns) {
		if parent, tree := strings.CutSuffix(pattern, "/..."); tree {
			if parent == "" || where == parent || strings.HasPrefix(where, parent+"/") {
				return true
			}
		} else if ok, err := path.Match(pattern, where); err == nil && ok {
			return true
		}
	}
	return false
}

// under tells whether an import path is one of the prefixes or lies below it.
func under(imported, prefixes string) bool {
	for _, prefix := range strings.Fields(prefixes) {
		if prefix == "any" || imported == prefix || strings.HasPrefix(imported, strings.TrimSuffix(prefix, "/")+"/") {
			return true
		}
	}
	return false
}

// importLaw names each import that a room does not allow.
func importLaw(packages []listed) []string {
	var broken []string
	for _, p := range packages {
		where := p.below()
		at := slices.IndexFunc(rooms, func(r room) bool { return fits(where, r.path) })
		if at < 0 {
			broken = append(broken, fmt.Sprintf("%s has no row in the table of rooms", where))
			continue
		}
		r := rooms[at]
		for _, imported := range p.Imports {
			if why := r.refuses(imported); why != "" {
				broken = append(broken, fmt.Sprintf("%s imports %s: %s: %s", where, imported, why, r.reason))
			}
			for _, door := range closedDoors {
				if under(imported, door.what) && !fits(where, door.only) {
					broken = append(broken, fmt.Sprintf("%s imports %s: only for [%s] and _test.go files: %s", where, imported,
						door.only, door.reason))
				}
			}
		}
	}
	return broken
}

// unusedLaw names each permission of the two tables that no package makes use of.
func unusedLaw(packages []listed) []string {
	var unused []string
	needed := func(importers, permission string, permits func(imported string) bool) {
		if !slices.ContainsFunc(packages, func(p listed) bool {
			return fits(p.below(), importers) && slices.ContainsFunc(p.Imports, permits)
		}) {
			unused = append(unused, fmt.Sprintf("%s: nobody needs the permission %s", importers, permission))
		}
	}
	for _, r := range rooms {
		for pattern := range strings.FieldsSeq(r.ours) {
			needed(r.path, pattern, func(i string) bool {
				return under(i, module) && fits(listed{ImportPath: i}.below(), pattern)
			})
		}
		for prefix := range strings.FieldsSeq(r.modules) {
			needed(r.path, prefix, func(i string) bool { return under(i, prefix) })
		}
	}
	for _, door := range closedDoors {
		for pattern := range strings.FieldsSeq(door.only) {
			needed(pattern, "to import "+door.what, func(i string) bool { return under(i, door.what) })
		}
	}
	return unused
}

func (r room) refuses(imported string) string {
	first, _, _ := strings.Cut(imported, "/")
	switch {
	case imported == module || first == module:
		if !fits(listed{ImportPath: imported}.below(), r.ours) {
			return "not one of its rooms"
		}
	case strings.Contains(first, "."):
		if !under(imported, r.modules) {
			return "not one of its modules"
		}
	case under(imported, r.banned):
		return "banned from the standard library"
	}
	return ""
}

// entry is a place in a file where something enters that has gates.
type entry struct {
	gates  []gate
	at     token.Pos
	breaks string // what to say where it is no gate
}

// entries are the uses of the clock, of chance and of whole payment codes in a file.
func entries(file *ast.File) []entry {
	var found []entry
	clock := ""
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		if under(imported, "math/rand crypto/rand") {
			found = append(found,
				entry{chanceGates, spec.Pos(), "imports " + imported + " outside the gates of chance"})
		}
		if imported == "time" {
			clock = "time"
			if spec.Name != nil {
				clock = spec.Name.Name
			}
			if clock == "." {
				found = append(found, entry{timeGates, spec.Pos(), "imports time with a dot, which hides the clock"})
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := s.X.(*ast.Ident); ok && clock != "" && x.Name == clock && slices.Contains(clockWords, s.Sel.Name) {
			found = append(found, entry{timeGates, s.Pos(), "uses time." + s.Sel.Name + " outside the gates of time"})
		}
		if s.Sel.Name == "Reveal" {
			found = append(found, entry{codeGates, s.Pos(), "reads a payment code whole, and has no row in codeGates"})
		}
		return true
	})
	return found
}

// entryLaw names each entry that is not at its gates, and notes the gates that are used.
func entryLaw(name string, file *ast.File, position func(token.Pos) token.Position, used map[gate]bool) []string {
	var broken []string
	for _, e := range entries(file) {
		at := slices.IndexFunc(e.gates, func(g gate) bool { return strings.HasPrefix(name, g.prefix) })
		if at < 0 {
			broken = append(broken, fmt.Sprintf("%v %s", position(e.at), e.breaks))
			continue
		}
		used[e.gates[at]] = true
	}
	return broken
}

// docLaw names packages without a doc, and names that say nothing.
func docLaw(packages []listed) []string {
	var broken []string
	for _, p := range packages {
		if len(p.GoFiles) == 0 {
			continue // tests only
		}
		start := "Package " + p.Name + " "
		if p.Name == "main" {
			start = "Command " + path.Base(p.ImportPath) + " "
		}
		if !strings.HasPrefix(p.Doc, start) {
			broken = append(broken, fmt.Sprintf("%s: its doc does not begin with %q: %q", p.below(), start, p.Doc))
		}
		if slices.Contains([]string{"util", "utils", "common", "manager", "helper", "helpers", "misc"}, p.Name) {
			broken = append(broken, fmt.Sprintf("%s: the name %s says nothing", p.below(), p.Name))
		}
		if strings.Contains("/"+p.below()+"/", "/internal/") && !strings.HasPrefix(p.below(), "internal/") {
			broken = append(broken,
				fmt.Sprintf("%s: there is one internal, at the top, for what the programs share and nobody else needs",
					p.below()))
		}
	}
	return broken
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command(tooltest.Need(t, "go"), "list", "-json=ImportPath,Name,Doc,GoFiles,Imports", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, stderr.String())
	}
	var list []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		list = append(list, p)
	}
	if len(list) < 10 {
		t.Fatalf("go list found %d packages only", len(list))
	}
	return list
}

func TestImportLaw(t *testing.T) {
	all := packages(t)
	for _, b := range slices.Concat(importLaw(all), unusedLaw(all)) {
		t.Error(b)
	}
}

func TestDocLaw(t *testing.T) {
	for _, b := range docLaw(packages(t)) {
		t.Error(b)
	}
}

func TestEntryLaw(t *testing.T) {
	seen, used := 0, map[gate]bool{}
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") ||
			slices.Contains([]string{"build", "data", "testdata"}, entry.Name())):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		seen++
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, b := range entryLaw(filepath.ToSlash(name), file, files.Position, used) {
			t.Error(b)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 20 {
		t.Errorf("only %d files were read", seen)
	}
	for _, g := range slices.Concat(timeGates, chanceGates, codeGates) {
		if !used[g] {
			t.Errorf("nothing enters at the gate %s (%s)", g.prefix, g.reason)
		}
	}
}

// TestNotice: whatever is linked into a program is named with its licence.
func TestNotice(t *testing.T) {
	out, err := exec.Command(tooltest.Need(t, "go"), "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}",
		"./cmd/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	text, err := os.ReadFile("NOTICE")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{module: true}
	for word := range strings.FieldsSeq(string(text)) {
		named[word] = true
	}
	for linked := range strings.FieldsSeq(string(out)) {
		if !named[linked] {
			t.Errorf("%s is linked and NOTICE does not name it", linked)
			named[linked] = true // once is enough
		}
	}
}

// Each law has violations planted that it must name, beside neighbours that it
// must leave alone.

func TestImportLawCatches(t *testing.T) {
	for _, c := range []struct {
		importer, imported string
		broken             bool
	}{
		{"payterm", "strings", false},
		{"payterm", "os", true},
		{"payterm", "net/http", true},
		{"payterm", "log/slog", true},
		{"payterm", "payterm/flows/order", true},
		{"payterm", "golang.org/x/text/width", true},
		{"payterm/flows/order", "payterm", false},
		{"payterm/flows/order", "crypto/rand", true},
		{"payterm/flows/order", "payterm/storage", true},
		{"payterm/flows/runner", "payterm/flows/order", false},
		{"payterm/flows/order", "payterm/flows/counter", true},
		{"payterm/flows/counter", "payterm/flows/order", false},
		{"payterm/flows/runner", "payterm/drivers/lcd", true},
		{"payterm/flows/runner", "payterm/flows/flowstest", true},
		{"payterm/screen", "payterm/flows/counter", false},
		{"payterm/receipt", "payterm/screen", true},
		{"payterm/storage", "payterm/flows/order", true},
		{"payterm/storage", "database/sql", false},
		{"payterm/hal", "periph.io/x/host/v3", false},
		{"payterm/hal", "payterm/drivers/lcd", true},
		{"payterm/hal", "payterm/hal/emulated", true},
		{"payterm/hal", "payterm/tomlfile", true},
		{"payterm/board", "payterm/hal", false},
		{"payterm/board", "payterm/drivers/lcd", true},
		{"payterm/board", "os", true},
		{"payterm/hal/emulated", "github.com/creack/pty", false},
		{"payterm/hal/emulated", "payterm/drivers/lcd", true},
		{"payterm/drivers/lcd", "periph.io/x/conn/v3/spi", false},
		{"payterm/drivers/lcd", "periph.io/x/host/v3", true},
		{"payterm/drivers/lcd", "payterm/drivers/signal", true},
		{"payterm/drivers/lcd", "payterm/hal", true},
		{"payterm/drivers/lcd", "payterm", true},
		{"payterm/drivers/lcd", "payterm/glass", true},
		{"payterm/drivers/printer", "payterm", false},
		{"payterm/glass", "payterm", false},
		{"payterm/glass", "payterm/drivers/lcd", true},
		{"payterm/glass", "periph.io/x/conn/v3", true},
		{"payterm/glass", "os", true},
		{"payterm/gateway/ottpay", "payterm/gateway/ottsim", true},
		{"payterm/gateway/ottsim", "payterm/gateway/ottpay", true},
		{"payterm/gateway/ottsim", "payterm", true},
		{"payterm/cmd/payterm", "payterm/storage", false},
		{"payterm/cmd/payterm", "github.com/alecthomas/kong", false},
		{"payterm/cmd/payterm", "database/sql", true},
		{"payterm/cmd/payterm", "github.com/chromedp/chromedp", true},
		{"payterm/cmd/payterm", "payterm/internal/tooltest", true},
		{"payterm/panel", "github.com/makiuchi-d/gozxing", false},
		{"payterm/terminal", "github.com/makiuchi-d/gozxing", true},
		{"payterm/terminal", "periph.io/x/host/v3", true},
		{"payterm/terminal", "payterm/terminal/api", false},
		{"payterm/terminal/devices", "payterm/drivers/lcd", false},
		{"payterm/terminal/devices", "payterm/flows/order", true},
		{"payterm/terminal/devices", "payterm/storage", true},
		{"payterm/terminal/doctor", "payterm/storage", true},
		{"payterm/terminal/doctor", "payterm/flows/runner", true},
		{"payterm/terminal/setup", "payterm/flows/runner", true},
		{"payterm/terminal/setup", "payterm/gateway/ottpay", true},
		{"payterm/terminal/selling", "payterm/terminal/devices", true},
		{"payterm/terminal/training", "payterm/storage", true},
		{"payterm/terminal", "payterm/gateway/ottsim", true},
		{"payterm/terminal/api", "payterm/terminal", true},
		{"payterm/terminal/api", "payterm/flows/runner", true},
		{"payterm/flows/flowstest", "pgregory.net/rapid", true},
		{"payterm/hal/emulated", "payterm/hal/haltest", true},
		{"payterm/attic", "strings", true},
	} {
		broken := importLaw([]listed{{ImportPath: c.importer, Imports: []string{c.imported}}})
		if (len(broken) > 0) != c.broken {
			t.Errorf("%s imports %s: broken %v, want %v: %q", c.importer, c.imported, !c.broken, c.broken, broken)
		}
	}
}

func TestUnusedLawCatches(t *testing.T) {
	unused := unusedLaw([]listed{{ImportPath: "payterm/locale", Imports: []string{"payterm"}}})
	needed, idle := "locale: nobody needs the permission .", "receipt: nobody needs the permission locale"
	if slices.Contains(unused, needed) || !slices.Contains(unused, idle) {
		t.Errorf("%q, want %q among them and not %q", unused, idle, needed)
	}
}

func TestEveryLawHasAReason(t *testing.T) {
	for _, r := range rooms {
		if r.reason == "" {
			t.Errorf("room %s has no reason", r.path)
		}
	}
	for _, d := range closedDoors {
		if d.reason == "" {
			t.Errorf("door %s has no reason", d.what)
		}
	}
	for _, g := range slices.Concat(timeGates, chanceGates, codeGates) {
		if g.reason == "" {
			t.Errorf("gate %s has no reason", g.prefix)
		}
	}
}

func TestEntryLawCatches(t *testing.T) {
	for _, c := range []struct {
		name, text string
		broken     int
	}{
		{"flows/order/order.go", `import "time"; var d = 3 * time.Second`, 0},
		{"flows/order/order.go", `import "time"; var now = time.Now()`, 1},
		{"flows/order/order.go", `import "time"; var now = time.Now`, 1},
		{"flows/order/order.go", `import clock "time"; func f() { clock.Sleep(1); <-clock.After(1) }`, 2},
		{"flows/order/order.go", `import . "time"; var now = Now()`, 1},
		{"flows/order/order.go", `import "math/rand/v2"; var n = rand.Int()`, 1},
		{"storage/db.go", `import "crypto/rand"; var r = rand.Reader`, 1},
		{"flows/runner/runner.go", `import "time"; var t = time.NewTimer(1)`, 1},
		{"flows/runner/clock.go", `import "time"; var t = time.NewTimer(1)`, 0},
		{"drivers/keypad/matrix.go", `import "time"; var t = time.NewTicker(1)`, 1},
		{"hal/serial.go", `import "time"; var t = time.NewTicker(1)`, 0},
		{"gateway/ottsim/ottsim.go", `import "math/rand/v2"; var n = rand.Int()`, 0},
		{"gateway/ottpay/http.go", `import "time"; var s = time.Since(time.Time{})`, 1},
		{"hal/serial.go", `import "crypto/rand"; var r = rand.Reader`, 1},
		{"gateway/ottpay/ottpay.go", `func f(c payterm.PayCode) string { return c.Reveal() }`, 0},
		{"flows/runner/runner.go", `func f(c payterm.PayCode) string { return c.Reveal() }`, 1},
		{"flows/runner/runner.go", `func f(c payterm.PayCode) func() string { return c.Reveal }`, 1},
		{"flows/runner/runner.go", `func f(c payterm.PayCode) string { return c.String() }`, 0},
	} {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, c.name, "package p; "+c.text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		if broken := entryLaw(c.name, file, files.Position, map[gate]bool{}); len(broken) != c.broken {
			t.Errorf("%s: %s: %q, want %d", c.name, c.text, broken, c.broken)
		}
	}
}

func TestDocLawCatches(t *testing.T) {
	good := listed{ImportPath: "payterm/flows/order", Name: "order", Doc: "Package order decides.",
		GoFiles: []string{"events.go"}}
	if broken := docLaw([]listed{good}); len(broken) != 0 {
		t.Errorf("a good package: %q", broken)
	}
	silent, vague, hidden, program := good, good, good, good
	silent.Doc = ""
	vague.ImportPath, vague.Name, vague.Doc = "payterm/util", "util", "Package util helps."
	hidden.ImportPath = "payterm/storage/internal/flows"
	program.ImportPath, program.Name, program.Doc = "payterm/cmd/ottsim", "main", "Package main runs."
	for _, p := range []listed{silent, vague, hidden, program} {
		if broken := docLaw([]listed{p}); len(broken) != 1 {
			t.Errorf("%s: %q, want one violation", p.ImportPath, broken)
		}
	}
}
