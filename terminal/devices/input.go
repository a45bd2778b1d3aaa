package devices

import (
	"context"
	"errors"
	"fmt"
	"time"

	"payterm"
	"payterm/board"
	"payterm/drivers/keypad"
	"payterm/drivers/scanner"
	"payterm/hal"
)

func (s *Set) runKeypad(ctx context.Context) {
	b := s.o.Board
	if b.Keypad == nil {
		return
	}
	press := func(k payterm.Key) {
		s.works(Keypad)
		newest(s.touched, struct{}{})
		s.o.Owner.Press(k)
	}
	k := b.Profile.Keypad
	if b.Keypad.Events != nil {
		pad := keypad.NewPad(hal.NewKeys(b.Keypad.Events), k.Codes())
		for err := pad.Run(ctx, press); err != nil && s.again(ctx, Keypad, err); err = pad.Run(ctx, press) {
		}
		return
	}
	rows, columns := make([]keypad.Row, len(b.Keypad.Rows)), make([]keypad.Column, len(b.Keypad.Columns))
	for i, p := range b.Keypad.Rows {
		rows[i] = p
	}
	for i, p := range b.Keypad.Columns {
		columns[i] = p
	}
	o := keypad.Options{Interval: k.ScanInterval.Duration, Debounce: k.Debounce.Duration, Sleep: s.o.Sleep}
	for ctx.Err() == nil {
		m, err := keypad.New(rows, columns, k.Keys, o)
		if err == nil {
			s.keypad.Store(m)
			err = m.Run(ctx, press)
		}
		if err != nil && !s.again(ctx, Keypad, err) {
			return
		}
	}
}

func (s *Set) runScanner(ctx context.Context) {
	b := s.o.Board
	if b.Scanner == nil {
		return
	}
	p := b.Profile.Scanner
	var line scanner.Line = b.Scanner
	framing := scanner.Framing(p.Framing)
	var err error
	if p.Kind == board.KindEvdev {
		line, err = scanner.NewKeyboard(hal.NewKeys(b.Scanner), p.Layout)
		framing = scanner.CR
	}
	var reader *scanner.Scanner
	unread, everRead := 0, false // since the last code
	if err == nil {
		reader, err = newScanner(line, p, framing, s.o, func(why scanner.Unread) {
			if p.Kind == board.KindEvdev && why != scanner.Unended {
				return // letters of another keyboard
			}
			if unread++; unread >= manyUnread || !everRead && why != scanner.Garbled {
				s.unread(why)
			}
		})
	}
	if err != nil {
		s.o.Log.Error("scanner", "err", err)
		s.gaveUp(Scanner, err)
		return
	}
	for {
		scan, err := reader.Read(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			newest(s.rests, struct{}{})
			if !s.again(ctx, Scanner, err) {
				return
			}
		default:
			newest(s.rests, struct{}{})
			newest(s.touched, struct{}{})
			unread, everRead = 0, true
			code := scan.Code
			if p.Kind == board.KindEvdev {
				code = s.typed(code, p.Layout)
			} else {
				s.works(Scanner)
				s.misread(ReadsWell)
			}
			s.o.Owner.Scan(ctx, code, scan.Began)
		}
	}
}

func newScanner(line scanner.Line, p *board.Scanner, framing scanner.Framing, o Options,
	unread func(scanner.Unread)) (*scanner.Scanner, error) {
	so := scanner.Options{
		Framing: framing, Pause: p.Gap.Duration, AIM: p.AIM, MaxLength: o.MaxScan, Now: o.Owner.Lived,
		Latin: p.Kind == board.KindEvdev, Unread: unread,
	}
	switch reply, err := p.Reply(); {
	case err != nil:
		return nil, err
	case reply != nil:
		so.Replies = [][]byte{reply}
	}
	return scanner.New(line, so)
}

// typed finds out whether a reader types for another keyboard than the profile says. If the text is
// a payment code only with another layout, that is reported and the text is passed on as it came:
// no money moves on a guess. A text that Known recognises with another layout, such as a signed
// parcel, is passed on corrected. A code that came right ends the report.
func (s *Set) typed(code payterm.PayCode, layout string) payterm.PayCode {
	text := code.Reveal()
	known := func(text string) bool { return s.o.Known != nil && s.o.Known(text) }
	if _, pays := code.Channel(); pays || known(text) {
		s.works(Scanner)
		s.misread(ReadsWell)
		return code
	}
	if mis := MistypedError(""); !errors.As(s.Trouble(Scanner).Err, &mis) { // any other text does not show its layout
		s.works(Scanner)
	}
	for _, r := range scanner.Readings(text, layout) {
		other := payterm.NewPayCode(r.Text)
		if _, pays := other.Channel(); !pays && !known(r.Text) {
			continue
		}
		err := MistypedError(Mistyped(r.Layout, layout))
		if t := s.Trouble(Scanner); t.Err == nil || t.Err.Error() != err.Error() || s.Now()-t.At > Recently {
			s.o.Log.Warn("scanner", "err", err)
		}
		s.met(Scanner, err)
		s.misread(OtherKeyboard)
		if known(r.Text) {
			return other
		}
		return code
	}
	return code
}

// Misread is how the scanner's settings differ from the profile's.
type Misread uint8

// The differences.
const (
	ReadsWell     Misread = iota
	OtherKeyboard         // it types for another keyboard
	NoCodes               // what comes is no code
)

// misread reports what was found out about the scanner's settings.
func (s *Set) misread(how Misread) {
	if s.o.Misread != nil {
		s.o.Misread(how)
	}
}

// manyUnread is how often in a row bytes are no code before that is not line noise any more.
const manyUnread = 2

// unread notes that what the scanner sends is no code.
func (s *Set) unread(why scanner.Unread) {
	s.fails(Scanner, UnreadError(unreadAdvice(why, s.o.Board.Profile.Scanner)))
	s.misread(NoCodes)
}

// UnreadError is the trouble of a scanner whose bytes are no codes; its cable is in order.
type UnreadError string

func (e UnreadError) Error() string { return string(e) }

// unreadAdvice says what to do about bytes that are no code.
func unreadAdvice(why scanner.Unread, p *board.Scanner) string {
	switch {
	case p.Kind == board.KindEvdev:
		return "the scanner types codes without Enter behind them: set it to end each code with Enter (CR)"
	case why == scanner.Unended:
		return fmt.Sprintf("the scanner sends codes that do not end as framing = %q in [scanner] of the board profile says: "+
			"set it to send CR (Enter) behind each code, or say framing = %q or %q, as it sends them", p.Framing,
			scanner.Gap, scanner.STXETX)
	case why == scanner.Unbegun:
		return fmt.Sprintf("the scanner sends codes that are not between STX and ETX, as framing = %q in [scanner] of the "+
			"board profile says: set it so, or say framing = %q, or %q where it sends no CR", p.Framing, scanner.CR, scanner.Gap)
	}
	return fmt.Sprintf("what the scanner sends is no text: compare baud = %d in [scanner] of the board profile "+
		"with the scanner's", p.Baud)
}

// MistypedError is the trouble of a reader that types for another keyboard; its cable is in order.
type MistypedError string

func (e MistypedError) Error() string { return string(e) }

// Mistyped says what to do about a reader that types for another keyboard than the profile says.
func Mistyped(types, says string) string {
	if types == says {
		return "the scanner types capitals for small letters: switch its caps lock off"
	}
	names := map[string]string{board.LayoutFR: "AZERTY", board.LayoutDE: "QWERTZ", board.LayoutUS: "QWERTY",
		board.LayoutUK: "British"}
	return fmt.Sprintf("the scanner types for another keyboard (%s, and the profile says layout = %q): "+
		"say layout = %q in [scanner] of the board profile, or set the scanner to that of the profile",
		names[types], says, types)
}

// OtherLayout finds the keyboard layout with which a scanner types text for a printed code that
// says want. It returns false if there is none.
func (s *Set) OtherLayout(text, want string) (layout string, is bool) {
	p := s.o.Board.Profile.Scanner
	if p == nil || p.Kind != board.KindEvdev {
		return "", false
	}
	for _, r := range scanner.Readings(text, p.Layout) {
		if r.Text == want {
			return r.Layout, true
		}
	}
	return "", false
}

// restTime is the pause before an armed scanner is triggered again after it has read a code or was
// unplugged. By then the flow has usually disarmed it.
const restTime = time.Second

// runTrigger tells a scanner that has commands for it when to look for a code.
func (s *Set) runTrigger(ctx context.Context) {
	b := s.o.Board
	if b.Scanner == nil || b.Profile.Scanner.TriggerStart == "" {
		return
	}
	p := b.Profile.Scanner
	start, stop, err := p.Trigger()
	if err != nil {
		s.o.Log.Error("scanner", "err", err)
		return
	}
	t := scanner.NewTrigger(b.Scanner, start, stop)
	armed, logged := false, ""
	later := time.NewTimer(time.Hour)
	defer later.Stop()
	later.Stop()
	for {
		select {
		case <-ctx.Done():
			if armed {
				t.Stop() //nolint:errcheck // the agent ends
			}
			return
		case want := <-s.arming:
			if want == armed {
				continue
			}
			armed = want
		case <-s.rests:
			if armed {
				later.Reset(restTime)
			}
			continue
		case <-later.C:
		}
		later.Stop()
		tell := t.Stop
		if armed {
			tell = t.Start
		}
		switch err := tell(); {
		case err != nil:
			if logged != err.Error() { // else an unplugged scanner is logged each second of a sale
				logged = err.Error()
				s.o.Log.Warn("scanner", "err", err)
			}
			later.Reset(restTime)
			continue
		case armed && p.TriggerAgain.Duration > 0:
			later.Reset(p.TriggerAgain.Duration)
		}
		logged = ""
	}
}
