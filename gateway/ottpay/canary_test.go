package ottpay_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"payterm"
	"payterm/gateway/ottpay"
)

// The secrets to look for: a sign key and a payment code of each form.
const (
	canaryKey  = "CanaryKeyQwertyU"
	canaryCode = "281357924680135792"
	canaryEMV  = "hQVDUFYwMCanaryEmvCodeAsdfgh"
)

// leaks returns the secret of which a text contains eight or more characters in a row, in plain text or in hex.
func leaks(text string) string {
	text = strings.ToUpper(text)
	for _, secret := range []string{canaryKey, canaryCode, canaryEMV} {
		for at := 0; at+8 <= len(secret); at++ {
			part := strings.ToUpper(secret[at : at+8])
			if strings.Contains(text, part) ||
				strings.Contains(text, strings.ToUpper(hex.EncodeToString([]byte(secret[at:at+8])))) {
				return secret
			}
		}
	}
	return ""
}

// shows formats a value in every way in which it may be printed.
func shows(v any) string {
	var b strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&b, verb+"\n", v)
	}
	if text, err := json.Marshal(v); err == nil {
		b.Write(text)
	}
	if a, ok := v.(payterm.Answer); ok {
		if text, err := json.Marshal(payterm.Reply{Answer: a}); err == nil {
			b.Write(text)
		}
	}
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", v)
	log.New(&b, "", 0).Print(v)
	return b.String()
}

// sealedFields returns a reply whose inner values are all texts.
func sealedFields(code string, fields map[string]string) string {
	var names []string
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	joined := ""
	for _, name := range names {
		joined += fields[name]
	}
	plain, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return envelope(code, string(plain), joined, canaryKey)
}

// hostile returns replies that contain a secret wherever a gateway could put one.
func hostile(secret string) map[string]http.HandlerFunc {
	say := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, body) //nolint:errcheck // the client may have closed
		}
	}
	good := func() map[string]string {
		return map[string]string{"order_id": wireOrder, "order_status": "success", "total_amount": "1234",
			"code_url": "https://qr.example/1", "feeType": "CAD", "rate": "524740000"}
	}
	all := map[string]http.HandlerFunc{
		"the whole body":  say(200, secret),
		"Base64 body":     say(200, base64.StdEncoding.EncodeToString([]byte(secret))),
		"a page":          say(200, "<title>"+secret+"</title>"),
		"a page of 500":   say(500, secret),
		"JSON text":       say(200, `"`+secret+`"`),
		"broken JSON":     say(200, `{"rsp_code":"`+secret),
		"outer key":       say(200, `{"`+secret+`":"SUCCESS"}`),
		"outer key twice": say(200, `{"rsp_code":"SUCCESS","`+secret+`":1,"`+secret+`":2}`),
		"data":            say(200, `{"rsp_code":"SUCCESS","data":"`+secret+`","md5":"`+secret+`"}`),
		"md5":             say(200, `{"rsp_code":"SUCCESS","data":"uZtvkKXhcEQ2eKnAwkY0lg==","md5":"`+secret+`"}`),
		"rsp_msg":         say(200, `{"rsp_code":"FAIL","rsp_msg":"`+secret+`"}`),
		"inner not JSON":  say(200, envelope("SUCCESS", secret, secret, canaryKey)),
		"header": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Echo", secret)
			io.WriteString(w, sealedFields("SUCCESS", good())) //nolint:errcheck // the client may have closed
		},
		"Location": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://"+secret+".example/"+secret)
			w.WriteHeader(307)
		},
	}
	raw := map[string]string{
		"status line":    "HTTP/1.1 500 " + secret + "\r\nContent-Length: 0\r\n\r\n",
		"no status line": secret + "\r\n\r\n",
		"version":        "HTTP/" + secret + " 200 OK\r\n\r\n",
		"status":         "HTTP/1.1 " + secret + " OK\r\n\r\n",
		"header name":    "HTTP/1.1 200 OK\r\n" + secret + "\r\n\r\n",
		"length":         "HTTP/1.1 200 OK\r\nContent-Length: " + secret + "\r\n\r\n",
		"coding":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + secret + "\r\n\r\n",
		"chunk":          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + secret + "\r\n",
	}
	for name, text := range raw {
		all[name] = func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(err)
			}
			io.WriteString(c, text) //nolint:errcheck // the client may have closed
			c.Close()
		}
	}
	for name, text := range map[string]string{
		"alone": secret, "lower case": strings.ToLower(secret), "in a sentence": "for " + secret + ", thanks",
		"as a pair":         "auth_code=" + secret,
		"with marks inside": secret[:9] + "\x00\u200b" + secret[9:], "far behind": strings.Repeat(" . ", 18) + secret,
		"twice": secret + " " + secret,
	} {
		if strings.ToLower(secret) == text && secret != text && secret == canaryEMV {
			continue // payment codes have no lower case
		}
		all["rsp_code "+name] = say(200, mustJSON(map[string]string{"rsp_code": text}))
		for _, field := range []string{
			"order_id", "merchant_id", "order_status", "total_amount", "refund_fee", "buyer_login_id", "buyer_logon_id",
			"bizpay_order_id", "biz_order_id", "trade_time", "exchange_rate", "code_url", "feeType", "rate", "amount",
			"finish_time", "unheard_of",
		} {
			fields := good()
			fields[field] = text
			all[field+" "+name] = say(200, sealedFields("SUCCESS", fields))
		}
	}
	return all
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// TestCanary: whatever the gateway echoes, nothing that the package returns contains the sign key or a payment
// code.
func TestCanary(t *testing.T) {
	t.Parallel()
	ctx, given := context.Background(), 0
	check := func(what string, values ...any) {
		t.Helper()
		for _, v := range values {
			given++
			if secret := leaks(shows(v)); secret != "" {
				t.Errorf("%s: %s tells %s", what, shows(v), secret)
			}
		}
	}
	for _, code := range []string{canaryCode, canaryEMV} {
		var reply http.HandlerFunc
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reply(w, r) }))
		defer s.Close()
		c := client(t, s.URL, func(c *ottpay.Config) { c.SignKey = canaryKey })
		payment := wirePayment()
		payment.Code = payterm.NewPayCode(code)
		active := payment
		active.Mode = payterm.Active
		for _, secret := range []string{canaryKey, code} {
			for name, how := range hostile(secret) {
				reply = how
				rate, rateErr := c.ExchangeRate(ctx, "CAD")
				recorded := httptest.NewRecorder()
				values := []any{
					c.Pay(ctx, payment), c.Pay(ctx, active),
					c.Inquire(ctx, payterm.Inquiry{OrderID: wireOrder, Total: payment.Total}),
					c.Refund(ctx, payterm.RefundRequest{OrderID: "R1WIRES000001", SaleOrderID: wireOrder,
						Amount: payment.Total}),
					rate, rateErr,
				}
				// It is a body, not a bare line.
				if strings.Contains(name, " ") && !strings.Contains("status line no status line header name", name) {
					how(recorded, nil)
					cb, err := c.DecodeCallback(recorded.Body.Bytes())
					values = append(values, cb, err)
				}
				check(name, values...)
			}
		}
		cfg := ottpay.Config{URL: "https://gateway.example", SignKey: canaryKey}
		_, err := ottpay.New(cfg)
		check("what is held", c, *c, cfg, &cfg, cfg.SignKey, &cfg.SignKey, []ottpay.SignKey{cfg.SignKey}, err,
			struct{ C *ottpay.Client }{c})
	}
	if given < 1000 {
		t.Errorf("only %d values were looked at", given)
	}
	for _, planted := range []any{
		payterm.Paid{Payer: "for " + canaryCode}, struct{ K string }{canaryKey}, []byte(canaryKey),
		fmt.Errorf("%w: %s", io.EOF, canaryKey[3:12]), payterm.Unclear{Why: strings.ToLower(canaryEMV)},
	} {
		if leaks(shows(planted)) == "" {
			t.Errorf("%v was planted and not seen", planted)
		}
	}
}

// TestLabelsStay: texts without a secret are not withheld.
func TestLabelsStay(t *testing.T) {
	t.Parallel()
	fields := map[string]string{
		"order_id": wireOrder, "order_status": "success", "total_amount": "1234",
		"buyer_login_id":  "\u200b159****5620 👩\u200d🍳\n",
		"bizpay_order_id": "WX12243195213632230", "trade_time": "Apr 14, 2020 12:08:58 AM",
		"exchange_rate": "5.24740000",
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, sealedFields("SUCCESS", fields)) //nolint:errcheck // the client may have closed
	}))
	defer s.Close()
	c := client(t, s.URL, func(c *ottpay.Config) { c.SignKey = canaryKey })
	want := payterm.Paid{
		PaidMinor: 1234, Status: "success", Payer: "159****5620 👩\u200d🍳", ChannelOrderID: "WX12243195213632230",
		TradeTime: "Apr 14, 2020 12:08:58 AM", TradeClock: 1586822938, ExchangeRate: "5.24740000",
	}
	if got := c.Pay(context.Background(), wirePayment()); got != want {
		t.Errorf("%+v", got)
	}
}
