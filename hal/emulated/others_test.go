package emulated

import (
	"encoding/json"
	"flag"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"payterm/board"
)

var (
	rewrite  = flag.Bool("rewrite", false, "write the golden files anew")
	pictures = flag.String("pictures", "", "a folder for pictures of what others' bytes print")
)

// visible leaves characters that show.
func visible(r rune) rune {
	if r != '\n' && !unicode.IsPrint(r) {
		return '·'
	}
	return r
}

// counted writes lines, and how often where one comes again.
func counted(lines []string) string {
	var b strings.Builder
	for i := 0; i < len(lines); {
		n := 1
		for i+n < len(lines) && lines[i+n] == lines[i] {
			n++
		}
		b.WriteString(lines[i])
		if n > 1 {
			fmt.Fprintf(&b, ", %d times", n)
		}
		b.WriteString("\n")
		i += n
	}
	return b.String()
}

// TestOthersBytes: what four packages by others send is printed as their documents say, or is reported as a
// violation. testdata/chips/others/make rewrites the bytes.
func TestOthersBytes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "testdata", "chips", "others")
	text, err := os.ReadFile(filepath.Join(dir, "jobs.json"))
	if err != nil {
		t.Fatal(err)
	}
	var jobs []struct {
		By, Document string
		Columns      int
		Bytes        []byte
	}
	if err := json.Unmarshal(text, &jobs); err != nil || len(jobs) < 90 {
		t.Fatalf("%d jobs, %v", len(jobs), err)
	}
	var all strings.Builder
	for i, j := range jobs {
		var numbers map[string]int
		for _, m := range board.PrinterModels {
			if j.Document == "model "+m.Name {
				numbers = m.CodePages
			}
		}
		b, p := printerBench(t, board.Printer{
			Dots: map[int]int{42: 512, 48: 576}[j.Columns], Buffer: 1 << 20, Cut: true, Red: true, CodePages: numbers,
		})
		var bad []string
		p.report = func(rule Rule, format string, args ...any) {
			bad = append(bad, fmt.Sprintf("! %s: %s", rule, fmt.Sprintf(format, args...)))
		}
		p.Write(j.Bytes)
		b.now = time.Hour
		p.settle()
		img, words := p.paper()
		fmt.Fprintf(&all, "== %s: %s\n%s\n%s", j.By, j.Document, strings.Map(visible, words), counted(bad))
		if len(p.buf) > 0 {
			fmt.Fprintf(&all, "left in the buffer: %q\n", p.buf)
		}
		if len(p.line) > 0 {
			fmt.Fprintf(&all, "%d characters are not printed\n", len(p.line))
		}
		if *pictures != "" {
			f, err := os.Create(filepath.Join(*pictures, fmt.Sprintf("%02d.png", i)))
			if err == nil {
				err = png.Encode(f, img)
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	golden := filepath.Join(dir, "paper.txt")
	if *rewrite {
		if err := os.WriteFile(golden, []byte(all.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if all.String() != string(want) {
		t.Errorf("on paper is\n%s", all.String())
	}
}
