package terminal

import (
	"context"
	"errors"
	"sync"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/runner"
	"payterm/terminal/api"
	"payterm/terminal/selling"
)

// serve opens the local API: on the socket, in training on the real terminal's too, and on TCP if
// configured.
func (a *Agent) serve(ctx context.Context, wg *sync.WaitGroup) (err error) {
	var open []*api.Endpoint
	defer func() {
		for _, e := range open {
			if err != nil {
				err = errors.Join(err, e.Close())
				continue
			}
			e.Serve(ctx, wg, a.o.Log)
		}
	}()
	add := func(e *api.Endpoint, err error) error {
		if err == nil {
			open = append(open, e)
		}
		return err
	}
	listen := a.o.Config.API
	endpoints, outside := 1, a.current
	if a.training != nil {
		endpoints++
		outside = a.outside
	}
	if listen.Listen != "" {
		endpoints++
	}
	if err := api.EnoughFiles(endpoints); err != nil {
		return err
	}
	if err := add(api.Listen(a.o.Data, api.Handler(a.current, a))); err != nil {
		return err
	}
	if a.training != nil {
		if err := add(api.Listen(a.o.real, api.Handler(outside, a))); err != nil {
			return err
		}
	}
	if listen.Listen != "" {
		return add(api.ListenTCP(listen.Listen, listen.TokenFile, api.Handler(outside, nil)))
	}
	return nil
}

// current is the service to use now.
func (a *Agent) current() api.Service {
	switch {
	case !a.isOpen():
		return selling.Closed(a, a.why)
	case a.training != nil:
		return a.inTraining()
	}
	return selling.Open{Selling: a.selling, Operations: a}
}

// outside is the service on the real terminal's socket and on TCP during training.
func (a *Agent) outside() api.Service { return selling.Outside(a.inTraining()) }

// Snapshot returns the loop's state. An answer proves that the loop runs, or that the agent still
// tries to open its journal.
func (a *Agent) Snapshot(ctx context.Context) (runner.Snapshot, error) {
	if !a.isOpen() {
		unknown := counter.Status{Network: counter.NetworkUnknown, Paper: payterm.PaperUnknown}
		return runner.Snapshot{State: counter.StateResult, Fault: a.why(), Status: unknown, NetworkAge: -1}, nil
	}
	return a.runner.Snapshot(ctx)
}

// Status is the terminal's state.
func (a *Agent) Status(ctx context.Context) (api.Status, error) {
	s, err := a.Snapshot(ctx)
	if err != nil {
		return api.Status{}, selling.Coded(err)
	}
	faults := map[string]string{}
	for device, fault := range a.o.Board.Absent() {
		faults[device] = fault.Error()
	}
	link := counter.NetworkUnknown
	if a.isOpen() {
		link = a.upkeep.Link()
	}
	var age *int64
	if s.NetworkAge >= 0 {
		ms := s.NetworkAge.Milliseconds()
		age = &ms
	}
	return api.Status{State: s.State, Waits: a.arrivals.Waits().Says(), Running: &api.Running{
		MerchantID: a.o.Config.Gateway.MerchantID, Currency: a.o.Config.Merchant.Currency,
		OrderID: s.OrderID, Operator: s.Operator, Network: s.Status.Network, NetworkAgeMS: age, Link: link,
		Queue:  s.Status.Queue,
		Doubts: s.Status.Doubts, LatePayments: s.Status.Late, Alarms: s.Status.Alarms,
		Paper: s.Status.Paper, Unprinted: s.Status.Unprinted, Fault: s.Fault, Devices: faults,
		Training: a.training != nil, Notice: a.o.notices.Standing(),
	}}, nil
}
