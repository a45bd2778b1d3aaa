package ottsim

import (
	"encoding/json"
	"net/http"
	"time"
)

// wallet is a customer's wallet that has shown one payment code. It exists for
// that code only; the code serves once.
type wallet struct {
	BizType       string `json:"biz_type"`
	Balance       int64  `json:"balance_minor"`
	NeedsPassword bool   `json:"needs_password"`
	TTLSeconds    int64  `json:"ttl_seconds"` // 60 when left out, as wallets renew codes each minute
	Code          string `json:"code"`        // drawn when left out

	payer   string
	expires time.Time
	used    bool
}

// newWallet gives a fresh payment code.
func (s *Sim) newWallet(w http.ResponseWriter, r *http.Request) {
	wl := wallet{Balance: 100_000, TTLSeconds: 60}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequestBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&wl); err != nil {
		refuse(w, http.StatusBadRequest, "wallet: %v", err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	code, ok := s.drawCode(wl.BizType)
	switch {
	case !ok:
		refuse(w, http.StatusBadRequest, "biz_type %q: ALIPAY, WECHATPAY or UNIONPAY", wl.BizType)
		return
	case wl.Balance < 0 || wl.TTLSeconds < 0:
		refuse(w, http.StatusBadRequest, "balance_minor and ttl_seconds cannot be negative")
		return
	case len(s.wallets) >= maxWallets:
		refuse(w, http.StatusInsufficientStorage, "%d wallets are the most: start the simulator anew", maxWallets)
		return
	}
	if wl.Code == "" {
		wl.Code = code
	}
	if s.wallets[wl.Code] != nil {
		refuse(w, http.StatusConflict, "this code was given out before")
		return
	}
	wl.expires = s.cfg.Now().Add(time.Duration(wl.TTLSeconds) * time.Second)
	wl.payer = "159****" + wl.Code[max(0, len(wl.Code)-4):]
	s.wallets[wl.Code] = &wl
	writeJSON(w, http.StatusOK, map[string]any{
		"code": wl.Code, "biz_type": wl.BizType, "expires_at": wl.expires.UTC().Format(time.RFC3339),
	})
}

// drawCode makes a code in the wallet's own form (sheet section 12).
func (s *Sim) drawCode(bizType string) (string, bool) {
	forms := map[string]struct {
		prefix string
		length int
	}{"ALIPAY": {"28", 18}, "WECHATPAY": {"13", 18}, "UNIONPAY": {"62", 19}}
	form, ok := forms[bizType]
	if !ok {
		return "", false
	}
	code := []byte(form.prefix)
	for len(code) < form.length {
		code = append(code, byte('0'+s.rng.IntN(10)))
	}
	return string(code), true
}
