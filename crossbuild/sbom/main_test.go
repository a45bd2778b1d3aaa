package main

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm/internal/tooltest"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// TestSBOM checks the bill of materials of this test's own program.
func TestSBOM(t *testing.T) {
	this, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := source{
		version: "v1.2.3", commit: "abc", cc: tooltest.Need(t, "gcc"), built: time.Unix(1_700_000_000, 0).UTC(),
		licences: licences("Heading\n\n  github.com/CycloneDX/cyclonedx-go  Apache-2.0  Copyright\n  the Go standard library  BSD-3-Clause\n"),
	}
	var first, second bytes.Buffer
	for _, w := range []*bytes.Buffer{&first, &second} {
		if err := s.write(w, this); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same program gives another bill")
	}
	bom := cdx.NewBOM()
	if err := cdx.NewBOMDecoder(&first, cdx.BOMFileFormatJSON).Decode(bom); err != nil {
		t.Fatal(err)
	}
	if bom.Metadata.Component.Version != "v1.2.3" || bom.Metadata.Timestamp != "2023-11-14T22:13:20Z" ||
		(*bom.Metadata.Component.Properties)[0].Value != "abc" ||
		len((*bom.Metadata.Component.Hashes)[0].Value) != 64 {
		t.Errorf("%+v", bom.Metadata)
	}
	var names []string
	for _, c := range *bom.Components {
		names = append(names, c.Name)
		if c.Version == "" || c.PackageURL == "" || c.Licenses == nil {
			t.Errorf("half a part: %+v", c)
		}
	}
	for _, want := range []string{"std", "github.com/CycloneDX/cyclonedx-go", "glibc", "libgcc"} {
		if !slices.Contains(names, want) {
			t.Errorf("the bill lacks %s: %q", want, names)
		}
	}
	s.licences = nil
	if err := s.write(&second, this); err == nil ||
		!strings.Contains(err.Error(), "NOTICE does not name github.com/CycloneDX/cyclonedx-go") {
		t.Errorf("without a licence: %v", err)
	}
}
