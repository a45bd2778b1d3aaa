package provision

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// fingerprint returns the first bytes of the SHA-256 of a signer's public key.
func fingerprint(key ed25519.PublicKey) (p [printSize]byte) {
	h := sha256.Sum256(key)
	copy(p[:], h[:])
	return p
}

const (
	signerSecret = "payterm-signer-secret-1"
	signerPublic = "payterm-signer-1"
	sealedKey    = "payterm-sealed-1"
)

// NewSigner makes a signer, and returns the text of its secret file too.
func NewSigner(random io.Reader) (ed25519.PrivateKey, string, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return nil, "", fmt.Errorf("draw a signer: %w", err)
	}
	return ed25519.NewKeyFromSeed(seed), signerSecret + " " + base64.StdEncoding.EncodeToString(seed) + "\n", nil
}

// ReadSigner reads the text of a signer's secret file. No error repeats the text.
func ReadSigner(text string) (ed25519.PrivateKey, error) {
	words := strings.Fields(text)
	if len(words) == 2 && words[0] == signerSecret {
		if seed, err := base64.StdEncoding.Strict().DecodeString(words[1]); err == nil &&
			len(seed) == ed25519.SeedSize {
			return ed25519.NewKeyFromSeed(seed), nil
		}
	}
	return nil, fmt.Errorf("it is no signer's secret file, which begins with %s", signerSecret)
}

// PublicLine returns the line of /etc/payterm/signers that trusts a signer.
func PublicLine(signer ed25519.PrivateKey) string {
	return signerPublic + " " + base64.StdEncoding.EncodeToString(signer.Public().(ed25519.PublicKey))
}

// maxSigners bounds the file; a fleet has fewer.
const maxSigners = 64

// ReadSigners reads a file of trusted signers: one in a line, optionally followed by a comment. Empty lines and
// lines that begin with # are ignored.
func ReadSigners(text string) ([]ed25519.PublicKey, error) {
	var all []ed25519.PublicKey
	number := 0
	for line := range strings.Lines(text) {
		number++
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if words[0] == signerSecret {
			return nil, fmt.Errorf("line %d is a signer's secret, which must not be on a terminal: remove it, and replace the signer", number)
		}
		var key []byte
		var err error
		if len(words) > 1 {
			key, err = base64.StdEncoding.Strict().DecodeString(words[1])
		}
		if words[0] != signerPublic || err != nil || len(key) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("line %d is no signer: %s and its public key are needed", number, signerPublic)
		}
		if len(all) == maxSigners {
			return nil, fmt.Errorf("there are more than %d signers", maxSigners)
		}
		all = append(all, key)
	}
	return all, nil
}

// KeySize is the length of a device key in bytes.
const KeySize = chacha20poly1305.KeySize

// SealKey encrypts a sign key under the device key. The result is one line of text: XChaCha20-Poly1305 with the
// nonce in front.
func SealKey(device []byte, random io.Reader, signKey string) (string, error) {
	a, err := chacha20poly1305.NewX(device)
	if err != nil {
		return "", fmt.Errorf("seal the sign key: %w", err)
	}
	nonce := make([]byte, a.NonceSize())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return "", fmt.Errorf("seal the sign key: %w", err)
	}
	sealed := a.Seal(nonce, nonce, []byte(signKey), []byte(sealedKey))
	return sealedKey + " " + base64.StdEncoding.EncodeToString(sealed) + "\n", nil
}

// IsSealed reports whether a text is a sealed sign key.
func IsSealed(text []byte) bool { return bytes.HasPrefix(text, []byte(sealedKey+" ")) }

// errSealed repeats neither key.
var errSealed = errors.New("it was sealed on another device, or is damaged: provision the terminal again")

// OpenKey decrypts the text that SealKey made.
func OpenKey(device, text []byte) (string, error) {
	a, err := chacha20poly1305.NewX(device)
	if err != nil {
		return "", fmt.Errorf("the device key has %d bytes, %d are needed", len(device), KeySize)
	}
	coded := strings.TrimSpace(strings.TrimPrefix(string(text), sealedKey+" "))
	b, err := base64.StdEncoding.Strict().DecodeString(coded)
	if err != nil || len(b) < a.NonceSize() {
		return "", errSealed
	}
	key, err := a.Open(nil, b[:a.NonceSize()], b[a.NonceSize():], []byte(sealedKey))
	if err != nil {
		return "", errSealed
	}
	return string(key), nil
}

// dictionary is the DEFLATE dictionary: text that configurations have in common, the most frequent last. It is
// part of the format and must not change in version 1.
var dictionary = []byte(`[api]
[supervisor]
pin_hash = "$2a$10$"
late_payment = "keep"
max_minor = tips = [10, 15, 20]
passive_counter = "first_inquiry = "
[sale]
keep_days = receipt_languages = ["fr", "en"]
language = "zh"
language = "fr"
language = "en"
timezone = "America/Vancouver"
timezone = "America/Toronto"
board = "raspberrypi-spi-st7789"
id = "T1"
[terminal]
tax_id = "GST/HST phone = "+1 address = "currency = "CAD"
name = "
[merchant]
active_wallets = ["ALIPAY", "WECHATPAY", "UNIONPAY"]
wallets = ["ALIPAY", "WECHATPAY"]
terminal_no = "call_back_url = "https://
operator_id = "merchant_id = "ON
url = "https://frontapi.ottpay.com:443/processV2"
[gateway]
`)
