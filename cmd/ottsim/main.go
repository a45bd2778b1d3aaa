// Command ottsim runs the gateway simulator: the protocol on /processV2, its orders, wallets and faults under
// /sim, the customer's page under /pay. It moves no money.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"payterm/gateway/ottsim"
	"payterm/internal/durable"
	"payterm/internal/httpd"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, "ottsim:", err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "ottsim:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage")

func run(ctx context.Context, args []string, out, diagnostics io.Writer) error {
	f := flag.NewFlagSet("ottsim", flag.ContinueOnError)
	f.SetOutput(diagnostics)
	listen := f.String("listen", "127.0.0.1:9090", "address to listen on, on loopback only; port 0 picks a free port")
	merchant := f.String("merchant-id", "", "id of the only merchant that the simulator accepts")
	keyFile := f.String("sign-key-file", "", "file with the 16 characters of the sign key, that only its owner can read")
	seed := f.Uint64("seed", 1, "seed of payment codes and channel order ids")
	currency := f.String("currency", "",
		"currency of the amounts on the customer's page, such as JPY; without one, amounts have two decimals")
	latency := f.Duration("latency", 0, "delay before each reply, such as 80ms")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	switch {
	case f.NArg() > 0:
		return fmt.Errorf("%w: unexpected %q", errUsage, f.Arg(0))
	case *merchant == "":
		return fmt.Errorf("%w: --merchant-id is missing", errUsage)
	case *keyFile == "":
		return fmt.Errorf("%w: --sign-key-file is missing", errUsage)
	case *latency < 0 || *latency > time.Minute:
		return fmt.Errorf("%w: --latency goes from 0 to 1m", errUsage)
	}
	key, err := readKey(*keyFile)
	if err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(*listen)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%w: --listen %s: a loopback address such as 127.0.0.1:9090 is needed", errUsage, *listen)
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	base := "http://" + l.Addr().String()
	sim := ottsim.New(ottsim.Config{MerchantID: *merchant, SignKey: key, Seed: *seed, Latency: *latency, BaseURL: base,
		Currency: *currency})
	return serve(ctx, l, sim, out, base)
}

func serve(ctx context.Context, l net.Listener, h http.Handler, out io.Writer, base string) error {
	// A delayed or slow reply counts as a running call until it ends.
	srv := httpd.New(context.WithoutCancel(ctx), l, h, httpd.Bounds{Conns: 512, Calls: 256, Body: 128 << 10})
	done := make(chan error, 1)
	go func() { done <- srv.Serve() }()
	if err := json.NewEncoder(out).Encode(map[string]any{"ready": true, "gateway": base}); err != nil {
		return fmt.Errorf("say that it is ready: %w", err)
	}
	select {
	case err := <-done:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := srv.Shutdown(end); err != nil {
		return srv.Close()
	}
	return nil
}

func readKey(path string) (string, error) {
	b, err := durable.ReadOwn(path)
	if err != nil {
		return "", fmt.Errorf("--sign-key-file: %w", err)
	}
	key := strings.TrimSpace(string(b))
	if len(key) != 16 {
		return "", fmt.Errorf("--sign-key-file: the key has %d characters, 16 are needed", len(key))
	}
	return key, nil
}
