#!/bin/sh
# Guess:   a parameter of the DSN that the driver does not know is an error; and a database that
#          is opened without any has SQLite's own default, synchronous=FULL.
# Seen:    mattn/go-sqlite3 ignores what it does not know, so `_pragma=`, which is how another
#          driver spells it, and a misspelt name change nothing (a wrong *value* is refused). And
#          it opens every database with synchronous=NORMAL, in the rollback modes too.
# Matters: a journal that was meant to survive a power cut, and of which nobody has read the
#          pragmas back, does not.
. "$(dirname "$0")/common"
needs cc
modules github.com/mattn/go-sqlite3@v1.14.53
cat >main.go <<'GO'
package main

import (
	"database/sql"
	"fmt"

	_ "github.com/mattn/go-sqlite3"
)

func main() {
	for i, parameters := range []string{
		"",
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)",
		"?_jurnal_mode=WAL&_synchronus=FULL",
		"?_journal_mode=WALL",
		"?_journal_mode=WAL&_synchronous=FULL",
	} {
		db, err := sql.Open("sqlite3", fmt.Sprintf("file:%d.db%s", i, parameters))
		if err != nil {
			panic(err)
		}
		var journal string
		var synchronous int
		err = db.QueryRow("PRAGMA journal_mode").Scan(&journal)
		if err == nil {
			err = db.QueryRow("PRAGMA synchronous").Scan(&synchronous)
		}
		fmt.Printf("%q: journal_mode %q, synchronous %d, refused: %v\n", parameters, journal, synchronous, err != nil)
		db.Close()
	}
}
GO
gives go run . <<'SEEN'
"": journal_mode "delete", synchronous 1, refused: false
"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)": journal_mode "delete", synchronous 1, refused: false
"?_jurnal_mode=WAL&_synchronus=FULL": journal_mode "delete", synchronous 1, refused: false
"?_journal_mode=WALL": journal_mode "", synchronous 0, refused: true
"?_journal_mode=WAL&_synchronous=FULL": journal_mode "wal", synchronous 2, refused: false
SEEN
