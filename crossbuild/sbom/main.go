// Command sbom writes the bill of materials of a built program to standard output, as CycloneDX JSON. It lists
// the Go modules that the program names, the Go standard library, and the C code that no module names: SQLite
// and, in a static program, the C library and the compiler's runtime. The same program gives the same bytes.
package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

func main() {
	var s source
	flag.StringVar(&s.version, "version", "", "version of the program")
	flag.StringVar(&s.commit, "commit", "", "commit that it was built from")
	built := flag.Int64("built", 0, "time of that commit, seconds since 1970")
	flag.StringVar(&s.cc, "cc", "", "the C compiler that it was linked with")
	notice := flag.String("notice", "NOTICE", "file that names the licences of the modules")
	flag.Parse()
	if flag.NArg() != 1 || s.version == "" || s.commit == "" || s.cc == "" {
		fmt.Fprintln(os.Stderr, "sbom: -version, -commit, -cc and one program are needed")
		os.Exit(2)
	}
	s.built = time.Unix(*built, 0).UTC()
	text, err := os.ReadFile(*notice)
	if err == nil {
		s.licences = licences(string(text))
		err = s.write(os.Stdout, flag.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

// source is what cannot be read from the program.
type source struct {
	version, commit, cc string
	built               time.Time
	licences            map[string]string // SPDX identifier or expression, by module
}

// licences reads NOTICE, where each module's path is followed by its licence.
func licences(notice string) map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(notice) {
		if f := strings.Fields(line); len(f) > 2 && strings.HasPrefix(line, "  ") && strings.Contains(f[0], "/") {
			m[f[0]] = f[1]
		}
	}
	return m
}

func (s source) write(w io.Writer, path string) error {
	program, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	c, err := cParts(s.cc, info.Deps)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(program)
	bom := cdx.NewBOM()
	uuid := sum // version 8: derived from the program
	uuid[6] = uuid[6]&0x0f | 0x80
	uuid[8] = uuid[8]&0x3f | 0x80
	bom.SerialNumber = fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", uuid[:4], uuid[4:6], uuid[6:8], uuid[8:10], uuid[10:16])
	main := component("payterm", s.version, "", "Apache-2.0")
	main.Type = cdx.ComponentTypeApplication
	main.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: fmt.Sprintf("%x", sum)}}
	properties := []cdx.Property{{Name: "payterm:commit", Value: s.commit}}
	for _, setting := range info.Settings {
		if strings.HasPrefix(setting.Key, "GO") || setting.Key == "-tags" {
			properties = append(properties, cdx.Property{Name: "payterm:build:" + setting.Key, Value: setting.Value})
		}
	}
	main.Properties = &properties
	bom.Metadata = &cdx.Metadata{Timestamp: s.built.Format(time.RFC3339), Component: &main}

	goVersion := strings.TrimPrefix(info.GoVersion, "go")
	parts := []cdx.Component{component("std", goVersion, "pkg:golang/std@"+goVersion, "BSD-3-Clause")}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		licence := s.licences[m.Path]
		if licence == "" {
			return fmt.Errorf("NOTICE does not name %s", m.Path)
		}
		parts = append(parts, component(m.Path, m.Version, "pkg:golang/"+m.Path+"@"+m.Version, licence))
	}
	parts = append(parts, c...)
	refs := make([]string, len(parts))
	for i, p := range parts {
		refs[i] = p.BOMRef
	}
	bom.Components = &parts
	bom.Dependencies = &[]cdx.Dependency{{Ref: main.BOMRef, Dependencies: &refs}}
	return cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6)
}

func component(name, version, purl, licence string) cdx.Component {
	c := cdx.Component{BOMRef: name + "@" + version, Type: cdx.ComponentTypeLibrary, Name: name, Version: version,
		PackageURL: purl}
	l := cdx.LicenseChoice{License: &cdx.License{ID: licence}}
	if strings.Contains(licence, " ") { // an expression, not an identifier
		l = cdx.LicenseChoice{Expression: licence}
	}
	c.Licenses = &cdx.Licenses{l}
	return c
}

const sqliteModule = "github.com/mattn/go-sqlite3"

var macro = regexp.MustCompile(`(?m)^#define (SQLITE_VERSION|__GLIBC__|__GLIBC_MINOR__|__GNUC__|__GNUC_MINOR__|__GNUC_PATCHLEVEL__) "?([0-9.]+)"?$`)

// cParts asks the compiler for the versions of SQLite, C library and runtime.
func cParts(cc string, deps []*debug.Module) ([]cdx.Component, error) {
	input := "#include <features.h>\n"
	for _, m := range deps {
		if m.Path == sqliteModule {
			dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", sqliteModule).Output()
			if err != nil {
				return nil, fmt.Errorf("find the source of SQLite: %w", err)
			}
			input += fmt.Sprintf("#include \"%s/sqlite3-binding.h\"\n", strings.TrimSpace(string(dir)))
		}
	}
	cmd := exec.Command(cc, "-dM", "-E", "-")
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("ask %s for its libraries: %w", cc, err)
	}
	is := map[string]string{}
	for _, m := range macro.FindAllSubmatch(out, -1) {
		is[string(m[1])] = string(m[2])
	}
	var parts []cdx.Component
	add := func(name, version, cpe, licence string) {
		c := component(name, version, "pkg:generic/"+name+"@"+version, licence)
		c.CPE = fmt.Sprintf("cpe:2.3:a:%s:%s:*:*:*:*:*:*:*", cpe, version)
		parts = append(parts, c)
	}
	if v := is["SQLITE_VERSION"]; v != "" {
		add("sqlite", v, "sqlite:sqlite", "blessing")
	}
	if is["__GLIBC__"] == "" || is["__GNUC__"] == "" {
		return nil, fmt.Errorf("%s names no GNU C library: its part of the program is unknown", cc)
	}
	add("glibc", is["__GLIBC__"]+"."+is["__GLIBC_MINOR__"], "gnu:glibc", "LGPL-2.1-or-later")
	add("libgcc", is["__GNUC__"]+"."+is["__GNUC_MINOR__"]+"."+is["__GNUC_PATCHLEVEL__"], "gnu:gcc",
		"GPL-3.0-or-later WITH GCC-exception-3.1")
	return parts, nil
}
