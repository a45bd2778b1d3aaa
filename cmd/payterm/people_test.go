package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm"

	"github.com/creack/pty"
	"golang.org/x/crypto/bcrypt"
)

// ran runs a command to its end and returns its output.
func ran(t *testing.T, input string, args ...string) (out, complaint string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "payterm"), args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

// hashOf makes a hash as a merchant does.
func hashOf(t *testing.T, pin string) string {
	t.Helper()
	out, complaint, err := ran(t, pin+"\n"+pin+"\n", "pin")
	if err != nil {
		t.Fatalf("payterm pin: %v: %s", err, complaint)
	}
	return strings.TrimSpace(out)
}

func TestPIN(t *testing.T) {
	t.Parallel()
	hash := hashOf(t, "4711")
	if bcrypt.CompareHashAndPassword([]byte(hash), []byte("4711")) != nil || bcrypt.CompareHashAndPassword([]byte(hash),
		[]byte("4712")) == nil {
		t.Errorf("%s is not the hash of what was typed", hash)
	}
	if out, _, err := ran(t, "00471100\r\n00471100", "pin", "--json"); err != nil ||
		!strings.HasPrefix(out, `{"pin_hash":"$2a$10$`) {
		t.Errorf("%v %s", err, out)
	}
	for _, wrong := range []string{"", "4711\n", "4711\n4712\n", "471\n471\n", "1234567890123\n1234567890123\n",
		"secret\nsecret\n"} {
		out, complaint, err := ran(t, wrong, "pin")
		typed, _, _ := strings.Cut(wrong, "\n")
		if err == nil || out != "" || typed != "" && strings.Contains(complaint, typed) {
			t.Errorf("%q: %v %s %s", wrong, err, out, complaint)
		}
	}
}

// TestPINOnATerminal: on a terminal the PIN is asked for and not echoed.
func TestPINOnATerminal(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "payterm"), "pin")
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	var shown strings.Builder
	until := func(words string) {
		t.Helper()
		if err := tty.SetReadDeadline(time.Now().Add(never)); err != nil {
			t.Log(err) // the test's time limit ends it
		}
		for b := make([]byte, 256); !strings.Contains(shown.String(), words); {
			n, err := tty.Read(b)
			shown.Write(b[:n])
			if err != nil {
				t.Fatalf("%q before %q: %v", shown.String(), words, err)
			}
		}
	}
	for _, question := range []string{"PIN: ", "again: "} {
		until(question)
		if _, err := tty.WriteString("4711\n"); err != nil {
			t.Fatal(err)
		}
	}
	until("$2a$10$")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if strings.Contains(shown.String(), "4711") {
		t.Errorf("the PIN shows: %q", shown.String())
	}
}

// TestOperators: nothing is sold before somebody has signed on; a refund needs the supervisor's
// number and PIN; all of it, and the lock after wrong PINs, is in the journal after a power
// failure.
func TestOperators(t *testing.T) {
	t.Parallel()
	s := newShop(t, fmt.Sprintf("inquiry_interval = \"200ms\"\nrefund_interval = \"200ms\"\nday_max_minor = 1500\n"+
		"[[operators]]\nnumber = \"7\"\nname = \"Marie\"\npin_hash = %q\n[[operators]]\nnumber = \"9\"\n"+
		"name = \"Wei\"\nsupervisor = true\npin_hash = %q\n",
		hashOf(t, "4711"), hashOf(t, "2718")))
	type status struct{ State, Operator string }
	is := func() (is status) {
		t.Helper()
		out, complaint, err := ran(t, "", "status", "--data", s.data, "--json")
		if err := json.Unmarshal([]byte(out), &is); err != nil {
			t.Fatalf("%v: %s", err, complaint)
		}
		if err != nil {
			t.Fatal(err, complaint)
		}
		return is
	}
	refused := func(reason payterm.Reason) {
		t.Helper()
		if code, o := s.begin("--mode", "passive", "--amount", "5.00").end(); code != 13 || o.Reason != reason {
			t.Errorf("exit status %d, %+v, want %s", code, o, reason)
		}
	}
	s.waitScreen("number")
	if got := is(); got != (status{"idle", ""}) {
		t.Errorf("status %+v", got)
	}
	refused(payterm.ReasonNoOperator)
	s.keys("7", "ENTER", "1", "ENTER")
	s.waitScreen("number")
	for deadline := time.Now().Add(never); is().Operator != "7"; {
		if time.Now().After(deadline) {
			t.Fatalf("nobody signs on: %s", s.screen())
		}
		s.waitScreen("number")
		s.keys("CANCEL", "7", "ENTER", "4", "7", "1", "1", "ENTER")
		s.waitScreen("idle")
	}
	sale := s.sold("12.34")
	if sale.Operator != "7" {
		t.Errorf("sold by %q", sale.Operator)
	}
	refused(payterm.ReasonDayLimit)
	s.waitScreen("refused")

	refund := s.run("refund", string(sale.ID), "--amount", "2.00")
	s.waitScreen("number")
	s.keys("9", "ENTER")
	s.waitScreen("pin")
	s.keys("2", "7", "1", "8", "ENTER")
	if code, o := refund.end(); code != 0 || o.Operator != "7" || o.AllowedBy != "9" {
		t.Errorf("refund: exit status %d, %+v", code, o)
	}

	s.keys("ENTER", "F1", "0") // this board has no F4
	s.waitScreen("number")
	for range 3 {
		s.keys("8", "ENTER", "1", "ENTER") // an unknown number
		for deadline := time.Now().Add(never); ; time.Sleep(10 * time.Millisecond) {
			if sc := s.screen(); strings.Contains(sc, "Wrong number or PIN") ||
				strings.Contains(sc, "Too many wrong PINs") {
				break
			} else if time.Now().After(deadline) {
				t.Fatal(sc)
			}
		}
		s.keys("CANCEL")
	}
	if err := s.agent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	s.agent.Wait() //nolint:errcheck // it was killed
	s.boot()
	s.waitScreen("number")
	s.keys("8", "ENTER", "1", "ENTER")
	s.waitScreen("refused")

	out, complaint, err := ran(t, "", "journal", "list", "--people", "--data", s.data, "--json")
	var list struct{ People []payterm.PersonDid }
	if errs := json.Unmarshal([]byte(out), &list); err != nil || errs != nil {
		t.Fatalf("%v %v %s", err, errs, complaint)
	}
	var deeds []string
	for _, p := range list.People {
		who, _, _ := strings.Cut(p.Operator, "-")
		deeds = append(deeds, string(p.Deed)+" "+who)
	}
	want := []string{"signed_on 7", "allowed 9", "signed_off 7", "locked_out unknown"}
	at := 0
	for _, deed := range deeds {
		if at < len(want) && deed == want[at] {
			at++
		}
	}
	if at != len(want) || !slices.Contains(deeds, "pin_refused 7") || deeds[len(deeds)-1] != want[3] {
		t.Errorf("the journal has %q", deeds)
	}
	if out, complaint, err := ran(t, "", "journal", "verify", "--data", s.data); err != nil {
		t.Errorf("%v %s %s", err, out, complaint)
	}
	if out, _, err := ran(t, "", "journal", "list", "--people", "--data", s.data); err != nil ||
		!strings.Contains(out, "waits 1m0s after 3 wrong PINs") {
		t.Errorf("%v\n%s", err, out)
	}
}
