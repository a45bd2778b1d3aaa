package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"payterm/config"
	"payterm/flows/runner"
	"payterm/internal/crash"
	"payterm/internal/durable"
	"payterm/provision"
	"payterm/terminal"
	"payterm/terminal/setup"

	"rsc.io/qr"
)

// life is a terminal with one configuration: an agent, or a setup that waits for a parcel.
type life interface{ Run(context.Context) error }

// lives runs lives one after another, until one ends by itself or the context does. begin gets
// the parcel for which the previous one ended, if any.
func lives(ctx context.Context, begin func(parcel string) (life, error)) error {
	parcel := ""
	for {
		l, err := begin(parcel)
		if err != nil {
			return err
		}
		err = l.Run(ctx)
		_, waits := l.(*setup.Setup)
		switch {
		case ctx.Err() != nil && waits:
			return nil
		case ctx.Err() != nil:
			return err
		case waits && err != nil && !errors.Is(err, setup.ErrNoCode):
			return err
		case waits:
			parcel = ""
		case errors.Is(err, terminal.ErrProvisioned):
			parcel = l.(*terminal.Terminal).Parcel()
		default:
			return err
		}
	}
}

// keepCrashes stores crash reports if possible; a failure does not prevent selling.
func keepCrashes(data string, log *slog.Logger) {
	if err := crash.Keep(crash.Dir(data)); err != nil {
		log.Warn("crash reports are not kept", "err", err)
	}
}

// defaultSigners is the image's file of signers.
const defaultSigners = "/etc/payterm/signers"

// newProvisioner makes the Provisioner of this terminal. If the file of signers is unreadable,
// parcels are refused and selling goes on.
func newProvisioner(data, configuration, trust string, log *slog.Logger) *setup.Provisioner {
	clock := runner.NewSystemClock(buildTime())
	p := &setup.Provisioner{
		Data: data, Config: configuration, Trust: trust,
		Now:   func() time.Time { _, wall := clock.Now(); return wall },
		Board: func(c config.Config) error { _, _, err := boardOf(c); return err },
	}
	if trust == "" {
		return p
	}
	text, err := os.ReadFile(trust)
	if err == nil {
		p.Signers, err = provision.ReadSigners(string(text))
	}
	if err != nil && (trust != defaultSigners || !errors.Is(err, fs.ErrNotExist)) {
		log.Error("signers of parcels", "file", trust, "err", err)
	}
	return p
}

// takeWaiting installs a parcel that has waited for the end of another merchant's orders. If that
// fails the terminal goes on as before; the parcel's serial is returned, so that it is not tried
// again and again.
func takeWaiting(data, configuration string, log *slog.Logger) (passed uint64) {
	serial, err := setup.Provisioner{Data: data, Config: configuration}.TakeWaiting()
	if err != nil {
		log.Error("a parcel that waits cannot be taken", "serial", serial, "err", err)
		return serial
	}
	return 0
}

type provisionMakeCmd struct {
	Config      string        `help:"The merchant's configuration." type:"path"`
	SignKeyFile string        `help:"File with the 16 characters of the sign key." type:"path"`
	Terminal    string        `help:"Terminal id, instead of the one in the configuration."`
	Expires     time.Duration `help:"How long the parcel is valid." default:"24h"`
	For         string        `help:"Code of the only device that may use it, as its screen shows it."`
	Signer      string        `help:"The signer's secret file." required:"" type:"path"`
	NewSigner   bool          `help:"Make the signer's secret file, and print the signer's line for /etc/payterm/signers."`
	Out         string        `help:"File to write the parcel to." type:"path"`
	QR          string        `help:"File to write the parcel's QR code to, as a picture." name:"qr" type:"path"`
	JSON        bool          `help:"Print one JSON document." name:"json"`
}

func (c provisionMakeCmd) Run() error {
	out := store{JSON: c.JSON}
	if c.NewSigner {
		line, err := c.newSigner()
		if err != nil {
			return fmt.Errorf("new signer: %w", err)
		}
		return out.print(map[string]string{"signer": c.Signer, "trust": line}, func() { fmt.Println(line) })
	}
	switch {
	case c.Config == "" || c.SignKeyFile == "":
		return usage("--config and --sign-key-file are needed: what the parcel is to bring")
	case c.Out == "" && c.QR == "":
		return usage("--out or --qr is needed: where the parcel is to go")
	}
	// Before anything is created: a parcel without its printed code is useless.
	for _, path := range []string{c.Out, c.QR} {
		if _, err := os.Lstat(path); path != "" && err == nil {
			return fmt.Errorf("%s is there already: remove it, or give another name", path)
		}
	}
	text, code, terms, err := c.make()
	if err != nil {
		return err
	}
	if c.Out != "" {
		if err := durable.Create(c.Out, []byte(text+"\n")); err != nil {
			return fmt.Errorf("parcel: %w", err)
		}
	}
	if c.QR != "" {
		picture, err := qr.Encode(text, qr.L)
		if err == nil {
			picture.Scale = 6
			err = durable.Create(c.QR, picture.PNG())
		}
		if err != nil {
			return fmt.Errorf("picture: %w", err)
		}
	}
	made := struct {
		Code       string    `json:"code"`
		Expires    time.Time `json:"expires"`
		Serial     int64     `json:"serial"`
		Characters int       `json:"characters"`
	}{code.Reveal(), terms.Made.Add(terms.Life), terms.Made.UnixMilli(), len(text)}
	return out.print(made, func() {
		fmt.Println("code:", code.Reveal())
		fmt.Fprintln(os.Stderr, "It can be used until", terms.Made.Add(terms.Life).Format("2006-01-02 15:04 MST")+".")
		fmt.Fprintln(os.Stderr, "Give the code by another way than the parcel. Both together are the sign key.")
	})
}

// newSigner creates the signer's secret file and returns its public line. If there is a signer,
// its line is returned: the shell's > may have emptied the file with the line.
func (c provisionMakeCmd) newSigner() (string, error) {
	signer, text, err := provision.NewSigner(rand.Reader)
	if err == nil {
		err = durable.Create(c.Signer, []byte(text))
	}
	if errors.Is(err, fs.ErrExist) {
		if signer, err = readSigner(c.Signer); err == nil {
			fmt.Fprintf(os.Stderr, "%s is there already: this is its line.\n", c.Signer)
		}
	}
	if err != nil {
		return "", err
	}
	return provision.PublicLine(signer), nil
}

// readSigner reads a signer's secret file.
func readSigner(path string) (ed25519.PrivateKey, error) {
	secret, err := durable.ReadOwn(path)
	if err != nil {
		return nil, err
	}
	signer, err := provision.ReadSigner(string(secret))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return signer, nil
}

// make makes a parcel and its code.
func (c provisionMakeCmd) make() (text string, code provision.Code, t provision.Terms, err error) {
	fail := func(err error) (string, provision.Code, provision.Terms, error) { return "", "", t, err }
	signer, err := readSigner(c.Signer)
	if err != nil {
		return fail(fmt.Errorf("signer: %w", err))
	}
	written, err := os.ReadFile(c.Config)
	if err != nil {
		return fail(fmt.Errorf("configuration: %w", err))
	}
	portable, err := config.Portable(c.Config, written, c.Terminal)
	if err != nil {
		return fail(err)
	}
	cfg := config.Default()
	cfg.Gateway.SignKeyFile = c.SignKeyFile
	key, err := cfg.SignKey()
	if err != nil {
		return fail(fmt.Errorf("--sign-key-file: %w", err))
	}
	t = provision.Terms{Made: time.Now(), Life: c.Expires}
	if c.For != "" {
		if t.Device, err = provision.ParseDevice(c.For); err != nil {
			return fail(usageError{err})
		}
	}
	if code, err = provision.DrawCode(rand.Reader); err != nil {
		return fail(err)
	}
	text, err = provision.Make(t, provision.Content{SignKey: string(key), Config: portable}, code, signer)
	return text, code, t, err
}

type provisionInstallCmd struct {
	store
	File     string `arg:"" help:"Parcel: a file, a directory with one (such as a USB stick), or - for standard input."`
	CodeFile string `help:"File with the parcel's code. Without it, payterm asks for the code." type:"path"`
	Config   string `help:"The agent's configuration file." default:"/etc/payterm/payterm.toml" type:"path"`
	Trust    string `help:"File of the signers whose parcels are accepted." default:"/etc/payterm/signers" type:"path"`
}

// Run installs a parcel. A running agent starts with it at rest.
func (c provisionInstallCmd) Run() error {
	if err := ownData(c.Data, "provision FILE"); err != nil {
		return err
	}
	lines := bufio.NewReader(os.Stdin)
	text, err := c.parcel(lines)
	if err != nil {
		return err
	}
	p := newProvisioner(c.Data, c.Config, c.Trust, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	parcel, err := p.Offer(text)
	if err != nil {
		return err
	}
	digits, err := c.code(lines)
	if err != nil {
		return err
	}
	code, err := provision.ParseCode(digits)
	if err != nil {
		return err
	}
	accepted, err := p.Accept(parcel, code)
	if err != nil {
		return err
	}
	cfg := accepted.Config
	if !cfg.HasBoard() {
		fmt.Fprintf(os.Stderr, "payterm run needs terminal.board in %s: the parcel names no board\n", c.Config)
	}
	installed := struct {
		Terminal string      `json:"terminal"`
		Merchant string      `json:"merchant"`
		Serial   uint64      `json:"serial"`
		Waits    setup.Waits `json:"waits"`
	}{cfg.Terminal.ID, cfg.Merchant.Name, parcel.Serial(), accepted.Waits}
	return c.print(installed, func() {
		fmt.Printf("terminal %s of %s is provisioned; %s\n", cfg.Terminal.ID, cfg.Merchant.Name, map[setup.Waits]string{
			setup.WaitsForNothing: "an agent that runs starts with it between two sales",
			setup.WaitsForAgent:   "it is for another merchant, gateway or currency: the agent that runs starts with it once the orders of now are closed and the day is (payterm totals z)",
			setup.WaitsForOrders:  "it is for another merchant, gateway or currency, and waits until the open orders are closed: payterm queue list",
			setup.WaitsForZ:       "it is for another merchant, gateway or currency, and waits until the day is closed: payterm totals z",
		}[accepted.Waits])
	})
}

// parcel reads the parcel's text.
func (c provisionInstallCmd) parcel(stdin *bufio.Reader) (string, error) {
	if c.File == "-" {
		text, err := line(stdin, provision.MaxText+2)
		if err != nil {
			return "", fmt.Errorf("read the parcel: %w", err)
		}
		return text, nil
	}
	name := c.File
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		found, err := filepath.Glob(filepath.Join(name, "*.ppv"))
		if err != nil || len(found) != 1 {
			return "", fmt.Errorf("there are %d files *.ppv in %s, one is needed: name it", len(found), name)
		}
		name = found[0]
	}
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", fmt.Errorf("read the parcel: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, provision.MaxText+64))
	if err != nil {
		return "", fmt.Errorf("read the parcel: %w", err)
	}
	return string(text), nil
}

func (c provisionInstallCmd) code(stdin *bufio.Reader) (string, error) {
	if c.CodeFile != "" {
		text, err := durable.ReadOwn(c.CodeFile)
		if err != nil {
			return "", fmt.Errorf("code: %w", err)
		}
		return string(text), nil
	}
	fmt.Fprint(os.Stderr, "code of 12 digits: ")
	text, err := line(stdin, 64)
	if err != nil {
		return "", fmt.Errorf("read the code: %w", err)
	}
	return text, nil
}

// line reads one line of at most this many bytes.
func line(r *bufio.Reader, most int) (string, error) {
	var b strings.Builder
	for b.Len() <= most {
		c, err := r.ReadByte()
		if c == '\n' || errors.Is(err, io.EOF) && b.Len() > 0 {
			return b.String(), nil
		}
		if err != nil {
			return "", err
		}
		b.WriteByte(c)
	}
	return "", fmt.Errorf("the line has more than %d characters", most)
}
