package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"payterm/internal/durable"
	"payterm/provision"
)

// signKeyLength is the length of the sign key in characters (protocol sheet, section 1.3).
const signKeyLength = 16

// SignKey is the merchant's sign key. It is hidden from every printer and encoder; a conversion to string gives
// it to the gateway client.
type SignKey string

// String hides the key.
func (SignKey) String() string { return "(sign key)" }

// GoString hides the key from %#v.
func (SignKey) GoString() string { return "(sign key)" }

// MarshalText hides the key from encoders.
func (SignKey) MarshalText() ([]byte, error) { return []byte("(sign key)"), nil }

// SignKey reads gateway.sign_key_file. The file must be a regular file that only its owner may read. It holds
// 16 characters, with or without white space around them, or the same encrypted under the device key in the
// data directory. No error repeats the content.
func (c Config) SignKey() (SignKey, error) {
	path := c.Gateway.SignKeyFile
	bad := func(format string, args ...any) (SignKey, error) {
		return "", c.problem("gateway.sign_key_file", fmt.Sprintf(format, args...))
	}
	if path == "" {
		return bad("is missing: a file that holds the %d characters of the sign key", signKeyLength)
	}
	// Without O_NONBLOCK, opening a FIFO would block for ever.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		// The error leaves the path out: it may be the key itself, written in the wrong place.
		return bad("cannot be opened: %v", reason(err))
	}
	defer f.Close()
	// The opened file is checked, not its name, which may lead to another file by now.
	info, err := f.Stat()
	switch {
	case err != nil:
		return bad("cannot be read: %v", reason(err))
	case !info.Mode().IsRegular():
		return bad("%s is no regular file", path)
	}
	if err := durable.OwnerAlone(path, info); err != nil {
		return bad("%v", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, 1024))
	if err != nil {
		return bad("cannot be read: %v", reason(err))
	}
	key := strings.TrimSpace(string(text))
	if provision.IsSealed(text) {
		device, err := readSecret(c.Terminal.DataDir, deviceKeyFile)
		if err != nil {
			return bad("the key in %s is encrypted, and the device key cannot be read: %v: provision the terminal again", path, err)
		}
		if key, err = provision.OpenKey(device, text); err != nil {
			return bad("the key in %s: %v", path, err)
		}
	}
	if why := checkSignKey(key); why != "" {
		return bad("the key in %s %s", path, why)
	}
	return SignKey(key), nil
}

// checkSignKey returns what is wrong with a sign key, or "". It never repeats the key.
func checkSignKey(key string) (why string) {
	if len(key) != signKeyLength {
		return fmt.Sprintf("has %d characters, %d are needed", len(key), signKeyLength)
	}
	if i := strings.IndexFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }); i >= 0 {
		return fmt.Sprintf("has a character that is neither letter nor digit at place %d", i+1)
	}
	return ""
}

// reason returns an error of a file without its path.
func reason(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
