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

// listeners are those of /emu/events. The zero value is ready.
type listeners struct {
	mu   sync.Mutex
	list map[*listener]bool
	last map[string]string // what a newcomer is told first, by what it is about
}

// listener is one of them. An event that is pending already is not said twice in a
// row, so that a frame is one event, however many transfers it took.
type listener struct {
	wake    chan struct{} // closed when it fell too far behind
	pending []string
}

const (
	maxListeners = 32
	maxPending   = 256
	gather       = 20 * time.Millisecond // one frame, one line
)

// publish says an event to every listener, and to those who come later as well when
// it says how a thing is: about names that. A listener that has fallen too far behind is
// cut off: a browser comes back by itself and looks at everything anew.
func (l *listeners) publish(name, about string, data any) {
	body, err := json.Marshal(data)
	if err != nil {
		body = []byte("{}") // words in, words out: it cannot happen
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
		default: // it is awake
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

// take is what is pending, in the order in which it happened.
func (l *listeners) take(one *listener) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := one.pending
	one.pending = nil
	return list
}

// events is GET /emu/events: display, paper and buzzer when they change; key,
// scan (masked), printer, plug and unplug with what was done. It begins with the
// sensors and cables that were touched before.
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
		rc.Flush() //nolint:errcheck // seen at the next write
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
