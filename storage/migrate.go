package storage

import (
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	sqlite "github.com/mattn/go-sqlite3"
)

//go:embed migration/*.sql
var migrations embed.FS

// forms is the number of migrations of this version, which is the form of the files that it
// writes.
var forms = func() int {
	names, err := fs.Glob(migrations, "migration/*.sql")
	if err != nil {
		panic(err) // the pattern is wrong
	}
	return len(names)
}()

// Form is the form of the files that this version writes, and the newest that it reads.
func Form() int { return forms }

func notNewer(version int) error {
	if version > forms {
		return fmt.Errorf("%w (its form is %d, this version knows %d)", ErrNewer, version, forms)
	}
	return nil
}

// fileVersion reads the form of a file without writing to it; 0 for a new file.
func fileVersion(path string) (int, error) {
	db, err := openReadOnly(path, false)
	if err != nil {
		return 0, err
	}
	var version int
	err = db.QueryRow(`PRAGMA user_version`).Scan(&version)
	var e sqlite.Error
	if errors.As(err, &e) && e.Code == sqlite.ErrReadonly {
		err = nil // a power cut while the file was created; only a writer can repair that, and migrate checks again
	}
	if err != nil {
		err = fmt.Errorf("read its version: %w", err)
	}
	return version, errors.Join(err, db.Close())
}

// migrate brings the file to the newest form, one numbered migration at a time, each in a
// transaction with its number. Migrations are append-only.
func migrate(db *sql.DB) error {
	names, err := fs.Glob(migrations, "migration/*.sql")
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	var version int
	if err := db.QueryRow(`PRAGMA user_version`).Scan(&version); err != nil {
		return fmt.Errorf("read its version: %w", err)
	}
	if err := notNewer(version); err != nil {
		return err
	}
	for i, name := range names {
		number, err := migrationNumber(name)
		if err != nil || number != i+1 {
			return fmt.Errorf("migration %s: number %d is expected", name, i+1)
		}
		if number <= version {
			continue
		}
		if err := migrateOne(db, name, number); err != nil {
			return fmt.Errorf("migration %s: %w", name, err)
		}
	}
	return nil
}

func migrateOne(db *sql.DB, name string, number int) error {
	text, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	if _, err := tx.Exec(string(text)); err != nil {
		return err
	}
	if _, err := tx.Exec(fmt.Sprintf(`PRAGMA user_version = %d`, number)); err != nil {
		return err
	}
	return tx.Commit()
}

func migrationNumber(name string) (int, error) {
	digits, _, _ := strings.Cut(strings.TrimPrefix(name, "migration/"), "_")
	return strconv.Atoi(digits)
}
