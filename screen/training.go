package screen

import (
	"fmt"
	"slices"
	"strings"

	"payterm"
	"payterm/flows/counter"
)

// The watermarks: the gateway is the simulator; the terminal is in training.
const (
	Simulation = "SIMULATION"
	InTraining = "TRAINING"
)

// SlipMark returns a watermark for a slip, once in each of the languages.
func SlipMark(mark string, in ...string) string {
	var words []string
	for _, language := range in {
		for word := range strings.FieldsSeq(Options{}.pick(textsFor(language).mark(mark))) {
			if !slices.Contains(words, word) {
				words = append(words, word)
			}
		}
	}
	return strings.Join(words, " ")
}

// mark translates a watermark; another text is returned as it is.
func (t *texts) mark(mark string) string {
	switch mark {
	case Simulation:
		return t.simulation
	case InTraining:
		return t.training
	}
	return given(mark)
}

// MenuLines returns how many lines of a menu a display shows at once, or 0 for all.
func MenuLines(height int) int {
	switch {
	case height < 100:
		return 3 // of Chinese
	case height < 320:
		return hintedLines
	}
	return 0
}

// hintedLines are shown if there is a text above them.
const hintedLines = 5

// drills composes the list of faults to practise, and the way out of the training.
func drills(s *payterm.Screen, v counter.View, t *texts, o Options) {
	const n = counter.Drills + 1
	s.Title = t.drillsTitle
	lines := min(v.Lines, n)
	s.Keys = o.choosing(t, lines < n)
	first := v.Menu.Cursor / lines * lines
	for i := first; i < min(first+lines, n); i++ {
		text, digit := t.trainingEnd, 0
		if i < counter.Drills {
			text, digit = t.drills[counter.Drill(i+1)], i+1
		}
		s.Items = append(s.Items, payterm.Item{Key: digitKey(digit), Text: text,
			Marked: i == v.Menu.Cursor && o.moves(lines < n)})
	}
}

// briefing says what will happen, and what to do then.
func briefing(s *payterm.Screen, v counter.View, t *texts) {
	d := v.Menu.Drill()
	s.Title, s.Lines = t.drills[d], []string{t.drillHappens[d], t.drillDo[d]}
	s.Keys = []payterm.KeyHint{{Key: payterm.KeyEnter, Does: t.keyBegin}, {Key: payterm.KeyCancel, Does: t.keyBack}}
}

// lesson says, when no sale is under way, which drill waits for the next sale, and how the last one was done.
func lesson(s *payterm.Screen, v counter.View, t *texts, o Options) {
	l := v.Lesson
	switch v.Name {
	case counter.ViewIdle:
	case counter.ViewApproved, counter.ViewRefunded, counter.ViewDeclined, counter.ViewCancelled, counter.ViewNotSent,
		counter.ViewInDoubt, counter.ViewLate:
		if l.Grade == counter.GradeNone {
			return
		}
	default:
		return
	}
	var line string
	switch {
	case l.Drill == counter.NoDrill:
		return
	case l.Grade == counter.GradeRight:
		line = t.drillRight
	case l.Grade == counter.GradeWrong:
		line = t.drillWrong
	case l.Grade == counter.GradeMissed:
		line = t.drillMissed
	case l.Began:
		line = fmt.Sprintf(t.drillOn, t.drills[l.Drill])
	default:
		line = fmt.Sprintf(t.drillWaits, t.drills[l.Drill])
	}
	if o.Small && len(s.Lines) > 2 {
		s.Lines = s.Lines[:2]
	}
	s.Lines = append([]string{line}, s.Lines...)
}
