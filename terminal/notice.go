package terminal

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"payterm/flows"
	"payterm/screen"
	"payterm/terminal/api"
)

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
	notice  api.Notice
	subject string
	until   time.Duration // monotonic
}

// put takes one in place of the last one on its subject.
func (n *notices) put(r api.Notice) {
	subject, _, _ := strings.Cut(string(r.Notice), "_")
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = slices.DeleteFunc(n.list, func(s standing) bool { return s.subject == subject })
	n.list = append(n.list, standing{r, subject, n.mono() + lives[r.Notice]})
}

// now is the one to show: a restart, else each in its turn.
func (n *notices) now() api.Notice {
	now := n.mono()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = slices.DeleteFunc(n.list, func(s standing) bool { return now >= s.until })
	for _, s := range n.list {
		if s.notice.Notice == screen.UpdateRestarting {
			return s.notice
		}
	}
	if len(n.list) == 0 {
		return api.Notice{}
	}
	return n.list[int(now/turnNotice)%len(n.list)].notice
}

// notice is the one to show now.
func (a *Agent) notice() api.Notice { return a.o.notices.now() }

// resting is the view to show: while a restart is under way nothing can begin, and what
// stands on the counter gives way to the word of it.
func (a *Agent) resting(v flows.View) flows.View {
	if a.notice().Notice != screen.UpdateRestarting {
		return v
	}
	return flows.View{Name: flows.ViewIdle, Status: v.Status, Operator: v.Operator}
}

// Notice takes a notice of the machine's system.
func (a *Agent) Notice(ctx context.Context, n api.Notice) error {
	if n.Notice == screen.UpdateRestarting {
		if err := a.keepFree(ctx); err != nil {
			return coded(err)
		}
	}
	a.o.notices.put(n)
	a.o.Log.Info("notice", "notice", n.Notice, "reason", n.Reason)
	if a.isOpen() {
		a.runner.Redraw()
	}
	return nil
}

// keepFree keeps the counter free for a restart, or says why that has to wait.
func (a *Agent) keepFree(ctx context.Context) error {
	if a.isOpen() {
		// Until the glass is sure to say something else again.
		return a.runner.Hold(ctx, RestartHold+idleEvery, a.printed)
	}
	return nil
}

// standingNotice is the one to show now, nil for none.
func (a *Agent) standingNotice() *api.Notice {
	if n := a.notice(); n.Notice != "" {
		return &n
	}
	return nil
}
