package main

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"payterm/config"
	"payterm/internal/durable"
	"payterm/provision"
	"payterm/storage"

	"golang.org/x/sys/unix"
)

// reportsCmd writes what the office needs of a terminal into a folder, such as that of a stick:
// the business day and the one before, every Z, and a copy of the journal.
type reportsCmd struct {
	store
	Config string `help:"The agent's --config." default:"/etc/payterm/payterm.toml" type:"path"`
	Folder string `arg:"" help:"Where a new folder with the reports is made, such as reports on a stick." type:"path"`
}

// Exit statuses of reports, besides the usual.
const (
	exitFull      exitStatus = 4 // the folder has no room
	exitProtected exitStatus = 5 // the folder cannot be written
)

// copiedName is the copy of the journal, so that --data of its folder reads it.
const copiedName = "payterm.db"

// roomLeft is what stays free in the data directory beside an unencrypted copy of the journal.
const roomLeft = 64 << 20

// Run writes a folder that appears under its name only when it is whole and on the disk.
func (c reportsCmd) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	cfg, parcel, err := config.InForce(c.Config, c.Data, os.Environ())
	if err == nil && parcel == 0 {
		_, err = os.Stat(c.Config) // without it nobody knows whether the merchant has a key
	}
	if err != nil {
		return fmt.Errorf("reports: %w", err)
	}
	now := time.Now()
	name := cfg.Terminal.ID + "-" + now.UTC().Format("20060102T150405Z")
	out := reports{cmd: c, cfg: cfg, at: filepath.Join(c.Folder, name+part), ctx: ctx}
	if err = c.sweep(cfg.Terminal.ID); err == nil {
		err = os.Mkdir(out.at, 0o700)
	}
	if err == nil {
		if err = out.write(now); err == nil {
			err = os.Rename(out.at, filepath.Join(c.Folder, name))
		}
		if err == nil {
			err = durable.SyncDir(c.Folder)
		} else {
			err = errors.Join(err, os.RemoveAll(out.at))
		}
	}
	if status := refusedBy(err); status != 0 {
		return exitStatus(fail(fmt.Errorf("reports: %w", err), int(status), c.JSON))
	}
	if err != nil {
		return fmt.Errorf("reports: %w", err)
	}
	done := struct {
		Folder    string   `json:"folder"`
		Files     []string `json:"files"`
		Encrypted bool     `json:"encrypted"`
	}{filepath.Join(c.Folder, name), out.names, cfg.Merchant.ReportsKey != ""}
	return c.print(done, func() { fmt.Println(done.Folder) })
}

// part ends the name of a folder that is not whole.
const part = ".part"

// sweep removes what is left of this terminal's folders that never became whole: a stick that is pulled out
// each time would fill up with them.
func (c reportsCmd) sweep(terminal string) error {
	left, err := filepath.Glob(filepath.Join(c.Folder, terminal+"-????????T??????Z"+part))
	for _, folder := range left {
		err = errors.Join(err, os.RemoveAll(folder))
	}
	return err
}

// refusedBy is the exit status of a folder that takes nothing; 0 for another error, or none.
func refusedBy(err error) exitStatus {
	switch {
	case errors.Is(err, errNoCopy):
		return 0
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, storage.ErrFull), errors.Is(err, syscall.EFBIG):
		return exitFull
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission), errors.Is(err, storage.ErrFolder):
		return exitProtected
	}
	return 0
}

// reports is a folder that is being written.
type reports struct {
	cmd   reportsCmd
	cfg   config.Config
	ctx   context.Context //nolint:containedctx // of the command
	at    string
	names []string
	sums  strings.Builder
}

func (r *reports) write(now time.Time) error {
	err := r.cmd.read(func(j *storage.Reader) error {
		j = j.In(r.cfg.Days())
		today := r.cfg.Days().Name(now)
		from, _ := r.cfg.Days().Of(now)
		for _, day := range []string{r.cfg.Days().Name(from.Add(-time.Minute)), today} {
			t, err := j.DayTotals(day)
			if err == nil {
				err = r.file("day-"+day+".csv", func(w io.Writer) error {
					return writeCSV(w, append([][]string{totalsHead}, totalsRows(t)...))
				})
			}
			if err != nil {
				return err
			}
		}
		rows := [][]string{totalsHead}
		for number := int64(1); ; number++ {
			t, err := j.Totals(number)
			if errors.Is(err, storage.ErrNoZ) {
				break
			}
			if err != nil {
				return err
			}
			rows = append(rows, totalsRows(t)...)
		}
		if err := r.file("z.csv", func(w io.Writer) error { return writeCSV(w, rows) }); err != nil {
			return err
		}
		return r.journal(j)
	})
	if err != nil {
		return err
	}
	if err := durable.Create(filepath.Join(r.at, "SHA256SUMS"), []byte(r.sums.String())); err != nil {
		return err
	}
	return durable.SyncDir(r.at)
}

func writeCSV(w io.Writer, rows [][]string) error { return csv.NewWriter(w).WriteAll(rows) }

var errNoCopy = errors.New("this terminal has no room for a copy of its journal, which is made before it is encrypted")

// journal writes a checked copy of the journal. One that is to be encrypted is made beside the
// journal: a stick can be lost with what was on it for a moment.
func (r *reports) journal(j *storage.Reader) error {
	plain := filepath.Join(r.at, copiedName)
	if r.cfg.Merchant.ReportsKey != "" {
		plain = filepath.Join(r.cmd.Data, ".reports.db")
		for _, left := range []string{plain, plain + ".part"} { // of one that the power took
			if err := os.Remove(left); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		info, err := os.Stat(filepath.Join(r.cmd.Data, "payterm.db"))
		if err != nil {
			return err
		}
		var room unix.Statfs_t
		if err := unix.Statfs(r.cmd.Data, &room); err != nil {
			return err
		}
		if room.Bavail*uint64(room.Bsize) < uint64(info.Size())+roomLeft {
			return errNoCopy
		}
		defer os.Remove(plain) //nolint:errcheck // the next one removes it
	}
	if err := j.Backup(r.ctx, plain); err != nil {
		return err
	}
	if err := readFile(plain, func(copied *storage.Reader) error {
		_, err := copied.Verify(r.ctx)
		return err
	}); err != nil {
		return fmt.Errorf("the copy of the journal: %w", err)
	}
	from, err := os.Open(plain)
	if err != nil {
		return err
	}
	defer from.Close()
	if r.cfg.Merchant.ReportsKey != "" {
		return r.file(copiedName, func(w io.Writer) error { _, err := io.Copy(w, from); return err })
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, from); err != nil {
		return err
	}
	r.note(copiedName, sum.Sum(nil))
	return nil
}

// note adds a file to the list of those that are written.
func (r *reports) note(name string, sum []byte) {
	r.names = append(r.names, name)
	fmt.Fprintf(&r.sums, "%s  %s\n", hex.EncodeToString(sum), name)
}

// file writes a file of the folder, encrypted where the merchant has a key.
func (r *reports) file(name string, write func(io.Writer) error) error {
	key := r.cfg.Merchant.ReportsKey
	if key != "" {
		name += ".age"
	}
	f, err := os.OpenFile(filepath.Join(r.at, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	to := io.MultiWriter(f, sum)
	if key == "" {
		err = write(to)
	} else {
		var sealed io.WriteCloser
		if sealed, err = provision.SealFor(key, to); err == nil {
			if err = write(sealed); err == nil {
				err = sealed.Close()
			}
		}
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		r.note(name, sum.Sum(nil))
	}
	return err
}
