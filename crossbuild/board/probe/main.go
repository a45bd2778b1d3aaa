// Command probe is what the virtual board's guests run beside the agent: it lets the
// host's tests reach what only the guest can reach. It leaves all judgement to them.
//
//	probe relay ADDRESS SOCKET    hands TCP connections on to the agent's socket
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 3 && args[0] == "relay" {
		return relay(args[1], args[2])
	}
	return errors.New("what is asked is not known: relay ADDRESS SOCKET")
}

// relay ends with the guest. A connection while nobody listens on the socket is
// closed, as the socket's own would be refused.
func relay(address, socket string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	for {
		caller, err := l.Accept()
		if err != nil {
			return fmt.Errorf("relay: %w", err)
		}
		go func() {
			defer caller.Close()
			agent, err := net.Dial("unix", socket)
			if err != nil {
				return
			}
			go func() {
				io.Copy(agent, caller) //nolint:errcheck // either end may go at any time
				agent.Close()
			}()
			io.Copy(caller, agent) //nolint:errcheck // as above
		}()
	}
}
