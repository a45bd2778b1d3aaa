package payterm_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"payterm"
)

func TestWalletCodes(t *testing.T) {
	b, err := os.ReadFile("testdata/gateway/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Cases []struct {
			Code, Why string
			BizType   payterm.Channel `json:"biz_type"`
		} `json:"wallet_code_cases"`
	}
	if err := json.Unmarshal(b, &f); err != nil || len(f.Cases) < 20 {
		t.Fatalf("%d cases, %v", len(f.Cases), err)
	}
	for _, c := range f.Cases {
		code := payterm.NewPayCode(c.Code)
		if got, _ := code.Channel(); got != c.BizType {
			t.Errorf("%s: %q, want %q", c.Why, got, c.BizType)
		}
		shown, err := json.Marshal(code)
		if err != nil {
			t.Fatal(err)
		}
		if full := strings.TrimSpace(c.Code); full != "" &&
			strings.Contains(fmt.Sprintf("%v %+v %#v %s", code, code, code, shown), full) {
			t.Errorf("%s: the code shows itself", c.Why)
		}
	}
}

func TestParseAmount(t *testing.T) {
	for text, want := range map[string]int64{"12.34": 1234, "12": 1200, "0.05": 5, "12.3": -1, "1.234": -1, "-1": -1,
		"": -1, "1e3": -1, "99999999999": -1} {
		a, err := payterm.ParseAmount(text, "CAD")
		if (err == nil) != (want >= 0) || err == nil && a.Minor != want {
			t.Errorf("%q: %v %v", text, a, err)
		}
	}
}
