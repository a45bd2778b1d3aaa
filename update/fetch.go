package update

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"payterm/config"
	"payterm/screen"

	"golang.org/x/sys/unix"
)

const (
	maxBundle   = 1 << 30   // bytes
	spare       = 128 << 20 // bytes that have to stay free for the journal
	stalledTime = 2 * time.Minute
)

// These are mistakes of whoever asked for the update.
var (
	ErrNoAddress = errors.New("update: a FILE or an https address is missing: name one, or set [update] url in the configuration (a provisioning parcel brings it)")
	ErrNotHTTPS  = errors.New("an https:// address is needed")
)

// file is the bundle's file, fetched if the source is an address; empty if the timer has seen the
// current one already.
func (u Updater) file(ctx context.Context, c Install) (file string, fetched bool, err error) {
	source := c.Source
	if source == "" {
		asking, stop := context.WithTimeout(ctx, askTime)
		defer stop()
		source, err = u.Agent.Address(asking, c.Configuration)
		if err != nil {
			return "", false, fmt.Errorf("update: %w", err)
		}
		if source == "" {
			return "", false, ErrNoAddress
		}
	} else if !strings.Contains(source, "://") {
		file, err = filepath.Abs(source)
		if err == nil {
			err = u.bundleAt(file)
		}
		return file, false, err
	}
	from, err := url.Parse(source)
	if err != nil || !secure(from) {
		return "", false, fmt.Errorf("update: %s: %w", config.BareAddress(source), ErrNotHTTPS)
	}
	u.Say("fetching %s", config.BareAddress(source))
	file, err = u.fetch(ctx, http.DefaultTransport, from, c.Automatic)
	if err != nil {
		err = fmt.Errorf("update: fetch %s: %w", config.BareAddress(source), err)
		if wordFor(err) == screen.NotInstalled {
			err = refuse(screen.NotFetched, err)
		}
		return "", false, err
	}
	if file == "" {
		u.Say("no update: nothing new lies there")
	}
	return file, true, nil
}

// bundleAt refuses a file that another user can have placed, since root reads it.
func (u Updater) bundleAt(file string) error {
	if err := u.RootsOwn(file); err != nil {
		return fmt.Errorf("update: %w: copy it to a folder of root's", err)
	}
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("update: %s is no regular file", file)
	}
	return nil // RAUC reports a missing file
}

// secure is an https address: the signature protects the bundle, TLS hides what the shop runs.
func secure(u *url.URL) bool {
	return u.Scheme == "https" || u.Scheme == "http" && config.IsLoopback(u.Hostname())
}

// fetch gets a bundle into the updater's directory.
func (u Updater) fetch(ctx context.Context, over http.RoundTripper, from *url.URL, onlyNew bool) (string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := time.AfterFunc(u.stalled, func() { cancel(fmt.Errorf("nothing came for %s", u.stalled)) })
	defer stalled.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from.String(), nil)
	if err != nil {
		return "", err
	}
	var last tag
	if onlyNew && u.kept("settled.json", &last) == nil && last.URL == from.String() {
		req.Header.Set("If-None-Match", last.Tag)
	}
	client := http.Client{Transport: over, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if !secure(next.URL) || len(via) >= 5 {
			return fmt.Errorf("it leads to %s", config.BareAddress(next.URL.String()))
		}
		return nil
	}}
	resp, err := client.Do(req)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // without the address, which may contain a token
		}
		return "", u.clocked(because(ctx, err))
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified && last.Tag != "":
		return "", nil
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("the server answers %s", resp.Status)
	case resp.ContentLength <= 0 || resp.ContentLength > maxBundle:
		return "", fmt.Errorf("a length of %d bytes: a server that says a bundle's length is needed",
			resp.ContentLength)
	}
	path := u.fetched()
	os.Remove(path) //nolint:errcheck // of an interrupted fetch: it takes space
	if err := u.room(resp.ContentLength); err != nil {
		return "", err
	}
	if err := writeBundle(path, heard{resp.Body, func() { stalled.Reset(u.stalled) }}); err != nil {
		os.Remove(path) //nolint:errcheck // the next fetch rewrites it
		return "", because(ctx, err)
	}
	return path, u.keep("fetched.json", tag{from.String(), resp.Header.Get("ETag")})
}

// clocked adds to an error about a certificate's validity that the clock may be wrong, unless a time server
// sets the clock.
func (u Updater) clocked(err error) error {
	var invalid x509.CertificateInvalidError
	if !errors.As(err, &invalid) || invalid.Reason != x509.Expired {
		return err
	}
	if synced, unknown := u.Synced(); synced || unknown != nil {
		return err
	}
	return refuse(screen.ClockNotSet, fmt.Errorf("no time server has set the clock: %w", err))
}

func (u Updater) fetched() string { return filepath.Join(u.Dir, "fetched.raucb") }

// because prefers the reason of a context's end to its consequences.
func because(ctx context.Context, err error) error {
	if why := context.Cause(ctx); why != nil {
		return why
	}
	return err
}

// tag is the server's ETag of a bundle. It is settled when the bundle is known not to be for this
// terminal, so that the timer does not fetch it each night over a mobile network.
type tag struct{ URL, Tag string }

// settled records that the fetched bundle needs no other look. If that fails it is fetched again,
// which is harmless.
func (u Updater) settled() {
	if err := os.Rename(filepath.Join(u.Dir, "fetched.json"), filepath.Join(u.Dir, "settled.json")); err != nil &&
		!errors.Is(err, fs.ErrNotExist) {
		u.Say("the next look fetches the same again: %v", err)
	}
}

// room checks that a bundle leaves enough space for the journal on the same partition.
func (u Updater) room(length int64) error {
	if err := os.MkdirAll(u.Dir, 0o700); err != nil {
		return err
	}
	free, err := u.space(u.Dir)
	if err == nil && free-length < spare {
		err = refuse(screen.NoRoom, fmt.Errorf("%d MB are free, %d MB are needed", free>>20, (length+spare)>>20))
	}
	return err
}

// spaceIn is a partition's free space in bytes.
func spaceIn(dir string) (int64, error) {
	var fs unix.Statfs_t
	err := unix.Statfs(dir, &fs)
	return int64(fs.Bavail) * int64(fs.Bsize), err //nolint:unconvert // far below 2^63; int32 on 32-bit ARM
}

func writeBundle(path string, from io.Reader) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = io.Copy(f, from) // an incomplete body is an error
	return err
}

// heard reports each read.
type heard struct {
	from io.Reader
	came func()
}

func (t heard) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	if n > 0 {
		t.came()
	}
	return n, err
}
