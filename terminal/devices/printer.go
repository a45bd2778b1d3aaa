package devices

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"slices"
	"time"

	"payterm"
	"payterm/board"
	"payterm/drivers/printer"
)

// openPrinter makes the driver as the profile says. A logo that cannot be printed is an error
// beside it: slips then come without.
func openPrinter(line printer.Line, p *board.Printer, sleep func(time.Duration)) (*printer.Printer, error) {
	o := printer.Options{
		Columns: p.Columns, CodePage: p.CodePage, Pages: p.CodePages, Chinese: printer.Chinese(p.Chinese),
		Columned: p.Raster == board.RasterColumns, RasterQR: p.QR == board.QRDrawn,
		Barcode: printer.Barcode(p.Barcode), Cut: p.Cut, CutFull: p.CutKind == board.CutFull, CutFeed: p.CutFeed,
		CutDots: p.CutDots, Red: p.Red, Pin: p.DrawerPin, Pulse: p.DrawerPulse.Duration,
		Status: p.Status, Tells: p.Tells, Baud: p.Baud, Buffer: p.Buffer, Speed: p.Speed, Sleep: sleep,
	}
	if p.CutFeed == 0 {
		o.CutFeed = -1
	}
	if p.Baud == 0 {
		o.Baud = 10_000_000 // neither the network nor USB is what the paper waits for
	}
	if p.Logo == "" {
		return printer.New(line, o)
	}
	logo, err := readLogo(p.Logo)
	if err == nil {
		o.Logo = logo
		pr, tooLarge := printer.New(line, o)
		if pr != nil {
			return pr, nil
		}
		err, o.Logo = tooLarge, nil
	}
	pr, other := printer.New(line, o)
	if pr == nil {
		return nil, other
	}
	return pr, fmt.Errorf("logo %s: %w: slips come without it", p.Logo, err)
}

// CheckLogo refuses a logo that its profile's printer cannot print, by the name of its key,
// before the first slip. A file that is missing on this machine (fs.ErrNotExist) may be on
// the terminal.
func CheckLogo(p board.Profile) error {
	if p.Printer == nil || p.Printer.Logo == "" {
		return nil
	}
	if _, err := openPrinter(nil, p.Printer, time.Sleep); err != nil {
		return fmt.Errorf("printer.logo: %w", err)
	}
	return nil
}

// maxLogoBytes is far more than a logo for a roll of paper has.
const maxLogoBytes = 1 << 20

func readLogo(name string) (image.Image, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxLogoBytes+1))
	if err != nil {
		return nil, err
	}
	size, err := png.DecodeConfig(bytes.NewReader(text))
	if err != nil {
		return nil, notPNG(err)
	}
	if len(text) > maxLogoBytes || size.Width > 1000 || size.Height > 1000 { // before it is unpacked
		return nil, fmt.Errorf("%d by %d dots in %d bytes are too many", size.Width, size.Height, len(text))
	}
	img, err := png.Decode(bytes.NewReader(text))
	if err != nil {
		return nil, notPNG(err)
	}
	return img, nil
}

func notPNG(err error) error { return fmt.Errorf("it is no whole PNG file (%w)", err) }

// paperAdvice says what to do about a printer.
var paperAdvice = map[payterm.PaperCondition]string{
	payterm.PaperOut:         "there is no paper: put in a new roll",
	payterm.PaperCoverOpen:   "the cover is open: close it",
	payterm.PaperUnreachable: "the printer does not answer or does not print: check its cable, switch it off and on",
	payterm.PaperNearEnd:     "the paper is nearly out: have a new roll at hand",
}

// PaperAdvice says what to do about a printer; nothing where nothing is to be done.
func PaperAdvice(c payterm.PaperCondition) string { return paperAdvice[c] }

// roll is the printer's goroutine at work.
type roll struct {
	s         *Set
	printer   *printer.Printer
	condition payterm.PaperCondition // as it was told
	broke     bool                   // the last slip did not come out whole
	order     payterm.OrderID        // of the last slip
	closed    []closedDrawer         // drawers that stayed closed, since their slips were lost
	longer    context.Context        //nolint:containedctx // outlasts the goroutine's own, for the last slips
}

// RunPrinter prints what is queued. A slip that met a printer which cannot print is tried
// again when it can; one that broke off is printed again then, whole, as the copy that it
// is. After the context's end it finishes what was queued, within LastSlips.
func (s *Set) RunPrinter(ctx context.Context) {
	b := s.o.Board
	if b.Printer == nil {
		return
	}
	pr, err := openPrinter(b.Printer, b.Profile.Printer, s.o.Sleep)
	if pr == nil {
		s.o.Log.Error("printer", "err", err)
		s.gaveUp(Printer, err)
		s.paperIs(payterm.PaperUnreachable)
		s.refuseSlips(ctx)
		return
	}
	if err != nil {
		s.o.Log.Warn("printer", "err", err)
	}
	longer, stop := outlasting(ctx, LastSlips)
	defer stop()
	r := &roll{s: s, printer: pr, condition: payterm.PaperUnknown, longer: longer}
	r.tell(pr.Condition(ctx))
	look := time.NewTicker(5 * time.Second)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			for len(s.slips) > 0 && longer.Err() == nil { // whoever queues them has ended
				j := <-s.slips
				r.ended(j, r.try(j, j.Slip))
			}
			return
		case <-look.C:
			c := pr.Condition(ctx)
			r.tell(c)
			r.clear(c)
		case done := <-s.asks:
			c := pr.Condition(ctx)
			r.tell(c)
			done <- c
		case j := <-s.slips:
			if !r.until(ctx, j) {
				s.o.Log.Warn("the agent ends before its slips are printed", "slips", s.waiting.Load())
				return
			}
			c := pr.Condition(ctx)
			r.tell(c)
			r.clear(c)
		}
	}
}

// clear ends the strip of a slip that broke off and does not come again. What the printer had in
// its buffer, such as the rest of a code that nobody may pay any more, comes first, and would
// hang there until the next slip.
func (r *roll) clear(c payterm.PaperCondition) {
	if !prints(c) || !r.printer.Left() || len(r.s.slips) > 0 { // the next slip begins with it
		return
	}
	if err := r.printer.End(r.longer); err != nil {
		r.s.met(Printer, err)
	}
}

// tell says how the printer is, when that has changed.
func (r *roll) tell(c payterm.PaperCondition) {
	if c == r.condition {
		return
	}
	was := r.condition
	r.condition = c
	r.s.paperIs(c)
	switch {
	case !prints(c):
		r.s.warn(Printer, errors.New(paperAdvice[c]))
	case !prints(was):
		r.s.works(Printer)
	}
}

// prints tells whether a printer of this condition takes a slip.
func prints(c payterm.PaperCondition) bool {
	return c != payterm.PaperOut && c != payterm.PaperCoverOpen && c != payterm.PaperUnreachable
}

// ready waits until the printer can print; false when the context ends before.
func (r *roll) ready(ctx context.Context) bool {
	for {
		c := r.printer.Condition(ctx)
		r.tell(c)
		if prints(c) {
			return true
		}
		if !r.s.again(ctx, Printer, errors.New(paperAdvice[c])) {
			return false
		}
	}
}

// attempts are how often a slip is begun that breaks off each time. A printer that is never
// well takes no roll of paper for one slip.
const attempts = 5

// until does a job, and does it again where a slip did not come out whole; false when the
// context ends before.
func (r *roll) until(ctx context.Context, j Job) bool {
	for slip, begun := j.Slip, 0; ; {
		if !r.ready(ctx) {
			return false
		}
		err := r.try(j, slip)
		if errors.Is(err, printer.ErrBrokeOff) {
			if begun++; slip.Again != nil {
				slip = *slip.Again
			}
		}
		if err == nil {
			r.s.works(Printer)
		}
		if err == nil || errors.Is(err, errUnwanted) || j.drawer || j.Trial || begun == attempts {
			r.ended(j, err)
			return true
		}
		r.tell(r.printer.Condition(ctx))
		if !r.s.again(ctx, Printer, err) {
			return false
		}
	}
}

// errUnwanted is of a slip that nobody wants any more.
var errUnwanted = errors.New("nobody wants it")

// closedDrawer is of a sale whose slip was lost.
type closedDrawer struct {
	order payterm.OrderID
	at    time.Duration
}

// drawerWaits is for how long a slip that is printed again opens the drawer that stayed closed
// when it was lost: who asks for it later wants the slip alone.
const drawerWaits = time.Hour

// owed takes an order's drawer from those that stayed closed.
func (r *roll) owed(order payterm.OrderID) bool {
	if order == "" {
		return false
	}
	now, found := r.s.Now(), false
	r.closed = slices.DeleteFunc(r.closed, func(d closedDrawer) bool {
		found = found || d.order == order && now-d.at <= drawerWaits
		return d.order == order || now-d.at > drawerWaits
	})
	return found
}

// try prints a slip, or opens the drawer behind it.
func (r *roll) try(j Job, slip payterm.Receipt) error {
	switch {
	case j.drawer && r.broke:
		r.closed = append(r.closed, closedDrawer{r.order, r.s.Now()})
		r.closed = r.closed[max(0, len(r.closed)-slipQueue):]
		return nil
	case j.drawer:
		return r.printer.Kick(r.longer)
	case j.Wanted != nil && !j.Wanted():
		return errUnwanted
	}
	return r.printer.Print(r.longer, slip)
}

// drawer tells what became of opening it.
func (r *roll) drawer(err error) {
	if err != nil {
		r.s.o.Log.Warn("drawer", "err", err)
		r.s.met(Printer, err)
	}
}

// ended tells what became of a job.
func (r *roll) ended(j Job, err error) {
	s := r.s
	defer s.waiting.Add(-1)
	switch {
	case j.drawer:
		r.drawer(err)
		return
	case errors.Is(err, errUnwanted):
		return
	}
	r.order = j.Slip.Order
	if r.broke = err != nil; r.broke {
		s.o.Log.Warn("slip", "slip", j.Slip.Name, "order_id", j.Slip.Order, "err", err)
		s.met(Printer, err)
		s.lost(j)
	} else {
		s.o.Owner.Printed(j.Slip)
		if j.Slip.Copy && r.owed(j.Slip.Order) {
			r.drawer(r.printer.Kick(r.longer))
		}
	}
	if j.Ended != nil {
		j.Ended(err)
	}
}

// refuseSlips is the printer's goroutine where no driver came about: nothing waits for one
// that will not print in this life.
func (s *Set) refuseSlips(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case done := <-s.asks:
			done <- payterm.PaperUnreachable
		case j := <-s.slips:
			if !j.drawer {
				s.o.Log.Warn("slip", "slip", j.Slip.Name, "order_id", j.Slip.Order, "err", "the printer cannot be used")
				s.lost(j)
			}
			s.waiting.Add(-1)
		}
	}
}

// paperIs notes how the printer is and tells the owner.
func (s *Set) paperIs(c payterm.PaperCondition) {
	s.mu.Lock()
	s.paper = c
	s.mu.Unlock()
	s.o.Owner.Paper(c)
}

// AskPaper asks the printer how it is. Where it is busy for longer than Answers, or there is
// none, asked is false and the condition what it said last.
func (s *Set) AskPaper(ctx context.Context) (c payterm.PaperCondition, asked bool) {
	s.mu.Lock()
	last := s.paper
	s.mu.Unlock()
	if s.o.Board.Printer == nil {
		return last, false
	}
	ctx, cancel := context.WithTimeout(ctx, Answers)
	defer cancel()
	done := make(chan payterm.PaperCondition, 1)
	select {
	case s.asks <- done:
	case <-ctx.Done():
		return last, false
	}
	select {
	case c := <-done:
		return c, true
	case <-ctx.Done():
		return last, false
	}
}

// LastSlips is how long a terminal that is being ended goes on printing what it owes to
// whoever stands there; systemd waits twice as long before it kills.
const LastSlips = 15 * time.Second

// outlasting is done some time after a context is, or when it is stopped.
func outlasting(ctx context.Context, d time.Duration) (longer context.Context, stop func()) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() { time.AfterFunc(d, cancel) })
	return longer, func() { unhook(); cancel() }
}
