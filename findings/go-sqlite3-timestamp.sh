#!/bin/sh
# Guess:   an integer that was stored comes back as that integer, whatever type the column was
#          declared with: SQLite has no date type.
# Seen:    mattn/go-sqlite3 turns every integer of a column declared TIMESTAMP or DATETIME into a
#          time.Time, and tells seconds from milliseconds by their size. Microseconds overflow: those
#          of 2025 come back as the year 1760. The column cannot be scanned into an int64 at all. A
#          column declared INTEGER is left alone.
# Matters: the declared type of a column, which a migration may change without touching a row,
#          decides what an old journal says.
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
	db, err := sql.Open("sqlite3", "file:a.db")
	if err != nil {
		panic(err)
	}
	if _, err := db.Exec("CREATE TABLE t (i INTEGER, ts TIMESTAMP)"); err != nil {
		panic(err)
	}
	for _, at := range []int64{1764285000, 1764285000123, 1764285000123456} {
		if _, err := db.Exec("DELETE FROM t; INSERT INTO t VALUES (?, ?)", at, at); err != nil {
			panic(err)
		}
		var i, ts any
		if err := db.QueryRow("SELECT i, ts FROM t").Scan(&i, &ts); err != nil {
			panic(err)
		}
		var n int64
		err := db.QueryRow("SELECT ts FROM t").Scan(&n)
		fmt.Printf("%d: INTEGER %v, TIMESTAMP %v; as int64 refused: %v\n", at, i, ts, err != nil)
	}
}
GO
gives go run . <<'SEEN'
1764285000: INTEGER 1764285000, TIMESTAMP 2025-11-27 23:10:00 +0000 UTC; as int64 refused: true
1764285000123: INTEGER 1764285000123, TIMESTAMP 2025-11-27 23:10:00.123 +0000 UTC; as int64 refused: true
1764285000123456: INTEGER 1764285000123456, TIMESTAMP 1760-10-10 23:24:07.339044864 +0000 UTC; as int64 refused: true
SEEN
