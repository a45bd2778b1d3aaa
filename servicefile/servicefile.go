// Package servicefile makes the file that a merchant sends when a terminal has a fault: log, self test,
// configuration and journal, without secrets. The command is payterm bundle.
//
// Two things keep secrets out. Of configuration and journal only known fields are shown. And a Redactor covers
// the terminal's known secrets, and whatever looks like one, in all parts.
package servicefile

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Part is one file of a service file.
type Part struct {
	Name string // below payterm/
	// Read returns what there is, and an error if something is missing.
	Read func() ([]byte, error)
}

// Pack packs parts into a compressed tar archive. What cannot be read does not stop the rest, because the
// file is for terminals with faults: missing, also a part of the archive, says why, by name.
func Pack(parts []Part, hide Redactor, now time.Time) (packed []byte, missing map[string]string, err error) {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	archive := tar.NewWriter(zip)
	put := func(name string, text []byte) error {
		if strings.HasSuffix(name, ".json") {
			text = hide.redactJSON(text)
		} else {
			text = hide.Redact(text)
		}
		head := &tar.Header{Name: "payterm/" + name, Mode: 0o600, Size: int64(len(text)), ModTime: now,
			Typeflag: tar.TypeReg}
		if err := archive.WriteHeader(head); err != nil {
			return err
		}
		_, err := archive.Write(text)
		return err
	}
	missing = map[string]string{}
	for _, p := range parts {
		text, err := p.Read()
		if err != nil {
			missing[p.Name] = string(hide.Redact([]byte(err.Error())))
		}
		if len(text) > 0 {
			if err := put(p.Name, text); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", p.Name, err)
			}
		}
	}
	text, err := JSON(missing)
	if err == nil {
		err = put("missing.json", text)
	}
	if err := errors.Join(err, archive.Close(), zip.Close()); err != nil {
		return nil, nil, err
	}
	return out.Bytes(), missing, nil
}

// JSON is a document that a person can read too.
func JSON(v any) ([]byte, error) { return json.MarshalIndent(v, "", "\t") }

// LastLines are the last whole lines of a text, because half a secret would not be recognised.
func LastLines(text []byte, most int) []byte {
	if len(text) <= most {
		return text
	}
	text = text[len(text)-most:]
	return text[bytes.IndexByte(text, '\n')+1:]
}
