package payterm_test

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// hop is a row of a walk in docs/ARCHITECTURE.md: a room and a name in it.
var hop = regexp.MustCompile("(?m)^\\| \\d+ \\| `([a-z/]+) ([A-Za-z.]+)` \\|")

// declared are the names that a room's production code declares, a method's behind
// that of its type.
func declared(dir string) (map[string]bool, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			f, is := d.(*ast.FuncDecl)
			if !is {
				for _, spec := range d.(*ast.GenDecl).Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						names[spec.Name.Name] = true
					case *ast.ValueSpec:
						for _, name := range spec.Names {
							names[name.Name] = true
						}
					}
				}
				continue
			}
			name := f.Name.Name
			if f.Recv != nil {
				of := f.Recv.List[0].Type
				if star, is := of.(*ast.StarExpr); is {
					of = star.X
				}
				name = of.(*ast.Ident).Name + "." + name
			}
			names[name] = true
		}
	}
	return names, nil
}

// TestWalks: each hop of the walks through the house is where the document says.
func TestWalks(t *testing.T) {
	text, err := os.ReadFile("docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	hops := hop.FindAllStringSubmatch(string(text), -1)
	if rows := strings.Count(string(text), "\n| 1 | "); rows < 2 || len(hops) < 10*rows {
		t.Fatalf("%d hops in %d walks", len(hops), rows)
	}
	for _, h := range hops {
		dir, name := h[1], h[2]
		if dir == "payterm" {
			dir = "."
		}
		names, err := declared(dir)
		if err != nil {
			t.Fatal(err)
		}
		if !names[name] {
			t.Errorf("the walk names %s in %s, and there is none", name, h[1])
		}
	}
	if names, err := declared("gateway/ottpay"); err != nil || names["Client.Nowhere"] || !names["object.minor"] {
		t.Errorf("%v: a name that is nowhere is found, or one that is there is not", err)
	}
}

// named are names of Go in the documents, with the package that they belong to.
var named = regexp.MustCompile("`(payterm|order|counter|runner|storage|ottpay|printer|lcd|scanner|board)\\.([A-Z]\\w+)`")

// TestNames: what the documents call by its name in the code has that name still.
func TestNames(t *testing.T) {
	rooms := map[string]string{
		"payterm": ".", "order": "flows/order", "counter": "flows/counter", "runner": "flows/runner",
		"ottpay": "gateway/ottpay", "printer": "drivers/printer", "lcd": "drivers/lcd", "scanner": "drivers/scanner",
	}
	files, err := filepath.Glob("docs/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	decisions, err := filepath.Glob("docs/decisions/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range append(append(files, decisions...), "README.md", "CONTRIBUTING.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			names, err := declared(cmp.Or(rooms[m[1]], m[1]))
			if err != nil {
				t.Fatal(err)
			}
			if found++; !names[m[2]] {
				t.Errorf("%s names %s.%s, and there is none", file, m[1], m[2])
			}
		}
	}
	if found < 10 {
		t.Errorf("%d names are found: this proves nothing", found)
	}
}
