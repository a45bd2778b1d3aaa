package ottsim

import (
	"fmt"
	"net/http"
	"time"
)

// wallet is a customer's wallet that has shown one payment code. It exists for that code only, and the code can
// be used once.
type wallet struct {
	BizType       string `json:"biz_type"`
	Balance       int64  `json:"balance_minor"`
	NeedsPassword bool   `json:"needs_password"`
	TTLSeconds    int64  `json:"ttl_seconds"` // 60 if left out, since wallets change codes each minute
	Code          string `json:"code"`        // random if left out

	payer   string
	expires time.Time
	used    bool
}

// Bounds of the control calls.
const (
	maxTTLSeconds = 24 * 60 * 60
	maxCode       = 1024 // characters
)

// newWallet makes a wallet and returns its payment code.
func (s *Sim) newWallet(_ *http.Request, body []byte) (int, any) {
	wl := wallet{Balance: 100_000, TTLSeconds: 60}
	if err := strictly(body, &wl); err != nil {
		return http.StatusBadRequest, fmt.Sprintf("wallet: %v", err)
	}
	code, ok := s.drawCode(wl.BizType)
	switch {
	case !ok:
		return http.StatusBadRequest, fmt.Sprintf("biz_type %q: ALIPAY, WECHATPAY or UNIONPAY", wl.BizType)
	case wl.Balance < 0 || wl.TTLSeconds < 0 || wl.TTLSeconds > maxTTLSeconds:
		return http.StatusBadRequest,
			fmt.Sprintf("balance_minor and ttl_seconds cannot be negative; ttl_seconds goes up to %d", maxTTLSeconds)
	case len(wl.Code) > maxCode:
		return http.StatusBadRequest, fmt.Sprintf("code: %d characters are the most", maxCode)
	case len(s.wallets) >= maxWallets:
		return http.StatusInsufficientStorage, fmt.Sprintf("%d wallets are the most: start the simulator anew",
			maxWallets)
	}
	if wl.Code == "" {
		wl.Code = code
	}
	if s.wallets[wl.Code] != nil {
		return http.StatusConflict, "this code was given out before"
	}
	wl.expires = s.cfg.Now().Add(time.Duration(wl.TTLSeconds) * time.Second)
	wl.payer = "159****" + wl.Code[max(0, len(wl.Code)-4):]
	s.wallets[wl.Code] = &wl
	return http.StatusOK, map[string]any{
		"code": wl.Code, "biz_type": wl.BizType, "expires_at": wl.expires.UTC().Format(time.RFC3339),
	}
}

// drawCode makes a random code in the form of the wallet (sheet section 12).
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
