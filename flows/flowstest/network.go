package flowstest

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"payterm"
)

// network connects the terminal with the gateway. It carries bytes and makes faults. Its lock is
// the world's.
type network struct {
	s      *Sim
	rng    *rand.Rand
	faults []*netFault
	cut    time.Time // no connection until then
	kept   map[payterm.OrderID][]kept
}

// kept is an authentic reply that was carried: its bytes and their meaning. An attacker, or a
// part of the gateway that lags behind, may send it again later.
type kept struct {
	body    []byte
	applied reported
}

// mostKept is how many replies about one order are kept: the first ones.
const mostKept = 12

// netFault is a fault of the next requests of an action.
type netFault struct {
	name   string
	action string // pay, query, refund or any
	left   int
}

// NetFaults are the faults of a request. A lost request gives no sign: the terminal waits until
// its own deadline.
var NetFaults = []string{
	"refused", "no_route", "reset_in_request", "lost_before", "lost_after", "late", "very_late", "reset_after",
	"duplicated", "truncated", "portal", "redirect", "http_500", "empty",
	// An earlier authentic reply about the order in place of the true one; with old_lost the
	// request does not reach the gateway.
	"old", "old_lost",
	// Faults that the gateway's simulator makes:
	"bad_digest", "wrong_key", "wrong_order_id", "wrong_amount", "duplicate_json_key", "base64_body",
	"code:SYSTEM_ERROR", "code:AUTH_CODE_INVALID", "code:PWD_INCORRECT", "code:PARAM_ERROR", "code:ORDER_USED",
	"code:ORDER_PAID", "code:TIMEOUT",
	"code:TOO_MANY_REQUESTS", "code:ORDER_NOT_EXIST", "no_order_id", "no_amount", "double_amount",
}

var (
	// untouched are the faults that leave the reply as the gateway meant it.
	untouched = []string{"", "late", "very_late", "base64_body", "duplicated", "double_amount", "old", "old_lost"}
	// forged are the faults that change what the digest covers.
	forged = []string{"bad_digest", "wrong_key", "wrong_order_id", "wrong_amount", "duplicate_json_key"}
	// written are the faults that write the same in another way, or leave something out.
	written = []string{"no_order_id", "no_amount", "double_amount"}
)

// believable reports whether a reply with this fault may be believed. A failure is one whatever
// its amount; only an inquiry's reply may leave out the order id.
func believable(fault, action string, r *reported) bool {
	failed := r != nil && (fault == "wrong_amount" || fault == "no_amount") && r.row.Status != "success"
	return r != nil && (failed || fault == "no_order_id" && action == "query" || slices.Contains(untouched, fault) ||
		strings.HasPrefix(fault, "code:") || (slices.Contains(forged, fault) || slices.Contains(written, fault)) &&
		r.bare)
}

// heal ends every fault.
func (n *network) heal() { n.faults, n.cut = nil, time.Time{} }

// next takes the fault of the next request.
func (n *network) next(action string) string {
	for i, f := range n.faults {
		if f.action != "any" && f.action != action {
			continue
		}
		if f.left--; f.left <= 0 {
			n.faults = slices.Delete(n.faults, i, i+1)
		}
		return f.name
	}
	return ""
}

// some is a time around d, different each time.
func (n *network) some(d time.Duration) time.Duration {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	return d/2 + time.Duration(n.rng.Int64N(int64(d)))
}

// requested travels in a request's context and tells the network what it carries. The terminal
// does not see it.
type requested struct {
	l      *life
	id     payterm.OrderID
	about  payterm.OrderID // the order that the reply is about; for a refund, the sale
	action string
	code   string // of a Passive payment
}

type requestKey struct{}

// dial replaces the terminal's dialler.
func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	req, ok := ctx.Value(requestKey{}).(*requested)
	if !ok {
		return nil, fmt.Errorf("a request that the world did not see leaving")
	}
	n.s.mu.Lock()
	fault := n.next(req.action)
	if n.cut.After(time.Now()) && fault == "" {
		fault = "no_route"
	}
	if req.l.dead {
		fault = "refused"
	}
	if fault != "" {
		n.s.tell("network: %s of %s meets %s", req.action, req.id, fault)
		n.s.troubled()
	}
	n.s.mu.Unlock()
	switch fault {
	case "refused":
		return nil, syscall.ECONNREFUSED
	case "no_route":
		t := time.NewTimer(3 * time.Second)
		defer t.Stop()
		select {
		case <-t.C:
			return nil, syscall.EHOSTUNREACH
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	near, far := net.Pipe()
	c := &carrier{Conn: near, s: n.s, req: req, closed: make(chan struct{})}
	go func() {
		defer far.Close()
		n.carry(far, req, fault)
	}()
	go func() { // a process that ends drops its connections
		select {
		case <-req.l.ctx.Done():
			near.Close()
		case <-c.closed:
		}
	}()
	return c, nil
}

// carrier is the terminal's end of a connection.
type carrier struct {
	net.Conn
	s      *Sim
	req    *requested
	wrote  atomic.Bool
	once   sync.Once
	closed chan struct{}
}

func (c *carrier) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

func (c *carrier) Write(b []byte) (int, error) {
	c.s.mu.Lock()
	if !c.wrote.Swap(true) && c.req.action != "query" {
		c.s.wrotePayment(c.req)
	}
	c.s.mu.Unlock()
	return c.Conn.Write(b)
}

// carry takes one request to the gateway and the reply back.
func (n *network) carry(conn net.Conn, req *requested, fault string) {
	if fault == "reset_in_request" {
		io.ReadFull(conn, make([]byte, 40)) //nolint:errcheck // whatever was sent
		return
	}
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	time.Sleep(n.some(60 * time.Millisecond))
	n.s.passing(req)
	reply, applied := n.deliver(req, body, fault)
	if reply == nil { // lost without a sign
		io.Copy(io.Discard, conn) //nolint:errcheck // until the terminal gives up
		return
	}
	switch fault {
	case "late":
		time.Sleep(n.some(8 * time.Second))
	case "very_late":
		time.Sleep(n.some(30 * time.Second))
	default:
		time.Sleep(n.some(60 * time.Millisecond))
	}
	switch fault {
	case "reset_after":
		return
	case "truncated":
		reply = reply[:len(reply)-20]
	}
	n.s.mu.Lock()
	n.keep(req, fault, reply, applied)
	before := n.s.proofs[req.id]
	if believable(fault, req.action, applied) {
		n.s.proofs[req.id] = before.with(req.action, *applied)
	}
	n.s.mu.Unlock()
	if _, err := conn.Write(reply); err != nil {
		n.s.mu.Lock()
		n.s.proofs[req.id] = before
		n.s.tell("network: the reply to %s of %s found nobody", req.action, req.id)
		n.s.mu.Unlock()
	}
}

// passing is the boundary of a request on its way: the process may end there, and the request
// goes on.
func (s *Sim) passing(req *requested) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := map[string]string{
		"pay": "while a payment is on its way", "query": "while an inquiry is on its way",
		"refund": "while a refund is on its way",
	}[req.action]
	s.reached(req.l, name)
}

// reported is what the gateway meant to say.
type reported struct {
	row  ledgerRow
	code string // rsp_code
	bare bool   // the digest covers nothing
}

// deliver passes a request to the gateway and returns the reply's bytes, nil for none, and its
// meaning, nil if the gateway did not get the request.
func (n *network) deliver(req *requested, body []byte, fault string) ([]byte, *reported) {
	switch fault {
	case "lost_before":
		return nil, nil
	case "portal":
		return raw("200 OK", "text/html", "<!doctype html><title>Welcome</title><p>Please accept our terms."), nil
	case "redirect":
		return []byte("HTTP/1.1 307 Temporary Redirect\r\n" +
			"Location: http://127.0.0.1:9/processV2\r\nContent-Length: 0\r\n\r\n"), nil
	case "http_500":
		return raw("500 Internal Server Error", "text/plain", "trouble"), nil
	case "empty":
		return raw("200 OK", "application/json", ""), nil
	}
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	var old kept
	if fault == "old" || fault == "old_lost" {
		old = n.old(req)
	}
	if fault == "old_lost" && old.body != nil {
		return old.body, &old.applied
	}
	gateway := req.l.config.account
	if strings.HasPrefix(fault, "code:") || fault == "base64_body" || slices.Contains(forged, fault) ||
		slices.Contains(written, fault) {
		gateway.call("POST", "/sim/faults", fmt.Sprintf(`{"action":"*","fault":%q,"times":1}`, fault))
	}
	status, text := gateway.call("POST", "/processV2", string(body))
	if fault == "duplicated" { // the first copy's reply is lost
		status, text = gateway.call("POST", "/processV2", string(body))
	}
	if old.body != nil {
		return old.body, &old.applied
	}
	applied := &reported{row: gateway.row(req.about)}
	var outer struct {
		Code string `json:"rsp_code"`
		Data string `json:"data"`
	}
	plain := []byte(text)
	if fault == "base64_body" {
		plain, _ = base64.StdEncoding.DecodeString(text)
	}
	if json.Unmarshal(plain, &outer) == nil {
		applied.code, applied.bare = outer.Code, outer.Data == ""
	}
	if fault == "lost_after" {
		return nil, applied
	}
	return raw(fmt.Sprintf("%d %s", status, http.StatusText(status)), "application/json", text), applied
}

// keep stores an authentic reply.
func (n *network) keep(req *requested, fault string, reply []byte, applied *reported) {
	if about := req.about; fault == "" && applied != nil && !applied.bare && len(n.kept[about]) < mostKept {
		n.kept[about] = append(n.kept[about], kept{slices.Clone(reply), *applied})
	}
}

// old is an earlier reply about the order, mostly the first.
func (n *network) old(req *requested) kept {
	list := n.kept[req.about]
	if len(list) == 0 {
		return kept{}
	}
	return list[n.rng.IntN(len(list))*n.rng.IntN(2)]
}

func raw(status, kind, body string) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", status, kind, len(body),
		body)
}
