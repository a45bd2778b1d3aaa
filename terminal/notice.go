package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"payterm/flows"
	"payterm/screen"
)

// NoticeRequest is POST /notice on the agent's socket: what the machine's system has to
// tell whoever stands before the terminal.
type NoticeRequest struct {
	Notice screen.Notice  `json:"notice"`
	Reason screen.Refusal `json:"reason,omitempty"`
}

// maxNotice is far more than the longest that there is, in bytes.
const maxNotice = 256

// RestartHold is for how long nothing begins at the counter once a restart was announced.
// The machine goes down meanwhile, or it sells again.
const RestartHold = 30 * time.Second

// turnNotice is how long one notice of several stands.
const turnNotice = idleEvery

// lives are how long a notice stands where no newer one takes its place.
var lives = map[screen.Notice]time.Duration{
	screen.UpdateInstalling: 2 * time.Hour, // RAUC's deadline
	screen.UpdateWaiting:    time.Hour,     // for a free counter
	screen.UpdateRestarting: RestartHold,
	screen.UpdateRefused:    2 * time.Minute,
	screen.UpdateDone:       10 * time.Minute,
	screen.UpdateUndone:     12 * time.Hour, // until somebody comes in the morning
	screen.StickDone:        2 * time.Minute,
	screen.StickRefused:     2 * time.Minute,
	screen.ServiceWritten:   2 * time.Minute,

	screen.ParcelWaitsForZ:      time.Minute, // and again, as long as it does
	screen.ParcelWaitsForOrders: time.Minute,
}

// notices are those that live: of each subject (update, stick, service) the last one.
type notices struct {
	mono func() time.Duration // of their own: agents come and go
	mu   sync.Mutex
	list []standing
}

func newNotices() *notices {
	start := time.Now()
	return &notices{mono: func() time.Duration { return time.Since(start) }}
}

type standing struct {
	NoticeRequest
	subject string
	until   time.Duration // monotonic
}

// check says what is wrong with a request, naming the field.
func (n NoticeRequest) check() error {
	allowed := n.Notice.Refusals()
	switch {
	case !slices.Contains(screen.Notices, n.Notice):
		return fmt.Errorf("notice %.20q: one of %s", n.Notice, wordsOf(screen.Notices))
	case n.Reason != "" && allowed == nil:
		return fmt.Errorf("reason: %s has none", n.Notice)
	case allowed != nil && !slices.Contains(allowed, n.Reason):
		return fmt.Errorf("reason %.20q: %s needs one of %s", n.Reason, n.Notice, wordsOf(allowed))
	}
	return nil
}

func wordsOf[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	return strings.Join(words, ", ")
}

// put takes one in place of the last one on its subject.
func (n *notices) put(r NoticeRequest) {
	subject, _, _ := strings.Cut(string(r.Notice), "_")
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = slices.DeleteFunc(n.list, func(s standing) bool { return s.subject == subject })
	n.list = append(n.list, standing{r, subject, n.mono() + lives[r.Notice]})
}

// now is the one to show: a restart, else each in its turn.
func (n *notices) now() NoticeRequest {
	now := n.mono()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = slices.DeleteFunc(n.list, func(s standing) bool { return now >= s.until })
	for _, s := range n.list {
		if s.Notice == screen.UpdateRestarting {
			return s.NoticeRequest
		}
	}
	if len(n.list) == 0 {
		return NoticeRequest{}
	}
	return n.list[int(now/turnNotice)%len(n.list)].NoticeRequest
}

// notice is the one to show now.
func (a *Agent) notice() NoticeRequest { return a.o.notices.now() }

// resting is the view to show: while a restart is under way nothing can begin, and what
// stands on the counter gives way to the word of it.
func (a *Agent) resting(v flows.View) flows.View {
	if a.notice().Notice != screen.UpdateRestarting {
		return v
	}
	return flows.View{Name: flows.ViewIdle, Status: v.Status, Operator: v.Operator}
}

// onSocket adds what only this machine's own programs may say, which a till on TCP may
// not.
func (a *Agent) onSocket(h http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", h)
	mux.HandleFunc("POST /notice", a.takeNotice)
	return mux
}

func (a *Agent) takeNotice(w http.ResponseWriter, r *http.Request) {
	var req NoticeRequest
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxNotice))
	d.DisallowUnknownFields()
	err := d.Decode(&req)
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		err = fmt.Errorf("notice: %d bytes are the most", maxNotice)
	}
	if err == nil {
		err = req.check()
	}
	if err == nil && req.Notice == screen.UpdateRestarting {
		err = a.keepFree(r.Context())
	}
	if err == nil {
		a.o.notices.put(req)
		a.o.Log.Info("notice", "notice", req.Notice, "reason", req.Reason)
		if a.isOpen() {
			a.runner.Redraw()
		}
	}
	reply(w, req, err)
}

// keepFree keeps the counter free for a restart, or says why that has to wait.
func (a *Agent) keepFree(ctx context.Context) error {
	if a.isOpen() {
		// Until the glass is sure to say something else again.
		return a.runner.Hold(ctx, RestartHold+idleEvery, a.printed)
	}
	if s := a.Screen().Name; s == screen.SetupCodeName || s == "setup_busy" || s == "setup_done" {
		return errors.New("the terminal is being provisioned")
	}
	return nil
}

// told is a notice for GET /status, nil for none.
func (a *Agent) told() any {
	if n := a.notice(); n.Notice != "" {
		return n
	}
	return nil
}
