// Package crossbuild defines the boards for which the agent is built, and what a program must show before it is
// installed on one: the right machine, nothing to load at run time, no instruction that the slowest processor
// lacks, and a size that fits. The matrix is targets.tsv, which the Makefile reads too; `make cross` does the
// building.
package crossbuild

import (
	"debug/elf"
	_ "embed"
	"fmt"
	"os"
	"strings"
)

// Target is one line of the matrix.
type Target struct {
	Name       string   // folder under build/
	GOARCH     string   //
	GOARM      string   // empty if there is none
	CC         string   // C compiler, for SQLite
	Attributes []string // lines that readelf -A must print or, with a leading !, must not print
	Emulator   string   // QEMU in user mode
	CPU        string   // the lowest processor, for QEMU's -cpu
	Debian     string   // architecture of the Debian package
}

//go:embed targets.tsv
var matrix string

// Targets reads the matrix.
func Targets() ([]Target, error) { return parse(matrix) }

func parse(text string) ([]Target, error) {
	var list []Target
	for i, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		field := strings.Split(line, "\t")
		if len(field) != 8 {
			return nil, fmt.Errorf("targets.tsv:%d: %d fields, 8 are needed, separated by tabs", i+1, len(field))
		}
		for j := range field {
			if field[j] == "" {
				return nil, fmt.Errorf("targets.tsv:%d: field %d is empty; write - for none", i+1, j+1)
			}
			if field[j] == "-" {
				field[j] = ""
			}
		}
		t := Target{Name: field[0], GOARCH: field[1], GOARM: field[2], CC: field[3], Emulator: field[5], CPU: field[6],
			Debian: field[7]}
		if field[4] != "" {
			t.Attributes = strings.Split(field[4], ";")
		}
		list = append(list, t)
	}
	return list, nil
}

// Artefact returns the path of the program that `make cross` builds for the target, relative to the root of the
// repository.
func (t Target) Artefact() string { return "build/" + t.Name + "/payterm" }

// Check reads a program and returns the reasons why it cannot run on the board, or nothing. The attributes are
// checked by CheckAttributes.
func (t Target) Check(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("crossbuild: %s: %w", t.Name, err)
	}
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("crossbuild: %s: %w", t.Name, err)
	}
	defer f.Close()
	var wrong []string
	machine := map[string]elf.Machine{"arm": elf.EM_ARM, "arm64": elf.EM_AARCH64}[t.GOARCH]
	if f.Machine != machine {
		wrong = append(wrong, fmt.Sprintf("machine is %v, %v is needed", f.Machine, machine))
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			wrong = append(wrong, fmt.Sprintf("has %v: it is not static", p.Type))
		}
	}
	if most := t.maxSize(); info.Size() > most {
		wrong = append(wrong, fmt.Sprintf("%d bytes, at most %d fit", info.Size(), most))
	}
	return wrong, nil
}

// maxSize is the largest program in bytes: boards have a small flash. ARMv5 has no floating point, so the same
// program takes more instructions.
func (t Target) maxSize() int64 {
	if t.GOARM == "5" {
		return 21_000_000
	}
	return 20_000_000
}

// CheckAttributes compares the output of readelf -A with the target's attributes.
func (t Target) CheckAttributes(printed string) []string {
	shown := map[string]bool{}
	for line := range strings.Lines(printed) {
		line = strings.TrimSpace(line)
		tag, _, _ := strings.Cut(line, ":")
		shown[line], shown[tag] = true, true
	}
	var wrong []string
	for _, a := range t.Attributes {
		if banned, ban := strings.CutPrefix(a, "!"); ban && shown[banned] {
			wrong = append(wrong, "has "+banned)
		} else if !ban && !shown[a] {
			wrong = append(wrong, "lacks "+a)
		}
	}
	return wrong
}
