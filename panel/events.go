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

// ears are the listeners of /emu/events. The zero value is ready.
type ears struct {
	mu   sync.Mutex
	list map[*ear]bool
	last map[string]string // what a newcomer is told first, by what it is about
}

// ear is one listener. An event that is pending already is not said twice in a
// row, so that a frame is one event, however many transfers it took.
type ear struct {
	wake    chan struct{} // closed when it fell too far behind
	pending []string
}

const (
	maxEars    = 32
	maxPending = 256
	gather     = 20 * time.Millisecond // one frame, one line
)

// tell says an event to every listener, and to those who come later as well when
// it says how a thing is: about names that. A listener that has fallen too far behind is
// cut off: a browser comes back by itself and looks at everything anew.
func (e *ears) tell(name, about string, data any) {
	body, err := json.Marshal(data)
	if err != nil {
		body = []byte("{}") // words in, words out: it cannot happen
	}
	event := fmt.Sprintf("event: %s\ndata: %s\n\n", name, body)
	e.mu.Lock()
	defer e.mu.Unlock()
	if about != "" {
		if e.last == nil {
			e.last = map[string]string{}
		}
		e.last[about] = event
	}
	for one := range e.list {
		if string(body) == "{}" && slices.Contains(one.pending, event) {
			continue
		}
		if one.pending = append(one.pending, event); len(one.pending) > maxPending {
			delete(e.list, one)
			close(one.wake)
			continue
		}
		select {
		case one.wake <- struct{}{}:
		default: // it is awake
		}
	}
}

func (e *ears) add() *ear {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.list) >= maxEars {
		return nil
	}
	if e.list == nil {
		e.list = map[*ear]bool{}
	}
	one := &ear{wake: make(chan struct{}, 1)}
	for _, about := range slices.Sorted(maps.Keys(e.last)) {
		one.pending = append(one.pending, e.last[about])
		select {
		case one.wake <- struct{}{}:
		default: // it will look anyway
		}
	}
	e.list[one] = true
	return one
}

func (e *ears) remove(one *ear) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.list, one)
}

// take is what is pending, in the order in which it happened.
func (e *ears) take(one *ear) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := one.pending
	one.pending = nil
	return list
}

// events is GET /emu/events: display, paper and buzzer when they change; key,
// scan (masked), printer, plug and unplug with what was done. It begins with the
// sensors and cables that were touched before.
func (p *Panel) events(w http.ResponseWriter, r *http.Request) {
	one := p.ears.add()
	if one == nil {
		http.Error(w, fmt.Sprintf("%d listen already: close a page", maxEars), http.StatusServiceUnavailable)
		return
	}
	defer p.ears.remove(one)
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
			list = p.ears.take(one)
		case <-alive.C:
		}
		for _, event := range list {
			if _, err := io.WriteString(w, event); err != nil {
				return
			}
		}
	}
}
