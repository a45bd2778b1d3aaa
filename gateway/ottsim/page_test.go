package ottsim

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func (s *shop) press(id, button string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/pay/"+url.PathEscape(id), strings.NewReader(url.Values{"do": {button}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func (s *shop) page(w *httptest.ResponseRecorder, want ...string) {
	s.t.Helper()
	if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" ||
		!strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		s.t.Errorf("HTTP %d %v", w.Code, w.Header())
	}
	for _, words := range append(want, "SIMULATION") {
		without, not := strings.CutPrefix(words, "!")
		if strings.Contains(w.Body.String(), without) == not {
			s.t.Errorf("want %s in %s", words, w.Body)
		}
	}
}

func TestPage(t *testing.T) {
	s := newShop(t)
	s.active("A1")
	s.page(s.call("GET", "/pay/A1", nil), "10.50", "Alipay", "A1", `value="pay"`, `value="decline"`)
	s.page(s.press("A1", "pay"), "Paid at", "!<form")
	s.page(s.press("A1", "pay"), "Paid at", "!did not work")
	s.page(s.press("A1", "decline"), "Paid at")
	s.want("paid once", s.status("A1"), "success")
	s.refunds("R1", "A1", "50")
	s.page(s.call("GET", "/pay/A1", nil), "refunded since")
	s.active("A2")
	s.page(s.press("A2", "decline"), "Declined. Nothing was paid.", "!<form")
	s.active("A3")
	s.page(s.press("A3", "<script>alert(1)</script>"), "<form", "!<script>")
	s.want("nothing was pressed", s.status("A3"), "notpay")
	s.later(3 * 60 * 60)
	s.page(s.call("GET", "/pay/A3", nil), "This code is closed", "!<form")
	s.page(s.press("A3", "pay"), "This code is closed")
	s.want("closed", s.status("A3"), "orderclosed")
	for _, w := range []*httptest.ResponseRecorder{s.call("GET", "/pay/none", nil), s.press("none", "pay")} {
		if w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "<form") {
			t.Errorf("HTTP %d %s", w.Code, w.Body)
		}
	}
	s.active("A4")
	if w := s.call("GET", "/pay/A4?do=pay", nil); w.Code != 200 {
		t.Errorf("HTTP %d", w.Code)
	}
	if w := s.call("POST", "/pay/A4?do=pay", nil); w.Code != 200 {
		t.Errorf("HTTP %d", w.Code)
	}
	s.want("a link is no press", s.status("A4"), "notpay")
}

// TestPageEscapes: an order id is input from outside.
func TestPageEscapes(t *testing.T) {
	for _, id := range []string{`<b>bold</b>`, `"'><i x="`, `{{.}}&lt;`, `-->`} {
		s := newShop(t)
		s.want(id, s.active(id), "SUCCESS")
		w := s.call("GET", "/pay/"+url.PathEscape(id), nil)
		s.page(w, "10.50")
		if strings.Contains(w.Body.String(), id) {
			t.Errorf("%s stands as it is in %s", id, w.Body)
		}
	}
}

// TestOrigins: pages of other sites can change nothing and read nothing.
func TestOrigins(t *testing.T) {
	s := newShop(t)
	s.active("A1")
	from := func(origin, method, path string) *httptest.ResponseRecorder {
		body := []byte("do=pay")
		if path == "/processV2" {
			body = envelope("STATUS_QUERY", map[string]string{"order_id": "A1"})
		}
		r := httptest.NewRequest(method, path, bytes.NewReader(body))
		r.Header.Set("Origin", origin)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}
	calls := [][2]string{
		{"POST", "/pay/A1"}, {"POST", "/sim/orders/A1/pay"}, {"POST", "/sim/wallets"}, {"POST", "/sim/faults"},
		{"DELETE", "/sim/faults"}, {"GET", "/sim/orders"}, {"POST", "/processV2"}, {"OPTIONS", "/sim/faults"},
	}
	for _, origin := range []string{"https://evil.example", "null", "http://127.0.0.1.evil.example",
		"http://localhost.evil.example:80", "http://evil.example/127.0.0.1", "http://127.0.0.1@evil.example", "%"} {
		for _, call := range calls {
			if w := from(origin, call[0], call[1]); w.Code != http.StatusForbidden ||
				w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s may %v: HTTP %d", origin, call, w.Code)
			}
		}
	}
	s.want("untouched", s.status("A1"), "notpay")
	for _, origin := range []string{"http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:8080"} {
		w := from(origin, "OPTIONS", "/sim/faults")
		if w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Origin") != origin ||
			w.Header().Get("Vary") != "Origin" {
			t.Errorf("%s: HTTP %d %v", origin, w.Code, w.Header())
		}
	}
	s.page(from("http://127.0.0.1:8080", "POST", "/pay/A1"), "Paid at")
}
