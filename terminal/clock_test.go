package terminal

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"payterm/hal/emulated"
	"payterm/terminal/api"
	"payterm/terminal/doctor"
)

// TestDoctorOfAWrongClock: a certificate outside its validity is blamed on the clock if no time
// server has set it, else on the certificate.
func TestDoctorOfAWrongClock(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.AddDate(-2, 0, 0), NotAfter: now.AddDate(-1, 0, 0),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	expired := httptest.NewUnstartedServer(http.NotFoundHandler())
	expired.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	expired.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	expired.StartTLS()
	defer expired.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	var synced atomic.Bool
	c := startClinic(t, "emulated", nil, func(o *Options, _ *emulated.Board) {
		o.Config.Gateway.URL, o.Config.Gateway.CAFile = expired.URL+"/processV2", ca
		o.networkTime = func() (bool, error) { return synced.Load(), nil }
	})
	const words = "Clock: not set. Connect the network"
	for end := time.Now().Add(never); !slices.Contains(c.a.Screen().Lines, words); {
		if time.Now().After(end) {
			t.Fatalf("the idle screen does not say why: %+v", c.a.Screen())
		}
		time.Sleep(20 * time.Millisecond)
	}
	for _, x := range []struct {
		synced              bool
		clock               api.Result
		says, encryption    string
		notSaid, shownFirst string
	}{
		{false, api.Warn, "no time server has set yet", "which this clock says and no time server", "expired", "clock"},
		{true, api.OK, "set by a time server", "has expired or is not yet valid", "time server", "gateway"},
	} {
		synced.Store(x.synced)
		rep, text := c.doctor("", nil)
		clock, encryption := named(rep, "clock"), named(rep, "network encryption")
		if clock.Result != x.clock || !strings.Contains(clock.Says, x.says) || encryption.Result != api.Fail ||
			!strings.Contains(encryption.Says, x.encryption) || strings.Contains(encryption.Says, x.notSaid) {
			t.Errorf("synced %t: %s", x.synced, text)
		}
		var found doctor.Report
		c.a.examination()(t.Context(), &found)
		if is := found.Brief(); is.Failed != x.shownFirst {
			t.Errorf("synced %t: the screen says %+v", x.synced, is)
		}
	}
}
