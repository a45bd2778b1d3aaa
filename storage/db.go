// Package storage keeps what must survive: the journal of events, the orders,
// what the network still owes, and the tags from which order ids are made. It is
// one SQLite file, and one package on purpose: an event and the rows that it
// leaves behind share a transaction.
//
// Commit returns once the transaction is on the disk: the file runs in WAL mode
// with synchronous=FULL, and Open refuses to work if SQLite says otherwise
// (docs/decisions/0002). One connection writes; readers have a pool of their
// own that cannot.
//
// Each final order gets into one day total (TakeZ); what is old, final and
// totalled can be dropped (Prune), and an anchor in the journal carries the hash
// chain over the gap. Verify checks the file, the chain and every order against
// it; Backup copies it while the agent runs.
//
// The package knows neither flows nor gateways. What an event means, and what an
// order row says, is decided by who hands it in; storage guards what is simple
// enough for a constraint: an order keeps its amount and wallet, what was paid
// stays paid, a payment code serves once, the journal only grows.
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

// Options say which file and which terminal.
type Options struct {
	Path     string
	Terminal string                 // 2 to 6 of A-Z and 0-9, unique for the merchant
	DrawTag  func() (string, error) // five random base-36 characters
	Now      func() time.Time       // zero while the clock is not set
	Days     payterm.Days           // the shop's business days, for totals

	MaxBytes int64 // before orders are dropped early; 0 for maxBytes

	// MerchantID and Currency are whose the terminal is now. Open refuses while orders of
	// another merchant, or in another currency, are open or in no Z (OtherMerchantError).
	// Without a merchant nobody is asked.
	MerchantID string
	Currency   payterm.Currency
	// Slips: a Z has one, and stands among UnprintedZs until ZPrinted.
	Slips bool
}

// oldestSQLite is the first release without the WAL reset bug.
const oldestSQLite = 3_051_003

// Store is the journal, open for writing. Its methods may be called from any
// goroutine; commits are made one after the other.
type Store struct {
	*Reader
	o    Options
	db   *sql.DB
	path string

	mu       sync.Mutex // over what follows, and over each transaction that adds to the chain
	tag      string
	counter  int64
	chain    chain
	prepared map[string]*sql.Stmt // by its text: what a commit says
	damage   error                // found in this life: nothing but a repair mends it
}

// chain is the end of the journal.
type chain struct {
	seq   int64
	hash  [sha256.Size]byte
	lived int64 // what is known to have been lived through by then, in nanoseconds
}

// Open opens or makes the journal and commits this start's tag. A file that it
// refuses for its form is left as it was.
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

// makeFile makes the file and its directory where they are missing. SQLite syncs
// the names of its files; the name of their directory is ours to sync.
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

// pageSize of a new file, in bytes. A commit touches five to eight pages and
// writes each to the log whole; small ones write a third of what SQLite's 4096
// would, at the same speed (docs/decisions/0002).
const pageSize = 1024

// logLimit is to what size, in bytes, the log is cut back once a long reader or a
// large transaction has made it grow.
const logLimit = 4 << 20

// format gives a new file its page size, which it keeps once it is in WAL mode.
func format(path string) error {
	db, err := sql.Open("sqlite3", dsn(path, url.Values{"_synchronous": {"FULL"}}))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1) // a page size is asked for on the connection that writes first
	if _, err = db.Exec(fmt.Sprintf(`PRAGMA page_size = %d; PRAGMA journal_mode = WAL`, pageSize)); err != nil {
		err = fmt.Errorf("format it: %w", err)
	}
	return errors.Join(err, db.Close())
}

// syncFile syncs a file, or the names in a directory.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) {
		err = nil // a file system whose directories cannot be synced
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

// checkDurability reads back what was asked for: a pragma that SQLite does not
// know is silently ignored.
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

// Checkpoint moves the write-ahead log into the file, as far as readers let it,
// for whom it waits up to five seconds; for idle moments.
func (s *Store) Checkpoint() error {
	if _, err := s.db.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		return fmt.Errorf("storage: checkpoint: %w", classify(err))
	}
	return nil
}

// Writable tries whether a transaction reaches the disk, with room for those that
// follow it.
func (s *Store) Writable() error {
	if err := s.Reserve(); err != nil {
		return err
	}
	if _, err := s.db.Exec(`UPDATE probe SET n = n + 1`); err != nil {
		return fmt.Errorf("storage: %w", classify(err))
	}
	return nil
}

// Close ends the store. Whatever Commit acknowledged is already safe.
func (s *Store) Close() error {
	return errors.Join(s.Reader.Close(), s.Checkpoint(), s.db.Close())
}
