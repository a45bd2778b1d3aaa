package main

import (
	"fmt"

	"payterm/cmd/payterm/internal/agent"
)

type doctorCmd struct {
	store
	Print bool `help:"Print the report on the terminal's own paper as well."`
}

func (c doctorCmd) Run() error {
	path := "/doctor"
	if c.Print {
		path += "?print=1"
	}
	var rep agent.Report
	if err := c.ask("POST", path, nil, &rep); err != nil {
		return err
	}
	err := c.print(rep, func() {
		for _, check := range rep.Checks {
			took := ""
			if check.TookMS > 0 {
				took = fmt.Sprintf("%d ms", check.TookMS)
			}
			fmt.Printf("%-5s %-20s %7s  %s\n", check.Result, check.Name, took, check.Says)
		}
	})
	if err == nil && !rep.OK {
		return exitStatus(1)
	}
	return err
}
