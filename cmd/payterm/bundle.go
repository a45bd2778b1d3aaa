package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"payterm/config"
	"payterm/internal/beneath"
	"payterm/internal/durable"
	"payterm/screen"
	"payterm/servicefile"
	"payterm/storage"
	"payterm/terminal/api"
)

type bundleCmd struct {
	store
	Config string `help:"The agent's configuration file." default:"/etc/payterm/payterm.toml" type:"path"`
	Out    string `help:"File to write, or - for standard output; without it, a file in this directory, named by the time." type:"path"`
	Log    string `help:"A log file to pack, instead of the systemd journal of payterm." type:"path"`

	// What root prepared for the data's owner, who does the rest.
	roots *rootsPart
}

// rootsPart is the part of a bundle that needs root.
type rootsPart struct {
	log   []byte
	noLog error
	out   *os.File // nil if the owner can create it
}

const (
	bundleLog  = 1 << 20          // bytes, the last ones
	bundleWait = 20 * time.Second // for the log
)

// asOwner reads the log and creates the file, which only root may be able to do.
func (c *bundleCmd) asOwner() error {
	if uid, _, err := ownerOf(c.Data); err != nil || uid == 0 || os.Geteuid() != 0 {
		return err
	}
	c.name()
	var r rootsPart
	r.log, r.noLog = c.log()
	if c.Out != "-" {
		// In another user's directory root creates nothing.
		uid, _, err := beneath.Owner(filepath.Dir(c.Out))
		if err == nil && uid == 0 {
			r.out, err = os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		}
		if err != nil {
			return fmt.Errorf("bundle: %w", err)
		}
	}
	c.roots = &r
	return c.store.asOwner()
}

// name names the file by the time, unless it was named.
func (c *bundleCmd) name() {
	if c.Out == "" {
		c.Out = "payterm-" + time.Now().UTC().Format("20060102T150405Z") + ".tar.gz"
	}
}

// Run packs what a service needs.
func (c *bundleCmd) Run() error {
	c.name()
	_, _, wrong := config.InForce(c.Config, c.Data, os.Environ())
	reports, err := servicefile.CrashReports(c.Data)
	wrong = errors.Join(wrong, err)
	parts := append([]servicefile.Part{
		{Name: "version.json", Read: func() ([]byte, error) {
			return servicefile.JSON(struct {
				Version string    `json:"version"`
				Built   time.Time `json:"built"`
				Go      string    `json:"go"`
				Arch    string    `json:"arch"`
			}{version, buildTime().UTC(), runtime.Version(), runtime.GOARCH})
		}},
		{Name: "config.toml", Read: func() ([]byte, error) {
			return servicefile.Configuration(c.Data, c.Config, wrong)
		}},
		{Name: "journal.json", Read: c.journal},
		{Name: "doctor.json", Read: func() ([]byte, error) {
			rep, err := c.agent().Doctor(context.Background(), api.DoctorRequest{})
			if err != nil {
				return nil, err
			}
			return servicefile.JSON(rep)
		}},
		{Name: "log.txt", Read: c.log},
	}, reports...)
	packed, missing, err := servicefile.Pack(parts, servicefile.NewRedactor(c.Data, c.Config), time.Now())
	if err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	if c.Out == "-" {
		_, err := os.Stdout.Write(packed)
		return err // the bundle says what is missing
	}
	if err := c.write(packed); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	c.tell(context.Background(), screen.ServiceWritten, "") //nolint:errcheck // it is written, whether it is shown or not
	err = c.print(struct {
		Bundle  string            `json:"bundle"`
		Bytes   int               `json:"bytes"`
		Missing map[string]string `json:"missing"` // why, by name
	}{c.Out, len(packed), missing}, func() {
		fmt.Println(c.Out)
		for _, name := range slices.Sorted(maps.Keys(missing)) {
			fmt.Printf("without %s: %s\n", name, missing[name])
		}
	})
	if err == nil && len(missing) > 0 {
		return exitIncomplete
	}
	return err
}

// exitIncomplete says that a bundle is written and lacks something.
const exitIncomplete exitStatus = 3

func (c *bundleCmd) write(packed []byte) error {
	if c.roots == nil || c.roots.out == nil {
		return durable.Create(c.Out, packed)
	}
	_, err := c.roots.out.Write(packed)
	return errors.Join(err, c.roots.out.Sync(), c.roots.out.Close())
}

// verifyTime is the time to verify the journal and to read its end.
const verifyTime = time.Minute

func (c *bundleCmd) journal() (text []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), verifyTime)
	defer cancel()
	err = c.read(func(r *storage.Reader) error { text, err = servicefile.Journal(ctx, r); return err })
	return text, err
}

// log is the named file, or systemd's log of the service.
func (c *bundleCmd) log() ([]byte, error) {
	if c.roots != nil {
		return c.roots.log, c.roots.noLog
	}
	if c.Log != "" {
		return ending(c.Log, bundleLog)
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), bundleWait,
		fmt.Errorf("journalctl was not done within %s", bundleWait))
	defer cancel()
	return serviceLog(ctx)
}

// serviceLog is systemd's log of the terminal's services, as far as it could be read.
func serviceLog(ctx context.Context) ([]byte, error) {
	args := []string{"--no-pager", "-o", "short-iso", "-n", "5000"}
	for _, unit := range logged {
		args = append(args, "-u", unit)
	}
	out, err := runTool(ctx, "journalctl", args...)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		err = errors.New("there is no journalctl: --log FILE")
	case err != nil && ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	return servicefile.LastLines([]byte(out), bundleLog), err
}

// logged are the units in the log: the agent and, on the image, the updater's.
var logged = []string{"payterm", "payterm-update", "payterm-confirm", "payterm-stick@*", "rauc"}

func ending(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.NewSectionReader(f, max(0, info.Size()-most-1), most+1))
	return servicefile.LastLines(text, int(most)), err
}
