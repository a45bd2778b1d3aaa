// Package notice keeps the notices of the operating system for the screen, each for a limited
// time.
package notice

import (
	"slices"
	"strings"
	"sync"
	"time"

	"payterm/screen"
	"payterm/terminal/api"
)

// RestartHold is how long nothing begins at the counter after the notice of a restart. The
// machine restarts in this time, or the terminal sells again.
const RestartHold = 30 * time.Second

// turnNotice is how long each of several notices is shown.
const turnNotice = 5 * time.Second

// lives are how long a notice is shown if no newer one replaces it.
var lives = map[screen.Notice]time.Duration{
	screen.UpdateInstalling: 2 * time.Hour, // RAUC's deadline
	screen.UpdateWaiting:    time.Hour,     // until the counter is free
	screen.UpdateRestarting: RestartHold,
	screen.UpdateRefused:    2 * time.Minute,
	screen.UpdateDone:       10 * time.Minute,
	screen.UpdateUndone:     12 * time.Hour, // until the shop opens
	screen.StickDone:        2 * time.Minute,
	screen.StickRefused:     2 * time.Minute,
	screen.StickWriting:     15 * time.Minute, // longer than it may take
	screen.ReportsWritten:   10 * time.Minute,
	screen.ServiceWritten:   2 * time.Minute,

	screen.ParcelWaitsForZ:      time.Minute, // and again, while it waits
	screen.ParcelWaitsForOrders: time.Minute,

	screen.ScannerLayout:  10 * time.Minute,
	screen.ScannerFraming: 10 * time.Minute,
}

// Notices are the current notices: the last one of each subject (update, stick, service).
type Notices struct {
	mono func() time.Duration // independent of agents, which come and go
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

// Put replaces the last notice of the same subject.
func (n *Notices) Put(r api.Notice) {
	subject, _, _ := strings.Cut(string(r.Notice), "_")
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = slices.DeleteFunc(n.list, func(s standing) bool { return s.subject == subject })
	n.list = append(n.list, standing{r, subject, n.mono() + lives[r.Notice]})
}

// Scanner replaces what is said about the scanner's settings, or ends it (NoNotice). It reports whether that
// changes anything.
func (n *Notices) Scanner(notice screen.Notice) bool {
	if notice != screen.NoNotice {
		stands := n.stands(notice)
		n.Put(api.Notice{Notice: notice}) // for longer
		return !stands
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	before := len(n.list)
	n.list = slices.DeleteFunc(n.list, func(s standing) bool {
		return s.notice.Notice == screen.ScannerLayout || s.notice.Notice == screen.ScannerFraming
	})
	return len(n.list) < before
}

func (n *Notices) stands(notice screen.Notice) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.mono()
	return slices.ContainsFunc(n.list, func(s standing) bool { return s.notice.Notice == notice && now < s.until })
}

// Now is the notice to show: a restart, else each in turn.
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

// Standing is the notice to show now, nil for none.
func (n *Notices) Standing() *api.Notice {
	if now := n.Now(); now.Notice != "" {
		return &now
	}
	return nil
}
