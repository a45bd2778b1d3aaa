package notice

import (
	"testing"
	"time"

	"payterm/screen"
	"payterm/terminal/api"
)

// TestNoticesTakeTurns: a notice has a limited time, the newest of a subject counts, several
// subjects take turns, and a restart is shown alone.
func TestNoticesTakeTurns(t *testing.T) {
	at := time.Duration(0)
	n := &Notices{mono: func() time.Duration { return at }}
	put := func(word screen.Notice) { n.Put(api.Notice{Notice: word}) }
	seen := func() map[screen.Notice]bool {
		all := map[screen.Notice]bool{}
		for range 3 {
			all[n.Now().Notice] = true
			at += turnNotice
		}
		return all
	}
	put(screen.UpdateInstalling)
	put(screen.UpdateRefused)
	put(screen.StickDone)
	if all := seen(); len(all) != 2 || !all[screen.UpdateRefused] || !all[screen.StickDone] {
		t.Errorf("in turn: %v", all)
	}
	for _, wrong := range []screen.Notice{screen.ScannerLayout, screen.ScannerFraming} {
		if !n.Scanner(wrong) || n.Scanner(wrong) || len(n.list) != 3 || !n.Scanner(screen.NoNotice) ||
			n.Scanner(screen.NoNotice) || len(n.list) != 2 {
			t.Errorf("the scanner's notice %s: %v", wrong, n.list)
		}
	}
	put(screen.UpdateRestarting)
	if all := seen(); len(all) != 1 || !all[screen.UpdateRestarting] {
		t.Errorf("a restart: %v", all)
	}
	if at += 2 * time.Minute; n.Now() != (api.Notice{}) || len(n.list) != 0 {
		t.Errorf("for ever: %v", n.list)
	}
	for _, word := range screen.Notices {
		if lives[word] < 10*time.Second || lives[word] > 12*time.Hour {
			t.Errorf("%s stands for %s", word, lives[word])
		}
	}
}
