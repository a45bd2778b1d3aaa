package ottpay

import (
	"encoding/json"
	"os"
	"testing"
)

type vectorFile struct {
	Vectors []struct {
		Name, Direction, Data, MD5 string
		SignKey                    string `json:"sign_key"`
		DigestInput                string `json:"digest_input"`
		AESKey                     string `json:"aes_key"`
		Ciphertext                 string `json:"ciphertext_base64"`
	}
	Decrypt []struct {
		Name, MD5, Expect string
		SignKey           string `json:"sign_key"`
		Ciphertext        string `json:"ciphertext_base64"`
	} `json:"decrypt_cases"`
	Keys []struct {
		Name, MD5 string
		SignKey   string `json:"sign_key"`
		AESKey    string `json:"aes_key"`
	} `json:"key_derivation"`
}

func vectors(t testing.TB) vectorFile {
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

func TestVectors(t *testing.T) {
	for _, v := range vectors(t).Vectors {
		t.Run(v.Name, func(t *testing.T) {
			o, err := parseObject([]byte(v.Data))
			if err != nil {
				t.Fatal(err)
			}
			fits := false
			for _, f := range forms {
				fits = fits || o.joined(f) == v.DigestInput
			}
			if !fits || digest(v.DigestInput) != v.MD5 {
				t.Errorf("no accepted form gives %q", v.DigestInput)
			}
			if got := string(dataKey(v.MD5, v.SignKey)); got != v.AESKey {
				t.Errorf("key %s, want %s", got, v.AESKey)
			}
			if got, err := encrypt([]byte(v.Data), dataKey(v.MD5, v.SignKey)); err != nil || got != v.Ciphertext {
				t.Errorf("ciphertext %s %v", got, err)
			}
			if _, err := openData(v.Ciphertext, v.MD5, v.SignKey); err != nil {
				t.Errorf("open: %v", err)
			}
		})
	}
	for _, v := range vectors(t).Keys {
		if got := string(dataKey(v.MD5, v.SignKey)); got != v.AESKey {
			t.Errorf("%s: key %s, want %s", v.Name, got, v.AESKey)
		}
	}
}

func TestDecryptCases(t *testing.T) {
	for _, v := range vectors(t).Decrypt {
		_, err := openData(v.Ciphertext, v.MD5, v.SignKey)
		if accept := v.Expect[:6] == "accept"; accept != (err == nil) {
			t.Errorf("%s: %v, expected %s", v.Name, err, v.Expect)
		}
	}
}
