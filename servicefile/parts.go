package servicefile

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"payterm"
	"payterm/config"
	"payterm/internal/beneath"
	"payterm/internal/crash"
	"payterm/storage"
	"payterm/tomlfile"
)

const (
	mostCrash  = 256 << 10 // bytes of a report, the first ones
	mostOrders = 30        // of the journal, the last ones
	mostEvents = 300       // of theirs, the last ones
)

// CrashReports are the stack traces of crashes in a data directory.
func CrashReports(data string) ([]Part, error) {
	dir := crash.Dir(data)
	reports, err := crash.Reports(dir)
	var parts []Part
	for _, name := range append(reports, crash.Now) {
		parts = append(parts, Part{"crash/" + name, func() ([]byte, error) {
			f, err := beneath.Open(dir, name)
			if errors.Is(err, os.ErrNotExist) {
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
			defer f.Close()
			return io.ReadAll(io.LimitReader(f, mostCrash))
		}})
	}
	return parts, err
}

const notTold = "(not told)"

// Configuration is the configuration in force without its secrets. wrong is what is wrong with it.
func Configuration(data, configuration string, wrong error) ([]byte, error) {
	path, text, serial, err := config.Brought(data)
	if err == nil && serial == 0 {
		path = configuration
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, errors.Join(wrong, err)
	}
	_, tables, err := tomlfile.Tables(filepath.Base(path), text)
	if err != nil {
		return nil, errors.Join(wrong, err) // an unreadable text cannot be redacted
	}
	// Only what is known to be harmless is included: a secret may be in the wrong place.
	shown := config.Default()
	known := shown.Known()
	for section, table := range tables {
		keys, ok := table.(map[string]any)
		if !ok {
			tables[section] = notTold
			continue
		}
		for key, value := range keys {
			dotted := section + "." + key
			switch text, isText := value.(string); {
			case !known[dotted], dotted == "supervisor.pin_hash", strings.HasSuffix(key, "_file"):
				keys[key] = notTold
			case isText && (dotted == "gateway.url" || dotted == "gateway.call_back_url" || dotted == "update.url"):
				keys[key] = config.BareAddress(text)
			}
		}
	}
	text, err = tomlfile.Encode(tables)
	return text, errors.Join(wrong, err)
}

// Journal is the head of the chain, the open orders, and the last orders with what is shown of their events.
func Journal(ctx context.Context, r *storage.Reader) ([]byte, error) {
	type event struct {
		Seq     int64           `json:"seq"`
		OrderID payterm.OrderID `json:"order_id"`
		Event   string          `json:"event"`
		Wall    time.Time       `json:"wall"`
		Body    any             `json:"body"`
	}
	var found struct {
		Verified storage.Verified    `json:"verified"`
		Wrong    string              `json:"wrong,omitempty"`
		Queue    []payterm.QueueItem `json:"queue"`
		Events   []event             `json:"events"`
		Orders   []payterm.Order     `json:"orders"`
	}
	var err error
	if found.Verified, err = r.Verify(ctx); err != nil {
		found.Wrong = err.Error()
	}
	if found.Queue, err = r.Queue(); err != nil {
		return nil, err
	}
	if found.Orders, err = r.Latest(mostOrders); err != nil {
		return nil, err
	}
	slices.Reverse(found.Orders) // newest last
	for i, o := range found.Orders {
		found.Orders[i].Ref, found.Orders[i].IdempotencyKey, found.Orders[i].Payer = "", "", ""
		events, err := r.Events(o.ID)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			found.Events = append(found.Events, event{e.Seq, e.OrderID, e.Event, e.Wall, eventBody(e.Body)})
		}
	}
	found.Events = found.Events[max(0, len(found.Events)-mostEvents):]
	return JSON(found)
}

// shown are the fields of events and answers that are needed to find a fault. The others are not told.
var shown = fieldSet(`
	allowed_by amount_minor began currency despite masked merchant_id mode operator order_id overdue reason
	refund_order_id refunded_minor reply rules sale_order_id sale_refunded_minor sale_total_minor soon tip_minor used
	wallet wallets whole lived
	clash code_made failed lost not_found paid pending refunded refused rejected unclear unsent
	alarm authentic channel_order_id clock exchange_rate final paid_minor status too_old trade_clock trade_time
	unknown_word why`)

func fieldSet(names string) map[string]bool {
	set := map[string]bool{}
	for name := range strings.FieldsSeq(names) {
		set[name] = true
	}
	return set
}

// eventBody is what is shown of an event. Rules are the terminal's own, so all of them are.
func eventBody(body []byte) any {
	var fields map[string]any
	if json.Unmarshal(body, &fields) != nil {
		return notTold
	}
	var strip func(fields map[string]any)
	strip = func(fields map[string]any) {
		for name, value := range fields {
			inner, is := value.(map[string]any)
			switch {
			case !shown[name]:
				fields[name] = notTold
			case is && name != "rules":
				strip(inner)
			}
		}
	}
	strip(fields)
	return fields
}
