package payterm_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// law says what a room may import of ours, and what it may never import.
type law struct {
	room  string // a package or, with /..., a folder
	ours  []string
	never []string
	why   string
}

var pure = []string{"os", "net", "net/http", "log", "log/slog", "math/rand", "math/rand/v2", "crypto/rand"}

var laws = []law{
	{"payterm", nil, pure, "the words reach nothing"},
	{"payterm/flows", []string{"payterm"}, pure, "decisions are pure"},
	{"payterm/screen", []string{"payterm", "payterm/flows"}, pure, "words for what was decided"},
	{"payterm/receipt", []string{"payterm", "payterm/flows"}, pure, "words for what was decided"},
	{"payterm/flows/runner", []string{"payterm", "payterm/flows"}, []string{"net/http", "database/sql"}, "the loop knows its interfaces only"},
	{"payterm/storage", []string{"payterm"}, []string{"net/http"}, "storage calls nobody"},
	{"payterm/gateway/ottpay", []string{"payterm"}, []string{"os", "math/rand"}, "the protocol decides nothing"},
	{"payterm/gateway/ottsim", nil, nil, "a twin on purpose: it shares nothing with ottpay"},
	{"payterm/drivers/...", []string{"payterm"}, []string{"os", "periph.io/x/host/v3", "github.com/tarm/serial"}, "drivers know no wire and no other driver"},
	{"payterm/hal", []string{"payterm", "payterm/tomlfile"}, nil, "which wire, not what is said over it"},
	{"payterm/hal/emulated", []string{"payterm", "payterm/hal"}, nil, "chips are twins of the drivers"},
	{"payterm/tomlfile", nil, nil, "it reads text"},
	{"payterm/boards", nil, nil, "profiles are data"},
}

type pkg struct {
	ImportPath, Dir string
	Imports         []string
	GoFiles         []string
}

// breaches holds packages against the laws.
func breaches(packages []pkg) (found []string) {
	for _, p := range packages {
		for _, l := range laws {
			folder, whole := strings.CutSuffix(l.room, "/...")
			if p.ImportPath != l.room && !(whole && strings.HasPrefix(p.ImportPath, folder+"/")) {
				continue
			}
			for _, i := range p.Imports {
				own := i == "payterm" || strings.HasPrefix(i, "payterm/")
				if slices.Contains(l.never, i) || own && !slices.Contains(l.ours, i) {
					found = append(found, p.ImportPath+" imports "+i+": "+l.why)
				}
			}
		}
		for _, i := range p.Imports {
			if (strings.HasPrefix(i, "periph.io/x/host") || i == "github.com/tarm/serial") && !strings.HasPrefix(p.ImportPath, "payterm/hal") {
				found = append(found, p.ImportPath+" imports "+i+": only hal opens wires")
			}
		}
	}
	return found
}

func list(t *testing.T) []pkg {
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImports(t *testing.T) {
	all := list(t)
	if len(all) < 20 {
		t.Fatalf("%d packages: the list is not whole", len(all))
	}
	for _, b := range breaches(all) {
		t.Error(b)
	}
	planted := []pkg{{ImportPath: "payterm/flows", Imports: []string{"os"}}, {ImportPath: "payterm/drivers/lcd", Imports: []string{"payterm/drivers/printer"}},
		{ImportPath: "payterm/screen", Imports: []string{"github.com/tarm/serial"}}}
	for _, p := range planted {
		if len(breaches([]pkg{p})) == 0 {
			t.Errorf("%s may import %v: the law catches nothing", p.ImportPath, p.Imports)
		}
	}
}

// Time and randomness enter at the edge: these places, each for its reason.
var edges = []string{
	"hal/", "cmd/", "gateway/ottsim/", "internal/", // devices, programs, the simulator, test tools
	"flows/runner/clock.go", // the clock itself
}

func TestTimeEntersAtTheEdge(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		seen++
		if slices.ContainsFunc(edges, func(e string) bool { return strings.HasPrefix(path, e) }) {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains([]string{"Now", "Sleep", "After", "NewTimer", "NewTicker", "Since"}, s.Sel.Name) {
				t.Errorf("%s uses time.%s: time enters at the edge", path, s.Sel.Name)
			}
			return true
		})
		return nil
	})
	if err != nil || seen < 40 {
		t.Fatalf("%d files, %v", seen, err)
	}
}
