package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"payterm/terminal/api"
	"payterm/terminal/doctor"
)

// TestUnprovisionedIsNotMute: a new terminal without --trust says its state and what to do on
// every command, runs the doctor, takes a parcel of its own signer, and then runs the whole self
// test once.
func TestUnprovisionedIsNotMute(t *testing.T) {
	t.Parallel()
	d := newDepot(t)
	d.trust = filepath.Join(d.data, "trial-signers")
	log, err := os.Create(d.logs)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	d.shop.agent, d.panel = startLogged(t, log, "emulate", "--unprovisioned", "--verbose", "--listen", "127.0.0.1:0",
		"--data", d.data, "--scale", "20")
	d.says("setup", "Scan this terminal's provisioning code")
	if said := d.log(); !strings.Contains(said, "trial-signer.key --out") {
		t.Errorf("nobody says how to make a parcel: %s", said)
	}

	said, wrong := d.do("", "status", "--data", d.data)
	if wrong != "" || !strings.Contains(said, "unprovisioned") || !strings.Contains(said, "scan one") {
		t.Errorf("status: %s %s", said, wrong)
	}
	said, wrong = d.do("", "status", "--json", "--data", d.data)
	var s api.Status
	if err := json.Unmarshal([]byte(said), &s); err != nil || wrong != "" || s.Setup == nil ||
		s.State != api.StateUnprovisioned || len(s.Device) != 9 || s.Board != "emulated" {
		t.Errorf("status: %v %s %s", err, said, wrong)
	}
	if _, wrong = d.do("", "doctor", "--test", "--data", d.data); !strings.Contains(wrong,
		"once the terminal is provisioned") || strings.Contains(wrong, "on the terminal's screen") {
		t.Errorf("doctor --test: %s", wrong)
	}
	said, _ = d.do("", "doctor", "--data", d.data) // this machine may have no network
	for _, line := range []string{"signers", "display bus", "printer", "space", "clock", "network link",
		"no gateway yet"} {
		if !strings.Contains(said, line) {
			t.Errorf("the doctor says nothing of %s: %s", line, said)
		}
	}
	for _, command := range []string{
		"sale --mode passive --amount 1.00", "refund T2X000001", "queue list", "totals x", "reconcile", "training on",
		"resolve T2X000001 --reason x", "status T2X000001",
	} {
		if _, wrong := d.do("", append(strings.Fields(command), "--data", d.data)...); !strings.Contains(wrong,
			"payterm: not provisioned") || strings.Contains(wrong, "HTTP") || strings.Contains(wrong, "--help") {
			t.Errorf("%s: %s", command, wrong)
		}
	}
	u := asker{store{Data: d.data}, thisProgram}
	if passed, err := u.Examine(t.Context()); err != nil || !passed["display"] || !passed["display bus"] {
		t.Errorf("an update is told %v, %v", passed, err)
	}
	if err := u.Free(t.Context()); err != nil {
		t.Errorf("an update waits: %v", err)
	}
	d.paperUntil("DOCTOR", "--- cut ---")

	d.signer = filepath.Join(d.data, "trial-signer.key")
	text, code := d.parcel(firstKey)
	d.scan(text)
	d.says("setup_code", "12 digits")
	d.typed(code)
	d.sells("ALIPAY")
	var kept doctor.SelfTest
	for end := time.Now().Add(60 * time.Second); kept.Serial == 0 ||
		kept.Report == nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no report is kept: %+v\n%s", kept, d.log())
		}
		text, err := os.ReadFile(filepath.Join(d.data, "doctor.json"))
		if err != nil {
			t.Fatal(err)
		}
		kept = doctor.SelfTest{}
		if err := json.Unmarshal(text, &kept); err != nil {
			t.Fatal(err)
		}
	}
	if kept.Tries != 1 || !strings.Contains(d.log(), "self test") {
		t.Errorf("%+v", kept)
	}
	d.canaries()
}

func (d *depot) log() string {
	d.t.Helper()
	text, err := os.ReadFile(d.logs)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}
