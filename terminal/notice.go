package terminal

import (
	"context"

	"payterm/flows/counter"
	"payterm/screen"
	"payterm/terminal/api"
	"payterm/terminal/devices"
	"payterm/terminal/notice"
	"payterm/terminal/selling"
	"payterm/terminal/setup"
	"payterm/terminal/upkeep"
)

// resting is the view to show: the notice of a restart replaces the counter's view, since nothing
// can begin then.
func (a *Agent) resting(v counter.View) counter.View {
	if a.o.notices.Now().Notice != screen.UpdateRestarting {
		return v
	}
	return counter.View{Name: counter.ViewIdle, Status: v.Status, Operator: v.Operator}
}

// misread makes the idle screen say how the scanner's settings differ from the profile's, until a code comes right.
func (a *Agent) misread(how devices.Misread) {
	if a.o.notices.Scanner(setup.ScannerNotice(how)) && a.isOpen() {
		a.runner.Redraw()
	}
}

// Notice shows a notice of the operating system. The notice of a restart is taken only while the
// counter is at rest, and then blocks the counter until the glass shows something else again.
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
