package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"payterm/screen"
	"payterm/terminal/api"

	"golang.org/x/sys/unix"
)

// TestLink: interfaces and routes, and what they say of the network.
func TestLink(t *testing.T) {
	const v4 = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n" +
		"eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n" +
		"eth1\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n" +
		"eth2\t00000000\t0102A8C0\t0002\t0\t0\t0\t00000000\t0\t0\t0\n"
	const zero = "00000000000000000000000000000000"
	const v6 = zero + " 00 " + zero +
		" 00 fe800000000000000000000000000001 00000400 00000000 00000000 00000003 wlan0\n" +
		zero + " 00 " + zero + " 00 " + zero + " ffffffff 00000001 00000000 00200200 lo\n" +
		"fe800000000000000000000000000000 40 " + zero + " 00 " + zero + " 00000100 00000001 00000000 00000001 eth1\n"
	if got := fmt.Sprint(defaultRoutes(v4, v6)); got != "[eth0 wlan0]" {
		t.Errorf("default routes %s", got)
	}
	up := func(name string, running, address bool) iface { return iface{name, running, address} }
	for _, x := range []struct {
		list   []iface
		routes []string
		result string
		says   string
	}{
		{nil, nil, "fail", "is its driver loaded"},
		{[]iface{up("eth0", false, true)}, []string{"eth0"}, "fail", "plug in the cable"},
		{[]iface{up("eth0", true, false)}, nil, "fail", "DHCP"},
		{[]iface{up("eth0", true, true)}, nil, "fail", "set the router"},
		{[]iface{up("eth0", true, true)}, []string{"eth1"}, "fail", "set the router"},
		{[]iface{up("eth0", false, false), up("wlan0", true, true)}, []string{"wlan0"}, "ok", "default route by wlan0"},
	} {
		if c := linkOf(x.list, x.routes); string(c.Result) != x.result || !strings.Contains(c.Says, x.says) {
			t.Errorf("%v %v: %+v", x.list, x.routes, c)
		}
	}
	if c := Link("http://127.0.0.1:9/processV2"); c.Result != "ok" {
		t.Errorf("loopback: %+v", c)
	}
}

// TestSelfTestGivesUp: a start that ends during the self test runs it once more, and then no
// more.
func TestSelfTestGivesUp(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	for try, want := range []bool{true, true, false} {
		test := LastSelfTest(data, 7)
		if due, err := test.Begin(data); due != want || err != nil {
			t.Errorf("start %d: due %v, %v", try+1, due, err)
		}
	}
	if test := LastSelfTest(data, 8); test.Tries != 0 {
		t.Errorf("another parcel's: %+v", test)
	}
	if err := os.WriteFile(filepath.Join(data, SelfTestFile), []byte(`{"serial":7,"tr`), 0o600); err != nil {
		t.Fatal(err)
	}
	if test := LastSelfTest(data, 7); test.Serial != 7 || test.Tries != 0 {
		t.Errorf("of a damaged file: %+v", test)
	}
}

// TestWholeDoctorWaits: no look begins while the counter is in use.
func TestWholeDoctorWaits(t *testing.T) {
	t.Parallel()
	d := New(Options{LookAgain: time.Millisecond})
	busy, examined := true, 0
	rest := func(context.Context) bool { return !busy }
	if rep := d.Look(t.Context(), rest, func(context.Context, *Report) { examined++ }, func(*Report) {}); rep != nil ||
		examined != 0 {
		t.Errorf("%d looks at a terminal that is busy", examined)
	}
	busy = false
	fails := func(_ context.Context, rep *Report) { examined++; rep.Add("clock", api.Fail, "", 0) }
	if rep := d.Look(t.Context(), rest, fails, func(*Report) {}); rep == nil || examined != looks {
		t.Errorf("%d looks", examined)
	}
	ctx, stop := context.WithCancel(t.Context())
	if rep := d.Look(ctx, rest, func(context.Context, *Report) { stop() },
		func(*Report) { t.Error("told") }); rep != nil {
		t.Errorf("a report that was broken off: %+v", rep)
	}
}

// TestSpaceAndTime: free space and clock states.
func TestSpaceAndTime(t *testing.T) {
	t.Parallel()
	for left, want := range map[uint64]string{0: "fail", noSpace - 1: "fail", noSpace: "warn", lowSpace - 1: "warn",
		lowSpace: "ok"} {
		if c := space(left); string(c.Result) != want || want != "ok" && !strings.Contains(c.Says, "free some") {
			t.Errorf("%d bytes: %+v", left, c)
		}
	}
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		state  int
		status int32
		err    error
		result api.Result
		says   string
	}{{unix.TIME_OK, 0, nil, api.OK, "09:00:00Z, set by a time server"},
		{unix.TIME_INS, 0, nil, api.OK, "set by a time server"},
		{unix.TIME_ERROR, 0, nil, api.Warn, "09:00:00Z, which no time server has set yet: connect the network"},
		{unix.TIME_OK, unix.STA_UNSYNC, nil, api.Warn, "UDP 123"},
		{0, 0, unix.EPERM, api.Warn, "the kernel does not say"}} {
		c := clock(at, keptTime(x.state, x.status), x.err)
		if c.Result != x.result || !strings.Contains(c.Says, x.says) || c.word() != screen.FindingClock {
			t.Errorf("%+v: %+v", x, c)
		}
	}
}

// TestEveryCheckHasAFinding: each check that can fail has words for the screen.
func TestEveryCheckHasAFinding(t *testing.T) {
	known := map[string]bool{}
	for _, f := range screen.Findings {
		known[f] = true
	}
	for _, name := range []string{
		"signers", "display", "display bus", "keypad", "scanner", "printer", "buzzer", "leds", "journal", "records",
		"space", "clock",
		"network link", "network address", "network connection", "network encryption", "network answer", "network key",
	} {
		if f := (Finding{Check: api.Check{Name: name}}).word(); !known[f] {
			t.Errorf("%s: %q has no words", name, f)
		}
	}
}

// TestSlipIsInTheShopsTime: the report has the time of the zone that it was made in, and says where that is UTC.
func TestSlipIsInTheShopsTime(t *testing.T) {
	at := time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)
	for want, at := range map[string]time.Time{
		"": {}, "2026-03-02 14:00:00Z": at, "2026-03-02 09:00:00": at.In(time.FixedZone("EST", -5*3600)),
	} {
		if got := (&Report{At: at}).slip("SHOP01").Lines[1].Right; got != want {
			t.Errorf("%v: %q, want %q", at, got, want)
		}
	}
}
