package ottpay

import (
	"crypto/aes"
	"crypto/md5" //nolint:gosec // the protocol's digest (sheet section 2)
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// digest is the protocol's digest: upper-case hex of the MD5 of the joined values (sheet section 2, step 3).
func digest(joined string) string {
	sum := md5.Sum([]byte(joined)) //nolint:gosec // required by the protocol
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// dataKey returns the AES-128 key of one message: characters 8 to 23 of the hex MD5 of the message's digest,
// exactly as received, followed by the sign key (step 4).
func dataKey(md5Text, signKey string) []byte {
	return []byte(digest(md5Text + signKey)[8:24])
}

// encrypt encrypts with AES-128 in ECB mode and PKCS#7 padding, and encodes in Base64 (step 5).
func encrypt(plain []byte, key []byte) (string, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", fmt.Errorf("encrypt: %w", err)
	}
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	out := make([]byte, len(plain)+pad)
	copy(out, plain)
	for i := len(plain); i < len(out); i++ {
		out[i] = byte(pad)
	}
	for i := 0; i < len(out); i += aes.BlockSize {
		block.Encrypt(out[i:i+aes.BlockSize], out[i:i+aes.BlockSize])
	}
	return base64.StdEncoding.EncodeToString(out), nil
}

var errCipher = errors.New("data cannot be decrypted")

// decrypt reverses encrypt. White space inside the Base64 is ignored: some encoders of the gateway wrap lines
// (section 2.3).
func decrypt(text string, key []byte) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(stripSpace(text))
	if err != nil {
		return nil, fmt.Errorf("%w: not Base64", errCipher)
	}
	if len(raw) == 0 || len(raw)%aes.BlockSize != 0 {
		return nil, fmt.Errorf("%w: %d bytes are no whole blocks", errCipher, len(raw))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCipher, err)
	}
	for i := 0; i < len(raw); i += aes.BlockSize {
		block.Decrypt(raw[i:i+aes.BlockSize], raw[i:i+aes.BlockSize])
	}
	pad := int(raw[len(raw)-1])
	if pad < 1 || pad > aes.BlockSize {
		return nil, fmt.Errorf("%w: bad padding", errCipher)
	}
	for _, b := range raw[len(raw)-pad:] {
		if int(b) != pad {
			return nil, fmt.Errorf("%w: bad padding", errCipher)
		}
	}
	return raw[:len(raw)-pad], nil
}

func stripSpace(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\r', '\n':
			return -1
		}
		return r
	}, s)
}
