package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"payterm/storage"
)

type verifyCmd struct {
	store
	File string `arg:"" optional:"" help:"An exported file, instead of the terminal's journal." type:"path"`
}

func (c verifyCmd) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	use := func(r *storage.Reader) error {
		v, err := r.Verify(ctx)
		if err != nil {
			return err
		}
		return c.print(v, func() { fmt.Println(whole(v)) })
	}
	if c.File != "" {
		return readFile(c.File, use)
	}
	return c.read(use)
}

type exportCmd struct {
	store
	File string `arg:"" help:"The new file; an existing file is never overwritten." type:"path"`
}

// Run copies the journal and checks the copy.
func (c exportCmd) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := c.read(func(r *storage.Reader) error { return r.Backup(ctx, c.File) }); err != nil {
		return err
	}
	return readFile(c.File, func(r *storage.Reader) error {
		v, err := r.Verify(ctx)
		if err != nil {
			return fmt.Errorf("the copy is written, and does not verify: %w", err)
		}
		type exported struct {
			File string `json:"file"`
			storage.Verified
		}
		return c.print(exported{c.File, v}, func() { fmt.Printf("%s: %s\n", c.File, whole(v)) })
	})
}

func whole(v storage.Verified) string {
	if v.Pruned > 0 {
		return fmt.Sprintf("%d records and %d dropped by retention, chain whole, head %s", v.Records, v.Pruned, v.Head)
	}
	return fmt.Sprintf("%d records, chain whole, head %s", v.Records, v.Head)
}

func readFile(path string, use func(*storage.Reader) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", path) // SQLite would wait for a FIFO for ever
	}
	r, err := storage.OpenReader(path)
	if err != nil {
		return err
	}
	err = use(r)
	if closed := r.Close(); closed != nil {
		return closed // what was read may be wrong
	}
	return err
}
