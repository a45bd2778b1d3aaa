package terminal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"payterm/flows/counter"
	"payterm/gateway/ottpay"
	"payterm/storage"
	"payterm/terminal/api"
	"payterm/terminal/doctor"
	"payterm/terminal/selling"
	"payterm/terminal/setup"
)

// newDoctor makes the agent's doctor.
func (a *Agent) newDoctor() *doctor.Doctor {
	return doctor.New(doctor.Options{
		Devices: a.devices, Name: a.o.Config.Terminal.ID, Data: a.o.Data, Screens: a.screenOptions, Log: a.o.Log,
		Clock: a.shopTime, NetworkTime: a.o.networkTime, LookAgain: a.o.lookAgain,
	})
}

// wall is the time of day; zero while the clock is not set.
func (a *Agent) wall() time.Time {
	_, wall := a.clock.Now()
	return wall
}

// shopTime returns the time of day in the shop's zone; zero if the clock is not set.
func (a *Agent) shopTime() time.Time {
	at := a.wall()
	if at.IsZero() {
		return at
	}
	return at.In(a.zone)
}

// examination is what the doctor examines during selling.
func (a *Agent) examination() doctor.Examination {
	return a.doctor.Selling(doctor.Selling{
		Status: func(ctx context.Context) (counter.Status, error) {
			s, err := a.runner.Snapshot(ctx)
			return s.Status, err
		},
		Journal: journalExamined{a.store}, Probe: a.probe, Config: a.o.Config,
	})
}

// probe checks the way to the gateway hop by hop, and tells the loop the result.
func (a *Agent) probe(ctx context.Context) []doctor.Hop {
	var hops []doctor.Hop
	answered := true
	for _, h := range a.gateway.Probe(ctx, a.o.Config.Merchant.Currency) {
		clock := errors.Is(h.Err, ottpay.ErrClock)
		answered = answered && (h.Err == nil || errors.Is(h.Err, ottpay.ErrKey)) // ErrKey is an answer too
		hops = append(hops, doctor.Hop{Name: h.Name, Err: h.Err, Clock: clock, Took: h.Took})
	}
	if ctx.Err() == nil && a.isOpen() {
		a.runner.Reached(answered, 0)
	}
	return hops
}

// journalExamined words the journal's report.
type journalExamined struct{ *storage.Store }

func (j journalExamined) Check(ctx context.Context, newest int) (string, error) {
	h, err := j.Store.Check(ctx, newest)
	return fmt.Sprintf("journal_mode %s, synchronous %d, the newest %d records fit their chain",
		h.JournalMode, h.Synchronous, h.Records), err
}

// Doctor examines the terminal.
func (a *Agent) Doctor(ctx context.Context, r api.DoctorRequest) (api.Report, error) {
	rep, err := a.doctor.Answer(ctx, r, a.examination(), func(ctx context.Context) (doctor.Counter, error) {
		return a.runner.Service(ctx)
	})
	return rep, selling.Coded(err)
}

// selfTest runs the doctor's self test at the first start with a parcel.
func (a *Agent) selfTest(ctx context.Context) {
	if a.training == nil {
		a.doctor.FirstTest(ctx, a.o.Serial, a.examination(), a.rest, a.runner.Redraw)
	}
}

// rest waits until the counter is at rest; false if the context ends before.
func (a *Agent) rest(ctx context.Context) bool {
	for !a.AtRest(ctx) {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(setup.LookEvery):
		}
	}
	return ctx.Err() == nil
}
