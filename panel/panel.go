// Package panel is the front panel of an emulated terminal in the browser: display, keys, scanner and paper,
// and a customer's phone that sees only the pixels of display and paper. It also shows each order's timeline,
// from the terminal's journal, which it only reads, and from the simulator's orders, which it requests over
// HTTP. It serves loopback only.
package panel

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"image"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"payterm"
	"payterm/config"
	"payterm/flows/counter"
	"payterm/hal/emulated"
	"payterm/provision"
	"payterm/screen"
)

//go:embed panel.html
var pageHTML string

var page = template.Must(template.New("panel").Parse(pageHTML))

// policy allows the page to load only its own content. The frame is the customer's pay page, at the address in
// the scanned code.
const policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-src http: https:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// Options configure a panel.
type Options struct {
	Board  *emulated.Board
	Screen func() payterm.Screen // the words of the current screen
	Keys   [][]payterm.Key       // the keypad by row and column; "" is no key
	// Gateway is the simulator's base URL, for the phone's wallet, the orders and the faults. It is empty if
	// the gateway is not the simulator.
	Gateway string
	Journal string // path of the terminal's journal, which is opened for reading only
	Trial   Trials // what is tried without a configuration file; nil: nothing
}

// Panel is the http.Handler of the emulated hardware.
type Panel struct {
	o         Options
	keys      [][]key
	mux       *http.ServeMux
	lit       atomic.Bool // a picture was on the glass
	listeners listeners
}

// key is a key as the page shows it.
type key struct {
	Key   payterm.Key
	Word  bool   // longer than two characters
	Typed string // the key of a computer's keyboard, as KeyboardEvent.key
	Hint  string // the same, printed on the key
}

var typed = map[payterm.Key][2]string{
	payterm.Key00: {".", ""}, payterm.KeyClear: {"Backspace", "⌫"}, payterm.KeyCancel: {"Escape", "Esc"},
	payterm.KeyEnter: {"Enter", "↵"},
	payterm.KeyUp:    {"ArrowUp", "↑"}, payterm.KeyDown: {"ArrowDown", "↓"},
	payterm.KeyF1: {"F1", ""}, payterm.KeyF2: {"F2", ""}, payterm.KeyF3: {"F3", ""}, payterm.KeyF4: {"F4", ""},
}

// named is a name that the simulator uses, and its meaning.
type named struct{ Name, Means string }

// faults are the simulator's faults.
var faults = []named{
	{"drop_before_apply", "The line breaks before the gateway acts"},
	{"drop_after_apply", "The line breaks after the gateway has acted"},
	{"delay", "The reply comes late"},
	{"http_500", "Server error (HTTP 500)"},
	{"html_200", "A Wi-Fi login page in place of the reply"},
	{"redirect", "A redirect that would send it twice"},
	{"empty", "An empty reply"},
	{"truncated", "Half a reply"},
	{"slow_body", "A reply byte by byte"},
	{"huge_body", "A reply without end"},
	{"base64_body", "A reply in Base64"},
	{"bad_digest", "A reply whose digest does not fit"},
	{"wrong_key", "A reply under another key"},
	{"wrong_order_id", "A reply about another order"},
	{"wrong_amount", "A reply with another amount"},
	{"duplicate_json_key", "A reply that says a thing twice"},
	{"no_order_id", "A genuine reply that names no order"},
	{"no_amount", "A genuine reply that names no amount"},
	{"double_amount", "A genuine reply with amounts as doubles"},
	{"code:", "This word as the outer code"},
}

// actions are the requests to which a fault can apply.
var actions = []named{
	{"PASSIVEPAY", "Sale, scan"}, {"ACTIVEPAY", "Sale, QR code"}, {"STATUS_QUERY", "Inquiry"}, {"REFUND", "Refund"},
	{"EX_RATE_QUERY", "Exchange rate"}, {"*", "Any request"},
}

// devices are those whose cables can be unplugged.
var devices = []string{"display", "keypad", "scanner", "printer"}

// New makes a panel.
func New(o Options) (*Panel, error) {
	p := &Panel{o: o, keys: keysOf(o.Keys), mux: http.NewServeMux()}
	if err := page.Execute(io.Discard, p.facts(look{})); err != nil {
		return nil, fmt.Errorf("front panel: %w", err)
	}
	b := o.Board
	p.mux.HandleFunc("GET /{$}", p.front)
	p.mux.HandleFunc("GET /emu/display.png", func(w http.ResponseWriter, _ *http.Request) { picture(w, b.Frame()) })
	p.mux.HandleFunc("GET /emu/display.txt",
		func(w http.ResponseWriter, _ *http.Request) { words(w, screenWords(o.Screen())) })
	p.mux.HandleFunc("GET /emu/paper.png", func(w http.ResponseWriter, _ *http.Request) {
		img,
			_ := b.Paper()
		picture(w, img)
	})
	p.mux.HandleFunc("GET /emu/paper.txt", func(w http.ResponseWriter, _ *http.Request) {
		_,
			text := b.Paper()
		words(w, text)
	})
	p.mux.HandleFunc("GET /emu/violations.txt",
		func(w http.ResponseWriter, _ *http.Request) { words(w, violations(b.Violations())) })
	p.mux.HandleFunc("POST /emu/paper/tear",
		func(w http.ResponseWriter, _ *http.Request) { b.Tear(); p.Changed("paper"); answer(w, nil, nil) })
	p.mux.HandleFunc("POST /emu/key", post(p.press))
	p.mux.HandleFunc("POST /emu/scan", post(p.scan))
	p.mux.HandleFunc("POST /emu/scanner", post(b.SetScanner))
	p.mux.HandleFunc("POST /emu/bus", post(p.bus))
	p.mux.HandleFunc("POST /emu/printer", post(p.printer))
	p.mux.HandleFunc("POST /emu/unplug", post(func(in cable) error { return p.pull("unplug", in, b.Unplug) }))
	p.mux.HandleFunc("POST /emu/plug", post(func(in cable) error { return p.pull("plug", in, b.Plug) }))
	p.mux.HandleFunc("POST /emu/trial", p.try)
	p.mux.HandleFunc("GET /emu/events", p.events)
	p.mux.HandleFunc("GET /emu/timeline", p.timeline)
	p.mux.HandleFunc("POST /sim/faults", func(w http.ResponseWriter, r *http.Request) { p.forward(w, r, "/sim/faults") })
	p.mux.HandleFunc("DELETE /sim/faults",
		func(w http.ResponseWriter, r *http.Request) { p.forward(w, r, "/sim/faults?"+r.URL.RawQuery) })
	p.mux.HandleFunc("POST /phone/look", p.camera)
	p.mux.HandleFunc("POST /phone/wallet", p.wallet)
	p.mux.HandleFunc("GET /phone/asked", p.passwordPage)
	return p, nil
}

// keysOf is the keypad as the page shows it.
func keysOf(layout [][]payterm.Key) [][]key {
	rows := make([][]key, len(layout))
	for i, row := range layout {
		for _, k := range row {
			t := typed[k]
			if t[0] == "" && len(k) == 1 {
				t[0] = string(k)
			}
			rows[i] = append(rows[i], key{Key: k, Word: len(k) > 2, Typed: t[0], Hint: t[1]})
		}
	}
	return rows
}

// look is what the page shows before its script has asked for anything.
type look struct {
	Width, Height int          // of the canvas, in pixels
	Picture       template.CSS // of the glass
	Words         []string
	Trial         Trial
}

// Slips and Tips are the trial's as the page's fields have them.
func (l look) Slips() string { return strings.Join(l.Trial.ReceiptLanguages, " ") }

// Tips likewise.
func (l look) Tips() string { return strings.Trim(fmt.Sprint(l.Trial.Tips), "[]") }

// facts are what the page is made of.
func (p *Panel) facts(now look) map[string]any {
	return map[string]any{"Keys": p.keys, "Gateway": p.o.Gateway, "Faults": faults, "Actions": actions,
		"Devices": devices, "Now": now, "Fine": fine, "Trials": p.o.Trial != nil,
		"Languages": languages, "Slips": slipLanguages()}
}

// fine is the least width of the canvas on which each pixel of the glass is drawn large and sharp.
const fine = 900

// firstLook is the glass as it is now. Just after the start it waits for the first picture.
func (p *Panel) firstLook(ctx context.Context) (look, error) {
	frame := p.o.Board.Frame()
	for end := time.Now().Add(firstPicture); !p.lit.Load() && ctx.Err() == nil; frame = p.o.Board.Frame() {
		if !plain(frame) {
			p.lit.Store(true)
		} else if time.Now().After(end) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, frame); err != nil {
		return look{}, err
	}
	size := frame.Bounds()
	by := (fine + size.Dx() - 1) / size.Dx()
	now := look{Width: size.Dx() * by, Height: size.Dy() * by,
		Picture: template.CSS("background-image:url(data:image/png;base64," + //nolint:gosec // Base64, by us
			base64.StdEncoding.EncodeToString(b.Bytes()) + ")"),
		Words: strings.Split(screenWords(p.o.Screen()), "\n")[1:]}
	if p.o.Trial != nil {
		now.Trial = p.o.Trial.Now()
	}
	return now, nil
}

// firstPicture is how long the page waits for the first picture of a glass.
const firstPicture = 2 * time.Second

// plain reports whether a picture is of one colour.
func plain(img *image.RGBA) bool {
	for at := 4; at < len(img.Pix); at += 4 {
		if !bytes.Equal(img.Pix[at:at+4], img.Pix[:4]) {
			return false
		}
	}
	return true
}

func (p *Panel) front(w http.ResponseWriter, r *http.Request) {
	now, err := p.firstLook(r.Context())
	var b bytes.Buffer
	if err == nil {
		err = page.Execute(&b, p.facts(now))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	w.Write(b.Bytes()) //nolint:errcheck // the browser may have closed
}

// ServeHTTP refuses pages of other sites, and host names other than this machine's.
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

// press presses keys one after the other and publishes each. On a PIN screen it publishes a star in place of
// the key.
func (p *Panel) press(in struct{ Keys []payterm.Key }) error {
	if len(in.Keys) == 0 || len(in.Keys) > 64 {
		return errors.New("keys: 1 to 64 at once")
	}
	for _, k := range in.Keys {
		if !k.Valid() {
			return fmt.Errorf("keys: %q is no key", k)
		}
	}
	for _, k := range in.Keys {
		shown := string(k)
		if name := p.o.Screen().Name; (name == string(counter.ViewPIN) || name == screen.SetupCodeName) &&
			k.Digits() != "" {
			shown = "*"
		}
		if err := p.o.Board.Press(k); err != nil {
			return err
		}
		p.listeners.publish("key", "", map[string]string{"key": shown})
	}
	return nil
}

// maxScan is the longest frame that an agent accepts: that of a parcel.
const maxScan = provision.MaxText

// scan lets the scanner read a code, and publishes its masked form.
func (p *Panel) scan(in struct{ Code string }) error {
	if in.Code == "" || len(in.Code) > maxScan {
		return fmt.Errorf("code: 1 to %d characters", maxScan)
	}
	if err := p.o.Board.Scan(in.Code); err != nil {
		return fmt.Errorf("scanner: %w", err)
	}
	p.listeners.publish("scan", "", map[string]string{"code": payterm.NewPayCode(in.Code).String()})
	return nil
}

// bus limits how many bytes the adapter of the display's bus takes at once.
func (p *Panel) bus(in struct{ Most int }) error {
	if in.Most < 0 {
		return fmt.Errorf("most: %d bytes", in.Most)
	}
	return p.o.Board.LimitTransfers(in.Most)
}

type sensors struct {
	Paper string `json:"paper,omitempty"`
	Cover string `json:"cover,omitempty"`
	Power string `json:"power,omitempty"`
	Wakes string `json:"wakes,omitempty"`
}

func (p *Panel) printer(in sensors) error {
	if in.Power != "" && in.Power != "on" && in.Power != "off" {
		return fmt.Errorf("power %q: on or off", in.Power)
	}
	if err := p.o.Board.SetPrinter(in.Paper, in.Cover); err != nil {
		return err
	}
	if in.Power != "" {
		if err := p.o.Board.PowerPrinter(in.Power == "on"); err != nil {
			return err
		}
		p.listeners.publish("printer", "power", sensors{Power: in.Power})
	}
	if in.Wakes != "" {
		if err := p.o.Board.WakePrinter(in.Wakes); err != nil {
			return err
		}
		p.listeners.publish("printer", "wakes", sensors{Wakes: in.Wakes})
	}
	// One event for each sensor, so that later clients get both.
	if in.Paper != "" {
		p.listeners.publish("printer", "paper", sensors{Paper: in.Paper})
	}
	if in.Cover != "" {
		p.listeners.publish("printer", "cover", sensors{Cover: in.Cover})
	}
	return nil
}

type cable struct {
	Device string `json:"device"`
}

func (p *Panel) pull(verb string, c cable, do func(string) error) error {
	if err := do(c.Device); err != nil {
		return err
	}
	p.listeners.publish(verb, "cable of "+c.Device, c)
	p.Changed("display") // it is dark, or lit
	return nil
}

// post makes a handler that reads a JSON body strictly and answers {} or an error.
func post[In any](do func(In) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
		d.DisallowUnknownFields()
		err := d.Decode(&in)
		if err == nil {
			err = do(in)
		}
		answer(w, nil, err)
	}
}

const maxBody = 64 << 10

// answer writes the result, or HTTP 400 and the error.
func answer(w http.ResponseWriter, known map[string]string, err error) {
	w.Header().Set("Content-Type", "application/json")
	if known == nil {
		known = map[string]string{}
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		known = map[string]string{"error": err.Error()}
	}
	json.NewEncoder(w).Encode(known) //nolint:errcheck // the browser may have closed
}

func picture(w http.ResponseWriter, img image.Image) {
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "no-store")
	(&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, img) //nolint:errcheck // the browser may have closed
}

func words(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, text+"\n") //nolint:errcheck // the browser may have closed
}

// violations lists what the chips did not accept from their drivers, one in a line.
func violations(all []emulated.Violation) string {
	var lines []string
	for _, v := range all {
		lines = append(lines, v.Error())
	}
	return strings.Join(lines, "\n")
}

func screenWords(s payterm.Screen) string {
	lines := []string{"screen: " + s.Name}
	for _, l := range append([]string{s.Watermark, s.Title, s.Status, s.Amount}, append(append([]string{}, s.Lines...),
		s.Elapsed, s.Small)...) {
		if l != "" {
			lines = append(lines, l)
		}
	}
	for _, item := range s.Items {
		lines = append(lines, item.String())
	}
	for _, k := range s.Keys {
		lines = append(lines, fmt.Sprintf("[%s] %s", k.Key, k.Does))
	}
	return strings.Join(lines, "\n")
}

// Changed publishes that a device (display, paper, buzzer) shows something new. It does not block.
func (p *Panel) Changed(device string) { p.listeners.publish(device, "", struct{}{}) }
