package payterm

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestIdempotencyKey(t *testing.T) {
	for _, good := range []string{"1", "till-1/2026-03-02 #7", "~", strings.Repeat("k", MaxIdempotencyKey)} {
		var k IdempotencyKey
		if err := k.UnmarshalText([]byte(good)); err != nil || string(k) != good {
			t.Errorf("%q: %q %v", good, k, err)
		}
	}
	for _, bad := range []string{"", " ", " k", "k ", "a\tb", "a\nb", "a\x00", "a\x7f", "é", "ключ", "k\u200b",
		strings.Repeat("k", MaxIdempotencyKey+1)} {
		k := IdempotencyKey("before")
		if err := k.UnmarshalText([]byte(bad)); err == nil || !strings.Contains(err.Error(), "idempotency_key") ||
			k != "before" {
			t.Errorf("%q is taken: %q %v", bad, k, err)
		}
	}
	var in struct {
		Key IdempotencyKey `json:"idempotency_key,omitempty"`
	}
	if err := json.Unmarshal([]byte(`{}`), &in); err != nil || in.Key != "" {
		t.Errorf("without one: %q %v", in.Key, err)
	}
	if err := json.Unmarshal([]byte(`{"idempotency_key":""}`), &in); err == nil ||
		err.Error() != errIdempotencyKey.Error() {
		t.Errorf("an empty one: %v", err)
	}
}
