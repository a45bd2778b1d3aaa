package panel

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/boards"
	"payterm/config"
	"payterm/flows/counter"
	"payterm/gateway/ottsim"
	"payterm/hal/emulated"
	"payterm/terminal"
)

// rig is a panel in front of a running agent, with the simulator.
type rig struct {
	t   *testing.T
	url string
	// pin makes the terminal appear to ask for a PIN.
	pin atomic.Bool
}

func newRig(t *testing.T) *rig {
	t.Helper()
	d := &rig{t: t}
	sim := ottsim.New(ottsim.Config{MerchantID: "ON00000000", SignKey: "0123456789ABCDEF", Seed: 1})
	gateway := httptest.NewServer(sim)
	t.Cleanup(gateway.Close)
	sim.SetBaseURL(gateway.URL)
	text, err := boards.Read("emulated")
	if err != nil {
		t.Fatal(err)
	}
	profile, err := board.ReadProfile("emulated.toml", text)
	if err != nil {
		t.Fatal(err)
	}
	var p *Panel
	hardware, err := emulated.New(emulated.Config{Profile: profile, Scale: 20,
		Changed: func(device string) { p.Changed(device) }})
	if err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Gateway.MerchantID, c.Gateway.OperatorID, c.Gateway.URL, c.Gateway.CallBackURL = "ON00000000", "0000000696",
		gateway.URL+"/processV2", "https://example.com/cb"
	data := t.TempDir()
	a, err := terminal.Start(terminal.Options{
		Config: c, Data: data, SignKey: "0123456789ABCDEF", Board: board.Open(profile, hardware), Sleep: hardware.Sleep,
		Log: slog.New(slog.DiscardHandler), Watermark: "SIMULATION",
	})
	if err != nil {
		t.Fatal(err)
	}
	screen := func() payterm.Screen {
		s := a.Screen()
		if d.pin.Load() {
			s.Name = string(counter.ViewPIN)
		}
		return s
	}
	if p, err = New(Options{Board: hardware, Screen: screen, Keys: profile.Keypad.Keys, Gateway: gateway.URL,
		Journal: filepath.Join(data, "payterm.db")}); err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(p)
	d.url = front.URL
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		front.CloseClientConnections()
		front.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := hardware.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d *rig) call(method, path, body string, header ...string) (int, string, http.Header) {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return resp.StatusCode, string(text), resp.Header
}

// listen collects events until the context ends.
func (d *rig) listen() <-chan string {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.url+"/emu/events", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		d.t.Fatalf("events: %v %v", resp, err)
	}
	heard := make(chan string, 1000)
	go func() {
		defer close(heard)
		defer resp.Body.Close()
		name := ""
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if n, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				name = n
			} else if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				heard <- name + " " + data
			}
		}
	}()
	return heard
}

// hears waits for these events in this order; others may come between.
func (d *rig) hears(heard <-chan string, want ...string) {
	d.t.Helper()
	end := time.After(10 * time.Second)
	var all []string
	for _, w := range want {
		for got := ""; got != w; {
			select {
			case got = <-heard:
				all = append(all, got)
			case <-end:
				d.t.Fatalf("never heard %q, but %q", w, all)
			}
		}
	}
}

// TestCalls tests every name, method and status of the control interface.
func TestCalls(t *testing.T) {
	d := newRig(t)
	for _, c := range []struct {
		method, path, body string
		status             int
		has                string // text that the answer contains
	}{
		{"GET", "/", "", 200, "<title>payterm"},
		{"GET", "/nothing", "", 404, ""},
		{"GET", "/emu/display.png", "", 200, "\x89PNG"},
		{"GET", "/emu/display.txt", "", 200, "screen: idle\nSIMULATION\n"},
		{"POST", "/emu/display.png", "", 405, ""},
		{"POST", "/emu/key", `{"keys":["1","2","3","4"]}`, 200, "{}"},
		{"POST", "/emu/key", `{"keys":[]}`, 400, "1 to 64"},
		{"POST", "/emu/key", `{"keys":["5","ENTRE"]}`, 400, `\"ENTRE\" is no key`},
		{"POST", "/emu/key", `{"keys":["UP"]}`, 400, "no key UP"},
		{"POST", "/emu/key", `{"key":"1"}`, 400, "unknown field"},
		{"POST", "/emu/key", `1`, 400, "error"},
		{"GET", "/emu/key", "", 405, ""},
		{"POST", "/emu/scan", `{"code":"281234567890123456"}`, 200, "{}"},
		{"POST", "/emu/scan", `{"code":""}`, 400, "1 to 2048"},
		{"POST", "/emu/scan", `{"code":"` + strings.Repeat("1", 2049) + `"}`, 400, "1 to 2048"},
		{"GET", "/emu/scan", "", 405, ""},
		{"GET", "/emu/paper.png", "", 200, "\x89PNG"},
		{"GET", "/emu/paper.txt", "", 200, ""},
		{"POST", "/emu/paper/tear", "", 200, "{}"},
		{"GET", "/emu/paper/tear", "", 405, ""},
		{"POST", "/emu/printer", `{"paper":"near_end"}`, 200, "{}"},
		{"POST", "/emu/printer", `{"paper":"out","cover":"open"}`, 200, "{}"},
		{"POST", "/emu/printer", `{"paper":"ok","cover":"closed"}`, 200, "{}"},
		{"POST", "/emu/printer", `{"paper":"wet"}`, 400, "near_end"},
		{"POST", "/emu/printer", `{"power":"off"}`, 200, "{}"},
		{"POST", "/emu/printer", `{"power":"on"}`, 200, "{}"},
		{"POST", "/emu/printer", `{"power":"half"}`, 400, "on or off"},
		{"POST", "/emu/printer", `{"wakes":"chinese font_b"}`, 200, "{}"},
		{"POST", "/emu/printer", `{"wakes":"usual"}`, 200, "{}"},
		{"POST", "/emu/printer", `{"wakes":"late"}`, 400, "katakana"},
		{"GET", "/emu/printer", "", 405, ""},
		{"POST", "/emu/unplug", `{"device":"toaster"}`, 400, "display, scanner, printer or keypad"},
		{"POST", "/emu/plug", `{"device":"toaster"}`, 400, "display, scanner, printer or keypad"},
		{"GET", "/emu/unplug", "", 405, ""},
		{"GET", "/emu/plug", "", 405, ""},
		{"POST", "/emu/events", "", 405, ""},
		{"GET", "/emu/timeline", "", 200, `{"orders":[],"books":{"pairs":[],"counts":{}}}`},
		{"POST", "/emu/timeline", "", 405, ""},
		{"POST", "/sim/faults", `{"action":"REFUND","fault":"empty","times":2}`, 200, `"times":2`},
		{"POST", "/sim/faults", `{"action":"REFUND","fault":"bad_digest","times":0}`, 200, `"times":0`},
		{"POST", "/sim/faults", `{"action":"REFUND","fault":"gremlins"}`, 400, "drop_before_apply"},
		{"GET", "/emu/timeline", "", 200, `"faults":[{"action":"REFUND","fault":"empty","times":2,"hits":0},{`},
		{"DELETE", "/sim/faults?fault=empty", "", 200,
			`{"faults":[{"action":"REFUND","fault":"bad_digest","times":0,"hits":0}]}`},
		{"DELETE", "/sim/faults", "", 200, `{"faults":[]}`},
		{"GET", "/sim/faults", "", 405, ""},
		{"POST", "/phone/look", "", 400, "no QR code on the display"},
		{"POST", "/phone/look", `{"at":"display"}`, 400, "no QR code on the display"},
		{"POST", "/phone/look", `{"at":"paper"}`, 400, "no QR code on the paper"},
		{"POST", "/phone/look", `{"at":"sky"}`, 400, "display or paper"},
		{"POST", "/phone/look", `{"where":"paper"}`, 400, "unknown field"},
	} {
		status, text, header := d.call(c.method, c.path, c.body)
		if status != c.status || !strings.Contains(text, c.has) {
			t.Errorf("%s %s %s: HTTP %d %.80q, want %d with %q", c.method, c.path, c.body, status, text, c.status,
				c.has)
		}
		if c.method == "POST" && status != 405 && header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s answers with %s", c.method, c.path, header.Get("Content-Type"))
		}
	}
	for _, device := range []string{"display", "keypad", "printer", "scanner"} {
		for _, verb := range []string{"unplug", "plug"} {
			if status, text, _ := d.call("POST", "/emu/"+verb, `{"device":"`+device+`"}`); status != 200 {
				t.Errorf("%s %s: HTTP %d %s", verb, device, status, text)
			}
		}
	}
}

// TestEvents: the stream has all events, with secrets masked.
func TestEvents(t *testing.T) {
	d := newRig(t)
	heard := d.listen()
	d.call("POST", "/emu/key", `{"keys":["1","2","3","4","ENTER"]}`)
	d.hears(heard, `key {"key":"1"}`, `key {"key":"2"}`, `key {"key":"3"}`, `key {"key":"4"}`, `key {"key":"ENTER"}`,
		`display {}`)
	_, wallet, _ := d.call("POST", "/phone/wallet", `{"biz_type":"ALIPAY","balance_minor":5000}`)
	var w struct{ Code string }
	if err := json.Unmarshal([]byte(wallet), &w); err != nil || len(w.Code) != 18 {
		t.Fatalf("wallet: %s", wallet)
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if _, words, _ := d.call("GET", "/emu/display.txt", ""); strings.HasPrefix(words, "screen: scan") {
			break
		}
	}
	d.call("POST", "/emu/scan", `{"code":"`+w.Code+`"}`)
	d.hears(heard, fmt.Sprintf(`scan {"code":"****%s"}`, w.Code[14:]), `buzzer {}`, `paper {}`)
	d.call("POST", "/emu/paper/tear", "")
	d.hears(heard, `paper {}`)
	d.call("POST", "/emu/printer", `{"paper":"near_end"}`)
	d.call("POST", "/emu/unplug", `{"device":"scanner"}`)
	d.call("POST", "/emu/plug", `{"device":"scanner"}`)
	d.hears(heard, `printer {"paper":"near_end"}`, `unplug {"device":"scanner"}`, `plug {"device":"scanner"}`)
	// A later client is told the present state.
	d.hears(d.listen(), `plug {"device":"scanner"}`, `printer {"paper":"near_end"}`)
	d.pin.Store(true)
	d.call("POST", "/emu/key", `{"keys":["7","00","CLEAR"]}`)
	d.hears(heard, `key {"key":"*"}`, `key {"key":"*"}`, `key {"key":"CLEAR"}`)
}

// TestWhoMayCall: pages of other sites and host names of other machines are refused, whatever they request.
func TestWhoMayCall(t *testing.T) {
	d := newRig(t)
	own := strings.TrimPrefix(d.url, "http://")
	for _, c := range []struct {
		header []string
		status int
	}{
		{nil, 200},
		{[]string{"Origin", d.url}, 200},
		{[]string{"Origin", "https://example.com"}, 403},
		{[]string{"Origin", "null"}, 403},
		{[]string{"Origin", "http://127.0.0.1:1"}, 403},
		{[]string{"Host", "terminal.example.com"}, 403}, // a name made to resolve to this machine
		{[]string{"Host", own}, 200},
	} {
		for _, call := range []string{"POST /emu/paper/tear", "GET /emu/timeline", "DELETE /sim/faults",
			"GET /emu/events"} {
			method, path, _ := strings.Cut(call, " ")
			if path == "/emu/events" && c.status == 200 {
				continue // this answer does not end
			}
			if status, text, _ := d.call(method, path, "", c.header...); status != c.status {
				t.Errorf("%s %q: HTTP %d %s, want %d", call, c.header, status, text, c.status)
			}
		}
	}
	_, page, header := d.call("GET", "/", "")
	if policy := header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") {
		t.Errorf("policy %q", policy)
	}
	for _, word := range []string{"http://", "https://", "//cdn", "@import", "@font-face"} {
		if strings.Contains(page, word) {
			t.Errorf("the page names %s: it brings everything along", word)
		}
	}
}

// TestWithoutSimulator: the phone's wallet calls no gateway other than the simulator.
func TestWithoutSimulator(t *testing.T) {
	p, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range []string{"POST /phone/wallet", "GET /phone/asked", "POST /sim/faults", "DELETE /sim/faults"} {
		method, path, _ := strings.Cut(call, " ")
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader("{}")))
		if w.Code != 400 || !strings.Contains(w.Body.String(), "another gateway") {
			t.Errorf("%s: HTTP %d %s", call, w.Code, w.Body)
		}
	}
	var front strings.Builder
	if err := page.Execute(&front, p.facts(look{})); err != nil {
		t.Fatal(err)
	}
	if page := front.String(); strings.Contains(page, "Simulation:") || strings.Contains(page, "data-fault=") {
		t.Error("the page claims a simulation")
	}
	w := httptest.NewRecorder()
	if p.ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1/emu/timeline",
		nil)); w.Body.String() != "{\"orders\":[]}\n" {
		t.Errorf("the timeline: %s", w.Body)
	}
}

// TestListeners: what is kept for a client is bounded, and no change is lost because of that.
func TestListeners(t *testing.T) {
	var l listeners
	one := l.add()
	for range 1000 {
		l.publish("display", "", struct{}{})
	}
	l.publish("key", "", map[string]string{"key": "1"})
	l.publish("key", "", map[string]string{"key": "1"})
	l.publish("display", "", struct{}{})
	got := l.take(one)
	want := []string{"event: display\ndata: {}\n\n", "event: key\ndata: {\"key\":\"1\"}\n\n",
		"event: key\ndata: {\"key\":\"1\"}\n\n"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	l.publish("display", "", struct{}{})
	if got := l.take(one); !slices.Equal(got, want[:1]) {
		t.Errorf("a change after the look: %q", got)
	}
	for range maxPending + 1 {
		l.publish("key", "", map[string]string{"key": "1"})
	}
	<-one.wake // the first wake-up, still there
	if _, listening := <-one.wake; listening || len(l.list) != 0 {
		t.Error("a listener that sleeps is not cut off")
	}
	for range maxListeners {
		l.add()
	}
	if l.add() != nil {
		t.Error("there is no end of listeners")
	}
}
