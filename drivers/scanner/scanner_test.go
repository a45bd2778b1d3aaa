package scanner_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm/drivers/scanner"
	"payterm/hal"
	"payterm/hal/haltest"
)

// reader is a scanner on a scripted line; time passes when the driver waits.
type reader struct {
	*scanner.Scanner
	line *haltest.Line
	now  time.Duration
}

func newReader(t testing.TB, framing scanner.Framing) *reader {
	r := &reader{line: haltest.NewLine(t), now: time.Minute}
	r.line.OnWait = func(d time.Duration) { r.now += d }
	var err error
	r.Scanner, err = scanner.New(r.line, scanner.Options{Framing: framing, Replies: [][]byte{[]byte("OK;")},
		Now: func() time.Duration { return r.now }})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// read waits five seconds of the line's time for a frame; "" is none.
func (r *reader) read(t testing.TB) (string, time.Duration) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	end := r.now + 5*time.Second
	r.line.OnWait = func(d time.Duration) {
		if r.now += d; r.now >= end {
			stop()
		}
	}
	got, err := r.Read(ctx)
	switch {
	case errors.Is(err, context.Canceled):
		return "", 0
	case err != nil:
		t.Fatal(err)
	}
	return got.Code.Reveal(), got.Began
}

const (
	code   = "281234567890123456"
	gm65   = "\x02\x00\x00\x01\x00\x33\x31" // an answer from its manual
	ssiACK = "\x04\xd0\x00\x00\xff\x2c"
)

func TestFrames(t *testing.T) {
	long := strings.Repeat("9", 100_000)
	for _, c := range []struct {
		name    string
		framing scanner.Framing
		parts   []string // as the line returns them; "-" is a pause of 200 ms or one Pause
		want    []string
	}{
		{"whole", scanner.CR, []string{code + "\r"}, []string{code}},
		{"LF where CR is said", scanner.CR, []string{code + "\n"}, []string{code}},
		{"CRLF where CR is said", scanner.CR, []string{code + "\r\n"}, []string{code}},
		{"CR where CRLF is said", scanner.CRLF, []string{code + "\r"}, []string{code}},
		{"CRLF", scanner.CRLF, []string{code + "\r\n"}, []string{code}},
		{"CRLF split within", scanner.CRLF, []string{code + "\r", "\n13\r\n"}, []string{code, "13"}},
		{"LF", scanner.LF, []string{code + "\n"}, []string{code}},
		{"split", scanner.CR, []string{code[:5], "-", code[5:9], code[9:], "-", "\r"}, []string{code}},
		{"joined", scanner.CR, []string{code + "\r13\r14"}, []string{code, "13"}},
		{"joined and split", scanner.CR, []string{"11\r12\r1", "3\r"}, []string{"11", "12", "13"}},
		{"doubled", scanner.CR, []string{code + "\r" + code + "\r"}, []string{code, code}},
		{"empty lines", scanner.CR, []string{"\r\n\r\n", code + "\r"}, []string{code}},
		{"garbage alone", scanner.CR, []string{"\x00\xff\x80\r"}, nil},
		{"garbage within", scanner.CR, []string{"28\x0112\r", code + "\r"}, []string{code}},
		{"garbage without an end joins the next", scanner.CR, []string{"\xff", code + "\r", "13\r"}, []string{"13"}},
		{"too long", scanner.CR, []string{long, long + "\r", code + "\r"}, []string{code}},
		{"the longest", scanner.CR, []string{long[:512] + "\r"}, []string{long[:512]}},
		{"one too long", scanner.CR, []string{long[:513] + "\r"}, nil},
		{"an end that got lost", scanner.CR, []string{code, "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-",
			"13\r"}, []string{"13"}},
		{"Tab", scanner.CR, []string{code + "\t13\t"}, []string{code, "13"}},
		{"LF CR", scanner.CRLF, []string{code + "\n\r13\n\r"}, []string{code, "13"}},
		{"a NUL of a glitch", scanner.CR, []string{"\x00" + code + "\r"}, []string{code}},
		{"ACK and NAK", scanner.CR, []string{"\x06" + code + "\r\x15\x06", "13\r"}, []string{code, "13"}},
		{"GM65 answers", scanner.CR, []string{gm65 + code + "\r" + gm65 + gm65 + "13\r"}, []string{code, "13"}},
		{"GM65 answers in pieces", scanner.CR, []string{gm65[:1], gm65[1:5], gm65[5:] + code + "\r"}, []string{code}},
		{"GM65 answers with gap", scanner.Gap, []string{gm65, "-", gm65 + code, "-"}, []string{code}},
		{"GM65 does not know the command", scanner.LF, []string{"\x02\x00\x03\x01\x00\x6a\x61" + code + "\n"},
			[]string{code}},
		{"GM65 says what it was asked", scanner.CR, []string{"\x02\x00\x00\x01\x3e\xe4\xac" + code + "\r"},
			[]string{code}},
		{"GM65's answer with a broken byte", scanner.CR, []string{"\x02\x00\x00\x01\x00\x33\x32" + code + "\r13\r"},
			[]string{"13"}},
		{"GM65's answer cut short", scanner.CR, []string{gm65[:5] + code + "\r13\r"}, []string{"13"}},
		{"GM65's answer and STX", scanner.STXETX, []string{gm65 + "\x02" + code + "\x03"}, []string{code}},
		{"SSI answers", scanner.CR, []string{ssiACK + code + "\r" + "\x05\xd1\x00\x00\x06\xff\x24" + ssiACK + "13\r"},
			[]string{code, "13"}},
		{"SSI's answer with a wrong sum", scanner.CR, []string{"\x04\xd0\x00\x00\xff\x2d" + code + "\r13\r"},
			[]string{"13"}},
		{"Newland answers", scanner.CR, []string{"\x02\x010000#SCNTRG1\x06;\x03" + code + "\r"}, []string{code}},
		{"Newland's answer without an end", scanner.CR, []string{"\x02\x010000#SCNTRG1\r" + code + "\r"},
			[]string{code}},
		{"STX before a code that has none", scanner.CR, []string{"\x02" + code + "\r"}, []string{code}},
		{"the reader's own answer", scanner.CR, []string{"OK;" + code + "\rOK;13\rO", "K\r"},
			[]string{code, "13", "OK"}},
		{"its own answer and a part of it", scanner.CR, []string{"OK\rOK;\r"}, []string{"OK"}},
		{"gap", scanner.Gap, []string{code[:5], code[5:], "-", "13", "-"}, []string{code, "13"}},
		{"gap and CR", scanner.Gap, []string{code + "\r", "13", "-"}, []string{code, "13"}},
		{"gap after garbage", scanner.Gap, []string{"\xff", "-", code, "-"}, []string{code}},
		{"STX and ETX", scanner.STXETX, []string{"\x02" + code + "\x03"}, []string{code}},
		{"noise between", scanner.STXETX, []string{"xx\x03\r\x02" + code + "\x03yy\x0213\x03"}, []string{code, "13"}},
		{"STX again", scanner.STXETX, []string{"\x0228\x02" + code + "\x03"}, []string{code}},
		{"garbage between STX and ETX", scanner.STXETX, []string{"\x0228\xff\x03\x02" + code + "\x03"}, []string{code}},
		{"too long between STX and ETX", scanner.STXETX, []string{"\x02" + long + "\x03\x02" + code + "\x03"},
			[]string{code}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newReader(t, c.framing)
			for _, part := range c.parts {
				if part == "-" {
					r.line.Late()
				} else {
					r.line.Give([]byte(part)...)
				}
			}
			for _, want := range append(c.want, "") {
				if got, _ := r.read(t); got != want {
					t.Fatalf("read %.40q, want %.40q", got, want)
				}
			}
		})
	}
}

// TestAIM: AIM identifiers are removed only if the profile says so.
func TestAIM(t *testing.T) {
	for _, c := range []struct {
		aim        bool
		sent, want string
	}{
		{true, "]Q1" + code, code},
		{true, "]C0" + code, code},
		{true, "]d2" + code, code},
		{true, code, code},
		{true, "]Q1", ""},
		{true, "]]Q1" + code, "]]Q1" + code},
		{true, "]Q1]Q1" + code, "]Q1" + code},
		{true, "]Q", "]Q"},
		{false, "]Q1" + code, "]Q1" + code},
	} {
		line := haltest.NewLine(t)
		s, err := scanner.New(line, scanner.Options{Framing: scanner.STXETX, AIM: c.aim,
			Now: func() time.Duration { return time.Minute }})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		line.OnWait = func(time.Duration) { stop() }
		line.Give([]byte("\x02" + c.sent + "\x03")...)
		got, err := s.Read(ctx)
		if got.Code.Reveal() != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q with AIM %v: %q (%v), want %q", c.sent, c.aim, got.Code.Reveal(), err, c.want)
		}
	}
}

// TestTrigger: a scanner gets the commands of its profile; an empty command is not sent.
func TestTrigger(t *testing.T) {
	line := haltest.NewLine(t).Want(0x16, 'T', '\r').Want(0x16, 'U', '\r').Pull()
	r := scanner.NewTrigger(line, []byte("\x16T\r"), []byte("\x16U\r"))
	if err := errors.Join(r.Start(), r.Stop()); err != nil {
		t.Error(err)
	}
	if err := r.Start(); err == nil || !strings.Contains(err.Error(), "scanner: start reading: ") {
		t.Errorf("a cable that is pulled: %v", err)
	}
	if err := scanner.NewTrigger(line, []byte("T"), nil).Stop(); err != nil {
		t.Errorf("no command to stop: %v", err)
	}
}

// keys is an event device with a script: key codes, negative for released; 0 is a loss.
type keys []int

func (k *keys) ReadKey(time.Duration) (uint16, int32, error) {
	if len(*k) == 0 {
		return 0, 0, hal.ErrTimeout
	}
	n := (*k)[0]
	*k = (*k)[1:]
	switch {
	case n == 0:
		return 0, 0, hal.ErrDropped
	case n == repeats:
		return 2, 2, nil
	case n < 0:
		return uint16(-n), 0, nil
	}
	return uint16(n), 1, nil
}

const repeats = 1000

// TestKeyboard: modifier keys. What each key writes is tested with the emulated scanner's own
// table (hal/emulated).
func TestKeyboard(t *testing.T) {
	for _, c := range []struct {
		name string
		keys keys
		want string
	}{
		{"digits", keys{2, -2, 3, -3, 28}, "12\r"},
		{"the pad's", keys{79, -79, 82, -82, 83, 98, 55, 96}, "10./*\r"},
		{"shift, left and right", keys{42, 30, -30, -42, 30, 54, 30, -54, 30}, "AaAa"},
		{"two shifts", keys{42, 54, 30, -42, 30, -54, 30}, "AAa"},
		{"held too long", keys{2, repeats, repeats, -2, 3}, "12"},
		{"caps lock around letters", keys{58, -58, 30, 2, 42, 30, -42, 58, -58, 30}, "A1aa"},
		{"num lock is the console's", keys{30, 69, -69, 71}, "a7"},
		{"Ctrl+M, Ctrl+J, Tab", keys{2, 29, 50, -50, -29, 3, 97, 36, -97, 4, 15}, "1\r2\n3\t"},
		{"Alt and numbers", keys{56, 82, -82, 82, 76, 82, -56, 56, 76, 79, -56, 56, 82, 79, 81, -56}, "23\r"},
		{"Alt and a number that is none", keys{56, 81, 80, 80, -56, 56, -56, 56, 81, 81, 81, 81, 81, 81, -56}, "\x00\x00\x00"},
		{"control and alt", keys{29, 27, -27, -29, 100, 79, -100, 2}, "\x00\x001"},
		{"a key that writes nothing", keys{59, 2}, "\x001"},
		{"lost with shift", keys{42, 0, 30, -42, 30}, "\x00aa"},
	} {
		k, err := scanner.NewKeyboard(&c.keys, "us")
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for b := make([]byte, 8); ; {
			n, err := k.Read(b, time.Second)
			if errors.Is(err, hal.ErrTimeout) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got += string(b[:n])
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestBegan: a frame has the time of its first byte, in whatever pieces it comes.
func TestBegan(t *testing.T) {
	r := newReader(t, scanner.CR)
	if got, _ := r.read(t); got != "" {
		t.Fatal(got)
	}
	began := r.now
	r.line.Give([]byte(code[:5])...).Late().Late().Give([]byte(code[5:] + "\r13\r")...)
	if got, at := r.read(t); got != code || at != began {
		t.Errorf("%q began at %s, want %s", got, at, began)
	}
	if got, at := r.read(t); got != "13" || at != began+400*time.Millisecond {
		t.Errorf("%q began at %s, want %s", got, at, began+400*time.Millisecond)
	}
}

// TestBeganInTheBuffer: bytes that waited in the buffer are as old as the last read: they must
// not pay for a sale that was armed in between.
func TestBeganInTheBuffer(t *testing.T) {
	r := newReader(t, scanner.CR)
	r.line.Give([]byte(code + "\r")...)
	if got, at := r.read(t); got != code || at != 0 {
		t.Errorf("%q from before the first look began at %s", got, at)
	}
	r.read(t)
	looked := r.now
	r.now += 30 * time.Second // nobody reads
	armed := r.now
	r.line.Give([]byte(code + "\r")...)
	if got, at := r.read(t); got != code || at > looked || at >= armed {
		t.Errorf("%q began at %s; it may be as old as %s", got, at, looked)
	}
	// A code that comes while the driver waits has the current time.
	r.now += 30 * time.Second
	r.line.Late()
	r.line.Give([]byte(code + "\r")...)
	if got, at := r.read(t); got != code || at < armed+30*time.Second {
		t.Errorf("%q began at %s", got, at)
	}
}

// TestPulled: bytes from before unplugging do not join those after it.
func TestPulled(t *testing.T) {
	r := newReader(t, scanner.CR)
	r.line.Give([]byte("2812")...).Pull().Give([]byte(code + "\r")...)
	_, err := r.Read(t.Context())
	var unplugged interface{ Unplugged() bool }
	if !errors.As(err, &unplugged) || !unplugged.Unplugged() {
		t.Fatal(err)
	}
	if got, _ := r.read(t); got != code {
		t.Errorf("read %q", got)
	}
}

// TestReadings: texts of a scanner set to another keyboard, and their other readings.
func TestReadings(t *testing.T) {
	for _, c := range []struct{ read, layout, want string }{
		{"@*!@#$%^&*()", "us", "281234567890 fr"},
		{"PPV1YZAB/", "us", "PPV1ZYAB- de"},
		{"ppv1az", "us", "PPV1AZ us caps"},
		{"&(", "fr", "15 us"},
		{"281234", "us", "é_&é\"' fr"},
		{"é_&é\"'(-", "fr", "28123456 us"},
		{"é_&é\"'(-", "fr", "28123456 de"},
		{"28\x00", "us", ""},
	} {
		var got []string
		for _, r := range scanner.Readings(c.read, c.layout) {
			text := r.Text + " " + r.Layout
			if r.Caps {
				text += " caps"
			}
			got = append(got, text)
		}
		if c.want != "" && !slices.Contains(got, c.want) || c.want == "" && got != nil {
			t.Errorf("%q of %s: %q, want %q", c.read, c.layout, got, c.want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := scanner.NewKeyboard(nil, "morse"); err == nil {
		t.Error("a layout that there is not")
	}
	if _, err := scanner.New(nil,
		scanner.Options{Framing: "morse", Now: func() time.Duration { return 0 }}); err == nil {
		t.Error("a framing that there is not")
	}
	if _, err := scanner.New(nil, scanner.Options{Framing: scanner.CR}); err == nil {
		t.Error("no clock")
	}
}

// FuzzFrames: however a stream is cut into reads, it has the same codes, all printable and within
// bounds.
func FuzzFrames(f *testing.F) {
	for _, framing := range []string{"cr", "lf", "crlf", "stx_etx"} {
		f.Add(framing, []byte(code+"\r\n\x02"+code+"\x03\xff\r13\n"), byte(3))
	}
	f.Fuzz(func(t *testing.T, framing string, stream []byte, size byte) {
		if framing == "gap" {
			return // there the cut matters
		}
		read := func(size int) string {
			line := haltest.NewLine(t)
			s, err := scanner.New(line, scanner.Options{Framing: scanner.Framing(framing), MaxLength: 20,
				Now: func() time.Duration { return time.Minute }})
			if err != nil {
				t.Skip()
			}
			for rest := stream; len(rest) > 0; rest = rest[min(size, len(rest)):] {
				line.Give(rest[:min(size, len(rest))]...)
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			line.OnWait = func(time.Duration) { stop() }
			var all []string
			for {
				scan, err := s.Read(ctx)
				if err != nil {
					return fmt.Sprintf("%q", all)
				}
				got := scan.Code.Reveal()
				if got == "" || len(got) > 20 ||
					strings.ContainsFunc(got, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
					t.Fatalf("read %q", got)
				}
				all = append(all, got)
			}
		}
		if whole, cut := read(len(stream)+1), read(int(size)+1); whole != cut {
			t.Errorf("whole %s, in pieces of %d %s", whole, int(size)+1, cut)
		}
	})
}

// slowly is a line whose reads take 30 ms, as on a busy processor; its bytes wait in a buffer.
type slowly struct {
	now   *time.Duration
	waits []string
}

func (s *slowly) Read(b []byte, d time.Duration) (int, error) {
	*s.now += 30 * time.Millisecond
	if len(s.waits) == 0 {
		*s.now += d
		return 0, hal.ErrTimeout
	}
	n := copy(b, s.waits[0])
	if s.waits[0] = s.waits[0][n:]; s.waits[0] == "" {
		s.waits = s.waits[1:]
	}
	return n, nil
}

// TestWhatWaitedIsOld: waiting bytes count as old, however slow the reads and in however many
// pieces: a code from before a sale must not pay for it.
func TestWhatWaitedIsOld(t *testing.T) {
	now := time.Minute
	line := &slowly{now: &now}
	s, err := scanner.New(line, scanner.Options{Framing: scanner.CR, Now: func() time.Duration { return now }})
	if err != nil {
		t.Fatal(err)
	}
	read := func() (string, time.Duration) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		if len(line.waits) == 0 {
			stop()
		}
		scan, err := s.Read(ctx)
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		return scan.Code.Reveal(), scan.Began
	}
	line.waits = []string{code + "\r" + strings.Repeat("7", 400) + "\r", "13" + code[:5], code[5:] + "\r"}
	armed := now
	for range 3 {
		if got, began := read(); got == "" || began >= armed {
			t.Errorf("%q began at %s, after the sale was armed at %s", got, began, armed)
		}
	}
}

// TestUnread: bytes that become no code are reported with the setting that is probably wrong; noise and whole
// codes are not.
func TestUnread(t *testing.T) {
	for _, c := range []struct {
		name    string
		framing scanner.Framing
		sent    string
		want    []scanner.Unread
	}{
		{"no end", scanner.CR, code, []scanner.Unread{scanner.Unended}},
		{"STX and ETX for CR", scanner.CR, "\x02" + code + "\x03", []scanner.Unread{scanner.Unended}},
		{"CR for STX and ETX", scanner.STXETX, code + "\r", []scanner.Unread{scanner.Unbegun}},
		{"STX without ETX", scanner.STXETX, "\x02" + code, []scanner.Unread{scanner.Unended}},
		{"another baud", scanner.CR, "\x9a\xff\xc3\xe0\x98\xf8\x83\xb1\xff", []scanner.Unread{scanner.Garbled}},
		{"another baud, with an end", scanner.CR, "\x9a\xff\xc3\xe0\x98\xf8\x83\xb1\xff\r",
			[]scanner.Unread{scanner.Garbled}},
		{"another baud, a gap", scanner.Gap, "\x9a\xff\xc3\xe0\x98\xf8\x83\xb1\xff", []scanner.Unread{scanner.Garbled}},
		{"noise", scanner.CR, "\xff\x9a", nil}, {"noise without STX", scanner.STXETX, "\xff\x9a7", nil},
		{"a code", scanner.CR, code + "\r", nil}, {"a code after noise", scanner.STXETX, "77\x02" + code + "\x03", nil},
		{"an answer", scanner.CR, gm65, nil}, {"a code and its gap", scanner.Gap, code, nil},
	} {
		var got []scanner.Unread
		r := &reader{line: haltest.NewLine(t), now: time.Minute}
		var err error
		if r.Scanner, err = scanner.New(r.line, scanner.Options{Framing: c.framing,
			Now:    func() time.Duration { return r.now },
			Unread: func(why scanner.Unread) { got = append(got, why) }}); err != nil {
			t.Fatal(err)
		}
		r.read(t) // the line is known to be empty
		for r.line.Give([]byte(c.sent)...); ; {
			if text, _ := r.read(t); text == "" {
				break
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
