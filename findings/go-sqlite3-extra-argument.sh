#!/bin/sh
# Guess:   a statement that is given more arguments than it has placeholders is refused, as
#          database/sql does it for a prepared statement.
# Seen:    Exec and Query straight on the database take it: mattn/go-sqlite3 uses what it needs and
#          drops the rest in silence. Prepared, the same statement is refused.
# Matters: a placeholder that was lost in an edit of a statement shows in no error.
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
	if _, err := db.Exec("CREATE TABLE refunds (sale TEXT, amount INTEGER DEFAULT 0)"); err != nil {
		panic(err)
	}
	const insert = "INSERT INTO refunds (sale) VALUES (?)" // the amount was forgotten
	_, err = db.Exec(insert, "A1", 500)
	fmt.Println("at once, refused:", err != nil)
	statement, err := db.Prepare(insert)
	if err != nil {
		panic(err)
	}
	_, err = statement.Exec("A2", 500)
	fmt.Println("prepared, refused:", err != nil)
	var sale string
	var amount, rows int
	if err := db.QueryRow("SELECT sale, amount, (SELECT count(*) FROM refunds) FROM refunds").Scan(&sale, &amount, &rows); err != nil {
		panic(err)
	}
	fmt.Println("in the table:", sale, amount, "rows:", rows)
}
GO
gives go run . <<'SEEN'
at once, refused: false
prepared, refused: true
in the table: A1 0 rows: 1
SEEN
