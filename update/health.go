package update

import (
	"context"
	"strings"
)

// health is a doctor's report, as far as it counts.
type health struct {
	Agent  bool            // it answered
	Passed map[string]bool // the check did not fail
}

// vital are the checks that a version has to pass if the previous one did. The others depend on
// cables, paper and weather.
var vital = []string{"display", "display bus", "journal", "records", "network encryption", "network answer",
	"network key"}

// away are network checks outside the machine: while one fails, the checks after it say nothing
// about the version.
var away = []string{"network link", "network address", "network connection"}

// demand adds checks that a version has to pass in any case. A terminal with a journal has an
// agent: if the previous agent or doctor did not answer, a new version without an answer must not
// pass.
func (h *health) demand(checks ...string) {
	if h.Passed == nil {
		h.Passed = map[string]bool{}
	}
	h.Agent = true
	for _, name := range checks {
		h.Passed[name] = true
	}
}

// worse names the checks that the previous version passed and this one fails.
func (h health) worse(before health) []string {
	if before.Agent && !h.Agent {
		return []string{"the agent does not answer"}
	}
	var lost []string
	outside := false
	for _, hop := range away {
		passed, seen := h.Passed[hop]
		outside = outside || seen && !passed
	}
	for _, name := range vital {
		if before.Passed[name] && !h.Passed[name] && (!outside || !strings.HasPrefix(name, "network ")) {
			lost = append(lost, name)
		}
	}
	return lost
}

func (u Updater) examine(ctx context.Context) health {
	ctx, stop := context.WithTimeout(ctx, askTime)
	defer stop()
	passed, err := u.Agent.Examine(ctx)
	if err != nil {
		u.Say("no report of the doctor: %v", err)
		return health{}
	}
	return health{Agent: true, Passed: passed}
}
