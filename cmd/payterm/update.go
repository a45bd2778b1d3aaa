package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"payterm/internal/durable"
	"payterm/screen"
	"payterm/storage"
	"payterm/terminal/api"
	"payterm/terminal/doctor"
)

// updateCmd is for terminals with the image (docs/decisions/0013-image.md): RAUC writes a version
// into the inactive slot, U-Boot starts it, and if it is not found healthy the old version comes
// back.
type updateCmd struct {
	Install updateInstallCmd `cmd:"" default:"withargs" help:"Install a bundle and restart, but never while an order is open."`
	Confirm updateConfirmCmd `cmd:"" help:"After a start: keep this version if it is healthy, otherwise return to the old one."`
	Ask     updateAskCmd     `cmd:"" hidden:"" help:"Commands that an update runs as the agent's user."`
}

const (
	installTime = 2 * time.Hour    // for RAUC to write a slot on a slow card
	askTime     = time.Minute      // for the agent and for RAUC to answer a question
	counterTime = time.Hour        // for the counter to be at rest after an installation
	healthTime  = 10 * time.Minute // for a new version to be found healthy
	healthPause = 5 * time.Second
	goodTime    = 5 * time.Minute // for RAUC to mark it as good

	counterPauses = 24 // waits for the counter, in a version that is not healthy
)

// errOpen is why an update waits: an order is open.
var errOpen = errors.New("an order is open")

// manifest is what a bundle says of itself, with a signature that RAUC has checked.
type manifest struct {
	Compatible  string `json:"compatible"`
	Version     string `json:"version"`
	Build       string `json:"build"`       // seconds since 1970, of the source
	Description string `json:"description"` // "store N": the form of its journal
}

// fits is why a bundle must not be installed over a version with this build time and journal
// form. An older version may have known faults. A journal form that the current version cannot
// read would leave it without a journal after a fallback: so a new form is first read by one
// version and written by the next one only.
func (m manifest) fits(built, form int64) error {
	build, err := strconv.ParseInt(m.Build, 10, 64)
	if err != nil {
		return refuse(screen.NotOurs,
			fmt.Errorf("the bundle of %s does not say when it was built: it is not one of payterm's", m.Version))
	}
	word, number, _ := strings.Cut(m.Description, " ")
	writes, err := strconv.ParseInt(number, 10, 64)
	switch {
	case word != "store" || err != nil:
		return refuse(screen.NotOurs,
			fmt.Errorf("the bundle of %s does not say which journals it writes: it is not one of payterm's", m.Version))
	case build < built:
		return refuse(screen.OlderVersion,
			fmt.Errorf("version %s of %s is older than this one of %s: only newer ones are installed", m.Version,
				day(build), day(built)))
	case writes > form:
		return refuse(screen.JournalForm,
			fmt.Errorf("version %s writes journals of form %d, and this version, which has to take over when that one fails, reads %d at most: install a version in between first", m.Version, writes, form))
	}
	return nil
}

func day(seconds int64) string { return time.Unix(seconds, 0).UTC().Format("2006-01-02 15:04Z") }

// updater has what both commands need. Its functions use the machine; tests replace them.
type updater struct {
	agent asker
	dir   string // survives a restart and belongs to no slot
	run   func(ctx context.Context, name string, args ...string) (string, error)
	say   func(format string, args ...any)
	sleep func(context.Context, time.Duration) error
	slot  string // the active one
	board string // RAUC's name for compatible bundles
	built int64

	space   func(dir string) (int64, error) // bytes
	synced  func() (bool, error)            // whether a time server sets the clock
	stalled time.Duration                   // after this a silent server is given up
}

func newUpdater(s store, dir string) updater {
	line, _ := os.ReadFile("/proc/cmdline") // without a slot it is no image
	return updater{
		agent: asker{s, thisProgram}, dir: dir, run: runTool, built: buildTime().Unix(), slot: slotOf(string(line)),
		board: boardOf("/etc/rauc/system.conf"), sleep: pause, space: spaceIn, synced: doctor.NetworkTime, stalled: stalledTime,
		say: func(format string, args ...any) { fmt.Fprintf(os.Stderr, "payterm: "+format+"\n", args...) },
	}
}

// slotOf is the slot in the kernel's command line.
func slotOf(line string) string {
	for word := range strings.FieldsSeq(line) {
		if slot, is := strings.CutPrefix(word, "rauc.slot="); is {
			return slot
		}
	}
	return ""
}

// boardOf is the compatible string in RAUC's configuration, empty if there is none.
func boardOf(path string) string {
	text, _ := os.ReadFile(path) // then RAUC refuses what does not fit
	for line := range strings.Lines(string(text)) {
		if key, value, is := strings.Cut(strings.TrimSpace(line), "="); is && key == "compatible" {
			return value
		}
	}
	return ""
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// toolEnds is how long the children of a killed program may keep its output open.
const toolEnds = time.Second

// runTool runs a program and returns its standard output; an error has the last line of its
// standard error, where RAUC gives the reason.
func runTool(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // found in PATH, which the unit sets
	var stderr strings.Builder
	cmd.Stderr = &stderr
	cmd.WaitDelay = toolEnds
	out, err := cmd.Output()
	if err != nil {
		said := strings.TrimSpace(stderr.String())
		err = fmt.Errorf("%s %s: %w: %s", filepath.Base(name), args[0], err, said[strings.LastIndexByte(said, '\n')+1:])
	}
	return string(out), err
}

func (u updater) briefly(ctx context.Context, name string, args ...string) (string, error) {
	ctx, stop := context.WithTimeout(ctx, askTime)
	defer stop()
	return u.run(ctx, name, args...)
}

const slots = "/usr/lib/payterm/slots"

// lock prevents a second update, for example from a stick during the timer's: their notes about
// versions must not mix. The returned function unlocks.
func (u updater) lock() (func() error, error) {
	if u.slot == "" {
		return func() error { return nil }, nil // it reports its own failures
	}
	if err := os.MkdirAll(u.dir, 0o700); err != nil {
		return nil, fmt.Errorf("update: %w", err)
	}
	if err := rootsOwn(u.dir); err != nil {
		return nil, fmt.Errorf("update: %w", err)
	}
	f, err := durable.Lock(filepath.Join(u.dir, "lock"))
	if errors.Is(err, durable.ErrLocked) {
		return nil, errors.New("update: another one is under way: try again when it is done")
	}
	if err != nil {
		return nil, fmt.Errorf("update: %w", err)
	}
	return f.Close, nil
}

// free is an error while an order is open.
func (u updater) free(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, askTime)
	defer stop()
	_, err := u.agent.ask(ctx, question{What: askFree})
	return err
}

// health is the part of a doctor's report that counts, by check.
type health struct {
	Agent  bool            // it answered
	Passed map[string]bool // the check did not fail
}

// vital are the checks that a version has to pass if the previous one did. The others depend on
// cables, paper and weather.
var vital = []string{"display", "display bus", "journal", "records", "network encryption", "network answer",
	"network key"}

// away are network checks outside the machine: while one fails, the checks after it say nothing
// about the version.
var away = []string{"network link", "network address", "network connection"}

func healthOf(r api.Report) health {
	h := health{Agent: true, Passed: map[string]bool{}}
	for _, c := range r.Checks {
		h.Passed[c.Name] = c.Result != "fail"
	}
	return h
}

// demand adds checks that a version has to pass in any case. A terminal with a journal has an
// agent: if the previous agent or doctor did not answer, a new version without an answer must not
// pass.
func (h *health) demand(checks ...string) {
	if h.Passed == nil {
		h.Passed = map[string]bool{}
	}
	h.Agent = true
	for _, name := range checks {
		h.Passed[name] = true
	}
}

// worse names the checks that the previous version passed and this one fails.
func (h health) worse(before health) []string {
	if before.Agent && !h.Agent {
		return []string{"the agent does not answer"}
	}
	var lost []string
	outside := false
	for _, hop := range away {
		passed, seen := h.Passed[hop]
		outside = outside || seen && !passed
	}
	for _, name := range vital {
		if before.Passed[name] && !h.Passed[name] && (!outside || !strings.HasPrefix(name, "network ")) {
			lost = append(lost, name)
		}
	}
	return lost
}

func (u updater) examine(ctx context.Context) health {
	ctx, stop := context.WithTimeout(ctx, askTime)
	defer stop()
	a, err := u.agent.ask(ctx, question{What: askReport})
	if err == nil && a.Report == nil {
		err = errors.New("the answer has none")
	}
	if err != nil {
		u.say("no report of the doctor: %v", err)
		return health{}
	}
	return healthOf(*a.Report)
}

type updateInstallCmd struct {
	store
	Source    string `arg:"" optional:"" help:"Bundle: a file or an https address. Without one, the url in section [update] of the present configuration."`
	Config    string `help:"The agent's configuration file." default:"/etc/payterm/payterm.toml" type:"path"`
	Automatic bool   `help:"For the timer: an open order, or a version that is not newer, is not a failure."`
	NoRestart bool   `help:"Install without restarting."`
	State     string `help:"Directory of the updates' state." default:"/data/update" type:"path" hidden:""`
}

func (c updateInstallCmd) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return c.install(ctx, newUpdater(c.store, c.State))
}

func (c updateInstallCmd) install(ctx context.Context, u updater) error {
	let, err := u.lock()
	if err != nil {
		return err // the other one shows its own messages
	}
	defer let() //nolint:errcheck // nothing was written through it
	err = c.try(ctx, u)
	if c.Automatic && errors.Is(err, errNoAddress) {
		return nil // updates are not configured
	}
	if err != nil && u.slot != "" && !errors.Is(err, errNoAddress) {
		u.tell(context.WithoutCancel(ctx), screen.UpdateRefused, wordFor(err))
	}
	if c.Automatic && errors.Is(err, errOpen) {
		u.say("no update now: %v", err)
		return nil
	}
	return err
}

func (c updateInstallCmd) try(ctx context.Context, u updater) error {
	if u.slot == "" {
		return errors.New("update: this system is not payterm's image, which alone has a second slot: update by its own packages")
	}
	trial, pending, err := u.trial(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("update: %w", err)
	case trial == u.slot:
		return refuse(screen.OnTrial,
			errors.New("update: this version is on trial itself: wait until it is found healthy (systemctl status payterm-confirm)"))
	case trial != none && !pending: // a confirmation that was interrupted
		if err := u.fellBack(ctx, trial); err != nil {
			return err
		}
	}
	if err := u.free(ctx); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	if u.built > time.Now().Unix() {
		return refuse(screen.ClockNotSet,
			errors.New("update: the clock is not set, and a signature has a date: connect the network"))
	}
	file, fetched, err := c.file(ctx, u)
	if err != nil || file == "" {
		return err
	}
	if fetched {
		defer os.Remove(file) //nolint:errcheck // a leftover only takes space
	}
	m, err := u.manifest(ctx, file)
	if err == nil {
		if err = m.fits(u.built, int64(storage.Form())); err == nil && u.board != "" && m.Compatible != u.board {
			err = refuse(screen.OtherBoard, fmt.Errorf("it is for %s, and this board is %s", m.Compatible, u.board))
		}
		if err != nil {
			u.settled()
		}
	}
	if err != nil {
		return fmt.Errorf("update: %s is refused: %w", filepath.Base(file), err)
	}
	if c.Automatic && (m.Build == strconv.FormatInt(u.built, 10) || u.failed(m)) {
		u.settled()
		u.say("no update: version %s runs already, or has failed here before", m.Version)
		if c.Source != "" { // somebody is there with a stick
			why := screen.SameVersion
			if u.failed(m) {
				why = screen.FailedBefore
			}
			u.tell(ctx, screen.UpdateRefused, why)
		}
		return nil
	}
	if pending {
		var waits manifest
		if u.kept("trial.json", &waits) == nil && waits == m { // only the restart is missing
			return c.end(ctx, u, m)
		}
		// The slot must not be started until RAUC has rewritten it.
		if _, err := u.briefly(ctx, slots, "set-state", trial, "bad"); err != nil {
			return fmt.Errorf("update: %w", err)
		}
	}
	if err := u.keep("before.json", u.examine(ctx)); err != nil {
		return err
	}
	// Before RAUC starts: after a power cut it must be known which version is on trial.
	if err := u.keep("trial.json", m); err != nil {
		return err
	}
	u.tell(ctx, screen.UpdateInstalling, "")
	u.say("installing version %s beside this one; sales go on meanwhile", m.Version)
	installing, stop := context.WithTimeout(ctx, installTime)
	defer stop()
	if _, err := u.run(installing, "rauc", "install", file); err != nil {
		return fmt.Errorf("update: %s is refused, this version stays: %w", filepath.Base(file),
			because(installing, err))
	}
	return c.end(ctx, u, m)
}

// end is what follows an installation.
func (c updateInstallCmd) end(ctx context.Context, u updater, m manifest) error {
	u.tell(ctx, screen.UpdateWaiting, "")
	if c.NoRestart {
		return c.print(m, func() {
			fmt.Printf("version %s is installed and starts with the next restart\n",
				m.Version)
		})
	}
	return c.restart(ctx, u, m)
}

// restart restarts at rest. If the counter is never at rest, the next restart starts the new
// version.
func (c updateInstallCmd) restart(ctx context.Context, u updater, m manifest) error {
	ctx, stop := context.WithTimeoutCause(ctx, counterTime,
		fmt.Errorf("version %s is installed and starts with the next restart", m.Version))
	defer stop()
	for {
		err := u.free(ctx)
		if err == nil {
			err = u.claim(ctx)
		}
		if err == nil {
			break
		}
		u.say("the restart waits: %v", err)
		if err := u.sleep(ctx, healthPause); err != nil {
			return fmt.Errorf("update: %w", err)
		}
	}
	if err := c.print(m, func() {
		fmt.Printf("version %s is installed; the terminal restarts\n",
			m.Version)
	}); err != nil {
		return err
	}
	_, err := u.briefly(ctx, "systemctl", "reboot")
	return err
}

func (u updater) manifest(ctx context.Context, file string) (m manifest, err error) {
	text, err := u.briefly(ctx, "rauc", "info", "--output-format=json", file)
	if err == nil {
		err = json.Unmarshal([]byte(text), &m)
	}
	if err != nil {
		err = refuse(screen.NotOurs, err)
	}
	return m, err
}

// none is the answer if no slot is on trial.
const none = "none"

// trial is the slot that was installed and not found healthy yet, or none; pending if it was not
// started yet.
func (u updater) trial(ctx context.Context) (slot string, pending bool, err error) {
	said, err := u.briefly(ctx, slots, "trial")
	if slot = strings.TrimSpace(said); err != nil || slot == none || slot == u.slot {
		return slot, false, err
	}
	next, err := u.briefly(ctx, slots, "get-primary")
	return slot, err == nil && strings.TrimSpace(next) == slot, nil // an error means that no slot has a try left
}

// fellBack records that the other slot's version failed, and which version it is, so that the
// timer does not install it again and again.
func (u updater) fellBack(ctx context.Context, trial string) error {
	var m manifest
	if u.kept("trial.json", &m) == nil {
		if err := u.keep("failed.json", m); err != nil {
			return err
		}
	}
	if _, err := u.briefly(ctx, slots, "set-state", trial, "bad"); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	u.say("version %s in slot %s was not healthy: slot %s is back", m.Version, trial, u.slot)
	u.tell(ctx, screen.UpdateUndone, "")
	return nil
}

// keep writes a small file atomically.
func (u updater) keep(name string, v any) error {
	text, err := json.Marshal(v)
	if err == nil {
		err = os.MkdirAll(u.dir, 0o700)
	}
	if err == nil {
		err = durable.Replace(filepath.Join(u.dir, name), text)
	}
	if err != nil {
		return fmt.Errorf("update: keep %s: %w", name, err)
	}
	return nil
}

func (u updater) kept(name string, v any) error {
	text, err := os.ReadFile(filepath.Join(u.dir, name))
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

// failed reports whether this version was the last one that failed. A later build of the same
// version is another one.
func (u updater) failed(m manifest) bool {
	var last manifest
	return u.kept("failed.json", &last) == nil && last.Version == m.Version && last.Build == m.Build
}

type updateConfirmCmd struct {
	store
	State string `help:"Directory of the updates' state." default:"/data/update" type:"path" hidden:""`
}

func (c updateConfirmCmd) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return c.confirm(ctx, newUpdater(c.store, c.State))
}

// confirm tells U-Boot that this slot is good. Only a version on trial is examined: a good
// version stays good if its display breaks, since the other slot would not help.
func (c updateConfirmCmd) confirm(ctx context.Context, u updater) error {
	if u.slot == "" { // an image without its slot must not pass
		return errors.New("update: this system is not payterm's image: there is nothing to confirm")
	}
	trial, pending, err := u.trial(ctx)
	if err != nil {
		return fmt.Errorf("update: %w", err)
	}
	os.Remove(u.fetched()) //nolint:errcheck // of an interrupted installation
	if trial == u.slot {
		return c.prove(ctx, u)
	}
	fell := trial != none && !pending
	if fell {
		if err := u.fellBack(ctx, trial); err != nil {
			return err
		}
	}
	if err := u.good(ctx); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	return c.print(confirmed{Slot: u.slot, Good: true, FellBack: &fell},
		func() { fmt.Printf("slot %s is good\n", u.slot) })
}

// confirmed is the document of update confirm.
type confirmed struct {
	Slot       string `json:"slot"`
	Good       bool   `json:"good"`
	FellBack   *bool  `json:"fell_back,omitempty"` // not set for a version that was on trial
	WasOnTrial bool   `json:"was_on_trial,omitempty"`
}

// prove waits until a version on trial is as healthy as the previous one, with its whole journal
// verified, and otherwise restarts the board: U-Boot counts the tries.
func (c updateConfirmCmd) prove(ctx context.Context, u updater) error {
	var before health
	if err := u.kept("before.json", &before); err != nil {
		u.say("nothing is known of the version before: %v", err)
	}
	asking, stop := context.WithTimeout(ctx, askTime)
	a, err := u.agent.ask(asking, question{What: askSold})
	stop()
	if err != nil {
		u.say("whether there is a journal is not known: %v", err)
	}
	if a.Sold || err != nil {
		before.demand("journal", "records")
	}
	proving, stop := context.WithTimeoutCause(ctx, healthTime, fmt.Errorf("not within %s", healthTime))
	defer stop()
	var lost []string
	for {
		if lost = u.examine(proving).worse(before); len(lost) == 0 {
			break
		}
		if err := u.sleep(proving, healthPause); err != nil {
			return c.back(ctx, u, fmt.Errorf("%s: %w", strings.Join(lost, ", "), err))
		}
	}
	if _, err := u.agent.ask(proving, question{What: askVerify}); err != nil {
		return c.back(ctx, u, err)
	}
	if err := u.good(ctx); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	u.tell(ctx, screen.UpdateDone, "")
	return c.print(confirmed{Slot: u.slot, Good: true, WasOnTrial: true},
		func() { fmt.Printf("slot %s is healthy and good\n", u.slot) })
}

// good marks this slot as good. RAUC's client gives up a D-Bus call after 25 s, and just after
// the start of a slow board the first call takes longer: it starts the service and asks for the
// slots three times. The service continues after such a call, so the next one is faster, and a
// healthy version must not fall back because of that. One attempt has no shorter limit than
// RAUC's own, so that it can succeed.
func (u updater) good(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, goodTime)
	defer stop()
	for {
		_, err := u.run(ctx, "rauc", "status", "mark-good")
		if err == nil {
			return nil
		}
		u.say("not noted as good yet: %v", err)
		if u.sleep(ctx, healthPause) != nil {
			return err
		}
	}
}

func (c updateConfirmCmd) back(ctx context.Context, u updater, why error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("update: stopped before this version was judged: %w", why)
	}
	u.say("this version is not healthy: %v; the board restarts", why)
	for range counterPauses { // a customer comes first, within limits
		if err := u.free(ctx); !errors.Is(err, errOpen) && (err != nil || u.claim(ctx) == nil) {
			break
		}
		if u.sleep(ctx, healthPause) != nil {
			break
		}
	}
	_, err := u.briefly(ctx, "systemctl", "reboot")
	return errors.Join(fmt.Errorf("update: this version is not healthy: %w", why), err)
}
