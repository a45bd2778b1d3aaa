package counter

import (
	"time"

	"payterm"
)

// Service is the counter in the hands of somebody who tries its devices out
// (payterm doctor --test). The terminal shows what is to be done and hands on
// each key and each scan; what they say of the devices is judged by who asked.
// Nothing is sold meanwhile: keys type no amount, and a payment code that is
// scanned here pays nothing and is written nowhere.

// serviceLimit is how long one trial may stand on the glass: longer than any step
// of the doctor waits, so that a doctor who died gives the counter back.
const serviceLimit = 90 * time.Second

// Events of the counter.
type (
	// ServiceAsked wants the counter for trials of its devices.
	ServiceAsked struct{ Ticket uint64 }

	// TrialSet is the next trial to show.
	TrialSet struct{ Trial Trial }

	// ServiceEnded gives the counter back.
	ServiceEnded struct{}
)

func (ServiceAsked) event() {}
func (TrialSet) event()     {}
func (ServiceEnded) event() {}

// Commands of the counter.
type (
	// BeginService (again) tells the caller that the counter is theirs.
	BeginService struct{ Ticket uint64 }

	// HandOn (again) gives a KeyPressed or Scanned to whoever holds the counter.
	HandOn struct{ Event Event }
)

func (BeginService) command() {}
func (HandOn) command()       {}

// Trial is what somebody at the terminal is asked to do or to judge.
type Trial struct {
	Step   TrialStep
	Key    payterm.Key // TrialKey: the one to press
	Code   string      // TrialCode, TrialScan: text of a QR code for the glass; TrialScan: empty for one on paper
	At, Of int         // of several of the kind; 0 for none
}

// TrialStep is a kind of trial.
type TrialStep string

// The trials.
const (
	TrialNone    TrialStep = ""        // the next one is being made ready
	TrialPattern TrialStep = "pattern" // colours, edges and grey on the glass
	TrialCode    TrialStep = "code"    // a QR code on the glass, for a phone
	TrialKey     TrialStep = "key"     // press this key
	TrialScan    TrialStep = "scan"    // scan this code
	TrialPrint   TrialStep = "print"   // a slip is being printed
	TrialPaper   TrialStep = "paper"   // look at the slip
	TrialSound   TrialStep = "sound"   // was it heard?
)

// TrialSteps lists them all.
var TrialSteps = [...]TrialStep{TrialNone, TrialPattern, TrialCode, TrialKey, TrialScan, TrialPrint, TrialPaper,
	TrialSound}

// serviceAsked gives the counter away unless it is taken. Digits that were typed and
// led to nothing do not take it: a stuck key types them for ever.
func (c Counter) serviceAsked(in Stamped, ev ServiceAsked) (Counter, []Command) {
	if refusal := c.taken(ev.Ticket); refusal != nil && c.Phase != EnteringAmount {
		return c, refusal
	}
	c = c.idle()
	c.Phase, c.Until = InService, in.Mono+serviceLimit
	return c, []Command{BeginService(ev)}
}

// service steps the counter while it is tried out.
func (c Counter) service(in Stamped) (Counter, []Command) {
	if c.Phase != InService {
		return c, nil // it ended by itself before
	}
	switch ev := in.Event.(type) {
	case TrialSet:
		c.Trial, c.Until = ev.Trial, in.Mono+serviceLimit
	case ServiceEnded:
		return c.idle(), nil
	case KeyPressed, Scanned:
		return c, []Command{HandOn{ev}}
	}
	return c, nil
}
