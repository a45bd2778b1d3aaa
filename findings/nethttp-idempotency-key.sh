#!/bin/sh
# Guess:   a POST over a kept connection that the server closes without an answer ends in
#          an error, with or without an Idempotency-Key header; the server saw it once.
# Seen:    with the header net/http sends the same POST again by itself, over a new
#          connection, and reports success. An X-Idempotency-Key with no values, which is
#          not even written to the wire, is enough.
# Matters: a header that was meant as protection turns "written once" into "written twice"
#          wherever the server does not know it.
. "$(dirname "$0")/common"
modules
cat >main.go <<'GO'
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
)

// serve answers everything but the first POST, after which it hangs up.
func serve(l net.Listener, posts *atomic.Int32) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			for r := bufio.NewReader(c); ; {
				req, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				io.Copy(io.Discard, req.Body)
				if req.Method == http.MethodPost && posts.Add(1) == 1 {
					return
				}
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
		}()
	}
}

func main() {
	for _, header := range []http.Header{{}, {"Idempotency-Key": {"1"}}, {"X-Idempotency-Key": nil}} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		var posts atomic.Int32
		go serve(l, &posts)
		url := "http://" + l.Addr().String()
		client := &http.Client{Transport: &http.Transport{}}
		first, err := client.Get(url) // so that the connection has been used
		if err != nil {
			panic(err)
		}
		io.Copy(io.Discard, first.Body)
		first.Body.Close()
		req, _ := http.NewRequest(http.MethodPost, url, strings.NewReader("pay"))
		req.Header = header
		_, err = client.Do(req)
		fmt.Printf("%v: the server saw %d, the client an error: %v\n", header, posts.Load(), err != nil)
		l.Close()
	}
}
GO
gives go run . <<'SEEN'
map[]: the server saw 1, the client an error: true
map[Idempotency-Key:[1]]: the server saw 2, the client an error: false
map[X-Idempotency-Key:[]]: the server saw 2, the client an error: false
SEEN
