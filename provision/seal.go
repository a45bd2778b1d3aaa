package provision

import (
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// SealFor encrypts what is written, in the form of age (age-encryption.org/v1), so that only the
// owner of the key can read it. The key is a recipient of age: "age1" and 58 more characters. The
// text is whole only once the writer is closed.
func SealFor(key string, to io.Writer) (io.WriteCloser, error) {
	recipient, err := age.ParseX25519Recipient(key)
	if err != nil {
		// The key is not quoted: it may be the secret one by mistake.
		return nil, errors.New("it is no public key of age, which begins with age1 (age-keygen prints it)")
	}
	w, err := age.Encrypt(to, recipient)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return w, nil
}

// CheckKey is what is wrong with a key for SealFor.
func CheckKey(key string) error {
	_, err := SealFor(key, io.Discard)
	return err
}
