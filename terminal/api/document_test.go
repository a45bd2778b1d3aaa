package api

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDocument: docs/api.md names each call with its parameters and fields, and each code with its status.
func TestDocument(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "api.md"))
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(GET|POST) (/\\S+)` (\\|.*)$").FindAllStringSubmatch(string(text), -1) {
		calls[m[1]+" "+m[2]] = m[3]
	}
	bodies := map[string]any{
		"/sale": SaleRequest{}, "/cancel": CancelRequest{}, "/orders/{id}/refund": RefundRequest{},
		"/orders/{id}/resolve": ResolveRequest{}, "/totals/z": ZRequest{}, "/settle": SettleRequest{},
		"/training": TrainingRequest{},
		"/notice":   Notice{},
	}
	for path, c := range (server{}).routes(refusingNotices{}) {
		row, is := calls[c.method+" "+path]
		if !is {
			t.Errorf("%s %s is not in the document", c.method, path)
			continue
		}
		delete(calls, c.method+" "+path)
		words := slices.Clone(c.query)
		body, is := bodies[path]
		if is != c.body {
			t.Errorf("%s: takes a body: %t", path, c.body)
		}
		if is {
			words = append(words, fieldsOf(reflect.New(reflect.TypeOf(body)).Interface())...)
		}
		if path == "/totals/x" { // refused there: it belongs to a Z
			words = []string{"day"}
		}
		if path == "/totals/z" {
			words = slices.DeleteFunc(words, func(w string) bool { return w == "day" })
		}
		for _, w := range words {
			if !strings.Contains(row, "`"+w+"`") {
				t.Errorf("%s: the document does not name %s", path, w)
			}
		}
	}
	if len(calls) > 0 {
		t.Errorf("there are no such calls: %q", slices.Sorted(maps.Keys(calls)))
	}
	codes := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (\\d{3}) \\|").FindAllStringSubmatch(string(text), -1) {
		codes[m[1]+" "+m[2]] = true
	}
	for code, status := range statuses {
		row := fmt.Sprintf("%s %d", code, status)
		if !codes[row] {
			t.Errorf("the document does not have %s", row)
		}
		delete(codes, row)
	}
	if len(codes) > 0 {
		t.Errorf("there are no such codes: %q", slices.Sorted(maps.Keys(codes)))
	}
}

type refusingNotices struct{ Noticer }
