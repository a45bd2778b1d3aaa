// Package storage keeps what must survive: the journal of events, the orders, the open
// requests at the gateway, and the tags of order ids. All of it is in one SQLite file and
// one package, because an event and the rows that it changes share a transaction.
//
// Commit returns once the transaction is on the disk: the file is in WAL mode with
// synchronous=FULL, and Open fails if SQLite reports anything else (docs/decisions/0002).
// One connection writes; readers have a pool of their own that cannot write.
//
// Each final order goes into one day total (TakeZ). What is old, final and in a Z can be
// dropped (Prune); an anchor in the journal carries the hash chain over the gap. Verify
// checks the file, the chain and every order against it; Backup copies it while the agent
// runs.
//
// The package knows neither flows nor gateways: what an event means and what a row says is
// the caller's. It enforces what a database constraint can: an order keeps its amount and
// wallet, what was paid stays paid, a payment code is used once, and the journal only
// grows.
package storage

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"payterm"

	sqlite "github.com/mattn/go-sqlite3"
)

// Options describe the file and the terminal.
type Options struct {
	Path     string
	Terminal string                 // 2 to 6 of A-Z and 0-9, unique within the merchant
	DrawTag  func() (string, error) // five random base-36 characters
	Now      func() time.Time       // zero while the clock is not set
	Days     payterm.Days           // the shop's business days, for totals

	MaxBytes int64 // beyond this orders are dropped early; 0 for maxBytes

	// MerchantID and Currency are the terminal's. Open refuses while orders of another merchant
	// or currency are open or in no Z (OtherMerchantError). An empty MerchantID skips the check.
	MerchantID string
	Currency   payterm.Currency
	// Slips: a Z has a slip, and is in UnprintedZs until ZPrinted.
	Slips bool
}

// oldestSQLite is the first release without SQLite's WAL reset bug.
const oldestSQLite = 3_051_003

// Store is the journal, open for writing. Its methods are safe for concurrent use; commits are
// serialised.
type Store struct {
	*Reader
	o    Options
	db   *sql.DB
	path string

	mu       sync.Mutex // for the fields below and for each transaction that adds to the chain
	tag      string
	counter  int64
	chain    chain
	prepared map[string]*sql.Stmt // the statements of a commit, by text
	damage   error                // found in this run; only a repair removes it
}

// chain is the end of the journal.
type chain struct {
	seq   int64
	hash  [sha256.Size]byte
	lived int64 // lived time in nanoseconds that is known to have passed
}

// Open opens or creates the journal and commits this start's tag. A file of an unsupported form
// is left unchanged.
func Open(o Options) (s *Store, err error) {
	err = withReserve(o.Path, func() error { s, err = open(o); return err })
	return s, err
}

func open(o Options) (*Store, error) {
	if err := makeFile(o.Path); err != nil {
		return nil, fmt.Errorf("storage: make %s: %w", o.Path, classify(err))
	}
	err := checkLog(o.Path + "-wal")
	version := 0
	if err == nil {
		version, err = fileVersion(o.Path)
	}
	if err == nil {
		err = notNewer(version)
	}
	if err == nil && version == 0 {
		err = format(o.Path)
	}
	if err != nil {
		return nil, fmt.Errorf("storage: %s: %w", o.Path, classify(err))
	}
	db, err := sql.Open("sqlite3", dsn(o.Path, url.Values{
		"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_txlock": {"immediate"},
		"_busy_timeout": {"5000"}, "_foreign_keys": {"on"},
	}))
	if err != nil {
		return nil, fmt.Errorf("storage: open %s: %w", o.Path, err)
	}
	db.SetMaxOpenConns(1)
	s := &Store{o: o, db: db, path: o.Path}
	if err := s.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("storage: %s: %w", o.Path, classify(err)), db.Close())
	}
	return s, nil
}

// makeFile creates the file and its directory if they are missing. SQLite syncs the directory of
// its files; the entry of that directory in its parent is synced here.
func makeFile(path string) error {
	dir := filepath.Dir(path)
	_, err := os.Stat(dir)
	made := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	// SQLite gives its -wal and -shm files the mode of the main file.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if made {
		return syncFile(filepath.Dir(dir))
	}
	return nil
}

// pageSize of a new file, in bytes. A commit changes five to eight pages and writes each of them
// whole to the log; this size writes a third of the bytes of SQLite's 4096, at the same speed
// (docs/decisions/0002).
const pageSize = 1024

// logLimit is the size in bytes to which the log is truncated after a long reader or a large
// transaction made it grow.
const logLimit = 4 << 20

// format sets a new file's page size, which is fixed once it is in WAL mode.
func format(path string) error {
	db, err := sql.Open("sqlite3", dsn(path, url.Values{"_synchronous": {"FULL"}}))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1) // the page size has to be set on the connection that writes first
	if _, err = db.Exec(fmt.Sprintf(`PRAGMA page_size = %d; PRAGMA journal_mode = WAL`, pageSize)); err != nil {
		err = fmt.Errorf("format it: %w", err)
	}
	return errors.Join(err, db.Close())
}

// syncFile syncs a file, or the entries of a directory.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) {
		err = nil // this file system cannot sync directories
	}
	return errors.Join(err, f.Close())
}

func dsn(path string, q url.Values) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

func (s *Store) start() error {
	if _, n, _ := sqlite.Version(); n < oldestSQLite {
		return fmt.Errorf("SQLite %d is older than %d, which mends the loss of commits in WAL mode", n, oldestSQLite)
	}
	if err := checkDurability(s.db); err != nil {
		return err
	}
	if _, err := s.db.Exec(fmt.Sprintf(`PRAGMA journal_size_limit = %d`, logLimit)); err != nil {
		return fmt.Errorf("bound the log: %w", err)
	}
	if err := migrate(s.db); err != nil {
		return err
	}
	if err := s.claim(); err != nil {
		return err
	}
	var hash []byte
	err := s.db.QueryRow(`SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1`).Scan(&s.chain.seq, &hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read the end of the journal: %w", damaged(err))
	}
	copy(s.chain.hash[:], hash)
	if s.chain.lived, err = livedBefore(s.db); err != nil {
		return err
	}
	if err := s.drawTag(); err != nil {
		return err
	}
	if err := s.prepare(); err != nil {
		return err
	}
	if err := s.noteMerchant(); err != nil {
		return err
	}
	if s.Reader, err = OpenReader(s.path); err == nil {
		s.days = s.o.Days
	}
	return err
}

// checkDurability reads the settings back, because SQLite ignores unknown pragmas without an
// error.
func checkDurability(db *sql.DB) error {
	var mode string
	var synchronous int
	if err := db.QueryRow(`PRAGMA journal_mode`).Scan(&mode); err != nil {
		return fmt.Errorf("read journal_mode: %w", err)
	}
	if err := db.QueryRow(`PRAGMA synchronous`).Scan(&synchronous); err != nil {
		return fmt.Errorf("read synchronous: %w", err)
	}
	return durable(mode, synchronous)
}

func durable(mode string, synchronous int) error {
	if mode != "wal" || synchronous != 2 {
		return fmt.Errorf("%w: journal_mode=%s synchronous=%d, needed are wal and 2", ErrPragma, mode, synchronous)
	}
	return nil
}

// Checkpoint moves the write-ahead log into the file, as far as readers allow; it waits for them
// for up to five seconds. Call it when the terminal is idle.
func (s *Store) Checkpoint() error {
	if _, err := s.db.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		return fmt.Errorf("storage: checkpoint: %w", classify(err))
	}
	return nil
}

// Writable tests whether a transaction reaches the disk, with room for the next ones.
func (s *Store) Writable() error {
	if err := s.Reserve(); err != nil {
		return err
	}
	if _, err := s.db.Exec(`UPDATE probe SET n = n + 1`); err != nil {
		return fmt.Errorf("storage: %w", classify(err))
	}
	return nil
}

// Close ends the store. What Commit has acknowledged is already safe.
func (s *Store) Close() error {
	return errors.Join(s.Reader.Close(), s.Checkpoint(), s.db.Close())
}
