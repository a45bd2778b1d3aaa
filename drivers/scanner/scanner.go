// Package scanner turns the bytes of a 2D scanner into payment codes: one frame is one code, with
// the time of its first byte. Whether a code counts is decided by the flows: a frame that began
// before they armed the scanner must not pay. So this driver drops nothing in the middle of a
// frame, and dates bytes that waited in a buffer back to the last read.
//
// Bytes come from a serial line, or from a Keyboard. A scanner's answers to commands, and control
// characters between two codes, are skipped. A frame with a missing or garbled byte is dropped: a
// code with a hole may be another customer's. A Trigger tells a scanner when to read.
package scanner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"payterm"
)

// Line is a serial line. Read waits at most d; an error whose method Timeout() bool returns true
// means that nothing came.
type Line interface {
	Read(b []byte, d time.Duration) (int, error)
}

// Framing is how the scanner marks the end of a code.
type Framing string

// The framings. Gap ends a frame after a pause.
const (
	CR     Framing = "cr"
	LF     Framing = "lf"
	CRLF   Framing = "crlf"
	STXETX Framing = "stx_etx"
	Gap    Framing = "gap"
)

// Options describe a reader.
type Options struct {
	Framing   Framing
	Pause     time.Duration        // Gap: the pause that ends a frame; 50 ms when zero
	AIM       bool                 // remove the AIM identifier, such as ]Q1, before a code
	Replies   [][]byte             // the scanner's answers to commands, besides the known ones (reply.go)
	MaxLength int                  // longer frames are garbage; 512 when zero
	Latin     bool                 // letters of Latin-1 are no garbage: a Keyboard has them
	Now       func() time.Duration // monotonic
	Unread    func(Unread)         // bytes came that are no code; nil for nobody
}

// Unread is why bytes that came are no code. Single ones are line noise; if there are no others, a setting of the
// scanner is not the profile's.
type Unread string

// The reasons.
const (
	Unended Unread = "unended" // nothing ended them
	Unbegun Unread = "unbegun" // they were not between STX and ETX
	Garbled Unread = "garbled" // they are no text
)

// fewest is how many bytes at least are a code. Fewer are noise.
const fewest = 8

// Scan is one frame.
type Scan struct {
	Code  payterm.PayCode
	Began time.Duration // monotonic time of its first byte
}

// Scanner reads frames. It is used by one goroutine.
type Scanner struct {
	line    Line
	o       Options
	frame   []byte
	began   time.Duration
	garbage bool          // the frame is dropped up to its end
	length  int           // of the frame, whatever it has
	etx     bool          // ETX came behind it, which ends no frame of this framing
	outside int           // bytes that came outside a frame of STX and ETX
	between []byte        // between two frames: a possible answer
	earlier time.Duration // when its first byte came
	begins  bool          // pending begins a frame, not an answer
	pending []byte
	came    time.Duration // earliest time at which pending came
	looked  time.Duration // when the line was last known to be empty; zero before that
	heard   time.Duration // when bytes were last read
	reading bool          // the line was read before
}

// New makes a scanner.
func New(line Line, o Options) (*Scanner, error) {
	switch o.Framing {
	case CR, LF, CRLF, STXETX, Gap:
	default:
		return nil, fmt.Errorf("scanner: framing %q: cr, lf, crlf, stx_etx or gap", o.Framing)
	}
	if o.Now == nil {
		return nil, errors.New("scanner: no Now: scans could not be dated")
	}
	if o.MaxLength <= 0 {
		o.MaxLength = 512
	}
	if o.Pause <= 0 {
		o.Pause = 50 * time.Millisecond
	}
	return &Scanner{line: line, o: o}, nil
}

const (
	// poll bounds each wait, so that the end of the context is noticed.
	poll = 200 * time.Millisecond
	// slack is the longest pause between two reads of a loop that never stops reading.
	slack = 20 * time.Millisecond
	// broken is a pause after which the rest of a frame does not come: a scanner sends a frame
	// without pauses.
	broken = 2 * time.Second
)

// Read waits for the next whole frame. It ends with the context, or with an error of the line;
// both keep a frame that has begun.
func (s *Scanner) Read(ctx context.Context) (Scan, error) {
	buf := make([]byte, 256)
	for {
		if scan, ok := s.take(); ok {
			return scan, nil
		}
		if err := ctx.Err(); err != nil {
			return Scan{}, err
		}
		wait, began := poll, s.o.Now()
		// If nothing was read for some time, waiting bytes may be as old as the last read. They
		// are read without waiting until there are none.
		stored := !s.reading || began-s.looked > slack
		switch {
		case stored:
			wait = 0
		case s.o.Framing == Gap && s.busy():
			wait = s.o.Pause
		}
		n, err := s.line.Read(buf, wait)
		now, came := s.o.Now(), s.looked
		if !stored || n == 0 && err != nil {
			s.looked, s.reading = now, true
		}
		if n > 0 {
			if !stored {
				came = now
			}
			s.pending, s.came = append(s.pending, buf[:n]...), came
			if now-s.heard > broken {
				s.silent() // its end was lost: these bytes are another frame
			}
			s.heard = now
			continue
		}
		var timeout interface{ Timeout() bool }
		switch {
		case err == nil, errors.As(err, &timeout) && timeout.Timeout():
			if s.o.Framing == Gap && s.busy() && now-s.heard >= s.o.Pause {
				if scan, ok := s.end(); ok {
					return scan, nil
				}
			}
			if now-s.heard > broken {
				s.silent()
			}
		default:
			s.reset() // bytes from before unplugging are no whole code
			return Scan{}, fmt.Errorf("scanner: read: %w", err)
		}
	}
}

// take passes pending bytes to the frame until one is whole.
func (s *Scanner) take() (Scan, bool) {
	for len(s.pending) > 0 {
		b := s.pending[0]
		s.pending = s.pending[1:]
		if s.feed(b) {
			if scan, ok := s.end(); ok {
				return scan, true
			}
		}
	}
	return Scan{}, false
}

// feed adds a byte and reports whether it ends the frame. No payment code contains CR, LF or Tab,
// so each of them ends a frame in every line framing: scanners are often set to another one.
func (s *Scanner) feed(b byte) bool {
	if s.o.Framing == STXETX {
		switch {
		case b == 0x02:
			s.reset()
			s.began = s.came
			s.frame = append(s.frame, b)
			return false
		case b == 0x03:
			return true
		case len(s.frame) == 0:
			s.outside++
			return false // noise between frames
		}
	} else {
		began := s.came
		if s.begins {
			s.begins, began = false, s.earlier
		} else if !s.begun() && !s.passOver(b) {
			return false
		}
		if b == '\r' || b == '\n' || b == '\t' {
			return true
		}
		if !s.begun() {
			s.began = began
		}
	}
	was := s.garbage
	if b < 0x20 || b > 0x7e && (b < 0xa0 || !s.o.Latin) || len(s.frame) >= s.o.MaxLength {
		s.garbage = true
	}
	s.length++
	s.etx = b == 0x03 && !was
	if !s.garbage {
		s.frame = append(s.frame, b)
	}
	return false
}

// silent drops a frame whose end does not come, and reports what was no code.
func (s *Scanner) silent() {
	switch {
	case s.garbage && !s.etx && s.length >= fewest:
		s.unread(Garbled)
	case s.length >= fewest:
		s.unread(Unended)
	case s.outside >= fewest:
		s.unread(Unbegun)
	}
	s.reset()
}

func (s *Scanner) unread(why Unread) {
	if s.o.Unread != nil {
		s.o.Unread(why)
	}
}

// passOver handles a byte between two frames. It returns false for a byte that belongs to no
// frame, or not yet: one of an answer, or a control character.
func (s *Scanner) passOver(b byte) bool {
	if len(s.between) == 0 {
		s.earlier = s.came
	}
	s.between = append(s.between, b)
	for len(s.between) > 0 {
		switch reply(s.between, s.o.Replies) {
		case someReply:
			return false
		case wholeReply:
			s.between = s.between[:0]
			return false
		case brokenReply:
			s.between, s.garbage = s.between[:0], true
			s.began = s.earlier
			return true
		case noReply:
		}
		if s.between[0] >= 0x20 {
			if len(s.between) == 1 {
				s.between = s.between[:0]
				return true
			}
			// It began like an answer, but is a code.
			s.pending = append(slices.Clone(s.between), s.pending...)
			s.between, s.begins = s.between[:0], true
			return false
		}
		s.between = s.between[1:]
	}
	return false
}

// end closes the frame; false if it is empty or garbage.
func (s *Scanner) end() (Scan, bool) {
	text := string(s.frame)
	if s.o.Latin {
		text = unlatin(text)
	}
	if s.o.Framing == STXETX && len(text) > 0 {
		text = text[1:]
	}
	if s.o.AIM {
		text = withoutAIM(text)
	}
	scan := Scan{payterm.NewPayCode(text), s.began}
	ok := !s.garbage && !scan.Code.IsZero()
	if s.garbage && s.length >= fewest {
		s.unread(Garbled)
	}
	s.reset()
	return scan, ok
}

// withoutAIM removes an AIM identifier: a bracket, a letter for the symbology and a modifier, as
// scanner manuals list them (]Q1 for a QR code, ]C0 for Code 128).
func withoutAIM(text string) string {
	if len(text) < 3 || text[0] != ']' || !alphanumeric(text[1]) || !alphanumeric(text[2]) {
		return text
	}
	return text[3:]
}

func alphanumeric(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z'
}

// begun reports whether a frame has begun.
func (s *Scanner) begun() bool { return len(s.frame) > 0 || s.garbage }

// busy reports whether a frame or an answer is incomplete.
func (s *Scanner) busy() bool { return s.begun() || len(s.between) > 0 }

func (s *Scanner) reset() {
	s.frame, s.garbage, s.between, s.length, s.outside = s.frame[:0], false, s.between[:0], 0, 0
	s.etx = false
}
