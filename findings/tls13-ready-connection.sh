#!/bin/sh
# Guess:   with a ClientSessionCache each connection after the first resumes the session.
# Seen:    with TLS 1.2 it does. With TLS 1.3 a connection that was made ready and closed
#          before anything was read leaves no ticket behind: the next one pays for the whole
#          handshake again, however often. The ticket comes after the handshake, and
#          crypto/tls keeps it only when somebody reads.
# Matters: a terminal that dials while the amount is typed, and drops what it does not use,
#          never resumes. On a slow processor the handshake is most of the exchange.
. "$(dirname "$0")/common"
modules
cat >main.go <<'GO'
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
)

func main() {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }))
	defer s.Close()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, read := range []bool{false, true} {
			config := &tls.Config{
				InsecureSkipVerify: true, // the server is a few lines above
				MinVersion:         version, MaxVersion: version,
				ClientSessionCache: tls.NewLRUClientSessionCache(0),
			}
			fmt.Printf("%s, read from: %v, resumed:", tls.VersionName(version), read)
			for range 4 {
				c, err := tls.Dial("tcp", s.Listener.Addr().String(), config)
				if err != nil {
					panic(err)
				}
				fmt.Printf(" %v", c.ConnectionState().DidResume)
				if read {
					io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
					c.Read(make([]byte, 512))
				}
				c.Close()
			}
			fmt.Println()
		}
	}
}
GO
gives go run . <<'SEEN'
TLS 1.2, read from: false, resumed: false true true true
TLS 1.2, read from: true, resumed: false true true true
TLS 1.3, read from: false, resumed: false false false false
TLS 1.3, read from: true, resumed: false true true true
SEEN
