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

// openPrinter makes the driver from the board profile. If the logo cannot be printed, it returns
// a driver without logo together with the error.
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
		o.Baud = 10_000_000 // network and USB are faster than the printer prints
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

// CheckLogo returns an error, with the name of the key, if the profile's printer cannot print its
// logo. A file that is missing on this machine (fs.ErrNotExist) may be on the terminal.
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

// roll is the state of the printer's goroutine.
type roll struct {
	s         *Set
	printer   *printer.Printer
	condition payterm.PaperCondition // as last reported to the owner
	broke     bool                   // the last slip did not come out whole
	order     payterm.OrderID        // of the last slip
	closed    []closedDrawer         // drawers that stayed closed, since their slips were lost
	longer    context.Context        // outlasts the goroutine's own, for the last slips
}

// RunPrinter prints the queued slips. While the printer cannot print, they wait. A slip that broke
// off is printed again from its beginning, in the form of Receipt.Again (a copy). After the
// context's end RunPrinter prints what is still queued, for at most LastSlips.
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

// clear cuts off the rest of a slip that broke off and is not printed again. Otherwise what the
// printer still had in its buffer, such as the rest of a code that must not be paid any more,
// would hang out of it until the next slip.
func (r *roll) clear(c payterm.PaperCondition) {
	if !c.Prints() || !r.printer.Left() || len(r.s.slips) > 0 { // the next slip begins with it
		return
	}
	if err := r.printer.End(r.longer); err != nil {
		r.s.met(Printer, err)
	}
}

// tell reports the printer's condition to the owner and the log if it has changed.
func (r *roll) tell(c payterm.PaperCondition) {
	if c == r.condition {
		return
	}
	was := r.condition
	r.condition = c
	r.s.paperIs(c)
	switch {
	case !c.Prints():
		r.s.warn(Printer, errors.New(paperAdvice[c]))
	case !was.Prints():
		r.s.works(Printer)
	}
}

// ready waits until the printer can print. It returns false if the context ends first.
func (r *roll) ready(ctx context.Context) bool {
	for {
		c := r.printer.Condition(ctx)
		r.tell(c)
		if c.Prints() {
			return true
		}
		if !r.s.again(ctx, Printer, errors.New(paperAdvice[c])) {
			return false
		}
	}
}

// attempts is how often a slip is begun. If it breaks off each time, it is given up, so that a
// faulty printer does not use up the roll for one slip.
const attempts = 5

// until does a job, and repeats it while its slip does not come out whole. It returns false if the
// context ends first.
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
		c := r.printer.Condition(ctx)
		if r.tell(c); !c.Prints() {
			err = errors.New(paperAdvice[c]) // why the slip broke off; ready waits for its end
		}
		if !r.s.again(ctx, Printer, err) {
			return false
		}
	}
}

// errUnwanted: a slip was not printed because Job.Wanted says that it is not needed any more.
var errUnwanted = errors.New("the slip is not needed any more")

// closedDrawer is a drawer that was not opened because the slip before it was lost.
type closedDrawer struct {
	order payterm.OrderID
	at    time.Duration
}

// drawerWaits is how long after a lost slip its copy still opens the drawer. A copy that is asked
// for later is a copy alone.
const drawerWaits = time.Hour

// owed reports whether an order's drawer still has to be opened, and forgets it.
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

// try prints a slip, or opens the drawer unless the slip before it was lost.
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

// drawer logs an error of opening the drawer.
func (r *roll) drawer(err error) {
	if err != nil {
		r.s.o.Log.Warn("drawer", "err", err)
		r.s.met(Printer, err)
	}
}

// ended reports the result of a job to those who wait for it.
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

// refuseSlips runs in place of the printer's goroutine if there is no driver. Each slip is
// reported as lost at once, since the printer cannot be used before the next start.
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

// paperIs stores the printer's condition and reports it to the owner.
func (s *Set) paperIs(c payterm.PaperCondition) {
	s.mu.Lock()
	s.paper = c
	s.mu.Unlock()
	s.o.Owner.Paper(c)
}

// AskPaper asks the printer for its condition. If there is no printer, or it is busy for longer
// than Answers, asked is false and c is the last known condition.
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

// LastSlips is how long a terminal that is being ended goes on printing queued slips. systemd
// waits twice as long before it kills the agent.
const LastSlips = 15 * time.Second

// outlasting returns a context that ends d after ctx, or when stop is called.
func outlasting(ctx context.Context, d time.Duration) (longer context.Context, stop func()) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() { time.AfterFunc(d, cancel) })
	return longer, func() { unhook(); cancel() }
}
