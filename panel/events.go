package panel

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// listeners are the clients of /emu/events. The zero value is ready to use.
type listeners struct {
	mu   sync.Mutex
	list map[*listener]bool
	last map[string]string // sent to a new client first, by subject
}

// listener is one client. If an event is pending already it is not added again, so a frame is one event,
// however many transfers it took.
type listener struct {
	wake    chan struct{} // closed if the client fell too far behind
	pending []string
}

const (
	maxListeners = 32
	maxPending   = 256
	gather       = 5 * time.Millisecond // one event for the transfers of a frame; whoever typed waits for it
)

// publish sends an event to every client. If about is not empty, the event is a state of that subject, and
// later clients get it too. A client that has fallen too far behind is disconnected: the browser reconnects and
// reads everything again.
func (l *listeners) publish(name, about string, data any) {
	body, err := json.Marshal(data)
	if err != nil {
		body = []byte("{}") // cannot happen: data are texts
	}
	event := fmt.Sprintf("event: %s\ndata: %s\n\n", name, body)
	l.mu.Lock()
	defer l.mu.Unlock()
	if about != "" {
		if l.last == nil {
			l.last = map[string]string{}
		}
		l.last[about] = event
	}
	for one := range l.list {
		if string(body) == "{}" && slices.Contains(one.pending, event) {
			continue
		}
		if one.pending = append(one.pending, event); len(one.pending) > maxPending {
			delete(l.list, one)
			close(one.wake)
			continue
		}
		select {
		case one.wake <- struct{}{}:
		default: // it has been woken already
		}
	}
}

func (l *listeners) add() *listener {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) >= maxListeners {
		return nil
	}
	if l.list == nil {
		l.list = map[*listener]bool{}
	}
	one := &listener{wake: make(chan struct{}, 1)}
	for _, about := range slices.Sorted(maps.Keys(l.last)) {
		one.pending = append(one.pending, l.last[about])
		select {
		case one.wake <- struct{}{}:
		default: // it will look anyway
		}
	}
	l.list[one] = true
	return one
}

func (l *listeners) remove(one *listener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.list, one)
}

// take returns the pending events, oldest first.
func (l *listeners) take(one *listener) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := one.pending
	one.pending = nil
	return list
}

// events is GET /emu/events: display, paper and buzzer when they change; key, scan (masked), printer, plug and
// unplug with the details. It begins with the sensors and cables that were changed before.
func (p *Panel) events(w http.ResponseWriter, r *http.Request) {
	one := p.listeners.add()
	if one == nil {
		http.Error(w, fmt.Sprintf("%d listen already: close a page", maxListeners), http.StatusServiceUnavailable)
		return
	}
	defer p.listeners.remove(one)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	rc := http.NewResponseController(w)
	alive := time.NewTicker(15 * time.Second)
	defer alive.Stop()
	pause := time.NewTimer(gather)
	defer pause.Stop()
	for {
		rc.Flush() //nolint:errcheck // a failure shows at the next write
		list := []string{": still here\n\n"}
		select {
		case <-r.Context().Done():
			return
		case _, listening := <-one.wake:
			if !listening {
				return
			}
			pause.Reset(gather)
			select {
			case <-r.Context().Done():
				return
			case <-pause.C:
			}
			list = p.listeners.take(one)
		case <-alive.C:
		}
		for _, event := range list {
			if _, err := io.WriteString(w, event); err != nil {
				return
			}
		}
	}
}
