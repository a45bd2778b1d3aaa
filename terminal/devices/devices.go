// Package devices runs the devices of a board: a goroutine for each, which opens it, tries
// again when it fails, notices when it is unplugged, and knows how it is.
//
// What is shown, printed and played comes in; keys, codes and the fate of slips go out to an
// Owner. Which screen arms the scanner, which slip opens the drawer and what a key means are
// the owner's affair: a Set knows neither flows nor the journal.
package devices

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"payterm"
	"payterm/board"
	"payterm/drivers/keypad"
	"payterm/drivers/signal"
	"payterm/glass"
)

// Owner is who uses the devices.
type Owner interface {
	Input
	Screens
	Slips
}

// Input hears what comes in.
type Input interface {
	Press(payterm.Key)
	// Scan hears of a code, and when its first byte came in the owner's time.
	Scan(ctx context.Context, code payterm.PayCode, began time.Duration)
	// Lived is that time.
	Lived() time.Duration
}

// Screens says what is to be on the glass.
type Screens interface {
	Redraw()                                           // the frame may be lost: show the newest screen again
	MayDim(ctx context.Context, s payterm.Screen) bool // whether a screen that nobody touches may be dark
}

// Slips hears what becomes of slips.
type Slips interface {
	Printed(payterm.Receipt)      // it is on paper
	Lost(payterm.Receipt)         // it did not come out, and nobody prints it again
	Paper(payterm.PaperCondition) // how the printer is now
}

// Options are what devices are run with.
type Options struct {
	Board   *board.Board
	Sleep   func(time.Duration) // of the drivers
	Log     *slog.Logger
	Owner   Owner
	MaxScan int // the longest text that the scanner may bring
	// Known reports whether a text is genuine beyond doubt, such as a signed parcel. Such a text
	// is read even if the reader types for another keyboard than the profile says. Nil for none.
	Known func(text string) bool
	// Misread is called when the scanner's settings are found to be others than the profile's, and when a code
	// came right. Nil for nothing.
	Misread func(Misread)
	// Refresh is how often the whole picture is sent to the display again; 0 for refresh or refreshFrame.
	Refresh time.Duration
}

// Set is the devices of a board.
type Set struct {
	o       Options
	start   time.Time
	display *glass.Display // nil without one
	dimmer  *signal.Dimmer // nil where the backlight does not dim

	screens chan payterm.Screen
	tones   chan payterm.Screen // for the lamps and the backlight
	arming  chan bool           // whether the scanner is to look for a code
	rests   chan struct{}       // the scanner has read a code or was unplugged: it need not look
	touched chan struct{}       // somebody is there
	slips   chan Job
	sounds  chan payterm.Sound
	resends chan chan error                  // asks the display's goroutine to send its frame again
	asks    chan chan payterm.PaperCondition // asks the printer's goroutine for its condition

	waiting atomic.Int32 // slips that wait for the printer or are in it
	keypad  atomic.Pointer[keypad.Matrix]

	mu       sync.Mutex
	last     payterm.Screen
	troubles map[string]Trouble     // by device
	logged   map[string]diary       // by device
	paper    payterm.PaperCondition // what the printer said last
}

const (
	slipQueue  = 32
	soundQueue = 4
)

// How often the whole picture is sent to a display again. A display that lost its supply for a
// moment, as by a loose cable, has lost its picture and does not report that: it stays dark for
// at most this long. A picture takes 31 ms at 40 MHz, 123 ms at 10 MHz. A display with a kernel
// driver (refreshFrame) has its picture in the kernel's memory, where at most a console writes
// over it.
const (
	refresh      = 2 * time.Second
	refreshFrame = 30 * time.Second
)

// New makes the set of a board's devices. One that cannot be used is no error: a terminal
// with a dead display still sells.
func New(o Options) *Set {
	if d := o.Board.Display; o.Refresh == 0 && d != nil && d.Frame != nil {
		o.Refresh = refreshFrame
	} else if o.Refresh == 0 {
		o.Refresh = refresh
	}
	s := &Set{
		o: o, start: time.Now(), dimmer: newDimmer(o.Board),
		troubles: map[string]Trouble{}, logged: map[string]diary{}, paper: payterm.PaperUnknown,
		screens: make(chan payterm.Screen, 1), tones: make(chan payterm.Screen, 1), arming: make(chan bool, 1),
		rests: make(chan struct{}, 1), touched: make(chan struct{}, 1),
		slips: make(chan Job, slipQueue), sounds: make(chan payterm.Sound, soundQueue),
		resends: make(chan chan error), asks: make(chan chan payterm.PaperCondition),
	}
	var err error
	if s.display, err = OpenDisplay(o.Board, o.Sleep); err != nil {
		o.Log.Error("display", "err", err)
		s.gaveUp("display", err)
	}
	return s
}

// RunGlass runs display, lamps and backlight until the context ends, in goroutines of the
// group.
func (s *Set) RunGlass(ctx context.Context, wg *sync.WaitGroup) {
	wg.Go(func() { s.runDisplay(ctx) })
	wg.Go(func() { s.runLights(ctx) })
}

// RunInput runs keypad and scanner, and the buzzer that answers them, likewise.
func (s *Set) RunInput(ctx context.Context, wg *sync.WaitGroup) {
	wg.Go(func() { s.runKeypad(ctx) })
	wg.Go(func() { s.runScanner(ctx) })
	wg.Go(func() { s.runTrigger(ctx) })
	wg.Go(func() { s.runBuzzer(ctx) })
}

// Board is whose devices they are.
func (s *Set) Board() *board.Board { return s.o.Board }

// Now is the time of the devices, which begins with the set.
func (s *Set) Now() time.Duration { return time.Since(s.start) }

// Show takes the newest screen. An older one that was not drawn yet is skipped.
func (s *Set) Show(screen payterm.Screen) {
	screen.Keys = s.there(screen.Keys)
	s.mu.Lock()
	s.last = screen
	s.mu.Unlock()
	newest(s.screens, screen)
	newest(s.tones, screen)
}

// there leaves out the hints of keys that the pad does not have. Nobody could press them.
func (s *Set) there(hints []payterm.KeyHint) []payterm.KeyHint {
	pad := s.o.Board.Profile.Keypad
	if pad == nil {
		return hints
	}
	return slices.DeleteFunc(slices.Clone(hints), func(h payterm.KeyHint) bool {
		return h.Key.Valid() && !pad.Has(h.Key)
	})
}

// Screen is the newest screen.
func (s *Set) Screen() payterm.Screen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Arm says whether the scanner is to look for a code; one without a trigger always does.
func (s *Set) Arm(armed bool) { newest(s.arming, armed) }

// Job is a slip for the printer, and who waits for it.
type Job struct {
	Slip   payterm.Receipt
	Wanted func() bool // asked when its turn comes, since it may have waited for paper; nil for always
	Ended  func(error) // it is on paper, or broke off; nil for nobody
	Trial  bool        // of a trial: nobody misses it

	drawer bool // open the drawer, in place of a slip
}

// Print queues a slip that nobody waits for.
func (s *Set) Print(r payterm.Receipt) error { return s.PrintJob(Job{Slip: r}) }

// PrintJob queues a slip. A board without a printer in its profile prints nothing, which is no
// error. If the printer could not be opened or the queue is full, the slip is lost and the error
// says why. Ended is called only for a slip that was queued.
func (s *Set) PrintJob(j Job) error {
	if s.o.Board.Printer == nil {
		err := s.o.Board.Faults[Printer]
		if err != nil {
			s.lost(j)
		}
		return err
	}
	err := s.queue(j)
	if err != nil {
		s.lost(j)
	}
	return err
}

func (s *Set) lost(j Job) {
	if !j.Trial {
		s.o.Owner.Lost(j.Slip)
	}
}

// OpenDrawer opens the cash drawer that hangs on the printer, where the board has one, once
// the slip before it is on paper. If that slip is lost, the drawer stays closed: it would open
// when nobody is there.
func (s *Set) OpenDrawer() error {
	if s.o.Board.Printer == nil || s.o.Board.Profile.Printer.Drawer == "" {
		return nil
	}
	return s.queue(Job{drawer: true})
}

func (s *Set) queue(j Job) error {
	s.waiting.Add(1)
	select {
	case s.slips <- j:
		return nil
	default:
		s.waiting.Add(-1)
		return errors.New("the printer's queue is full")
	}
}

// Waiting is how many slips wait for the printer or are in it.
func (s *Set) Waiting() int {
	if s.o.Board.Printer == nil {
		return 0
	}
	return int(s.waiting.Load())
}

// Play sounds the buzzer, unless it is busy with several sounds already.
func (s *Set) Play(sound payterm.Sound) {
	select {
	case s.sounds <- sound:
	default:
	}
}

// newest puts v into a queue of one; what nobody has taken yet gives way.
func newest[T any](queue chan T, v T) {
	for {
		select {
		case queue <- v:
			return
		default:
		}
		select {
		case <-queue:
		default:
		}
	}
}
