package terminal

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm/screen"
	"payterm/terminal/api"
)

// TestNoticesAreWords: only known notices are shown, and only from the socket.
func TestNoticesAreWords(t *testing.T) {
	a := bare(t)
	post := func(h http.Handler, body string) (int, string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/notice", strings.NewReader(body)))
		return w.Code, w.Body.String()
	}
	socket := a.socket()
	refused := []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity}
	for body, says := range map[string]string{
		`{"notice":"BUY NOW"}`: "notice", `{"notice":""}`: "notice",
		`{"notice":"stick_done","reason":"older"}`:          "reason: stick_done has none",
		`{"notice":"update_refused"}`:                       "reason",
		`{"notice":"update_refused","reason":"unreadable"}`: "reason",
		`{"notice":"stick_done","text":"x"}`:                "text",
		`{"notice":"` + strings.Repeat("x", 9000) + `"}`:    "256 bytes",
		`{"notice":"` + strings.Repeat("y", 100) + `"}`:     `"yyyyyyyyyyyyyyyyyyyy"`, `[]`: "a JSON object is needed",
	} {
		if code, got := post(socket, body); !slices.Contains(refused, code) ||
			!strings.Contains(strings.ReplaceAll(got, `\`, ""), says) ||
			strings.Contains(got, strings.Repeat("y", 21)) {
			t.Errorf("%.60s: %d %.200s", body, code, got)
		}
	}
	if n := a.o.notices.Now(); n.Notice != "" {
		t.Errorf("%v stands", n)
	}
	for _, n := range screen.Notices {
		reason := ""
		if all := n.Refusals(); all != nil {
			reason = string(all[0])
		}
		if code, got := post(socket, `{"notice":"`+string(n)+`","reason":"`+reason+`"}`); code != http.StatusOK {
			t.Errorf("%s: %d %s", n, code, got)
		}
	}
	if code, _ := post(api.Handler(a.current, nil), `{"notice":"stick_done"}`); code == http.StatusOK {
		t.Error("a till on TCP may say it, too")
	}
}

// TestRestartWaitsForRest: no restart while somebody uses the counter or may still read the
// result. After its notice nothing begins; if it does not come, selling goes on after a while.
func TestRestartWaitsForRest(t *testing.T) {
	t.Parallel()
	c := newClinic(t, "emulated", nil)
	socket := c.a.socket()
	ask := func(method, path, body string) string {
		w := httptest.NewRecorder()
		socket.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
		return w.Body.String()
	}
	const restarts = `{"notice":"update_restarting"}`
	shows := func(says string) {
		t.Helper()
		for end := time.Now().Add(never); !strings.Contains(c.a.Screen().Title+c.a.Screen().Name+
			strings.Join(c.a.Screen().Lines, " "), says); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("no %q: %+v", says, c.a.Screen())
			}
		}
	}
	c.awaitIdle()
	c.press("5")
	shows("amount")
	if got := ask("POST", "/notice", restarts); !strings.Contains(got, "busy") {
		t.Errorf("at the keys: %s", got)
	}
	c.press("ENTER")
	shows("scan")
	if got := ask("POST", "/notice", restarts); !strings.Contains(got, "busy") {
		t.Errorf("a sale: %s", got)
	}
	if got := ask("POST", "/notice", `{"notice":"stick_done"}`); !strings.Contains(got, "stick_done") ||
		strings.Contains(strings.Join(c.a.Screen().Lines, " "), "stick") {
		t.Errorf("over a sale: %s %+v", got, c.a.Screen())
	}
	c.press("CANCEL")
	shows("cancelled")
	if got := ask("POST", "/notice", restarts); !strings.Contains(got, "read the result") &&
		!strings.Contains(got, "slips") {
		t.Errorf("at a result: %s", got)
	}
	c.press("ENTER")
	shows("The stick can be taken out")
	var got string
	for end := time.Now().Add(never); ; time.Sleep(20 * time.Millisecond) { // a slip may be printing
		if got = ask("POST", "/notice", restarts); strings.Contains(got, "update_restarting") || time.Now().After(end) {
			break
		}
	}
	shows("Restarting for an update")
	if status := ask("GET", "/status", ""); !strings.Contains(status, `"notice":{"notice":"update_restarting"}`) {
		t.Errorf("%s: %s", got, status)
	}
	c.press("5")
	for _, path := range []string{"/sale", "/training", "/doctor?test="} {
		body := map[string]string{"/sale": `{"mode":"passive","amount_minor":1234}`, "/training": `{"on":true}`}[path]
		if got := ask("POST", path, body); !strings.Contains(got, "busy") &&
			!strings.Contains(got, "somebody is at the counter") {
			t.Errorf("%s begins: %s", path, got)
		}
	}
	if name := c.a.Screen().Name; name != "idle" {
		t.Errorf("a key began %s", name)
	}
	if err := c.a.runner.Hold(t.Context(), 0, nil); err != nil { // ends the hold early
		t.Fatal(err)
	}
	c.a.o.notices.Put(api.Notice{Notice: screen.UpdateUndone})
	c.press("5")
	if shows("amount"); c.a.Screen().Title == "Restarting for an update" {
		t.Error("it is still held")
	}
}
