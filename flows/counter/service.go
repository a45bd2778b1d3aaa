package counter

import (
	"time"

	"payterm"
)

// In service the devices of the terminal are tested (payterm doctor --test). The terminal
// shows each trial and passes keys and scans to the doctor, which judges them. Nothing is
// sold meanwhile: keys type no amount, and a payment code that is scanned pays nothing and
// is not stored.

// serviceLimit is how long one trial may stay on the glass. It is longer than any step of the
// doctor, and frees the counter if the doctor's process ends.
const serviceLimit = 90 * time.Second

// Events of the counter.
type (
	// ServiceAsked asks for the counter to test its devices.
	ServiceAsked struct{ Ticket uint64 }

	// TrialSet is the next trial to show.
	TrialSet struct{ Trial Trial }

	// ServiceEnded frees the counter.
	ServiceEnded struct{}
)

func (ServiceAsked) event() {}
func (TrialSet) event()     {}
func (ServiceEnded) event() {}

// Commands of the counter.
type (
	// BeginService (again) tells the caller that it has the counter.
	BeginService struct{ Ticket uint64 }

	// HandOn (again) passes a KeyPressed or Scanned to the caller that has the counter.
	HandOn struct{ Event Event }
)

func (BeginService) command() {}
func (HandOn) command()       {}

// Trial is what a person at the terminal has to do or to judge.
type Trial struct {
	Step   TrialStep
	Key    payterm.Key // TrialKey: the key to press
	Code   string      // TrialCode, TrialScan: text of a QR code for the glass; TrialScan: empty for one on paper
	At, Of int         // the number of this trial among several; 0 for none
}

// TrialStep is a kind of trial.
type TrialStep string

// The trials.
const (
	TrialNone    TrialStep = ""        // the next one is being prepared
	TrialPattern TrialStep = "pattern" // colours, edges and grey on the glass
	TrialCode    TrialStep = "code"    // a QR code on the glass, for a phone
	TrialKey     TrialStep = "key"     // press this key
	TrialScan    TrialStep = "scan"    // scan this code
	TrialPrint   TrialStep = "print"   // a slip is being printed
	TrialPaper   TrialStep = "paper"   // check the slip
	TrialSound   TrialStep = "sound"   // was it heard?
)

// TrialSteps lists all trials.
var TrialSteps = [...]TrialStep{TrialNone, TrialPattern, TrialCode, TrialKey, TrialScan, TrialPrint, TrialPaper,
	TrialSound}

// serviceAsked gives the counter to the doctor unless it is in use. An unfinished amount does not
// count as use: a stuck key types digits without end.
func (c Counter) serviceAsked(in Stamped, ev ServiceAsked) (Counter, []Command) {
	if refusal := c.taken(ev.Ticket); refusal != nil && c.Phase != EnteringAmount {
		return c, refusal
	}
	c = c.idle()
	c.Phase, c.Until = InService, in.Mono+serviceLimit
	return c, []Command{BeginService(ev)}
}

// service steps the counter while its devices are tested.
func (c Counter) service(in Stamped) (Counter, []Command) {
	if c.Phase != InService {
		return c, nil // it ended before, by its limit
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
