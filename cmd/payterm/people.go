package main

import (
	"fmt"
	"strings"
	"time"

	"payterm"
	"payterm/storage"
)

// personList is the JSON document of what people did.
type personList struct {
	People []payterm.PersonDid `json:"people"`
}

// people lists what people did.
func (c listCmd) people() error {
	return c.read(func(r *storage.Reader) error {
		list, err := r.People()
		if err != nil {
			return err
		}
		return c.print(personList{list}, func() {
			if len(list) == 0 {
				fmt.Println("nobody has signed on yet, and no PIN was asked for")
			}
			for _, p := range list {
				line := fmt.Sprintf("%6d  %s  %-20s %-14s %s %s%s%s", p.Seq, p.Wall.Format("2006-01-02 15:04:05Z"),
					p.Operator, p.Deed, p.For, p.Order, p.Whom, p.Key) // one of the last three at most
				line = strings.TrimRight(line, " ")
				if p.Wait > 0 {
					line += fmt.Sprintf("  waits %s after %d wrong PINs", time.Duration(p.Wait)*time.Second, p.Failures)
				}
				fmt.Println(line)
			}
		})
	})
}
