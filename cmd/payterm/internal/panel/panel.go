// Package panel is the front panel of an emulated terminal: its glass, keys,
// scanner and paper in the browser, and a customer's phone that sees nothing but
// the pixels of the glass. It serves loopback only.
package panel

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"payterm"
	"payterm/cmd/payterm/internal/config"
	"payterm/hal/emulated"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

//go:embed panel.html
var page []byte

// Panel is the http.Handler of the emulated hardware.
type Panel struct {
	board   *emulated.Board
	screen  func() payterm.Screen
	gateway string
	mux     *http.ServeMux
	mu      sync.Mutex
	ears    map[chan string]bool
}

const maxEars = 32

// New makes a panel. gateway is the simulator's base, for the phone's wallet.
func New(b *emulated.Board, screen func() payterm.Screen, gateway string) *Panel {
	p := &Panel{board: b, screen: screen, gateway: gateway, mux: http.NewServeMux(), ears: map[chan string]bool{}}
	p.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(page) //nolint:errcheck // the browser has gone
	})
	p.mux.HandleFunc("GET /emu/display.png", func(w http.ResponseWriter, _ *http.Request) { picture(w, b.Frame()) })
	p.mux.HandleFunc("GET /emu/display.txt", func(w http.ResponseWriter, _ *http.Request) { words(w, screenWords(screen())) })
	p.mux.HandleFunc("GET /emu/paper.png", func(w http.ResponseWriter, _ *http.Request) { img, _ := b.Paper(); picture(w, img) })
	p.mux.HandleFunc("GET /emu/paper.txt", func(w http.ResponseWriter, _ *http.Request) { _, text := b.Paper(); words(w, text) })
	p.mux.HandleFunc("GET /emu/violations.txt", func(w http.ResponseWriter, _ *http.Request) { words(w, violations(b.Violations())) })
	p.mux.HandleFunc("POST /emu/paper/tear", func(w http.ResponseWriter, _ *http.Request) { b.Tear(); done(w, nil) })
	p.mux.HandleFunc("POST /emu/key", post(p.key))
	p.mux.HandleFunc("POST /emu/scan", post(func(in struct{ Code string }) error { return b.Scan(in.Code) }))
	p.mux.HandleFunc("POST /emu/printer", post(func(in struct{ Paper, Cover string }) error { return b.SetPrinter(in.Paper, in.Cover) }))
	p.mux.HandleFunc("POST /emu/unplug", post(func(in struct{ Device string }) error { return b.Unplug(in.Device) }))
	p.mux.HandleFunc("POST /emu/plug", post(func(in struct{ Device string }) error { return b.Plug(in.Device) }))
	p.mux.HandleFunc("GET /emu/events", p.events)
	p.mux.HandleFunc("POST /phone/look", p.look)
	p.mux.HandleFunc("POST /phone/wallet", p.wallet)
	return p
}

// ServeHTTP refuses pages of other sites and names that are not this machine's.
func (p *Panel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	origin := r.Header.Get("Origin")
	u, err := url.Parse(origin)
	if !local(r.Host) || origin != "" && (err != nil || u.Host != r.Host) {
		http.Error(w, "only the panel's own page on this machine may call it", http.StatusForbidden)
		return
	}
	p.mux.ServeHTTP(w, r)
}

func local(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return config.IsLoopback(strings.Trim(host, "[]"))
}

func (p *Panel) key(in struct{ Keys []payterm.Key }) error {
	if len(in.Keys) > 64 {
		return fmt.Errorf("keys: 64 at once are the most")
	}
	for _, k := range in.Keys {
		if !k.Valid() {
			return fmt.Errorf("keys: %q is no key", k)
		}
	}
	for _, k := range in.Keys {
		if err := p.board.Press(k); err != nil {
			return err
		}
	}
	return nil
}

// post reads a JSON body strictly and answers {} or what is wrong.
func post[In any](do func(In) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
		d.DisallowUnknownFields()
		if err := d.Decode(&in); err != nil {
			done(w, err)
			return
		}
		done(w, do(in))
	}
}

func done(w http.ResponseWriter, err error) {
	answer := map[string]string{}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		answer["error"] = err.Error()
	}
	json.NewEncoder(w).Encode(answer) //nolint:errcheck // the browser has gone
}

func picture(w http.ResponseWriter, img image.Image) {
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "no-store")
	(&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, img) //nolint:errcheck // the browser has gone
}

func words(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, text+"\n") //nolint:errcheck // the browser has gone
}

// violations are what the chips did not accept of their drivers, one a line.
func violations(all []emulated.Violation) string {
	var lines []string
	for _, v := range all {
		lines = append(lines, v.Error())
	}
	return strings.Join(lines, "\n")
}

func screenWords(s payterm.Screen) string {
	lines := []string{"screen: " + s.Name}
	for _, l := range append([]string{s.Watermark, s.Title, s.Status, s.Amount}, append(append([]string{}, s.Lines...), s.Elapsed, s.Small)...) {
		if l != "" {
			lines = append(lines, l)
		}
	}
	for _, k := range s.Keys {
		lines = append(lines, fmt.Sprintf("[%s] %s", k.Key, k.Does))
	}
	return strings.Join(lines, "\n")
}

// Changed tells the browsers that a device changed.
func (p *Panel) Changed(device string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for ear := range p.ears {
		select {
		case ear <- device:
		default: // it will look soon anyway
		}
	}
}

func (p *Panel) events(w http.ResponseWriter, r *http.Request) {
	ear := make(chan string, 16)
	p.mu.Lock()
	full := len(p.ears) >= maxEars
	if !full {
		p.ears[ear] = true
	}
	p.mu.Unlock()
	if full {
		http.Error(w, "too many listeners", http.StatusServiceUnavailable)
		return
	}
	defer func() { p.mu.Lock(); delete(p.ears, ear); p.mu.Unlock() }()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	rc := http.NewResponseController(w)
	alive := time.NewTicker(15 * time.Second)
	defer alive.Stop()
	for {
		text := ": still here\n\n"
		rc.Flush() //nolint:errcheck // seen at the next write
		select {
		case <-r.Context().Done():
			return
		case device := <-ear:
			text = fmt.Sprintf("event: %s\ndata: {}\n\n", device)
		case <-alive.C:
		}
		if _, err := io.WriteString(w, text); err != nil {
			return
		}
	}
}

// look is the phone's camera: it decodes what stands on the glass, pixels only.
func (p *Panel) look(w http.ResponseWriter, _ *http.Request) {
	bitmap, err := gozxing.NewBinaryBitmapFromImage(p.board.Frame())
	if err == nil {
		var found *gozxing.Result
		if found, err = qrcode.NewQRCodeReader().Decode(bitmap, nil); err == nil {
			json.NewEncoder(w).Encode(map[string]string{"code_url": found.GetText()}) //nolint:errcheck // the browser has gone
			return
		}
	}
	done(w, fmt.Errorf("the phone sees no QR code on the display"))
}

// wallet asks the simulator for a fresh payment code.
func (p *Panel) wallet(w http.ResponseWriter, r *http.Request) {
	client := &http.Client{Timeout: 5 * time.Second}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, p.gateway+"/sim/wallets", http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil {
		done(w, err)
		return
	}
	resp, err := client.Do(req)
	if err != nil {
		done(w, fmt.Errorf("the gateway gives no wallet codes: is it the simulator?"))
		return
	}
	defer resp.Body.Close()
	w.WriteHeader(resp.StatusCode)
	io.Copy(w, io.LimitReader(resp.Body, 64<<10)) //nolint:errcheck // the browser has gone
}
