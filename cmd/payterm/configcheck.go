package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"payterm/config"
	"payterm/terminal/devices"
	"payterm/terminal/doctor"
	"payterm/tomlfile"
)

type configCheckCmd struct {
	File   string `arg:"" help:"Configuration to check." type:"existingfile"`
	Strict bool   `help:"Also refuse what payterm run refuses: missing keys, the board profile, the sign key's file."`
	JSON   bool   `help:"Print one JSON document." name:"json"`
}

// asOwner reads a file in another user's directory with that user's rights, since mistakes in it are printed.
func (c configCheckCmd) asOwner() error { return store{Data: filepath.Dir(c.File)}.asOwner() }

// findings is the result of a check. Wrong prevents payterm emulate from starting, missing only payterm run.
type findings struct {
	wrong, missing, warnings []error
}

func (c configCheckCmd) check() (found findings) {
	cfg, err := config.Load(c.File, os.Environ())
	if err != nil {
		found.wrong = each(err)
		return found
	}
	for _, p := range cfg.Missing() {
		found.missing = append(found.missing, p)
	}
	if _, err := cfg.SignKey(); err != nil && c.Strict {
		found.missing = append(found.missing, each(err)...)
	}
	file, board, err := boardOf(cfg)
	if err != nil {
		if cfg.HasBoard() && c.Strict {
			found.missing = append(found.missing, each(err)...)
		}
		return found
	}
	switch err := devices.CheckLogo(board); {
	case errors.Is(err, fs.ErrNotExist):
		found.warnings = append(found.warnings, fmt.Errorf("%s: %w", file, err))
	case err != nil:
		found.wrong = append(found.wrong, fmt.Errorf("%s: %w", file, err))
	}
	for _, p := range cfg.Unshown(board.LettersOnly()) {
		found.wrong = append(found.wrong, p)
	}
	for _, p := range doctor.Signs(cfg, board) {
		found.warnings = append(found.warnings, p)
	}
	return found
}

// each returns the errors that were joined.
func each(err error) []error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		return joined.Unwrap()
	}
	return []error{err}
}

func (c configCheckCmd) Run() error {
	found := c.check()
	if c.Strict {
		found.wrong, found.missing = append(found.wrong, found.missing...), nil
	}
	ok := len(found.wrong) == 0
	document := struct {
		OK       bool               `json:"ok"`
		Problems []tomlfile.Problem `json:"problems"`
		Missing  []string           `json:"missing"`
		Warnings []string           `json:"warnings"`
	}{ok, places(found.wrong), texts(found.missing), texts(found.warnings)}
	err := store{JSON: c.JSON}.print(document, func() {
		for _, w := range found.warnings {
			fmt.Println("warning:", w)
		}
		switch name := filepath.Base(c.File); {
		case !ok:
		case len(found.missing) == 0:
			fmt.Println(name, "is right")
		default:
			fmt.Println(name, "is right as far as it goes; payterm emulate needs no more, payterm run does:")
			for _, m := range found.missing {
				fmt.Println(" ", m)
			}
		}
	})
	for _, w := range found.wrong {
		fmt.Fprintln(os.Stderr, "payterm:", w)
	}
	if err == nil && !ok {
		return exitStatus(1)
	}
	return err
}

// places converts errors to JSON, each with its place, if it has one, and in words.
func places(errs []error) []tomlfile.Problem {
	list := make([]tomlfile.Problem, 0, len(errs))
	for _, err := range errs {
		if problems := problemsIn(err); len(problems) > 0 {
			list = append(list, problems...)
			continue
		}
		list = append(list, tomlfile.Problem{Text: err.Error()})
	}
	return list
}

func texts(errs []error) []string {
	list := make([]string, 0, len(errs))
	for _, err := range errs {
		list = append(list, err.Error())
	}
	return list
}
