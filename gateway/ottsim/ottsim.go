// Package ottsim is a gateway that behaves as OTT Pay's in-store API is known to behave. It has its own orders
// and wallets, a page for the customer's phone, and every fault that a network can have. It is written from the
// protocol sheet alone and shares no code, cipher or type with gateway/ottpay: if two independent readings of
// one text agree, that is evidence; the same code used twice is none.
//
// It moves no money. Where the sheet leaves something unverified, the choice made here is marked as an
// invention; it says nothing about the real gateway.
package ottsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config describes the simulated merchant.
type Config struct {
	MerchantID string
	SignKey    string // 16 characters
	Seed       uint64
	Latency    time.Duration // before each reply of the protocol
	BaseURL    string        // prefix of code_url
	Now        func() time.Time
	Currency   string // ISO 4217, for amounts on the customer's page; "": two decimals
}

// Bounds of the simulator.
const (
	maxRequestBody = 64 << 10
	maxOrders      = 100_000
	maxWallets     = 100_000
)

// Sim is the gateway: an http.Handler for the protocol, the control calls and the pay page.
type Sim struct {
	cfg     Config
	key     atomic.Value // string: the current sign key
	mux     *http.ServeMux
	mu      sync.Mutex
	rng     *rand.Rand
	orders  map[string]*order
	byTime  []*order // oldest first
	strays  map[string][]seen
	wallets map[string]*wallet
	refunds map[string]bool
	faults  []*fault
}

// New makes a gateway without orders.
func New(cfg Config) *Sim {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Sim{
		cfg: cfg, mux: http.NewServeMux(),
		rng:    rand.New(rand.NewPCG(cfg.Seed, 0x5eed)), //nolint:gosec // simulations must be repeatable
		orders: map[string]*order{}, strays: map[string][]seen{}, wallets: map[string]*wallet{},
		refunds: map[string]bool{},
	}
	s.key.Store(cfg.SignKey)
	s.mux.HandleFunc("POST /processV2", s.process)
	s.mux.HandleFunc("POST /process", s.process)
	s.mux.HandleFunc("GET /sim/orders", s.control(s.listOrders))
	s.mux.HandleFunc("GET /sim/orders/{id}", s.control(s.showOrder))
	s.mux.HandleFunc("POST /sim/orders/{id}/{verb}", s.control(s.phone))
	s.mux.HandleFunc("POST /sim/wallets", s.control(s.newWallet))
	s.mux.HandleFunc("POST /sim/sign_key", s.control(s.newSignKey))
	s.mux.HandleFunc("POST /sim/faults", s.control(s.addFault))
	s.mux.HandleFunc("GET /sim/faults", s.control(s.listFaults))
	s.mux.HandleFunc("DELETE /sim/faults", s.control(s.clearFaults))
	s.mux.HandleFunc("GET /pay/{id}", s.payPage)
	s.mux.HandleFunc("POST /pay/{id}", s.payForm)
	return s
}

// SetBaseURL sets the address under which phones reach the pay page, once it is known.
func (s *Sim) SetBaseURL(u string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.BaseURL = strings.TrimSuffix(u, "/")
}

// ServeHTTP serves everything. Calls from pages of other sites are refused.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if origin := r.Header.Get("Origin"); origin != "" {
		if !localOrigin(origin) {
			http.Error(w, "calls from pages of other sites are refused", http.StatusForbidden)
			return
		}
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
		w.Header().Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
		w.Header().Set("Vary", "Origin")
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
	}
	s.mux.ServeHTTP(w, r)
}

func localOrigin(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	switch u.Hostname() {
	case "127.0.0.1", "::1", "localhost":
		return true
	}
	return false
}

// message is the outer envelope of a request.
type message struct {
	Action     string `json:"action"`
	Version    any    `json:"version"`
	MerchantID string `json:"merchant_id"`
	Data       string `json:"data"`
	MD5        string `json:"md5"`
}

type answer struct {
	Code string `json:"rsp_code"`
	Msg  string `json:"rsp_msg"`
	Data string `json:"data,omitempty"`
	MD5  string `json:"md5,omitempty"`
}

// process serves the protocol.
func (s *Sim) process(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBody))
	if err != nil {
		http.Error(w, "the request is larger than 64 KiB", http.StatusRequestEntityTooLarge)
		return
	}
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		writeJSON(w, http.StatusOK, answer{Code: "PARAM_ERROR", Msg: "not JSON"})
		return
	}
	in, problem := s.open(m)
	s.record(in["order_id"], m.Action)
	f := s.takeFault(m.Action)
	if f != nil && !f.applies() {
		s.pause(r, s.cfg.Latency)
		f.answerFor(s, w, r, nil)
		return
	}
	var out outcome
	if problem != "" {
		out = outcome{code: problem}
	} else {
		out = s.apply(m.Action, in)
	}
	s.pause(r, s.cfg.Latency)
	if f != nil {
		f.answerFor(s, w, r, &out)
		return
	}
	s.reply(w, out)
}

// outcome is the result of an action: an outer code and the inner fields, in order.
type outcome struct {
	code  string
	inner [][2]string // name, JSON literal
}

func (s *Sim) reply(w http.ResponseWriter, out outcome) {
	writeJSON(w, http.StatusOK, s.seal(out, s.signKey()))
}

func (s *Sim) seal(out outcome, key string) answer {
	a := answer{Code: out.code, Msg: strings.ToLower(out.code)}
	if out.inner != nil {
		a.Data, a.MD5 = sealFields(out.inner, key)
	}
	return a
}

// open decrypts a request and checks it. The second result is an outer code if it is wrong.
func (s *Sim) open(m message) (map[string]string, string) {
	if m.MerchantID != s.cfg.MerchantID {
		return nil, "PARAM_INVALID"
	}
	in, err := openFields(m.Data, m.MD5, s.signKey())
	if err != nil {
		return nil, "PARAM_ERROR"
	}
	return in, ""
}

func (s *Sim) apply(action string, in map[string]string) outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	switch action {
	case "ACTIVEPAY":
		return s.activePay(in)
	case "PASSIVEPAY":
		return s.passivePay(in)
	case "STATUS_QUERY":
		return s.statusQuery(in)
	case "REFUND":
		return s.refund(in)
	case "EX_RATE_QUERY":
		return s.rate(in)
	}
	return outcome{code: "PARAM_INVALID"}
}

// pause waits for a duration, but not for longer than the client does.
func (s *Sim) pause(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	}
}

// control makes a handler of a call under /sim. The call runs under the lock. The lock is released before the
// answer is written, so a client that does not read blocks nobody. If the call's result is a string, it is an
// error message.
func (s *Sim) control(call func(*http.Request, []byte) (int, any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBody))
		if err != nil {
			writeJSON(w, http.StatusRequestEntityTooLarge,
				map[string]string{"error": "the request is larger than 64 KiB"})
			return
		}
		s.mu.Lock()
		s.settle()
		status, result := call(r, body)
		s.mu.Unlock()
		if wrong, ok := result.(string); ok {
			result = map[string]string{"error": wrong}
		}
		writeJSON(w, status, result)
	}
}

// newSignKey changes the merchant's sign key. From then on all requests and replies use it, also about earlier
// orders.
func (s *Sim) newSignKey(_ *http.Request, body []byte) (int, any) {
	var in struct {
		SignKey string `json:"sign_key"`
	}
	if err := strictly(body, &in); err != nil || len(in.SignKey) != 16 {
		return http.StatusBadRequest, "sign_key: 16 characters"
	}
	s.key.Store(in.SignKey)
	return http.StatusOK, struct{}{}
}

func (s *Sim) signKey() string { return s.key.Load().(string) }

// strictly reads one JSON object and refuses unknown names.
func strictly(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return errors.New("there is text after the object")
	}
	return nil
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, fmt.Sprintf("encode: %v", err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(b, '\n')) //nolint:errcheck // the client may have closed
}
