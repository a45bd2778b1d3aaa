package servicefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"payterm/config"
	"payterm/tomlfile"
)

// Redactor removes secrets from texts: the known ones of a terminal, and what looks like a payment code or a
// parcel.
type Redactor struct{ known []string }

// looksSecret matches runs of 12 digits or more, also in groups (payment codes and one-time
// codes; no order id has that many), bcrypt hashes, parcels, EMV codes.
var looksSecret = regexp.MustCompile(`\b\d(?:[ -]?\d){11,}\b|\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|PPV1[A-Z2-7]{16,}|hQVDUFYwM[A-Za-z0-9+/=]*|payterm-s(?:igner-secret|ealed)-1 \S+`)

const covered = "(covered)"

// NewRedactor knows the secrets of the terminal with this data directory and configuration file.
func NewRedactor(data, configuration string) Redactor {
	var r Redactor
	know := func(secret string) {
		if len(secret) >= 6 { // a shorter one would match too much
			r.known = append(r.known, secret)
		}
	}
	// A wrong configuration too, so it is read as tables.
	signKeys := []string{filepath.Join(data, "provision", "current", "sign.key"),
		filepath.Join(data, "provision", "next", "sign.key"), "/etc/payterm/sign_key",
		os.Getenv("PAYTERM_GATEWAY_SIGN_KEY_FILE")}
	files := []string{filepath.Join(data, "device.key"), filepath.Join(data, "code.key"),
		os.Getenv("PAYTERM_API_TOKEN_FILE")}
	own, _ := os.ReadFile(configuration)     // without it there is no secret of it
	_, brought, _, _ := config.Brought(data) // as above
	for _, text := range [][]byte{own, brought} {
		_, tables, err := tomlfile.Tables("configuration", text)
		if err != nil {
			continue
		}
		in := func(section, key string) string {
			table, _ := tables[section].(map[string]any)
			value, _ := table[key].(string)
			return value
		}
		signKeys = append(signKeys, in("gateway", "sign_key_file"))
		files = append(files, in("api", "token_file"))
		know(in("supervisor", "pin_hash"))
	}
	for _, file := range signKeys {
		c := config.Default()
		c.Terminal.DataDir, c.Gateway.SignKeyFile = data, file
		if key, err := c.SignKey(); err == nil {
			know(string(key))
		}
	}
	for _, file := range files {
		if text, err := beginning(file, 4096); err == nil {
			know(strings.TrimSpace(string(text)))
		}
	}
	return r
}

// Redact returns a text with its secrets covered.
func (r Redactor) Redact(text []byte) []byte {
	for _, secret := range r.known {
		text = bytes.ReplaceAll(text, []byte(secret), []byte(covered))
	}
	return looksSecret.ReplaceAll(text, []byte(covered))
}

// redactJSON redacts JSON strings; numbers stay.
func (r Redactor) redactJSON(document []byte) []byte {
	var v any
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return r.Redact(document)
	}
	text, err := JSON(r.walk(v))
	if err != nil {
		return r.Redact(document)
	}
	return text
}

func (r Redactor) walk(v any) any {
	switch v := v.(type) {
	case string:
		return string(r.Redact([]byte(v)))
	case []any:
		for i := range v {
			v[i] = r.walk(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = r.walk(v[name])
		}
	}
	return v
}

// beginning reads the first bytes of a regular file; others could block.
func beginning(path string, most int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, fmt.Errorf("%s is no regular file", path))
	}
	return io.ReadAll(io.LimitReader(f, most))
}
