package panel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// camera is the phone's: it decodes what stands on the glass, pixels only.
func (p *Panel) camera(w http.ResponseWriter, _ *http.Request) {
	bitmap, err := gozxing.NewBinaryBitmapFromImage(p.o.Board.Frame())
	var found *gozxing.Result
	if err == nil {
		found, err = qrcode.NewQRCodeReader().Decode(bitmap, nil)
	}
	if err != nil {
		answer(w, nil, errors.New("the phone sees no QR code on the display"))
		return
	}
	answer(w, map[string]string{"code_url": found.GetText()}, nil)
}

// wallet asks the simulator for a fresh payment code.
func (p *Panel) wallet(w http.ResponseWriter, r *http.Request) {
	p.pass(w, r, "/sim/wallets")
}

// pass hands a call on to the simulator, and its answer back.
func (p *Panel) pass(w http.ResponseWriter, r *http.Request, path string) {
	status, body, err := p.simulator(r.Context(), r.Method, path, http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		answer(w, nil, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the browser has gone
}

// asked is the page on which a wallet asks its customer for the password of a
// payment under way, or nothing.
func (p *Panel) asked(w http.ResponseWriter, r *http.Request) {
	_, body, err := p.simulator(r.Context(), http.MethodGet, "/sim/orders", nil)
	var ledger struct {
		Orders []struct {
			ID     string `json:"order_id"`
			Mode   string `json:"mode"`
			Status string `json:"status"`
		} `json:"orders"`
	}
	if err == nil {
		err = json.Unmarshal(body, &ledger)
	}
	known := map[string]string{}
	for _, o := range ledger.Orders {
		if o.Mode == "passive" && o.Status == "notpay" {
			known["pay_url"] = p.o.Gateway + "/pay/" + o.ID
		}
	}
	answer(w, known, err)
}

// maxLedger is what the phone reads of the simulator's ledger.
const maxLedger = 16 << 20

// simulator makes one call of the simulator's control interface.
func (p *Panel) simulator(ctx context.Context, method, path string, body io.Reader) (int, []byte, error) {
	if p.o.Gateway == "" {
		return 0, nil, errors.New("only the simulator does that; this terminal uses another gateway")
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, p.o.Gateway+path, body)
	if err != nil {
		return 0, nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("the simulator does not answer: is it running? (%w)", err)
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(io.LimitReader(resp.Body, maxLedger))
	return resp.StatusCode, read, err
}
