package ottsim

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// fault is a fault that happens to the next requests of an action.
type fault struct {
	Action string `json:"action"` // "*" for any
	Fault  string `json:"fault"`
	Times  int    `json:"times"`        // 0: until it is deleted
	MS     int64  `json:"ms,omitempty"` // of delay
	Hits   int    `json:"hits"`
}

// The faults. With faultsBefore the request never reaches the gateway: they stand for proxies and broken
// connections on the way. With faultsAfter the request is carried out and its reply is damaged.
var (
	faultsBefore = []string{"drop_before_apply", "http_500", "html_200", "redirect", "empty"}
	faultsAfter  = []string{
		"drop_after_apply", "delay", "truncated", "slow_body", "huge_body", "base64_body",
		"bad_digest", "wrong_key", "wrong_order_id", "wrong_amount", "duplicate_json_key",
	}
	// faultsWritten are genuine replies in another form that the sheets allow: only the status is required in
	// the reply to an inquiry, and the gateway's own code may write an amount as a double.
	faultsWritten = []string{"no_order_id", "no_amount", "double_amount"}
	faultActions  = []string{"ACTIVEPAY", "PASSIVEPAY", "STATUS_QUERY", "REFUND", "EX_RATE_QUERY", "*"}
	// code:WORD answers with that outer code and without data; the request is not carried out.
	codeFault = regexp.MustCompile(`^code:[A-Z][A-Z0-9_]{0,39}$`)
)

const maxFaults = 100

func (f *fault) applies() bool {
	return slices.Contains(faultsAfter, f.Fault) || slices.Contains(faultsWritten, f.Fault)
}

func (s *Sim) addFault(_ *http.Request, body []byte) (int, any) {
	f := fault{Times: 1}
	if err := strictly(body, &f); err != nil {
		return http.StatusBadRequest, fmt.Sprintf("fault: %v", err)
	}
	known := slices.Contains(slices.Concat(faultsBefore, faultsAfter, faultsWritten), f.Fault) ||
		codeFault.MatchString(f.Fault)
	switch {
	case !slices.Contains(faultActions, f.Action):
		return http.StatusBadRequest, fmt.Sprintf("action %q: one of %s", f.Action, strings.Join(faultActions, ", "))
	case !known:
		return http.StatusBadRequest,
			fmt.Sprintf("fault %q: one of %s, code:WORD; or a genuine reply in another form: %s", f.Fault,
				strings.Join(slices.Concat(faultsBefore, faultsAfter), ", "), strings.Join(faultsWritten, ", "))
	case f.Times < 0 || f.MS < 0 || f.MS > 120_000:
		return http.StatusBadRequest, "times cannot be negative; ms goes up to 120000"
	case f.Fault == "delay" && f.MS == 0:
		return http.StatusBadRequest, "delay needs ms"
	case len(s.faults) >= maxFaults:
		return http.StatusInsufficientStorage, fmt.Sprintf("%d faults are the most: delete some", maxFaults)
	}
	f.Hits = 0
	kept := f
	s.faults = append(s.faults, &kept)
	return http.StatusOK, f
}

func (s *Sim) listFaults(*http.Request, []byte) (int, any) {
	list := make([]fault, 0, len(s.faults))
	for _, f := range s.faults {
		list = append(list, *f)
	}
	return http.StatusOK, map[string]any{"faults": list}
}

// clearFaults deletes all faults or, with ?fault=NAME, those of that name.
func (s *Sim) clearFaults(r *http.Request, body []byte) (int, any) {
	name := r.URL.Query().Get("fault")
	s.faults = slices.DeleteFunc(s.faults, func(f *fault) bool { return name == "" || f.Fault == name })
	return s.listFaults(r, body)
}

// takeFault returns the oldest fault for this action, and counts it.
func (s *Sim) takeFault(action string) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if f.Action != "*" && f.Action != action {
			continue
		}
		f.Hits++
		if f.Times > 0 && f.Hits >= f.Times {
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		copied := *f
		return &copied
	}
	return nil
}

// answerFor answers a request with the fault. out is nil if the request was not carried out.
func (f *fault) answerFor(s *Sim, w http.ResponseWriter, r *http.Request, out *outcome) {
	switch f.Fault {
	case "drop_before_apply", "drop_after_apply":
		drop(w)
	case "http_500":
		http.Error(w, "internal server error", http.StatusInternalServerError)
	case "html_200":
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><title>Welcome to the café's Wi-Fi</title><p>Please accept our terms.")
	case "redirect":
		// A client that follows it sends the payment a second time.
		http.Redirect(w, r, "/processV2", http.StatusTemporaryRedirect)
	case "empty":
		w.WriteHeader(http.StatusOK)
	case "delay":
		s.pause(r, time.Duration(f.MS)*time.Millisecond)
		s.reply(w, *out)
	case "truncated", "slow_body", "huge_body", "base64_body":
		f.damageBody(s, w, r, *out)
	case "bad_digest", "wrong_key", "wrong_order_id", "wrong_amount", "duplicate_json_key":
		writeJSON(w, http.StatusOK, f.forge(s, *out))
	case "no_order_id", "no_amount", "double_amount":
		s.reply(w, f.rewritten(*out))
	default:
		writeJSON(w, http.StatusOK, answer{Code: strings.TrimPrefix(f.Fault, "code:"), Msg: "fault"})
	}
}

// drop closes the connection without an answer.
func drop(w http.ResponseWriter) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // this closes the connection too
	}
	c.Close()
}

// damageBody sends a good reply in a bad form.
func (f *fault) damageBody(s *Sim, w http.ResponseWriter, r *http.Request, out outcome) {
	body, err := json.Marshal(s.seal(out, s.signKey()))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	switch f.Fault {
	case "base64_body": // not damaged: the sheet allows Base64
		w.Write([]byte(base64.StdEncoding.EncodeToString(body))) //nolint:errcheck // the client may have closed
	case "truncated":
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body[:len(body)/2])           //nolint:errcheck // the client may have closed
		http.NewResponseController(w).Flush() //nolint:errcheck // otherwise half a reply would stay in a buffer
		panic(http.ErrAbortHandler)
	case "huge_body":
		w.Header().Set("Content-Type", "application/json")
		block := []byte(strings.Repeat(" ", 64<<10))
		for range 128 { // 8 MiB
			if _, err := w.Write(block); err != nil {
				return
			}
		}
		w.Write(body) //nolint:errcheck // the client may have closed
	case "slow_body":
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		rc := http.NewResponseController(w)
		end := time.Now().Add(time.Minute)
		for i := range body {
			if _, err := w.Write(body[i : i+1]); err != nil || rc.Flush() != nil {
				return
			}
			s.pause(r, 250*time.Millisecond)
			if r.Context().Err() != nil || time.Now().After(end) {
				return
			}
		}
	}
}

// amounts are the inner fields of replies that hold an amount.
var amounts = []string{"total_amount", "refund_fee", "refund_amt", "tip"}

// rewritten returns a reply with the same meaning in another form, or with less content.
func (f *fault) rewritten(out outcome) outcome {
	var inner [][2]string
	for _, field := range out.inner {
		amount := slices.Contains(amounts, field[0])
		switch {
		case f.Fault == "no_order_id" && field[0] == "order_id", f.Fault == "no_amount" && amount:
			continue
		case f.Fault == "double_amount" && amount:
			field[1] = strings.Trim(field[1], `"`) + ".0"
		}
		inner = append(inner, field)
	}
	return outcome{out.code, inner}
}

// forge returns a reply that must not be trusted.
func (f *fault) forge(s *Sim, out outcome) answer {
	inner := slices.Clone(out.inner)
	switch f.Fault {
	case "wrong_key":
		return s.seal(out, "FFFFFFFFFFFFFFFF")
	case "bad_digest": // encrypted under the digest of other values
		a := s.seal(out, s.signKey())
		if inner != nil {
			a.MD5 = upperMD5("something else")
			a.Data = sealText(jsonOf(inner), a.MD5, s.signKey())
		}
		return a
	case "wrong_order_id":
		set(inner, "order_id", text("T1ZZZZZ000001"))
	case "wrong_amount":
		for _, name := range []string{"total_amount", "refund_amt", "rate"} {
			set(inner, name, otherAmount(inner, name))
		}
	case "duplicate_json_key":
		a := s.seal(out, s.signKey())
		if inner != nil {
			again := [2]string{"order_status", text("success")}
			if !slices.ContainsFunc(inner, func(f [2]string) bool { return f[0] == again[0] }) {
				again = inner[0]
			}
			twice := append(slices.Clone(inner), again)
			// The digest is computed as by a reader that takes the last key.
			set(inner, again[0], again[1])
			a.MD5 = upperMD5(valuesOf(inner))
			a.Data = sealText(jsonOf(twice), a.MD5, s.signKey())
		}
		return a
	}
	return s.seal(outcome{out.code, inner}, s.signKey())
}

// otherAmount returns an amount that the field does not hold, as text if the field holds a text.
func otherAmount(inner [][2]string, name string) string {
	for _, f := range inner {
		switch {
		case f[0] == name && f[1] == text("1"):
			return text("2")
		case f[0] == name && strings.HasPrefix(f[1], `"`):
			return text("1")
		case f[0] == name && f[1] == number(1):
			return number(2)
		}
	}
	return number(1)
}

func set(inner [][2]string, name, literal string) {
	for i := range inner {
		if inner[i][0] == name {
			inner[i][1] = literal
		}
	}
}

func jsonOf(inner [][2]string) string {
	parts := make([]string, len(inner))
	for i, f := range inner {
		parts[i] = text(f[0]) + ":" + f[1]
	}
	return "{" + strings.Join(parts, ",") + "}"
}
