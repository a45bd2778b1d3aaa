package screen

import (
	"fmt"
	"strings"

	"payterm"
)

// SetupView is the state of a terminal that has not been provisioned.
type SetupView struct {
	Device  string // its device code
	Refused string // why the last parcel was refused: a provision.Reason
	Asking  bool   // for the code of the parcel that was read
	Digits  string // of the code, so far
	Busy    bool   // checking the code
	Done    bool
	Test    SelfTest
	CanTest bool // there is a key that repeats the test
}

// SelfTest is the result of a terminal's self test.
type SelfTest struct {
	Running bool   // there is no result yet
	Done    bool   // there is a result
	Failed  string // the first failure, one of Findings; empty if there is none
	More    int    // number of other failures
	Warned  int    // number of warnings
}

// SetupTestKey repeats the self test.
const SetupTestKey = payterm.KeyF2

// The names of the screens that wait for a parcel and for its code.
const (
	SetupName     = "setup"
	SetupCodeName = "setup_code"
)

// setupDigits is the length of a code. It is shown in groups.
const setupDigits, setupGroup = 12, 4

// Setup puts a view into words.
func Setup(v SetupView, o Options) payterm.Screen {
	return o.fit(setup(v, o))
}

// finding says in one line what failed, what to do, and how many other failures there are.
func finding(r SelfTest, t *texts) string {
	text := t.findings[r.Failed]
	if text == "" {
		text = t.findings[FindingOther]
	}
	if r.More == 0 {
		return text
	}
	more := fmt.Sprintf(" (+%d)", r.More)
	return strings.ReplaceAll(text, or, more+or) + more
}

// line returns the line of the self test.
func (r SelfTest) line(t *texts) string {
	switch {
	case r.Failed != "":
		return finding(r, t)
	case r.Done && r.Warned > 0:
		return t.count(r.Warned, t.setupWarned)
	case r.Done:
		return t.setupWell
	case r.Running:
		return t.setupTesting
	}
	return ""
}

// The possible failures.
const (
	FindingSigners   = "signers"
	FindingDisplay   = "display"
	FindingKeypad    = "keypad"
	FindingScanner   = "scanner"
	FindingPrinter   = "printer"
	FindingPaperOut  = "paper out"
	FindingCoverOpen = "cover open"
	FindingBuzzer    = "buzzer"
	FindingLEDs      = "leds"
	FindingJournal   = "journal"
	FindingSpace     = "space"
	FindingClock     = "clock"
	FindingNetwork   = "network"
	FindingGateway   = "gateway"
	FindingKey       = "key"
	FindingOther     = "other"
)

// Findings lists them.
var Findings = [...]string{
	FindingSigners, FindingDisplay, FindingKeypad, FindingScanner, FindingPrinter, FindingPaperOut, FindingCoverOpen,
	FindingBuzzer, FindingLEDs,
	FindingJournal, FindingSpace, FindingClock, FindingNetwork, FindingGateway, FindingKey, FindingOther,
}

// Scans reports whether a parcel may be scanned now.
func (v SetupView) Scans() bool { return !v.Done && !v.Busy && !v.Asking }

func setup(v SetupView, o Options) payterm.Screen {
	t := textsFor(o.Language)
	s := payterm.Screen{Name: SetupName, Watermark: t.mark(o.Watermark)}
	if v.Device != "" {
		s.Small = fmt.Sprintf(t.setupDevice, v.Device)
	}
	why := t.refusals[v.Refused]
	switch {
	case v.Done:
		s.Name, s.Tone, s.Title = "setup_done", payterm.Good, t.setupDoneTitle
	case v.Busy:
		s.Name, s.Tone, s.Title, s.Lines = "setup_busy", payterm.Busy, t.setupBusyTitle, []string{t.setupBusyLine}
	case v.Asking:
		s.Name, s.Tone, s.Title, s.Amount = SetupCodeName, payterm.Busy, t.setupCodeTitle, typedCode(v.Digits)
		s.Lines = []string{t.setupCodeLine}
		if why != "" {
			s.Lines = []string{why, t.setupCodeLine}
		}
		s.Keys = []payterm.KeyHint{{Key: payterm.KeyEnter, Does: t.keyOK}, {Key: payterm.KeyClear, Does: t.keyBack},
			{Key: payterm.KeyCancel, Does: t.keyStop}}
	case why != "":
		s.Tone, s.Title, s.Lines = payterm.Bad, t.setupRefusedTitle, []string{why, t.setupAgain}
	default:
		s.Title, s.Lines = t.setupTitle, []string{t.setupScan, t.setupStick}
		if line := v.Test.line(t); line != "" && (line != t.setupWell || o.news(t) == "") {
			s.Lines = append(s.Lines, line)
		}
		if v.CanTest {
			s.Keys = []payterm.KeyHint{{Key: SetupTestKey, Does: t.keyTest}}
		}
	}
	if news := o.news(t); news != "" && s.Name == SetupName {
		s.Lines = append(s.Lines, o.pick(news))
	}
	return s
}

// typedCode shows the group that is being typed; the groups before it are masked.
func typedCode(digits string) string {
	var groups []string
	for at := 0; at < setupDigits; at += setupGroup {
		switch {
		case len(digits) > at+setupGroup:
			groups = append(groups, strings.Repeat("•", setupGroup))
		case len(digits) > at:
			groups = append(groups, digits[at:]+strings.Repeat("_", at+setupGroup-len(digits)))
		default:
			groups = append(groups, strings.Repeat("_", setupGroup))
		}
	}
	return strings.Join(groups, " ")
}
