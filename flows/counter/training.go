package counter

import (
	"time"

	"payterm"
	"payterm/flows/order"
)

// Training runs the terminal with a database of its own, a simulated gateway and a
// watermark; Settings.Training tells (invariant 16). It begins and ends only while nothing
// is at the counter, with the command Train, which ends this run.
//
//	AskingYes, EnteringPIN   as for a Z
//	Switching                the runner checks whether anything is open
//	ChoosingDrill            in training: the fault of the next sale
//	Briefing                 what will happen, and what to do

// Limits of a training.
const (
	trainingIdle = 30 * time.Minute // without a key or a scan; then training ends
	trainingMore = time.Minute      // more, while an order is at the counter
	switchLimit  = 30 * time.Second // for the switch to or from training
)

// Drill is a fault that is made on purpose.
type Drill uint8

// The drills.
const (
	NoDrill        Drill = iota
	DrillReplyLost       // the payment is made, and its reply is lost
	DrillPassword        // the wallet asks its customer for the password
	DrillLate            // the customer pays after the cashier has left the sale
	DrillDeclined        // the wallet declines
	DrillPaper           // the printer is out of paper
)

// Drills is how many there are.
const Drills = int(DrillPaper)

// drillLines is the number of lines of the list: the drills, and the end of training.
const drillLines = Drills + 1

// Grade is the result of a drill.
type Grade string

// The grades.
const (
	GradeNone   Grade = ""
	GradeRight  Grade = "right"
	GradeWrong  Grade = "wrong"  // the customer was asked to pay twice
	GradeMissed Grade = "missed" // the fault of the drill did not happen
)

// Lesson is the current drill, or the last one.
type Lesson struct {
	Drill   Drill
	Grade   Grade
	Began   bool           // the drill's sale has begun
	Total   payterm.Amount // of the drill's sale
	Order   payterm.OrderID
	Outcome payterm.Outcome
	Met     bool // the drill's fault has happened
}

// Events of training.
type (
	// TrainingAsked asks to begin or end training, over the socket.
	TrainingAsked struct {
		Ticket uint64
		On     bool
	}

	// NotTrained answers a Train that is not possible now.
	NotTrained struct{ Reason payterm.Reason }
)

func (TrainingAsked) event() {}
func (NotTrained) event()    {}

// Commands of training.
type (
	// Train (again) ends this run of the terminal and starts it again in training, or for real.
	Train struct {
		Ticket uint64
		On     bool
	}

	// SetDrill (again) sets the fault of the next sale.
	SetDrill struct{ Drill Drill }
)

func (Train) command()    {}
func (SetDrill) command() {}

// trainingAsked handles the request from the socket. To begin needs the supervisor's PIN if there
// is one; to end needs none.
func (c Counter) trainingAsked(in Stamped, ev TrainingAsked) (Counter, []Command) {
	if c.Settings.Training && !ev.On && c.Phase != Serving && c.Phase != InService {
		c = c.idle()
		c.Ticket = ev.Ticket
		return c.train(in, false)
	}
	if c.mustSignOn() && !c.Settings.PINSet {
		return c, c.refuseUnsigned(ev.Ticket)
	}
	if refusal := c.taken(ev.Ticket); refusal != nil {
		return c, refusal
	}
	if c.Settings.Training == ev.On {
		return c, []Command{Refuse{Ticket: ev.Ticket, Reason: payterm.ReasonTraining}}
	}
	c = c.idle()
	c.Ticket, c.Menu.Task = ev.Ticket, TaskTraining
	if c.Settings.PINSet {
		return c.askPIN(in), []Command{Play{payterm.SoundDoubt}}
	}
	return c.train(in, true)
}

// train begins the switch to training, or from it.
func (c Counter) train(in Stamped, on bool) (Counter, []Command) {
	c.Phase, c.Until = Switching, in.Mono+switchLimit
	return c, []Command{Train{Ticket: c.Ticket, On: on}}
}

// notTrained shows why there was no switch.
func (c Counter) notTrained(in Stamped, ev NotTrained) (Counter, []Command) {
	if c.Phase != Switching {
		return c, nil // the switch was given up
	}
	if ticket := c.Ticket; ticket != 0 {
		return c.idle(), []Command{Refuse{Ticket: ticket, Reason: ev.Reason}}
	}
	c = c.idle()
	c.Menu.Reason = ev.Reason
	return c.menuAt(in, InMenu), []Command{Play{payterm.SoundDeclined}}
}

// openTraining is the menu's item: the question before training, or in training the drills.
func (c Counter) openTraining(in Stamped) (Counter, []Command) {
	if c.Settings.Training {
		return c.menuAt(in, ChoosingDrill), []Command{Play{payterm.SoundKey}}
	}
	return c.menuAt(in, AskingYes), []Command{Play{payterm.SoundDoubt}}
}

// keyDrill chooses a drill, or with 0 the end of training.
func (c Counter) keyDrill(in Stamped, k payterm.Key) (Counter, []Command) {
	if cursor, moves := c.move(k, drillLines); moves {
		c.Menu.Cursor = cursor
		return c, []Command{Play{payterm.SoundKey}}
	}
	chosen := digit(k)
	if k == payterm.KeyEnter {
		chosen = (c.Menu.Cursor + 1) % drillLines
	}
	switch {
	case chosen == 0:
		return c.train(in, false)
	case chosen >= 1 && chosen <= Drills:
		c.Menu.Cursor = chosen - 1
		return c.menuAt(in, Briefing), []Command{Play{payterm.SoundKey}}
	}
	return c, nil
}

// keyBriefing starts the drill with the next sale.
func (c Counter) keyBriefing(k payterm.Key) (Counter, []Command) {
	if k != payterm.KeyEnter {
		return c, nil
	}
	drill := c.Menu.Drill()
	c = c.idle()
	c.Lesson = Lesson{Drill: drill}
	return c, []Command{SetDrill{drill}, Play{payterm.SoundKey}}
}

// Drill is the drill of the briefing.
func (m Menu) Drill() Drill { return Drill(m.Cursor + 1) }

// stepTraining does what only training does: it ends when nobody uses the terminal, and grades
// drills.
func (c Counter) stepTraining(in Stamped, cmds []Command) (Counter, []Command) {
	switch in.Event.(type) {
	case KeyPressed, Scanned:
		c.Rest = in.Mono + trainingIdle
	case Woke:
		if c.Rest == 0 || in.Mono < c.Rest || c.Phase == Switching {
			break
		}
		if c.Rest = in.Mono + trainingMore; c.Phase == Serving || c.Phase == InService {
			break
		}
		c = c.idle()
		end := []Command(nil)
		c, end = c.train(in, false)
		cmds = append(cmds, end...)
	}
	if c.Rest == 0 {
		c.Rest = in.Mono + trainingIdle
	}
	c.Lesson = c.Lesson.grade(in.Event, cmds, c.Status.Paper)
	return c, cmds
}

// grade grades a drill by the commands and events so far. The only wrong step is to charge the
// same amount again while the first payment may stand.
func (l Lesson) grade(e Event, cmds []Command, paper payterm.PaperCondition) Lesson {
	if l.Drill == NoDrill {
		return l
	}
	for _, c := range cmds {
		if sale, begins := c.(BeginSale); begins {
			l = l.saleBegan(sale.Sale.Total())
		}
	}
	if moved, is := e.(OrderMoved); is && l.Began && moved.Order.Kind == payterm.KindSale &&
		(l.Order == "" || l.Order == moved.Order.ID()) {
		l = l.moved(moved.Order)
	}
	if l.Drill == DrillPaper && l.Outcome == payterm.Approved && l.Grade == GradeNone {
		switch paper {
		case payterm.PaperOut, payterm.PaperCoverOpen:
			l.Met = true
		case payterm.PaperOK, payterm.PaperNearEnd:
			if l.Met {
				l.Grade = GradeRight
			}
		case payterm.PaperUnknown, payterm.PaperUnreachable:
		}
	}
	return l
}

// saleBegan handles a sale that begins: the drill's, a second charge, or the next customer's.
func (l Lesson) saleBegan(total payterm.Amount) Lesson {
	switch {
	case l.Grade != GradeNone:
		return Lesson{}
	case !l.Began:
		l.Began, l.Total = true, total
	case total == l.Total && (l.Outcome == payterm.Open || l.Outcome == payterm.InDoubt || l.Met):
		l.Grade = GradeWrong
	case l.Drill == DrillPaper && !l.Met:
		l.Grade = GradeMissed
	}
	return l
}

// moved handles a new state of the drill's sale.
func (l Lesson) moved(o order.Order) Lesson {
	l.Order, l.Outcome = o.ID(), o.Outcome
	if l.Grade != GradeNone {
		return l
	}
	late := o.Outcome == payterm.Approved && o.Reason == payterm.ReasonLatePayment
	switch {
	case o.Outcome == payterm.Cancelled: // nothing was sent: the drill waits for the next sale
		return Lesson{Drill: l.Drill}
	case o.Outcome == payterm.Open || o.Outcome == payterm.InDoubt:
	case l.Drill == DrillPaper && o.Outcome == payterm.Approved: // graded by the paper
	case l.Drill == DrillLate && late && o.Attention != payterm.AttentionNone:
		l.Met = true
	case l.Drill == DrillLate && late, l.Drill == DrillDeclined && o.Outcome == payterm.Declined,
		l.Drill == DrillPassword && o.Outcome == payterm.Approved,
		l.Drill == DrillReplyLost:
		l.Grade = GradeRight
	default:
		l.Grade = GradeMissed
	}
	return l
}

// anyWallet takes a code without a wallet's form as one wallet's: in training nothing is charged,
// and there may be no real code to scan.
func (c Counter) anyWallet(ev Scanned) Scanned {
	if !c.Settings.Training || ev.Wallet != "" {
		return ev
	}
	if ev.Wallet = c.Order.Sale.Wallet; ev.Wallet != "" {
		return ev
	}
	ev.Wallet = payterm.Channels[0]
	if list := c.Settings.Wallets.List(); len(list) > 0 {
		ev.Wallet = list[0]
	}
	return ev
}
