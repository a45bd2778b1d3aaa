package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"payterm/config"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/sys/unix"
)

// pinCost is the bcrypt cost of payterm's hashes: the configuration requires one cost for all
// operators, and a slow board compares within a second.
const pinCost = 10

type pinCmd struct {
	JSON bool `help:"Print one JSON document." name:"json"`
}

// Run reads a PIN twice and prints its hash.
func (c pinCmd) Run() error {
	pin, err := readPIN(os.Stdin, os.Stderr)
	if err != nil {
		return err
	}
	hash, err := hashPIN(pin)
	if err != nil {
		return err
	}
	return store{JSON: c.JSON}.print(map[string]string{"pin_hash": string(hash)}, func() { fmt.Println(string(hash)) })
}

// readPIN reads two lines that have to be equal; on a terminal it prompts without echo. No error
// contains the PIN.
func readPIN(in *os.File, ask io.Writer) (pin string, err error) {
	show, err := hideEcho(in)
	if err != nil {
		return "", err
	}
	hidden := show != nil
	if hidden {
		defer func() { err = errors.Join(err, show()) }()
	}
	lines := bufio.NewScanner(in)
	var typed [2]string
	for i, question := range []string{"PIN: ", "again: "} {
		if hidden {
			fmt.Fprint(ask, question)
		}
		more := lines.Scan()
		if hidden {
			fmt.Fprintln(ask)
		}
		if !more {
			return "", errors.Join(usage("the PIN is read twice, a line each"), lines.Err())
		}
		typed[i] = strings.TrimRight(lines.Text(), "\r")
	}
	switch {
	case typed[0] != typed[1]:
		return "", usage("the two are not alike")
	case !isPIN(typed[0]):
		return "", usage(notPIN)
	}
	return typed[0], nil
}

const notPIN = "a PIN is 4 to 12 digits: it is typed at the keypad"

func isPIN(typed string) bool {
	return len(typed) >= 4 && len(typed) <= 12 && strings.Trim(typed, "0123456789") == ""
}

// hashPIN makes the hash that a configuration has.
func hashPIN(pin string) (config.PINHash, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(pin), pinCost)
	if err != nil {
		return "", fmt.Errorf("hash the PIN: %w", err)
	}
	return config.PINHash(hash), nil
}

// readLine reads one PIN, likewise.
func readLine(in *os.File, ask io.Writer, question string) (pin string, err error) {
	show, err := hideEcho(in)
	if err != nil {
		return "", err
	}
	if show != nil {
		defer func() { err = errors.Join(err, show()) }()
		fmt.Fprint(ask, question)
	}
	lines := bufio.NewScanner(in)
	more := lines.Scan()
	if show != nil {
		fmt.Fprintln(ask)
	}
	pin = strings.TrimRight(lines.Text(), "\r")
	if !more || pin == "" {
		return "", errors.Join(usage("the PIN is read from standard input, one line"), lines.Err())
	}
	return pin, nil
}

// isTerminal reports whether somebody sees at once what is written there.
func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// hideEcho switches a terminal's echo off until show is called, also if Ctrl-C ends the program;
// show is nil if in is no terminal.
func hideEcho(in *os.File) (show func() error, err error) {
	fd := int(in.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENODEV) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	hidden := *before
	hidden.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &hidden); err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	restore := func() error { return unix.IoctlSetTermios(fd, unix.TCSETS, before) }
	end, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(end, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-end:
			restore() //nolint:errcheck // the program ends
			os.Exit(1)
		case <-done:
		}
	}()
	return func() error {
		signal.Stop(end)
		close(done)
		return restore()
	}, nil
}
