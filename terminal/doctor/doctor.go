// Package doctor examines a terminal: its devices, journal, clock, disk, and the way to the
// gateway hop by hop. It guides a person through tests of the devices, and runs a self test once
// when a terminal is new or has a new parcel.
//
// It changes nothing and decides nothing: its result is a Report. What it examines is passed in
// as interfaces.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"payterm"
	"payterm/board"
	"payterm/config"
	"payterm/flows/counter"
	"payterm/hal"
	"payterm/screen"
	"payterm/terminal/api"
	"payterm/terminal/devices"

	"golang.org/x/sys/unix"
)

// Devices are the terminal's devices; *devices.Set implements it.
type Devices interface {
	Board() *board.Board
	Now() time.Duration
	Has(device string) bool
	Trouble(device string) devices.Trouble
	Absent(device string) error
	Wire(device string) string
	Tester
}

// Tester is what a test does with the devices.
type Tester interface {
	Keys() []payterm.Key
	Held() []payterm.Key
	OtherLayout(text, want string) (layout string, is bool)
	CanShow(qr string) bool
	Resend(ctx context.Context) error
	AskPaper(ctx context.Context) (c payterm.PaperCondition, asked bool)
	PrintJob(devices.Job) error
	Play(payterm.Sound)
}

// Options are what a doctor is made with.
type Options struct {
	Devices Devices
	Name    string                // of the terminal, on the printed report
	Data    string                // data directory
	Clock   func() time.Time      // zero while the clock is not set
	Screens func() screen.Options // for the slips of tests
	Log     *slog.Logger
	// NetworkTime reports whether a time server sets the clock; nil to ask the kernel.
	NetworkTime func() (bool, error)
	// LookAgain is the pause of the self test between two looks; 0 for ten seconds.
	LookAgain time.Duration
}

// Doctor examines a terminal.
type Doctor struct {
	o    Options
	slip slipTrial

	mu    sync.Mutex
	found screen.SelfTest // shown on the idle screen for a while
	until time.Duration   // in the devices' time
}

const lookAgain = 10 * time.Second

// New makes a doctor.
func New(o Options) *Doctor {
	if o.LookAgain == 0 {
		o.LookAgain = lookAgain
	}
	if o.NetworkTime == nil {
		o.NetworkTime = NetworkTime
	}
	return &Doctor{o: o}
}

// Examination examines a terminal and adds its findings to the report.
type Examination func(ctx context.Context, rep *Report)

// Counter is the counter in service; *runner.Service implements it.
type Counter interface {
	Show(counter.Trial)
	Input() <-chan counter.Event // keys and scans; closed when the service ends
	End()
}

// Answer handles a request of the local API: first the tests, which need a person and the counter
// from take, then the examination; and it prints the report if asked.
func (d *Doctor) Answer(ctx context.Context, r api.DoctorRequest, examine Examination,
	take func(context.Context) (Counter, error)) (api.Report, error) {
	rep := &Report{OK: true}
	if len(r.Tests) > 0 {
		if err := d.try(ctx, rep, r.Tests, r.Step, take); err != nil {
			return api.Report{}, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, doctored)
	defer cancel()
	examine(ctx, rep)
	if r.Print {
		if err := d.Print(rep); err != nil {
			rep.Add("report", api.Warn, "not printed: "+err.Error(), 0)
		}
	}
	return rep.Wire(), nil
}

// Print prints a report.
func (d *Doctor) Print(rep *Report) error {
	return d.o.Devices.PrintJob(devices.Job{Slip: rep.slip(d.o.Name)})
}

// Selling is what is examined of a terminal that sells, besides its devices.
type Selling struct {
	Status  func(context.Context) (counter.Status, error) // of the loop, which proves that it runs
	Journal Journal
	Probe   func(ctx context.Context) []Hop // the way to the gateway
	Config  config.Config
}

// Journal is what is examined of the journal.
type Journal interface {
	Writable() error
	// Check checks the newest records against the hash chain, and describes the journal's
	// settings.
	Check(ctx context.Context, newest int) (says string, err error)
}

// Hop is a step of the way to the gateway.
type Hop struct {
	Name  string
	Err   error // says what to do
	Clock bool  // because of the clock
	Took  time.Duration
}

// Selling is the examination of a terminal that sells.
func (d *Doctor) Selling(s Selling) Examination {
	return func(ctx context.Context, rep *Report) {
		rep.At = d.o.Clock()
		status, err := s.Status(ctx)
		if err != nil {
			rep.Add("agent", api.Fail, err.Error(), 0)
			return
		}
		d.examineDevices(ctx, rep)
		d.examineSigns(rep, s.Config)
		d.examineJournal(ctx, rep, s.Journal)
		d.examineSpace(rep)
		d.examineClock(rep)
		examineNetwork(ctx, rep, s)
		if n := status.Unprinted; n > 0 {
			rep.Add("slips", api.Warn,
				fmt.Sprintf("%d did not come out: print them again (F2 at the order; payterm totals z --number)", n), 0)
		}
		rep.Add("queue", api.OK, fmt.Sprintf("%d orders are being asked about", status.Queue), 0)
		if n := status.Late + status.Doubts + status.Alarms; n > 0 {
			rep.Add("decisions", api.Warn, fmt.Sprintf("%d orders wait for a supervisor: payterm journal list", n), 0)
		}
	}
}

// Unprovisioned is what is examined of a terminal that waits for a parcel, besides its devices.
type Unprovisioned struct {
	Signers  int            // trusted signers
	Unsigned string         // what to do where there are none
	Link     func() Finding // this machine's network
}

// Unprovisioned is the examination of a terminal without a merchant.
func (d *Doctor) Unprovisioned(u Unprovisioned) Examination {
	return func(ctx context.Context, rep *Report) {
		rep.At = d.o.Clock()
		if u.Signers == 0 { // first, since nothing works without it
			rep.Add("signers", api.Fail, u.Unsigned, 0)
		} else {
			rep.Add("signers", api.OK, fmt.Sprintf("parcels of %d are taken", u.Signers), 0)
		}
		d.examineDevices(ctx, rep)
		d.examineSpace(rep)
		d.examineClock(rep)
		link := u.Link()
		link.Name = "network link"
		rep.put(link)
		rep.Add("addresses", api.OK, addresses(), 0)
		rep.Add("gateway", api.None, "no gateway yet: a parcel brings one", 0)
	}
}

const (
	lowSpace      = 64 << 20 // bytes: time to act
	noSpace       = 8 << 20
	doctored      = 30 * time.Second
	newestRecords = 200 // records that are checked against the hash chain
)

// paperFindings are the conditions with a finding of their own.
var paperFindings = map[payterm.PaperCondition]string{
	payterm.PaperOut: screen.FindingPaperOut, payterm.PaperCoverOpen: screen.FindingCoverOpen,
}

// examineDevices reports the state of each device.
func (d *Doctor) examineDevices(ctx context.Context, rep *Report) {
	paper, _ := d.o.Devices.AskPaper(ctx) // a busy printer has said it before
	for _, device := range append(slices.Clip(api.Devices), devices.LEDs) {
		c := d.examineDevice(device, paper)
		c.Name, c.Errors = device, d.o.Devices.Trouble(device).N
		rep.put(c)
		if c.Result == api.None {
			continue // no wire either
		}
		switch device {
		case devices.Display:
			d.examineGlass(ctx, rep, c)
		case devices.Scanner:
			examineLine(rep, "scanner line", d.o.Devices.Board().Scanner, d.o.Devices.Wire(device))
		case devices.Printer:
			examineLine(rep, "printer line", d.o.Devices.Board().Printer, d.o.Devices.Wire(device))
		}
	}
}

// examineSigns reports characters of the shop's own texts that cannot be shown or printed as
// written.
func (d *Doctor) examineSigns(rep *Report, c config.Config) {
	var says []string
	for _, p := range Signs(c, d.o.Devices.Board().Profile) {
		says = append(says, p.Key+": "+p.Text)
	}
	if len(says) > 0 {
		rep.Add("signs", api.Warn, strings.Join(says, "; "), 0)
		return
	}
	rep.Add("signs", api.OK, "the shop's own texts come out as they are written", 0)
}

// examineDevice reports a device's state from its driver's errors.
func (d *Doctor) examineDevice(device string, paper payterm.PaperCondition) Finding {
	b, t := d.o.Devices.Board(), d.o.Devices.Trouble(device)
	if err := d.o.Devices.Absent(device); err != nil {
		return finding(api.Fail, err.Error())
	}
	if !d.o.Devices.Has(device) {
		return finding(api.None, "the board profile has none")
	}
	ago := (d.o.Devices.Now() - t.At).Round(time.Second)
	back := t.Worked || errors.Is(t.Err, hal.ErrUnplugged) && b.Lines()[device] != nil // its line is back
	switch {
	case t.N > 0 && ago < devices.Recently && !back:
		return finding(api.Fail, t.Err.Error())
	case device == devices.Printer && paper == payterm.PaperUnknown && b.Profile.Printer.Status:
		return finding(api.Warn, "it does not answer when it is asked for its paper: "+
			"check baud and cable, or say status = false in the board profile").unanswered()
	case device == devices.Printer && paper == payterm.PaperNearEnd:
		return finding(api.Warn, devices.PaperAdvice(paper))
	case device == devices.Printer && devices.PaperAdvice(paper) != "":
		return finding(api.Fail, devices.PaperAdvice(paper)).as(paperFindings[paper])
	case back && ago < devices.Recently &&
		(errors.As(t.Err, new(devices.MistypedError)) || errors.As(t.Err, new(devices.UnreadError))):
		return finding(api.Warn, fmt.Sprintf("codes are read, but %s ago %s", ago, t.Err))
	case back && ago < devices.Recently:
		did := "failed"
		if errors.Is(t.Err, hal.ErrUnplugged) {
			did = "was away"
		}
		return finding(api.Warn, fmt.Sprintf("it works again, and %s %s ago: look after its plug and cable", did, ago))
	case t.N > 0 && back:
		return finding(api.Warn, fmt.Sprintf("it works, after %d errors since the start, the last %s ago: %s", t.N, ago, t.Err))
	case t.N > 0:
		return finding(api.Warn, fmt.Sprintf("%d errors since the start, the last %s ago: %s", t.N, ago, t.Err))
	case device == devices.Printer:
		return finding(api.OK, "paper: "+string(paper))
	}
	return finding(api.OK, d.o.Devices.Wire(device))
}

// examineGlass sends the frame again, so that a bus error shows now, and reports what drives the
// backlight.
func (d *Doctor) examineGlass(ctx context.Context, rep *Report, display Finding) {
	if display.Result == api.None || display.Result == api.Fail {
		return
	}
	began := d.o.Devices.Now()
	err := d.o.Devices.Resend(ctx)
	switch light := d.o.Devices.Board().Profile.Display.Backlight; {
	case err != nil:
		rep.Add("display bus", api.Fail, err.Error(), d.o.Devices.Now()-began)
	case light == "":
		rep.Add("display bus", api.OK, "a frame was sent", d.o.Devices.Now()-began)
		rep.Add("backlight", api.None, "the board profile has none", 0)
	default:
		rep.Add("display bus", api.OK, "a frame was sent", d.o.Devices.Now()-began)
		rep.Add("backlight", api.OK, "on, by "+light, 0)
	}
}

// examineLine reports a serial line's traffic.
func examineLine(rep *Report, name string, l *hal.Line, wire string) {
	if l == nil {
		return
	}
	s := l.Stats()
	says := fmt.Sprintf("%s: opened %d times, %d bytes came, %d went", wire, s.Opens, s.In, s.Out)
	if s.Opens == 1 {
		says = strings.Replace(says, "1 times", "once", 1)
	}
	result := api.OK
	warn := func(what string) { result, says = api.Warn, says+"; "+what }
	if others := l.Others(); len(others) > 0 {
		warn(Shared(wire, hal.Names(others)))
	}
	if s.Opens > 1 {
		warn("it was lost in between: look after the plug")
	}
	if s.Lost > 0 {
		warn(fmt.Sprintf("%d bytes were lost, as nobody read them", s.Lost))
	}
	if u := s.UART; u != nil && u.Overruns > 0 {
		warn(fmt.Sprintf("%d overruns: the processor is too busy, or the speed too high", u.Overruns))
	}
	if u := s.UART; u != nil && u.Framing+u.Parity > 0 {
		warn(fmt.Sprintf("%d broken characters: check baud and parity of the device", u.Framing+u.Parity))
	}
	rep.Add(name, result, says, 0)
}

// Shared says what to do about other programs that have a tty open.
func Shared(tty, names string) string {
	return fmt.Sprintf("%s is open in %s as well, which may take what was meant for payterm: stop it, and keep it "+
		"from this device", tty, names)
}

// examineJournal writes to the journal, reads its settings, and checks the newest records.
func (d *Doctor) examineJournal(ctx context.Context, rep *Report, j Journal) {
	began := d.o.Devices.Now()
	if err := j.Writable(); err != nil {
		rep.Add("journal", api.Fail, err.Error(), d.o.Devices.Now()-began)
	} else {
		rep.Add("journal", api.OK, "written and synced", d.o.Devices.Now()-began)
	}
	began = d.o.Devices.Now()
	if says, err := j.Check(ctx, newestRecords); err != nil {
		rep.Add("records", api.Fail, err.Error()+": payterm journal verify tells more", d.o.Devices.Now()-began)
	} else {
		rep.Add("records", api.OK, says, d.o.Devices.Now()-began)
	}
}

// examineSpace checks the free space for the data.
func (d *Doctor) examineSpace(rep *Report) {
	var fs unix.Statfs_t
	if err := unix.Statfs(filepath.Clean(d.o.Data), &fs); err != nil {
		rep.Add("space", api.Warn, err.Error(), 0)
		return
	}
	rep.put(space(fs.Bavail * uint64(fs.Bsize)))
}

// space judges the free space in bytes.
func space(left uint64) Finding {
	c := finding(api.OK, fmt.Sprintf("%d MB are left", left>>20))
	c.Name = "space"
	switch {
	case left < noSpace:
		c.Result, c.Says = api.Fail, c.Says+": free some, sales stop soon"
	case left < lowSpace:
		c.Result, c.Says = api.Warn, c.Says+": free some"
	}
	return c
}

func (d *Doctor) examineClock(rep *Report) {
	if rep.At.IsZero() {
		rep.Add("clock", api.Fail,
			"the clock is not set: connect the network, or set it by hand; certificates cannot be checked", 0)
		return
	}
	synced, err := d.o.NetworkTime()
	rep.put(clock(rep.At, synced, err))
}

// clock judges a clock that is set: by whether the kernel knows of a time server, since any time
// after the build may be wrong.
func clock(at time.Time, synced bool, err error) Finding {
	c := finding(api.OK, at.Format(time.RFC3339))
	c.Name = "clock"
	switch {
	case err != nil:
		c.Result, c.Says = api.Warn, c.Says+"; the kernel does not say whether a time server sets it: "+err.Error()
	case !synced:
		c.Result, c.Says = api.Warn, c.Says+", which no time server has set yet: connect the network; the router lets UDP 123 out"
	default:
		c.Says += ", set by a time server"
	}
	return c
}

// examineNetwork checks the way to the gateway hop by hop, from the cable on.
func examineNetwork(ctx context.Context, rep *Report, s Selling) {
	link := Link(s.Config.Gateway.URL)
	link.Name = "network link"
	rep.put(link)
	for _, hop := range s.Probe(ctx) {
		if hop.Err != nil {
			f := finding(api.Fail, hop.Err.Error())
			f.Name, f.TookMS = "network "+hop.Name, hop.Took.Milliseconds()
			if hop.Clock {
				f = f.as(screen.FindingClock)
			}
			rep.put(f)
			continue
		}
		says := ""
		if hop.Name == "key" {
			says = "merchant id and sign key are accepted"
		}
		rep.Add("network "+hop.Name, api.OK, says, hop.Took)
	}
}

// NetworkTime reports whether a time server sets the clock, as the kernel knows it (adjtimex(2)).
func NetworkTime() (bool, error) {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err == nil && keptTime(state, t.Status), err
}

// keptTime reports whether a clock with this state and status is being set.
func keptTime(state int, status int32) bool {
	return state != unix.TIME_ERROR && status&unix.STA_UNSYNC == 0
}

// addresses are the addresses of this machine that others can reach.
func addresses() string {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return err.Error()
	}
	var list []string
	for _, a := range all {
		if ip, is := a.(*net.IPNet); is && ip.IP.IsGlobalUnicast() {
			list = append(list, ip.String())
		}
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}
