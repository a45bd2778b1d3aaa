package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/storage"
)

const (
	starts      = 20
	pastSales   = 10_000
	saleRecords = 3 // began, scanned, answered
)

// BenchmarkStart measures from the process's start to its ready line, on the journal of a shop
// with many sales.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	fillJournal(b, filepath.Join(dir, "payterm.db"))
	var took []time.Duration
	for b.Loop() {
		for range starts {
			start := time.Now()
			cmd, _ := program(b, "payterm", "emulate", "--listen", "127.0.0.1:0", "--data", dir)
			took = append(took, time.Since(start))
			end(b, cmd)
		}
	}
	slices.Sort(took)
	b.ReportMetric(0, "ns/op") // it includes the process's end
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "worst-ms")
}

// end ends a program as Ctrl-C does.
func end(b *testing.B, cmd *exec.Cmd) {
	b.Helper()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		b.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		b.Fatal(err)
	}
}

func fillJournal(b *testing.B, path string) {
	b.Helper()
	s, err := storage.Open(storage.Options{Path: path, Terminal: "T1", Now: time.Now,
		DrawTag: func() (string, error) { return "AAAAA", nil }})
	if err != nil {
		b.Fatal(err)
	}
	var entries []payterm.Entry
	for i := range pastSales {
		id, err := s.NextOrderID()
		if err != nil {
			b.Fatal(err)
		}
		for range saleRecords {
			entries = append(entries, payterm.Entry{
				OrderID: id, Event: "sale_began", Body: []byte(`{}`), Stamp: payterm.Stamp{Boot: "AAAAA",
					Wall: time.Now()}, Closed: true,
				CodeKey: fmt.Sprintf("%032d", i),
				Order: payterm.Order{
					ID: id, Kind: payterm.KindSale, Mode: payterm.Passive, Wallet: payterm.Alipay, AmountMinor: 1234,
					PaidMinor: 1234,
					Currency:  "CAD", Outcome: payterm.Approved,
				},
			})
		}
	}
	if err := s.Commit(entries...); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkMemory is the most memory of the process after a sale, including simulator and front
// panel.
func BenchmarkMemory(b *testing.B) {
	most := map[string]float64{}
	for b.Loop() {
		dir := b.TempDir()
		cmd, ready := program(b, "payterm", "emulate", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "data"),
			"--scale", "20")
		s := &shop{t: b, dir: dir, sim: ready["gateway"].(string), panel: ready["panel"].(string), agent: cmd}
		s.keys("1", "2", "3", "4", "ENTER")
		s.waitScreen("scan")
		s.scan(s.wallet("ALIPAY", false))
		s.waitScreen("approved")
		for end := time.Now().Add(never); bytes.Count(s.call("GET", s.panel+"/emu/paper.txt", nil),
			[]byte("--- cut ---")) < 2; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				b.Fatal("the slips did not come")
			}
		}
		for name, unit := range map[string]string{"VmRSS:": "RSS-MB", "RssAnon:": "RSS-anon-MB",
			"VmHWM:": "RSS-peak-MB"} {
			most[unit] = max(most[unit], memory(b, cmd, name))
		}
		end(b, cmd)
	}
	b.ReportMetric(0, "ns/op")
	for unit, mb := range most {
		b.ReportMetric(mb, unit)
	}
}

// memory reads a line of the process's status, which is in kB.
func memory(b *testing.B, cmd *exec.Cmd, name string) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), name)
	words := strings.Fields(after)
	if len(words) == 0 {
		b.Fatalf("no %s in the process's status", name)
	}
	kb, err := strconv.Atoi(words[0])
	if err != nil {
		b.Fatal(err)
	}
	return float64(kb) * 1024 / 1e6
}
