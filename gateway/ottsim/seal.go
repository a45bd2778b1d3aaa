package ottsim

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5" //nolint:gosec // required by the protocol
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"sort"
	"strings"
)

// ecb is AES in electronic codebook mode, which the protocol requires. The standard library omits it because it
// is insecure.
func ecb(b cipher.Block, src []byte, open bool) []byte {
	dst := make([]byte, 0, len(src))
	block := make([]byte, b.BlockSize())
	for len(src) > 0 {
		if open {
			b.Decrypt(block, src[:len(block)])
		} else {
			b.Encrypt(block, src[:len(block)])
		}
		dst, src = append(dst, block...), src[len(block):]
	}
	return dst
}

func upperMD5(s string) string { return fmt.Sprintf("%X", md5.Sum([]byte(s))) } //nolint:gosec // required by the protocol

// blockFor returns the cipher of one message.
func blockFor(sum, signKey string) (cipher.Block, error) {
	return aes.NewCipher([]byte(upperMD5(sum + signKey)[8:][:16]))
}

// sealFields encrypts inner fields and returns data and md5.
func sealFields(fields [][2]string, signKey string) (data, sum string) {
	sum = upperMD5(valuesOf(fields))
	return sealText(jsonOf(fields), sum, signKey), sum
}

func sealText(text, sum, signKey string) string {
	b, err := blockFor(sum, signKey)
	if err != nil {
		panic(err) // sixteen bytes are always a valid key
	}
	n := 16 - len(text)%16
	padded := append([]byte(text), bytes.Repeat([]byte{byte(n)}, n)...)
	return base64.StdEncoding.EncodeToString(ecb(b, padded, false))
}

// valuesOf joins the values in the order of their names. Numbers have the form of Java's Double.
func valuesOf(fields [][2]string) string {
	sorted := append([][2]string(nil), fields...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i][0] < sorted[j][0] })
	joined := ""
	for _, f := range sorted {
		if strings.HasPrefix(f[1], `"`) {
			var s string
			if err := json.Unmarshal([]byte(f[1]), &s); err == nil {
				joined += s
			}
			continue
		}
		joined += asJavaDouble(f[1])
	}
	return joined
}

// asJavaDouble formats a whole number like Java's Double: 1 is 1.0, 10000000 is 1.0E7. It accepts a fraction of
// zeros.
func asJavaDouble(digits string) string {
	n, ok := new(big.Int).SetString(strings.TrimSuffix(digits, ".0"), 10)
	if !ok {
		return digits
	}
	s := n.String()
	if len(strings.TrimPrefix(s, "-")) < 8 {
		return s + ".0"
	}
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	fraction := strings.TrimRight(s[1:], "0")
	if fraction == "" {
		fraction = "0"
	}
	return fmt.Sprintf("%s%c.%sE%d", sign, s[0], fraction, len(s)-1)
}

// openFields decrypts a request's data. Every value must be a string: the real gateway would compute the digest
// of a number over another form.
func openFields(data, sum, signKey string) (map[string]string, error) {
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil || len(raw) == 0 || len(raw)%16 != 0 {
		return nil, fmt.Errorf("data is no Base64 of whole blocks")
	}
	b, err := blockFor(sum, signKey)
	if err != nil {
		return nil, err
	}
	plain := ecb(b, raw, true)
	n := int(plain[len(plain)-1])
	if n == 0 || n > 16 || !bytes.HasSuffix(plain, bytes.Repeat([]byte{byte(n)}, n)) {
		return nil, fmt.Errorf("bad padding")
	}
	var read map[string]*string // a pointer distinguishes null from an empty string
	if err := json.Unmarshal(plain[:len(plain)-n], &read); err != nil {
		return nil, fmt.Errorf("data is no object of strings")
	}
	in := make(map[string]string, len(read))
	names := make([]string, 0, len(read))
	for name, value := range read {
		if value == nil {
			return nil, fmt.Errorf("data holds null")
		}
		in[name] = *value
		names = append(names, name)
	}
	sort.Strings(names)
	joined := ""
	for _, name := range names {
		joined += in[name]
	}
	if upperMD5(joined) != sum {
		return nil, fmt.Errorf("the digest does not fit")
	}
	return in, nil
}

// text returns the JSON literal of a string.
func text(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always encodes
	}
	return string(b)
}

func number(n int64) string { return fmt.Sprint(n) }
