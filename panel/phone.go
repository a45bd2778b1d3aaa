package panel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"net/http"
	"time"

	"payterm"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// camera is the phone's camera: it decodes the QR code on the display or, with {"at":"paper"}, on the paper,
// from pixels only.
func (p *Panel) camera(w http.ResponseWriter, r *http.Request) {
	var look struct{ At string }
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(&look)
	if errors.Is(err, io.EOF) {
		err = nil // no body: the display
	}
	var text string
	switch {
	case err != nil:
	case look.At == "" || look.At == "display":
		if text = codeIn(p.o.Board.Frame()); text == "" {
			err = errors.New("the phone sees no QR code on the display; one that was printed is on the paper")
		}
	case look.At == "paper":
		paper, _ := p.o.Board.Paper()
		if text = newestCode(paper); text == "" {
			err = errors.New("the phone sees no QR code on the paper")
		}
	default:
		err = fmt.Errorf("at %q: display or paper", look.At)
	}
	if err != nil {
		answer(w, nil, err)
		return
	}
	answer(w, map[string]string{"code_url": text}, nil)
}

// codeIn returns the text of a QR code in a picture, or "" if there is none.
func codeIn(img image.Image) string {
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		return ""
	}
	found, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil {
		return ""
	}
	return found.GetText()
}

// newestCode returns the text of the code printed last. A code is no higher than the paper is wide, so it lies
// completely in one of the parts that are searched, beginning at the end.
func newestCode(paper image.Image) string {
	strip, is := paper.(interface {
		SubImage(image.Rectangle) image.Image
	})
	if !is {
		return codeIn(paper)
	}
	r := paper.Bounds()
	part := r
	for part.Max.Y = r.Max.Y; part.Max.Y > r.Min.Y; part.Max.Y -= r.Dx() / 2 {
		part.Min.Y = max(r.Min.Y, part.Max.Y-3*r.Dx()/2)
		if text := codeIn(strip.SubImage(part)); text != "" {
			return text
		}
		if part.Min.Y == r.Min.Y {
			break
		}
	}
	return ""
}

// wallet asks the simulator for a new payment code.
func (p *Panel) wallet(w http.ResponseWriter, r *http.Request) {
	p.forward(w, r, "/sim/wallets")
}

// forward sends a call to the simulator, and returns its answer.
func (p *Panel) forward(w http.ResponseWriter, r *http.Request, path string) {
	status, body, err := p.simulator(r.Context(), r.Method, path, http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		answer(w, nil, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the browser may have closed
}

// passwordPage returns the page on which a wallet asks its customer for the password of the current payment, if there
// is one.
func (p *Panel) passwordPage(w http.ResponseWriter, r *http.Request) {
	ledger, err := p.ledger(r.Context())
	known := map[string]string{}
	for _, o := range ledger {
		if o.Mode == payterm.Passive && o.Status == "notpay" {
			known["pay_url"] = p.o.Gateway + "/pay/" + string(o.ID)
		}
	}
	answer(w, known, err)
}

// maxLedger bounds what is read of the simulator's orders, in bytes.
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
