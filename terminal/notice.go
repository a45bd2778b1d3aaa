package terminal

import (
	"context"

	"payterm/flows/counter"
	"payterm/screen"
	"payterm/terminal/api"
	"payterm/terminal/notice"
	"payterm/terminal/selling"
	"payterm/terminal/upkeep"
)

// resting is the view to show: while a restart is under way nothing can begin, and what
// stands on the counter gives way to the word of it.
func (a *Agent) resting(v counter.View) counter.View {
	if a.o.notices.Now().Notice != screen.UpdateRestarting {
		return v
	}
	return counter.View{Name: counter.ViewIdle, Status: v.Status, Operator: v.Operator}
}

// mistyped has the idle screen say that the scanner types for another keyboard.
func (a *Agent) mistyped() {
	a.o.notices.Put(api.Notice{Notice: screen.ScannerLayout})
	if a.isOpen() {
		a.runner.Redraw()
	}
}

// Notice takes a notice of the machine's system. That of a restart is taken once nobody is
// being served, and keeps the counter free from then on, until the glass is sure to say
// something else again.
func (a *Agent) Notice(ctx context.Context, n api.Notice) error {
	if n.Notice == screen.UpdateRestarting && a.isOpen() {
		if err := a.runner.Hold(ctx, notice.RestartHold+upkeep.IdleEvery, a.printed); err != nil {
			return selling.Coded(err)
		}
	}
	a.o.notices.Put(n)
	a.o.Log.Info("notice", "notice", n.Notice, "reason", n.Reason)
	if a.isOpen() {
		a.runner.Redraw()
	}
	return nil
}
