package ottsim

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"
)

type vectorFile struct {
	Vectors []struct {
		Name, Data, MD5 string
		SignKey         string `json:"sign_key"`
		DigestInput     string `json:"digest_input"`
		Ciphertext      string `json:"ciphertext_base64"`
	}
	Decrypt []struct {
		Name, MD5, Expect string
		SignKey           string `json:"sign_key"`
		Ciphertext        string `json:"ciphertext_base64"`
	} `json:"decrypt_cases"`
}

func vectors(t testing.TB) vectorFile {
	t.Helper()
	b, err := os.ReadFile("../../testdata/gateway/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var f vectorFile
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Vectors) < 28 || len(f.Decrypt) < 7 {
		t.Fatalf("%d vectors, %d decrypt cases: the file is not whole", len(f.Vectors), len(f.Decrypt))
	}
	return f
}

// flat reads an object of texts and whole numbers into fields in their order, or returns false if it contains
// anything that the simulator never writes.
func flat(t testing.TB, text string) ([][2]string, bool) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	var fields [][2]string
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var literal json.RawMessage
		if err := d.Decode(&literal); err != nil {
			t.Fatal(err)
		}
		if bytes.ContainsAny(literal[:1], "{[ntf") {
			return nil, false
		}
		fields = append(fields, [2]string{name.(string), string(literal)})
	}
	return fields, true
}

func TestVectors(t *testing.T) {
	written, read := 0, 0
	for _, v := range vectors(t).Vectors {
		if got := upperMD5(v.DigestInput); got != v.MD5 {
			t.Errorf("%s: digest %s, want %s", v.Name, got, v.MD5)
		}
		if got := sealText(v.Data, v.MD5, v.SignKey); got != v.Ciphertext {
			t.Errorf("%s: ciphertext %s", v.Name, got)
		}
		fields, ok := flat(t, v.Data)
		if !ok {
			continue
		}
		written++
		if got := valuesOf(fields); got != v.DigestInput {
			t.Errorf("%s: digest over %q, want %q", v.Name, got, v.DigestInput)
		}
		var texts map[string]string
		if json.Unmarshal([]byte(v.Data), &texts) != nil {
			continue // only replies have numbers, requests have none
		}
		read++
		if got, err := openFields(v.Ciphertext, v.MD5, v.SignKey); err != nil || !maps.Equal(got, texts) {
			t.Errorf("%s: %v %v", v.Name, got, err)
		}
	}
	if written < 20 || read < 15 {
		t.Errorf("only %d written and %d read", written, read)
	}
	// The AES key that the callback page shows (sheet section 2.1).
	if got := upperMD5("5A917182659DE14DCB3022CA6518F34F" + "A8B5FE540E38A5A9")[8:24]; got != "BFE59D83C221F217" {
		t.Errorf("key %s", got)
	}
}

func TestDecryptCases(t *testing.T) {
	for _, v := range vectors(t).Decrypt {
		_, err := openFields(v.Ciphertext, v.MD5, v.SignKey)
		if accept := strings.HasPrefix(v.Expect, "accept"); accept != (err == nil) {
			t.Errorf("%s: %v, expected %s", v.Name, err, v.Expect)
		}
	}
}

// sealed returns the request data of an inner JSON text under the digest of joined.
func sealed(plain, joined string) (data, sum string) {
	sum = upperMD5(joined)
	return sealText(plain, sum, testKey), sum
}

// TestRequestsRefused: the simulator refuses what the real gateway would digest in another form.
func TestRequestsRefused(t *testing.T) {
	for name, c := range map[string][2]string{
		"a number":              {`{"amount":1}`, "1"},
		"a number, Java's form": {`{"amount":1}`, "1.0"},
		"null":                  {`{"amount":null}`, ""},
		"null as a word":        {`{"amount":null}`, "null"},
		"a list":                {`{"amount":["1"]}`, "1"},
		"no object":             {`["1"]`, "1"},
		"two objects":           {`{"a":"1"}{"a":"1"}`, "1"},
		"broken off":            {`{"a":"1"`, "1"},
		"another order":         {`{"b":"1","a":"2"}`, "12"},
		"nothing":               {``, ""},
	} {
		data, sum := sealed(c[0], c[1])
		if in, err := openFields(data, sum, testKey); err == nil {
			t.Errorf("%s: %v", name, in)
		}
	}
	data, sum := sealed(`{"b":"1","a":"2"}`, "21")
	if in, err := openFields(data, sum, testKey); err != nil || in["a"] != "2" || in["b"] != "1" {
		t.Errorf("%v %v", in, err)
	}
	if _, err := openFields(data, strings.ToLower(sum), testKey); err == nil {
		t.Error("the digest as text is part of the key")
	}
}

func TestJavaDouble(t *testing.T) {
	for digits, want := range map[string]string{
		"0": "0.0", "1": "1.0", "-1": "-1.0", "9999999": "9999999.0", "10000000": "1.0E7", "12345678": "1.2345678E7",
		"-10000000": "-1.0E7", "524740000": "5.2474E8", "1000000001": "1.000000001E9",
		"0.0": "0.0", "1250.0": "1250.0", "10000000.0": "1.0E7",
	} {
		if got := asJavaDouble(digits); got != want {
			t.Errorf("%s: %s, want %s", digits, got, want)
		}
	}
}

// FuzzOpen: a request that is accepted reads the same after sealing it again.
func FuzzOpen(f *testing.F) {
	for _, v := range vectors(f).Vectors {
		f.Add([]byte(v.Data), v.DigestInput, true)
		f.Add([]byte(v.Ciphertext), v.MD5, false)
	}
	f.Add([]byte(`{"a":"1","a":"2","A":"\ud800"}`), "2\ufffd", true)
	f.Fuzz(func(t *testing.T, data []byte, sum string, plain bool) {
		cipher := string(data)
		if plain {
			cipher, sum = sealed(cipher, sum)
		}
		in, err := openFields(cipher, sum, testKey)
		if err != nil {
			return
		}
		var fields [][2]string
		for name, value := range in {
			fields = append(fields, [2]string{name, text(value)})
		}
		again, sumAgain := sealFields(fields, testKey)
		if sumAgain != sum {
			t.Fatalf("digest %s, want %s", sumAgain, sum)
		}
		if got, err := openFields(again, sumAgain, testKey); err != nil || !maps.Equal(got, in) {
			t.Fatalf("%v %v, want %v", got, err, in)
		}
	})
}
