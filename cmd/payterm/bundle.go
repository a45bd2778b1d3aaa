package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"payterm"
	"payterm/config"
	"payterm/internal/beneath"
	"payterm/internal/crash"
	"payterm/internal/durable"
	"payterm/screen"
	"payterm/storage"
	"payterm/terminal/api"
	"payterm/tomlfile"
)

type bundleCmd struct {
	store
	Config string `help:"The agent's configuration file." default:"/etc/payterm/payterm.toml" type:"path"`
	Out    string `help:"File to write, or - for standard output; without it, a file in this directory, named by the time." type:"path"`
	Log    string `help:"A log file to pack, instead of the systemd journal of payterm." type:"path"`

	// What root prepared for the data's owner, who does the rest.
	roots *rootsPart
}

// rootsPart is the part of a bundle that needs root.
type rootsPart struct {
	log   []byte
	noLog error
	out   *os.File // nil if the owner can create it
}

const (
	bundleCrash  = 256 << 10        // bytes of a report, the first ones
	bundleOrders = 30               // of the journal, the last ones
	bundleEvents = 300              // of theirs, the last ones
	bundleLog    = 1 << 20          // bytes, the last ones
	bundleWait   = 20 * time.Second // for the log
)

// asOwner reads the log and creates the file, which only root may be able to do.
func (c *bundleCmd) asOwner() error {
	if uid, _, err := ownerOf(c.Data); err != nil || uid == 0 || os.Geteuid() != 0 {
		return err
	}
	c.name()
	var r rootsPart
	r.log, r.noLog = c.log()
	if c.Out != "-" {
		// In another user's directory root creates nothing.
		uid, _, err := beneath.Owner(filepath.Dir(c.Out))
		if err == nil && uid == 0 {
			r.out, err = os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		}
		if err != nil {
			return fmt.Errorf("bundle: %w", err)
		}
	}
	c.roots = &r
	return c.store.asOwner()
}

// name names the file by the time, unless it was named.
func (c *bundleCmd) name() {
	if c.Out == "" {
		c.Out = "payterm-" + time.Now().UTC().Format("20060102T150405Z") + ".tar.gz"
	}
}

// Run packs what a service needs. What cannot be read is noted in the bundle and does not stop
// the rest: the bundle is for terminals with faults.
func (c *bundleCmd) Run() error {
	c.name()
	_, _, wrong := config.InForce(c.Config, c.Data, os.Environ())
	hide := newRedactor(c.Data, c.Config)
	files := []struct {
		name string
		get  func() ([]byte, error)
	}{
		{"version.json", func() ([]byte, error) {
			return jsonText(struct {
				Version string    `json:"version"`
				Built   time.Time `json:"built"`
				Go      string    `json:"go"`
				Arch    string    `json:"arch"`
			}{version, buildTime().UTC(), runtime.Version(), runtime.GOARCH})
		}},
		{"config.toml", func() ([]byte, error) { return c.configuration(wrong) }},
		{"journal.json", c.journal},
		{"doctor.json", func() ([]byte, error) {
			rep, err := c.agent().Doctor(context.Background(), api.DoctorRequest{})
			if err != nil {
				return nil, err
			}
			return jsonText(rep)
		}},
		{"log.txt", c.log},
	}
	reports, err := crash.Reports(crash.Dir(c.Data))
	for _, name := range append(reports, crash.Now) {
		files = append(files, struct {
			name string
			get  func() ([]byte, error)
		}{"crash/" + name, func() ([]byte, error) {
			f, err := beneath.Open(crash.Dir(c.Data), name)
			if errors.Is(err, os.ErrNotExist) {
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
			defer f.Close()
			return io.ReadAll(io.LimitReader(f, bundleCrash))
		}})
	}
	if err != nil {
		wrong = errors.Join(wrong, err)
	}
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	archive := tar.NewWriter(zip)
	missing := map[string]string{}
	put := func(name string, text []byte) error {
		if strings.HasSuffix(name, ".json") {
			text = hide.redactJSON(text)
		} else {
			text = hide.redact(text)
		}
		head := &tar.Header{Name: "payterm/" + name, Mode: 0o600, Size: int64(len(text)), ModTime: time.Now(),
			Typeflag: tar.TypeReg}
		if err := archive.WriteHeader(head); err != nil {
			return err
		}
		_, err := archive.Write(text)
		return err
	}
	for _, f := range files {
		text, err := f.get()
		if err != nil {
			missing[f.name] = err.Error()
		}
		if len(text) > 0 {
			if err := put(f.name, text); err != nil {
				return fmt.Errorf("bundle: %s: %w", f.name, err)
			}
		}
	}
	text, err := jsonText(missing)
	if err == nil {
		err = put("missing.json", text)
	}
	if err := errors.Join(err, archive.Close(), zip.Close()); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	if c.Out == "-" {
		_, err := os.Stdout.Write(packed.Bytes())
		return err // the bundle says what is missing
	}
	if err := c.write(packed.Bytes()); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	c.tell(context.Background(), screen.ServiceWritten, "") //nolint:errcheck // it is written, whether it is shown or not
	for name, why := range missing {
		missing[name] = string(hide.redact([]byte(why)))
	}
	err = c.print(struct {
		Bundle  string            `json:"bundle"`
		Bytes   int               `json:"bytes"`
		Missing map[string]string `json:"missing"` // why, by name
	}{c.Out, packed.Len(), missing}, func() {
		fmt.Println(c.Out)
		for _, name := range slices.Sorted(maps.Keys(missing)) {
			fmt.Printf("without %s: %s\n", name, missing[name])
		}
	})
	if err == nil && len(missing) > 0 {
		return exitIncomplete
	}
	return err
}

// exitIncomplete says that a bundle is written and lacks something.
const exitIncomplete exitStatus = 3

func (c *bundleCmd) write(packed []byte) error {
	if c.roots == nil || c.roots.out == nil {
		return durable.Create(c.Out, packed)
	}
	_, err := c.roots.out.Write(packed)
	return errors.Join(err, c.roots.out.Sync(), c.roots.out.Close())
}

func jsonText(v any) ([]byte, error) { return json.MarshalIndent(v, "", "\t") }

// configuration is the current file without its secrets, or what is wrong with it.
func (c *bundleCmd) configuration(wrong error) ([]byte, error) {
	path, text, serial, err := config.Brought(c.Data)
	if err == nil && serial == 0 {
		path = c.Config
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
			tables[section] = "(not told)"
			continue
		}
		for key, value := range keys {
			dotted := section + "." + key
			switch text, isText := value.(string); {
			case !known[dotted], dotted == "supervisor.pin_hash", strings.HasSuffix(key, "_file"):
				keys[key] = "(not told)"
			case isText && (dotted == "gateway.url" || dotted == "gateway.call_back_url" || dotted == "update.url"):
				keys[key] = config.BareAddress(text)
			}
		}
	}
	text, err = tomlfile.Encode(tables)
	return text, errors.Join(wrong, err)
}

// journal is the head of the chain, the open orders, and the last events without the hashes of
// payment codes.
func (c *bundleCmd) journal() ([]byte, error) {
	var said struct {
		Verified storage.Verified    `json:"verified"`
		Wrong    string              `json:"wrong,omitempty"`
		Queue    []payterm.QueueItem `json:"queue"`
		Events   []map[string]any    `json:"events"`
		Orders   []payterm.Order     `json:"orders"`
	}
	err := c.read(func(r *storage.Reader) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		var err error
		if said.Verified, err = r.Verify(ctx); err != nil {
			said.Wrong = err.Error()
		}
		if said.Queue, err = r.Queue(); err != nil {
			return err
		}
		if said.Orders, err = r.Latest(bundleOrders); err != nil {
			return err
		}
		slices.Reverse(said.Orders) // newest last
		for i, o := range said.Orders {
			said.Orders[i].Ref, said.Orders[i].IdempotencyKey, said.Orders[i].Payer = "", "", ""
			events, err := r.Events(o.ID)
			if err != nil {
				return err
			}
			for _, e := range events {
				said.Events = append(said.Events, map[string]any{"seq": e.Seq, "order_id": e.OrderID, "event": e.Event,
					"wall": e.Wall, "body": withoutQuiet(e.Body)})
			}
		}
		said.Events = said.Events[max(0, len(said.Events)-bundleEvents):]
		return nil
	})
	if err != nil {
		return nil, err
	}
	return jsonText(said)
}

// quiet are event fields that are not needed to find a fault.
var quiet = []string{"key", "code_key", "ref", "idempotency_key", "code_url", "payer"}

// withoutQuiet is an event's body without these fields.
func withoutQuiet(body []byte) any {
	var fields map[string]any
	if json.Unmarshal(body, &fields) != nil {
		return "(not told)"
	}
	var strip func(fields map[string]any)
	strip = func(fields map[string]any) {
		for name, value := range fields {
			for _, q := range quiet {
				if strings.EqualFold(strings.ReplaceAll(name, "_", ""), strings.ReplaceAll(q, "_", "")) {
					delete(fields, name)
				}
			}
			if inner, ok := value.(map[string]any); ok {
				strip(inner)
			}
		}
	}
	strip(fields)
	return fields
}

// log is the named file, or systemd's log of the service.
func (c *bundleCmd) log() ([]byte, error) {
	if c.roots != nil {
		return c.roots.log, c.roots.noLog
	}
	if c.Log != "" {
		return ending(c.Log, bundleLog)
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), bundleWait,
		fmt.Errorf("journalctl was not done within %s", bundleWait))
	defer cancel()
	return serviceLog(ctx)
}

// serviceLog is systemd's log of the terminal's services, as far as it could be read.
func serviceLog(ctx context.Context) ([]byte, error) {
	args := []string{"--no-pager", "-o", "short-iso", "-n", "5000"}
	for _, unit := range logged {
		args = append(args, "-u", unit)
	}
	out, err := runTool(ctx, "journalctl", args...)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		err = errors.New("there is no journalctl: --log FILE")
	case err != nil && ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	return lastLines([]byte(out), bundleLog), err
}

// lastLines are whole lines, because half a secret would not be recognised.
func lastLines(text []byte, most int) []byte {
	if len(text) <= most {
		return text
	}
	text = text[len(text)-most:]
	return text[bytes.IndexByte(text, '\n')+1:]
}

// logged are the units in the log: the agent and, on the image, the updater's.
var logged = []string{"payterm", "payterm-update", "payterm-confirm", "payterm-stick@*", "rauc"}

// beginning reads the first bytes of a regular file; others could block.
func beginning(path string, most int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, fmt.Errorf("%s is no regular file", path))
	}
	return io.ReadAll(io.LimitReader(f, most))
}

func ending(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.NewSectionReader(f, max(0, info.Size()-most-1), most+1))
	return lastLines(text, int(most)), err
}

// redactor removes secrets from texts: the known ones of this terminal, and what looks like a
// payment code or a parcel.
type redactor struct{ known []string }

// looksSecret matches runs of 12 digits or more, also in groups (payment codes and one-time
// codes; no order id has that many), bcrypt hashes, parcels, EMV codes.
var looksSecret = regexp.MustCompile(`\b\d(?:[ -]?\d){11,}\b|\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|PPV1[A-Z2-7]{16,}|hQVDUFYwM[A-Za-z0-9+/=]*|payterm-s(?:igner-secret|ealed)-1 \S+`)

const covered = "(covered)"

func newRedactor(data, configuration string) redactor {
	var r redactor
	know := func(secret string) {
		if len(secret) >= 6 { // a shorter one would match too much
			r.known = append(r.known, secret)
		}
	}
	// A wrong configuration too, so it is read as tables.
	signKeys := []string{filepath.Join(data, "provision", "current", "sign.key"),
		filepath.Join(data, "provision", "next", "sign.key"), "/etc/payterm/sign_key",
		os.Getenv("PAYTERM_GATEWAY_SIGN_KEY_FILE")}
	files := []string{filepath.Join(data, "device.key"), filepath.Join(data, "code.key"),
		os.Getenv("PAYTERM_API_TOKEN_FILE")}
	own, _ := os.ReadFile(configuration)     // without it there is no secret of it
	_, brought, _, _ := config.Brought(data) // as above
	for _, text := range [][]byte{own, brought} {
		_, tables, err := tomlfile.Tables("configuration", text)
		if err != nil {
			continue
		}
		in := func(section, key string) string {
			table, _ := tables[section].(map[string]any)
			value, _ := table[key].(string)
			return value
		}
		signKeys = append(signKeys, in("gateway", "sign_key_file"))
		files = append(files, in("api", "token_file"))
		know(in("supervisor", "pin_hash"))
	}
	for _, file := range signKeys {
		c := config.Default()
		c.Terminal.DataDir, c.Gateway.SignKeyFile = data, file
		if key, err := c.SignKey(); err == nil {
			know(string(key))
		}
	}
	for _, file := range files {
		if text, err := beginning(file, 4096); err == nil {
			know(strings.TrimSpace(string(text)))
		}
	}
	return r
}

func (r redactor) redact(text []byte) []byte {
	for _, secret := range r.known {
		text = bytes.ReplaceAll(text, []byte(secret), []byte(covered))
	}
	return looksSecret.ReplaceAll(text, []byte(covered))
}

// redactJSON redacts JSON strings; numbers stay.
func (r redactor) redactJSON(document []byte) []byte {
	var v any
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return r.redact(document)
	}
	text, err := jsonText(r.walk(v))
	if err != nil {
		return r.redact(document)
	}
	return text
}

func (r redactor) walk(v any) any {
	switch v := v.(type) {
	case string:
		return string(r.redact([]byte(v)))
	case []any:
		for i := range v {
			v[i] = r.walk(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = r.walk(v[name])
		}
	}
	return v
}
