package ottpay

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"payterm"
	"payterm/gateway/ottsim"
)

const fuzzKey = "0123456789ABCDEF"

func fuzzClient(t testing.TB) *Client {
	t.Helper()
	c, err := New(Config{
		URL: "http://127.0.0.1:1/", MerchantID: "ON00000000", OperatorID: "0000000696", SignKey: fuzzKey,
		CallBackURL: "https://example.com/cb", Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// plainly reads a JSON object with encoding/json, where the last of two equal keys counts.
func plainly(b []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var m map[string]any
	err := d.Decode(&m)
	return m, err
}

// FuzzReply: the whole body of a reply as it is received.
func FuzzReply(f *testing.F) {
	for _, v := range vectors(f).Vectors {
		b, err := json.Marshal(map[string]string{"rsp_code": "SUCCESS", "data": v.Ciphertext, "md5": v.MD5})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add([]byte(base64.StdEncoding.EncodeToString(b)))
	}
	for _, s := range []string{
		``, `{}`, `{"rsp_code":"FAIL"}`, `{"rep_code":"SUCCESS","data":null}`, `{"rsp_code":"A","rsp_code":"B"}`,
		`<html>`,
		`{"rsp_code":"SUCCESS","data":[],"md5":{}}`, strings.Repeat(`{"a":`, 20), `{"rsp_code":"\ud800"}`,
		"{\"rsp_code\":\"\xff\"}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := openReply(body, fuzzKey)
		if err != nil {
			return
		}
		if r.code == "" {
			t.Fatal("a reply without a code was accepted")
		}
		text := bytes.TrimSpace(body)
		if text[0] != '{' {
			if text, err = base64.StdEncoding.DecodeString(stripSpace(string(text))); err != nil {
				t.Fatalf("accepted, and no Base64: %v", err)
			}
		}
		outer, err := plainly(text)
		if err != nil || !json.Valid(text) {
			t.Fatalf("accepted, and no JSON: %v", err)
		}
		if r.code != outer["rsp_code"] && r.code != outer["rep_code"] {
			t.Fatalf("code %q of %v", r.code, outer)
		}
		if data, _ := outer["data"].(string); r.inner != nil && data == "" {
			t.Fatal("data out of nothing")
		}
	})
}

// FuzzInner: inner data under a digest that fits. A payment is paid only if a plain reading says success with
// the total.
func FuzzInner(f *testing.F) {
	for _, v := range vectors(f).Vectors {
		f.Add([]byte(v.Data))
	}
	for _, s := range []string{
		`{"order_id":"T1FUZZS000001","order_status":"success","total_amount":1234}`,
		`{"order_id":"T1FUZZS000001","order_status":"SUCCESS","total_amount":"1234","refund_fee":"0"}`,
		`{"order_id":"T1FUZZS000001","order_status":"success","total_amount":1234,"refund_fee":1}`,
		`{"order_id":"T1FUZZS000001","order_status":"fully_refunded","total_amount":1234,"refund_fee":1234}`,
		`{"order_id":"T1FUZZS000001","order_status":"success","total_amount":1.234e3}`,
		`{"order_id":"T1FUZZS000001","order_status":"success","total_amount":1234.00}`,
		`{"order_status":"success","total_amount":1234.0}`,
		`{"a":1e400,"b":-0,"c":1e-5,"d":0.1,"e":123456789012345678901234567890}`,
	} {
		f.Add([]byte(s))
	}
	q := payterm.Inquiry{OrderID: "T1FUZZS000001", Total: payterm.Amount{Minor: 1234, Currency: "CAD"}}
	f.Fuzz(func(t *testing.T, plain []byte) {
		o, err := parseObject(plain)
		if err != nil {
			return
		}
		m, err := plainly(plain)
		if err != nil || !json.Valid(plain) || len(m) != len(o) {
			t.Fatalf("accepted with %d fields; a plain reading gives %v %v", len(o), m, err)
		}
		for _, form := range forms {
			if !o.digestFits(strings.ToLower(digest(o.joined(form)))) {
				t.Fatalf("its own form does not fit: %q", o.joined(form))
			}
		}
		said, _ := m["order_status"].(string)
		switch a := status(reply{code: "SUCCESS", inner: o}, q).(type) {
		case payterm.Paid:
			total := fmt.Sprint(m["total_amount"])
			if n, number := m["total_amount"].(json.Number); number && strings.Contains(n.String(), ".") {
				total = strings.TrimSuffix(strings.TrimRight(total, "0"), ".")
			}
			total = strings.TrimLeft(total, "0")
			if !strings.EqualFold(said, "success") || total != "1234" || a.PaidMinor != 1234 {
				t.Fatalf("%+v out of %v", a, m)
			}
		case payterm.Failed:
			if !slices.Contains([]string{"failure", "orderclosed", "orderclose"}, strings.ToLower(said)) {
				t.Fatalf("%+v out of %v", a, m)
			}
		case payterm.Unsent, payterm.Refused, payterm.Rejected, payterm.Clash, payterm.NotFound, payterm.CodeMade:
			t.Fatalf("%+v is no answer to an inquiry with a status", a)
		case payterm.Lost, payterm.Refunded, payterm.Pending, payterm.Unclear:
		}
		codeMade(reply{code: "SUCCESS", inner: o})
	})
}

// FuzzCallback: any inner text under any digest input, and the body without an envelope.
func FuzzCallback(f *testing.F) {
	for _, v := range vectors(f).Vectors {
		f.Add([]byte(v.Data), v.DigestInput, true)
	}
	f.Add([]byte(`{"order_id":"T1FUZZS000001","amount":1,"finish_time":"\u001b@x"}`), "1.0\x1b@xT1FUZZS000001", true)
	f.Add([]byte(`{"rsp_code":"SUCCESS","data":"","md5":""}`), "", false)
	c := fuzzClient(f)
	f.Fuzz(func(t *testing.T, body []byte, joined string, sealed bool) {
		if sealed {
			sum := digest(joined)
			data, err := encrypt(body, dataKey(sum, fuzzKey))
			if err != nil {
				t.Fatal(err)
			}
			body = []byte(`{"rsp_code":"SUCCESS","data":"` + data + `","md5":"` + sum + `"}`)
		}
		cb, err := c.DecodeCallback(body)
		if err != nil {
			if cb != (Callback{}) {
				t.Fatalf("%v, and yet %+v", err, cb)
			}
			return
		}
		if !cb.OrderID.Valid() || cb.AmountMinor < 0 || strings.ContainsFunc(cb.ChannelOrderID+cb.FinishTime+cb.Status,
			unicode.IsControl) {
			t.Fatalf("%+v", cb)
		}
	})
}

// FuzzRequest: the simulator, which shares no code with this package, reads the same values from a request that
// were put into it.
func FuzzRequest(f *testing.F) {
	f.Add("T1FUZZS000001", int64(1234), "281234567890123456", "0000000696", true)
	f.Add("Z", int64(1), "hQVDUFYwMWETTwegAAAAVVVVUA==", "茶 <&> \u2028\"\\", true)
	f.Add("T1FUZZS000002", int64(payterm.MaxMinor), "", "\x7f\t", false)
	f.Add("ABCDEFGHIJKLMNOPQRST", int64(99), "6212345678901234567", "7", true)
	f.Add("T1FUZZS000003", int64(100), "134567890123456789", "caf\u00e9", true)
	f.Add("00000000000000000000", int64(10), "251234567890123456789012", "\u00e9", true)
	f.Add("T1FUZZS000004", int64(-1), "28 1234", "x\x00y", true)
	f.Add("t1", int64(0), "28123456789012345\u0666", "\u202e", false)
	f.Add("T1FUZZS000005", int64(payterm.MaxMinor)+1, "281234567890123456", "100000000000000000000000000000", true)
	f.Fuzz(func(t *testing.T, id string, minor int64, code, operator string, passive bool) {
		cfg := fuzzClient(t).c
		cfg.OperatorID = operator
		c, err := New(cfg)
		if err != nil {
			return
		}
		p := payterm.Payment{
			OrderID: payterm.OrderID(id), Mode: payterm.Active, Wallet: payterm.WeChatPay,
			Total: payterm.Amount{Minor: minor, Currency: "CAD"}, Code: payterm.NewPayCode(code),
		}
		if passive {
			p.Mode = payterm.Passive
		}
		if c.unfit(p) != "" || operator == "" {
			return
		}
		action, pairs := c.paymentPairs(p)
		body, err := c.body(action, pairs)
		if err != nil {
			t.Fatal(err)
		}
		sim := ottsim.New(ottsim.Config{MerchantID: "ON00000000", SignKey: fuzzKey, BaseURL: "http://127.0.0.1"})
		ask := func(method, path string, body []byte, into any) {
			t.Helper()
			w := httptest.NewRecorder()
			sim.ServeHTTP(w, httptest.NewRequest(method, path, bytes.NewReader(body)))
			if err := json.Unmarshal(w.Body.Bytes(), into); err != nil || w.Code != http.StatusOK {
				t.Fatalf("%s: HTTP %d %s %v", path, w.Code, w.Body, err)
			}
		}
		var ignored any
		if passive {
			wallet, err := json.Marshal(map[string]any{"biz_type": "WECHATPAY", "balance_minor": minor,
				"code": p.Code.Reveal()})
			if err != nil {
				t.Fatal(err)
			}
			ask("POST", "/sim/wallets", wallet, &ignored)
		}
		ask("POST", "/processV2", body, &ignored)
		var got struct {
			ID     string `json:"order_id"`
			Biz    string `json:"biz_type"`
			Amount int64  `json:"amount_minor"`
			Mode   string
			Status string
		}
		ask("GET", "/sim/orders/"+id, nil, &got)
		want := got
		want.ID, want.Biz, want.Amount, want.Mode, want.Status = id, "WECHATPAY", minor, "active", "notpay"
		if passive {
			want.Mode, want.Status = "passive", "success" // or the wallet has not paid
		}
		if got != want {
			t.Fatalf("%+v, want %+v", got, want)
		}
	})
}

// BenchmarkExchange encrypts the request of a payment and decrypts its reply.
func BenchmarkExchange(b *testing.B) {
	c := fuzzClient(b)
	p := payterm.Payment{
		OrderID: "T1BENCH000001", Mode: payterm.Passive, Wallet: payterm.Alipay,
		Total: payterm.Amount{Minor: 1234, Currency: "CAD"}, Code: payterm.NewPayCode("281234567890123456"),
	}
	data, sum, err := seal([]pair{
		{"order_id", "T1BENCH000001"}, {"order_status", "success"}, {"total_amount", "1234"},
		{"trade_time", "Apr 14, 2020 12:08:58 AM"},
		{"bizpay_order_id", "WX12243195213632230"}, {"buyer_login_id", "159****5620"}, {"exchange_rate", "5.24740000"},
	}, fuzzKey)
	if err != nil {
		b.Fatal(err)
	}
	body := []byte(`{"rsp_code":"SUCCESS","rsp_msg":"success","data":"` + data + `","md5":"` + sum + `"}`)
	b.ReportAllocs()
	for b.Loop() {
		action, pairs := c.paymentPairs(p)
		if _, err := c.body(action, pairs); err != nil {
			b.Fatal(err)
		}
		r, err := openReply(body, fuzzKey)
		if err != nil {
			b.Fatal(err)
		}
		if _, paid := status(r, payterm.Inquiry{OrderID: p.OrderID, Total: p.Total}).(payterm.Paid); !paid {
			b.Fatal("not paid")
		}
	}
}
