package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"unicode"

	"payterm/config"
	"payterm/flows/counter"
	"payterm/screen"
	"payterm/storage"
	"payterm/terminal/api"
	"payterm/update"
)

// An update has to know things about agent, journal and configuration, which are where the
// agent's user can place anything. So root, who updates, opens none of it: a process with that
// user's rights does, and root reads its answer, which is bounded in size and time and trusted no
// more than the agent.

// question is what to find out or do.
type question struct {
	What   string         `arg:"" enum:"free,report,tell,sold,verify,address"`
	Notice screen.Notice  `help:"For tell."`
	Reason screen.Refusal `help:"For tell."`
	Config string         `help:"For address: the agent's configuration file."`
}

// The questions.
const (
	askFree    = "free"    // is no order open?
	askReport  = "report"  // the doctor's report
	askTell    = "tell"    // show a notice; one of a restart is refused while the counter is in use
	askSold    = "sold"    // is there a journal?
	askVerify  = "verify"  // verify the whole journal
	askAddress = "address" // the address of new versions in the current configuration
)

// said is the answer.
type said struct {
	Report  *api.Report `json:"report,omitempty"`
	Sold    bool        `json:"sold,omitempty"`
	Address string      `json:"address,omitempty"`
	// The error, and whether it is one that an update tells apart.
	Error string `json:"error,omitempty"`
	Open  bool   `json:"open,omitempty"`    // update.ErrOpen
	Agent bool   `json:"refused,omitempty"` // *api.Error
}

const (
	mostSaid  = 1 << 20 // bytes of an answer
	mostWords = 500     // characters of an error
)

// asker gets answers from another process, for update.Agent.
type asker struct {
	store
	self string // the program to run
}

// thisProgram is this version, wherever it is and whoever may read that.
const thisProgram = "/proc/self/exe"

func (a asker) Free(ctx context.Context) error {
	_, err := a.ask(ctx, question{What: askFree})
	return err
}

// Claim asks the agent to block the counter for the restart. An agent that does not run, or is too old for
// that, has no sale that a restart could interrupt.
func (a asker) Claim(ctx context.Context) error {
	err := a.Tell(ctx, screen.UpdateRestarting, "")
	var refused *api.Error
	if errors.As(err, &refused) && refused.Code != api.UnknownCall {
		return fmt.Errorf("%w: %w", update.ErrOpen, refused)
	}
	return nil
}

func (a asker) Examine(ctx context.Context) (map[string]bool, error) {
	answer, err := a.ask(ctx, question{What: askReport})
	if err == nil && answer.Report == nil {
		err = errors.New("the answer has none")
	}
	if err != nil {
		return nil, err
	}
	passed := map[string]bool{}
	for _, c := range answer.Report.Checks {
		passed[c.Name] = c.Result != "fail"
	}
	return passed, nil
}

func (a asker) Tell(ctx context.Context, n screen.Notice, why screen.Refusal) error {
	_, err := a.ask(ctx, question{What: askTell, Notice: n, Reason: why})
	return err
}

func (a asker) Sold(ctx context.Context) (bool, error) {
	answer, err := a.ask(ctx, question{What: askSold})
	return answer.Sold, err
}

func (a asker) Verify(ctx context.Context) error {
	_, err := a.ask(ctx, question{What: askVerify})
	return err
}

func (a asker) Address(ctx context.Context, configuration string) (string, error) {
	answer, err := a.ask(ctx, question{What: askAddress, Config: configuration})
	return answer.Address, err
}

func (a asker) ask(ctx context.Context, q question) (said, error) {
	uid, gid, err := ownerOf(a.Data)
	if err != nil {
		return said{}, err
	}
	if os.Geteuid() != 0 || uid == 0 {
		return a.answer(ctx, q)
	}
	return a.askAs(ctx, uid, gid, q)
}

// answer answers with the rights of this process.
func (s store) answer(ctx context.Context, q question) (a said, err error) {
	switch q.What {
	case askFree:
		return a, s.free(ctx)
	case askReport:
		rep, err := s.agent().Doctor(ctx, api.DoctorRequest{})
		if err == nil {
			a.Report = &rep
		}
		return a, err
	case askTell:
		return a, s.tell(ctx, q.Notice, q.Reason)
	case askSold:
		_, err := os.Stat(filepath.Join(s.Data, "payterm.db"))
		a.Sold = err == nil
		return a, nil
	case askVerify:
		err := s.read(func(r *storage.Reader) error { _, err := r.Verify(ctx); return err })
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // nothing was sold here yet
		}
		return a, err
	case askAddress:
		inForce, _, err := config.InForce(q.Config, s.Data, os.Environ())
		a.Address = inForce.Update.URL
		return a, placeOf(err)
	}
	return a, fmt.Errorf("%q is no question", q.What)
}

// placeOf is where a configuration is wrong, without its content: others than its owner read it.
func placeOf(err error) error {
	var p config.Problem
	if errors.As(err, &p) {
		return fmt.Errorf("%s is wrong in line %d: payterm config check says more", p.File, p.Line)
	}
	return err
}

// free is an error while an order is open, according to the agent, or without one to the journal.
func (s store) free(ctx context.Context) error {
	now, err := s.agent().Status(ctx)
	running := api.Running{}
	if now.Running != nil {
		running = *now.Running
	}
	switch {
	case api.NotRunning(err), err == nil && now.State == api.StateUnprovisioned: // then it has no orders
		err = s.read(func(r *storage.Reader) error {
			open, err := r.OpenOrders()
			if err == nil && len(open) > 0 {
				err = fmt.Errorf("%w: %s; start the agent, which settles it", update.ErrOpen, open[0].ID)
			}
			return err
		})
		if errors.Is(err, fs.ErrNotExist) {
			return nil // nothing was sold here yet
		}
		return err
	case err != nil:
		return err
	case now.State != counter.StateIdle && now.State != counter.StateResult:
		return fmt.Errorf("%w: the counter is taken (%s %s)", update.ErrOpen, now.State, running.OrderID)
	case running.Queue > 0:
		return fmt.Errorf("%w: %d are being asked about: payterm queue list", update.ErrOpen, running.Queue)
	}
	return nil
}

// askAs makes another process answer, with a user's rights only.
func (a asker) askAs(ctx context.Context, uid, gid int, q question) (said, error) {
	args := []string{"update", "ask", q.What, "--data", a.Data}
	for name, value := range map[string]string{"--notice": string(q.Notice), "--reason": string(q.Reason),
		"--config": q.Config} {
		if value != "" {
			args = append(args, name, value)
		}
	}
	cmd := exec.CommandContext(ctx, a.self, args...) //nolint:gosec // this program
	cmd.Dir, cmd.WaitDelay, cmd.Env = "/", toolEnds, []string{}
	for _, variable := range os.Environ() {
		if strings.HasPrefix(variable, "PAYTERM_") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), Groups: []uint32{uint32(gid)}},
		// no access to root's terminal
		Setsid: true,
	}
	out := short{most: mostSaid}
	cmd.Stdout = &out
	err := cmd.Run()
	var answer said
	if err == nil {
		err = json.Unmarshal(out.text, &answer)
	}
	if why := context.Cause(ctx); err != nil && why != nil {
		err = why
	}
	if err != nil { // its output is not trusted
		return said{}, fmt.Errorf("no answer by user %d about %s: %w", uid, a.Data, err)
	}
	return answer, answer.err()
}

// err is the error, worded by a process that is not trusted.
func (a said) err() error {
	words := plain(a.Error)
	switch {
	case a.Open:
		return fmt.Errorf("%w: %s", update.ErrOpen, strings.TrimPrefix(words, update.ErrOpen.Error()+": "))
	case a.Agent:
		return &api.Error{Message: words}
	case words != "":
		return errors.New(words)
	}
	return nil
}

// plain is a text without control characters.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
	if letters := []rune(text); len(letters) > mostWords {
		return string(letters[:mostWords])
	}
	return text
}

// short takes a limited number of bytes.
type short struct {
	text []byte
	most int
}

func (s *short) Write(b []byte) (int, error) {
	if len(s.text)+len(b) > s.most {
		return 0, fmt.Errorf("more than %d bytes", s.most)
	}
	s.text = append(s.text, b...)
	return len(b), nil
}

// updateAskCmd is that other process.
type updateAskCmd struct {
	store
	question
}

func (c updateAskCmd) Run() error {
	ctx, stop := context.WithTimeout(context.Background(), update.HealthTime)
	defer stop()
	a, err := c.answer(ctx, c.question)
	if err != nil {
		var refused *api.Error
		a.Error, a.Open = err.Error(), errors.Is(err, update.ErrOpen)
		a.Agent = errors.As(err, &refused) && refused.Code != api.UnknownCall
	}
	return json.NewEncoder(os.Stdout).Encode(a)
}
