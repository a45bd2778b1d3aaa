package screen

import (
	"fmt"
	"strings"

	"payterm"
	"payterm/flows/counter"
)

// staff is what a supervisor does about operators.
func staff(s *payterm.Screen, v counter.View, t *texts) {
	m := v.Menu
	s.Title = t.tasks[counter.TaskStaff]
	s.Keys = []payterm.KeyHint{{Key: payterm.KeyEnter, Does: t.keyOK}, {Key: payterm.KeyCancel, Does: t.keyBack}}
	whose := fmt.Sprintf(t.newOperator, m.Number)
	if m.Known {
		whose = strings.TrimSpace(fmt.Sprintf(t.operator, m.Number) + " " + given(m.Name))
	}
	switch v.Name {
	case counter.ViewOperator:
		s.Amount, s.Lines = m.Number, []string{t.staffNumber}
	case counter.ViewNewPIN:
		s.Amount, s.Lines, s.Small = "••••••••••••"[:3*v.PINDigits], []string{t.newPIN}, whose
		if v.Again {
			s.Lines = []string{t.newPINAgain}
		}
	default:
		s.Title, s.Lines, s.Keys = t.wordTitle, []string{fmt.Sprintf(t.pinKept, m.Number)}, s.Keys[:1]
	}
}
