package ottpay_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"payterm/gateway/ottpay"
)

func TestCallback(t *testing.T) {
	t.Parallel()
	c := client(t, "http://127.0.0.1:1/", nil)
	const (
		id    = "T1WIRES000001"
		plain = `{"order_id":"` + id +
			`","amount":"1050","bizpay_order_id":"WX00000000000000001","finish_time":"20260801120009","merchant_id":"` +
			merchant + `","order_status":"success"}`
		// Values sorted by key: amount, bizpay_order_id, finish_time, merchant_id, order_id, order_status.
		joined = "1050" + "WX00000000000000001" + "20260801120009" + merchant + id + "success"
	)
	whole := ottpay.Callback{OrderID: id, AmountMinor: 1050, ChannelOrderID: "WX00000000000000001",
		FinishTime: "20260801120009", Status: "success"}
	for _, c1 := range []struct {
		name, body string
		want       ottpay.Callback
		wrong      string
	}{
		{"good", envelope("SUCCESS", plain, joined, signKey), whole, ""},
		{"Base64 of JSON", base64.StdEncoding.EncodeToString([]byte(envelope("SUCCESS", plain, joined, signKey))),
			whole, ""},
		{"an outer code that says no", envelope("FAIL", plain, joined, signKey), whole, ""},
		{"no status, no merchant", envelope("SUCCESS", `{"order_id":"`+id+`","amount":"1050"}`, "1050"+id, signKey),
			ottpay.Callback{OrderID: id, AmountMinor: 1050}, ""},
		{"amount as Java's Double", envelope("SUCCESS", `{"order_id":"`+id+`","amount":10000000}`, "1.0E7"+id, signKey),
			ottpay.Callback{OrderID: id, AmountMinor: 10000000}, ""},
		{"amount with .0", envelope("SUCCESS", `{"order_id":"`+id+`","amount":10000000}`, "10000000.0"+id, signKey),
			ottpay.Callback{OrderID: id, AmountMinor: 10000000}, ""},
		{"amount as it stands", envelope("SUCCESS", `{"order_id":"`+id+`","amount":1050}`, "1050"+id, signKey),
			ottpay.Callback{OrderID: id, AmountMinor: 1050}, ""},
		{"null as the word", envelope("SUCCESS", `{"order_id":"`+id+`","amount":1,"tip":null}`, "1.0"+id+"null",
			signKey),
			ottpay.Callback{OrderID: id, AmountMinor: 1}, ""},
		{"null as nothing", envelope("SUCCESS", `{"order_id":"`+id+`","amount":1,"tip":null}`, "1.0"+id, signKey),
			ottpay.Callback{OrderID: id, AmountMinor: 1}, ""},
		{"a status with marks that command a printer",
			envelope("SUCCESS", `{"order_id":"`+id+`","amount":"1","order_status":"\u001b@success"}`,
				"1"+id+"\x1b@success", signKey),
			ottpay.Callback{OrderID: id, AmountMinor: 1, Status: "??success"}, ""},

		{"wrong merchant", envelope("SUCCESS", `{"order_id":"`+id+`","amount":"1050","merchant_id":"ON99999999"}`,
			"1050ON99999999"+id, signKey), ottpay.Callback{}, "another merchant"},
		{"merchant as a number", envelope("SUCCESS", `{"order_id":"`+id+`","amount":"1050","merchant_id":1}`, "10501.0"+
			id, signKey), ottpay.Callback{}, "another merchant"},
		{"bad digest", envelope("SUCCESS", plain, joined+"x", signKey), ottpay.Callback{}, "digest does not fit"},
		{"another key", envelope("SUCCESS", plain, joined, "FEDCBA9876543210"), ottpay.Callback{}, "not authentic"},
		{"a key twice", envelope("SUCCESS", `{"order_id":"`+id+`","amount":"1","amount":"9"}`, "9"+id, signKey),
			ottpay.Callback{}, "occurs twice"},
		{"no data", `{"rsp_code":"SUCCESS"}`, ottpay.Callback{}, "no data"},
		{"empty data", envelope("SUCCESS", `{}`, "", signKey), ottpay.Callback{}, "no data"},
		{"no order", envelope("SUCCESS", `{"amount":"1050"}`, "1050", signKey), ottpay.Callback{}, "no order of ours"},
		{"an order id that is none", envelope("SUCCESS", `{"order_id":"../x","amount":"1"}`, "1../x", signKey),
			ottpay.Callback{}, "no order of ours"},
		{"no amount", envelope("SUCCESS", `{"order_id":"`+id+`"}`, id, signKey), ottpay.Callback{}, "no amount"},
		{"a fraction", envelope("SUCCESS", `{"order_id":"`+id+`","amount":10.5}`, "10.5"+id, signKey),
			ottpay.Callback{}, "no amount"},
		{"less than nothing", envelope("SUCCESS", `{"order_id":"`+id+`","amount":"-1"}`, "-1"+id, signKey),
			ottpay.Callback{}, "no amount"},
		{"too large", envelope("SUCCESS", plain, joined, signKey) + strings.Repeat(" ", 64<<10), ottpay.Callback{},
			"larger than 65536 bytes"},
		{"empty", "", ottpay.Callback{}, "empty"},
		{"form fields", "rsp_code=SUCCESS&data=x", ottpay.Callback{}, "neither JSON nor Base64"},
	} {
		got, err := c.DecodeCallback([]byte(c1.body))
		if got != c1.want {
			t.Errorf("%s: %+v, want %+v", c1.name, got, c1.want)
		}
		if c1.wrong == "" && err != nil || c1.wrong != "" && (!errors.Is(err, ottpay.ErrCallback) ||
			!strings.Contains(err.Error(), c1.wrong)) {
			t.Errorf("%s: %v, want %q", c1.name, err, c1.wrong)
		}
	}
}

// TestCallbackVector reads the callback of the published vectors.
func TestCallbackVector(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../testdata/gateway/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Vectors []struct {
			Name, Data, MD5 string
			Ciphertext      string `json:"ciphertext_base64"`
		}
	}
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	for _, v := range f.Vectors {
		if v.Name != "callback-payment" {
			continue
		}
		var inner map[string]string
		if err := json.Unmarshal([]byte(v.Data), &inner); err != nil {
			t.Fatal(err)
		}
		c := client(t, "http://127.0.0.1:1/", func(c *ottpay.Config) { c.MerchantID = inner["merchant_id"] })
		body, err := json.Marshal(map[string]string{"rsp_code": "SUCCESS", "data": v.Ciphertext, "md5": v.MD5})
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.DecodeCallback(body)
		if err != nil || string(got.OrderID) != inner["order_id"] || got.AmountMinor != 1050 ||
			got.FinishTime != inner["finish_time"] {
			t.Errorf("%+v %v", got, err)
		}
		return
	}
	t.Error("there is no such vector")
}
