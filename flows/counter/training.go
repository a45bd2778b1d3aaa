package counter

import (
	"time"

	"payterm"
	"payterm/flows/order"
)

// Training is another life of the same terminal: a database of its own, a simulated
// gateway, a watermark. The counter knows it by Settings.Training. It begins and ends
// only while nothing is at the counter, and what it asks for then (Train) is the last
// thing that this life does.
//
//	AskingYes, EnteringPIN   as for a Z
//	Switching                the runner looks whether anything is open
//	ChoosingDrill            in training: what is to go wrong
//	Briefing                 what will happen, and what to do

// Limits of a training.
const (
	trainingIdle = 30 * time.Minute // without a key or a scan; then the real terminal is back
	trainingMore = time.Minute      // where an order is at the counter by then
	switchLimit  = 30 * time.Second // for whoever ends this life
)

// Drill is something that goes wrong on purpose, by the digit that chooses it.
type Drill uint8

// The drills.
const (
	NoDrill        Drill = iota
	DrillReplyLost       // the payment is made, and its reply is lost
	DrillPassword        // the wallet asks its customer for the password
	DrillLate            // the customer pays after the cashier has left the sale
	DrillDeclined        // the wallet refuses
	DrillPaper           // the printer has no paper
)

// Drills is how many there are.
const Drills = int(DrillPaper)

// drillLines are the lines of the list: the drills, and the way out.
const drillLines = Drills + 1

// Grade says whether a drill was done right.
type Grade string

// The grades.
const (
	GradeNone   Grade = ""
	GradeRight  Grade = "right"
	GradeWrong  Grade = "wrong"  // the customer was asked to pay twice
	GradeMissed Grade = "missed" // it did not come to what the drill is about
)

// Lesson is the drill that is under way, or the last one.
type Lesson struct {
	Drill   Drill
	Grade   Grade
	Began   bool           // the sale that it is about
	Total   payterm.Amount // of that sale
	Order   payterm.OrderID
	Outcome payterm.Outcome
	Met     bool // what the drill is about has happened
}

// Events of training.
type (
	// TrainingAsked wants training to begin or to end, over the socket.
	TrainingAsked struct {
		Ticket uint64
		On     bool
	}

	// NotTrained answers a Train that cannot be now.
	NotTrained struct{ Reason payterm.Reason }
)

func (TrainingAsked) event() {}
func (NotTrained) event()    {}

// Commands of training.
type (
	// Train (again) ends this life of the terminal for one in training, or for the
	// real one.
	Train struct {
		Ticket uint64
		On     bool
	}

	// SetDrill (again) says what is to go wrong with the next sale.
	SetDrill struct{ Drill Drill }
)

func (Train) command()    {}
func (SetDrill) command() {}

// trainingAsked takes the wish from the socket. Who wants it to begin needs the
// supervisor's PIN where there is one; anybody may want the real terminal back.
func (c Counter) trainingAsked(in Stamped, ev TrainingAsked) (Counter, []Command) {
	if c.Settings.Training && !ev.On && c.Phase != Serving && c.Phase != InService {
		c = c.idle()
		c.Ticket = ev.Ticket
		return c.train(in, false)
	}
	if c.nobody() && !c.Settings.PINSet {
		return c, c.unmanned(ev.Ticket)
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

// train gives this life up.
func (c Counter) train(in Stamped, on bool) (Counter, []Command) {
	c.Phase, c.Until = Switching, in.Mono+switchLimit
	return c, []Command{Train{Ticket: c.Ticket, On: on}}
}

// notTrained says why it goes on as it was.
func (c Counter) notTrained(in Stamped, ev NotTrained) (Counter, []Command) {
	if c.Phase != Switching {
		return c, nil // given up meanwhile
	}
	if ticket := c.Ticket; ticket != 0 {
		return c.idle(), []Command{Refuse{Ticket: ticket, Reason: ev.Reason}}
	}
	c = c.idle()
	c.Menu.Reason = ev.Reason
	return c.menuAt(in, InMenu), []Command{Play{payterm.SoundDeclined}}
}

// openTraining is the menu's item: the question before a training, or in one the
// drills.
func (c Counter) openTraining(in Stamped) (Counter, []Command) {
	if c.Settings.Training {
		return c.menuAt(in, ChoosingDrill), []Command{Play{payterm.SoundKey}}
	}
	return c.menuAt(in, AskingYes), []Command{Play{payterm.SoundDoubt}}
}

// keyDrill chooses a drill, or with 0 the end of the training.
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

// keyBriefing begins the drill with the next sale.
func (c Counter) keyBriefing(k payterm.Key) (Counter, []Command) {
	if k != payterm.KeyEnter {
		return c, nil
	}
	drill := c.Menu.Drill()
	c = c.idle()
	c.Lesson = Lesson{Drill: drill}
	return c, []Command{SetDrill{drill}, Play{payterm.SoundKey}}
}

// Drill is the one that a briefing is about.
func (m Menu) Drill() Drill { return Drill(m.Cursor + 1) }

// trainee keeps what only a training has: its end when nobody is there, and the grade
// of its drill.
func (c Counter) trainee(in Stamped, cmds []Command) (Counter, []Command) {
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
	c.Lesson = c.Lesson.heard(in.Event, cmds, c.Status.Paper)
	return c, cmds
}

// heard grades a drill by what the terminal does and hears. Only one thing is wrong:
// asking for the same amount again while the first payment may stand.
func (l Lesson) heard(e Event, cmds []Command, paper payterm.PaperCondition) Lesson {
	if l.Drill == NoDrill {
		return l
	}
	for _, c := range cmds {
		if sale, begins := c.(BeginSale); begins {
			l = l.sold(sale.Sale.Total())
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

// sold takes a sale that begins: the one that the drill is about, a second charge, or
// the next customer's.
func (l Lesson) sold(total payterm.Amount) Lesson {
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

// moved takes how the drill's sale stands.
func (l Lesson) moved(o order.Order) Lesson {
	l.Order, l.Outcome = o.ID(), o.Outcome
	if l.Grade != GradeNone {
		return l
	}
	late := o.Outcome == payterm.Approved && o.Reason == payterm.ReasonLatePayment
	switch {
	case o.Outcome == payterm.Cancelled: // nothing was sent: the next sale it is
		return Lesson{Drill: l.Drill}
	case o.Outcome == payterm.Open || o.Outcome == payterm.InDoubt:
	case l.Drill == DrillPaper && o.Outcome == payterm.Approved: // the paper has its say
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

// anyWallet takes a scanned code that no wallet's form fits for one of a wallet: in
// training nobody is charged, and a trainee may have nothing else to scan.
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
