// Package notice keeps what the machine's system has to tell whoever stands before the
// terminal, for as long as each notice stands.
package notice

import (
	"slices"
	"strings"
	"sync"
	"time"

	"payterm/screen"
	"payterm/terminal/api"
)

// RestartHold is for how long nothing begins at the counter once a restart was announced.
// The machine goes down meanwhile, or it sells again.
const RestartHold = 30 * time.Second

// turnNotice is how long one notice of several stands.
const turnNotice = 5 * time.Second

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

	screen.ScannerLayout: 10 * time.Minute,
}

// Notices are those that stand: of each subject (update, stick, service) the last one.
type Notices struct {
	mono func() time.Duration // of their own: terminals come and go
	mu   sync.Mutex
	list []standing
}

// New makes an empty list.
func New() *Notices {
	start := time.Now()
	return &Notices{mono: func() time.Duration { return time.Since(start) }}
}

type standing struct {
	notice  api.Notice
	subject string
	until   time.Duration // monotonic
}

// Put takes one in place of the last one on its subject.
func (n *Notices) Put(r api.Notice) {
	subject, _, _ := strings.Cut(string(r.Notice), "_")
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = slices.DeleteFunc(n.list, func(s standing) bool { return s.subject == subject })
	n.list = append(n.list, standing{r, subject, n.mono() + lives[r.Notice]})
}

// Now is the one to show: a restart, else each in its turn.
func (n *Notices) Now() api.Notice {
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

// Standing is the one to show now, nil for none.
func (n *Notices) Standing() *api.Notice {
	if now := n.Now(); now.Notice != "" {
		return &now
	}
	return nil
}
