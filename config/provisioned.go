package config

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"payterm/internal/beneath"
	"payterm/internal/durable"
	"payterm/provision"
	"payterm/tomlfile"
)

// Names below the data directory. Each parcel has a directory named by its serial. The symbolic link current
// points to the parcel in force, next to one that waits.
const (
	deviceKeyFile = "device.key"
	provisionDir  = "provision"
	currentLink   = "current"
	nextLink      = "next"
	configFile    = "payterm.toml"
	keyFile       = "sign.key"
)

// DeviceKey returns the terminal's own secret, which is made at its first start.
func DeviceKey(data string) ([]byte, error) {
	return Secret(data, deviceKeyFile, func() ([]byte, error) {
		key := make([]byte, provision.KeySize)
		_, err := rand.Read(key)
		return key, err
	})
}

// Secret returns the 32 bytes of a file in the data directory. If the file does not exist it is made, and never
// changes afterwards. A damaged file is an error: a new secret would make everything unreadable that was
// encrypted under the old one.
func Secret(data, name string, make func() ([]byte, error)) ([]byte, error) {
	if secret, err := readSecret(data, name); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	secret, err := make()
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", name, err)
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, fmt.Errorf("make %s: %w", name, err)
	}
	temp, err := os.CreateTemp(data, "."+name+"-") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", name, err)
	}
	defer os.Remove(temp.Name()) //nolint:errcheck // a leftover file does no harm
	_, err = temp.Write(secret)
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return nil, fmt.Errorf("make %s: %w", name, err)
	}
	// A link never replaces a file: if two processes start at once, both use the secret that was linked first.
	if err := os.Link(temp.Name(), filepath.Join(data, name)); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make %s: %w", name, err)
	}
	if err := durable.SyncDir(data); err != nil {
		return nil, err
	}
	return readSecret(data, name)
}

func readSecret(data, name string) ([]byte, error) {
	path := filepath.Join(data, name)
	f, err := beneath.Open(data, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case info.Size() != provision.KeySize:
		return nil, fmt.Errorf("%s is damaged: %d bytes are needed", path, provision.KeySize)
	}
	if err := durable.OwnerAlone(path, info); err != nil {
		return nil, err
	}
	secret := make([]byte, provision.KeySize)
	if _, err := f.ReadAt(secret, 0); err != nil {
		return nil, fmt.Errorf("%s: %w", path, reason(err))
	}
	return secret, nil
}

// Provisioned returns the path of the configuration that a parcel brought, and the parcel's serial, or 0 if
// there is none.
func Provisioned(data string) (path string, serial uint64, err error) {
	return linked(data, currentLink)
}

// linked is Provisioned for one of the two links.
func linked(data, link string) (path string, serial uint64, err error) {
	name, err := beneath.Link(data, filepath.Join(provisionDir, link))
	if errors.Is(err, fs.ErrNotExist) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, fmt.Errorf("what was provisioned: %w", err)
	}
	if serial, err = strconv.ParseUint(name, 10, 64); err != nil {
		return "", 0, fmt.Errorf("what was provisioned: %s leads to no parcel's serial",
			filepath.Join(data, provisionDir, link))
	}
	return filepath.Join(data, provisionDir, name, configFile), serial, nil
}

// Waiting returns the configuration of the parcel that waits until the present merchant's orders are closed,
// and its serial, or 0 if none waits.
func Waiting(data string) (c Config, serial uint64, err error) {
	_, current, err := Provisioned(data)
	if err != nil {
		return c, 0, err
	}
	path, text, serial, err := brought(data, nextLink)
	if err != nil || serial <= current { // a newer one was installed, and the power failed before this one was removed
		return c, 0, err
	}
	c, err = Parse(path, text, nil)
	return c, serial, err
}

// TakeWaiting puts the waiting parcel in force. The caller checks whether that is allowed.
func TakeWaiting(data string) error {
	dir := filepath.Join(data, provisionDir)
	err := os.Rename(filepath.Join(dir, nextLink), filepath.Join(dir, currentLink))
	if err == nil {
		err = durable.SyncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("take the parcel that waits: %w", err)
	}
	tidyParcels(dir, func() error { return nil })
	return nil
}

// mostConfig is many times the longest configuration, in bytes.
const mostConfig = 1 << 20

// Brought reads the configuration that a parcel brought. The path is empty if there is none.
func Brought(data string) (path string, text []byte, serial uint64, err error) {
	return brought(data, currentLink)
}

func brought(data, link string) (path string, text []byte, serial uint64, err error) {
	if path, serial, err = linked(data, link); err != nil || serial == 0 {
		return "", nil, 0, err
	}
	below, err := filepath.Rel(data, path)
	if err == nil {
		text, err = beneath.Read(data, below, mostConfig)
	}
	if err != nil {
		return path, nil, serial, fmt.Errorf("what was provisioned: %w", err)
	}
	return path, text, serial, nil
}

// InForce loads the configuration that a parcel brought or, if there is none, the factory's file; then the
// serial is 0. If the factory's file does not exist or has an empty name, the defaults apply: such a terminal
// is new. Without a data directory only the file is read. If the parcel names no board, the factory's board is
// used.
func InForce(file, data string, env []string) (c Config, serial uint64, err error) {
	var path string
	var text []byte
	if data != "" {
		if path, text, serial, err = Brought(data); err != nil {
			return Config{}, serial, err
		}
	}
	if serial == 0 {
		c, err = factory(file, env)
		return c, 0, err
	}
	if c, err = Parse(path, text, env); err != nil {
		return c, serial, err
	}
	if c.HasBoard() {
		c.Terminal.Board = boardFile(file, c.Terminal.Board)
		return c, serial, nil
	}
	own, err := factory(file, env)
	if err != nil {
		return Config{}, serial, err
	}
	c.takeBoard(own)
	return c, serial, nil
}

// factory loads the factory's file, or the defaults if it does not exist.
func factory(file string, env []string) (Config, error) {
	c, err := Load(file, env)
	if errors.Is(err, fs.ErrNotExist) {
		return Load("", env)
	}
	return c, err
}

// HasBoard reports whether the file or the environment names a board.
func (c Config) HasBoard() bool { return c.origin != nil && c.origin.set[boardKey] }

const boardKey = "terminal.board"

// takeBoard copies the board of another configuration, if that names one.
func (c *Config) takeBoard(from Config) {
	if from.HasBoard() {
		c.Terminal.Board, c.origin.set[boardKey], c.origin.board = from.Terminal.Board, true, &from
	}
}

// Portable returns the text of a configuration as a parcel carries it, for the given terminal ("" keeps the
// id). It has no comments, no paths of the device, and not the default board: the example names that one, so it
// was probably not chosen.
func Portable(name string, text []byte, terminal string) ([]byte, error) {
	written, tables, err := tomlfile.Tables(name, text)
	if err != nil {
		return nil, err
	}
	if terminal != "" {
		set(tables, "terminal", "id", terminal)
	}
	for _, file := range []string{"gateway.ca_file", "api.token_file"} {
		section, key, _ := strings.Cut(file, ".")
		table, ok := tables[section].(map[string]any)
		switch value := table[key]; {
		case ok && value == "": // the same as no key
			delete(table, key)
		case ok && value != nil:
			return nil, written.Problem(file, "names a file, which a parcel does not bring: take it out")
		}
	}
	if table, ok := tables["gateway"].(map[string]any); ok {
		delete(table, "sign_key_file")
	}
	if table, ok := tables["terminal"].(map[string]any); ok {
		delete(table, "data_dir")
		if table["board"] == Default().Terminal.Board {
			delete(table, "board")
		}
	}
	portable, err := tomlfile.Encode(tables)
	if err != nil {
		return nil, err
	}
	// Check it as the terminal will read it.
	if _, _, err := placed(name, portable, "/var/lib/payterm", "/sign.key"); err != nil {
		return nil, inPlace(err, written, terminal)
	}
	return portable, nil
}

// inPlace changes the line numbers of problems from the portable text to the text that a person wrote. The
// terminal's id may have come from the command line.
func inPlace(err error, written *tomlfile.File, terminal string) error {
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	for i, one := range all {
		var p Problem
		switch {
		case !errors.As(one, &p):
		case p.Key == "terminal.id" && terminal != "":
			all[i] = Problem{File: "--terminal", Text: p.Text}
		case p.Line > 0:
			all[i] = written.Problem(p.Key, p.Text)
		}
	}
	line := func(err error) int {
		var p Problem
		errors.As(err, &p)
		return p.Line
	}
	slices.SortStableFunc(all, func(a, b error) int { return line(a) - line(b) })
	return errors.Join(all...)
}

func set(tables map[string]any, section, key, value string) {
	table, ok := tables[section].(map[string]any)
	if !ok {
		table = map[string]any{}
		tables[section] = table
	}
	table[key] = value
}

// placed puts the device's own paths into a parcel's configuration, and checks that nothing but the board is
// missing.
func placed(name string, text []byte, data, key string) (Config, []byte, error) {
	_, tables, err := tomlfile.Tables(name, text)
	if err != nil {
		return Config{}, nil, err
	}
	set(tables, "terminal", "data_dir", data)
	set(tables, "gateway", "sign_key_file", key)
	text, err = tomlfile.Encode(tables)
	if err != nil {
		return Config{}, nil, err
	}
	c, err := Parse(name, text, nil)
	if err != nil {
		return Config{}, nil, err
	}
	var missing []error
	for _, p := range c.Missing() {
		if p.Key != boardKey {
			p.Line = 0
			missing = append(missing, p)
		}
	}
	return c, text, errors.Join(missing...)
}

// Arrival is the content of a parcel that this terminal can use.
type Arrival struct {
	Config Config
	text   []byte
	key    string
	data   string
}

// Arrive checks the content of a parcel against a data directory and the factory's file. It writes nothing. No
// error repeats a secret.
func Arrive(file, data string, c provision.Content) (Arrival, error) {
	data, err := filepath.Abs(data)
	if err != nil {
		return Arrival{}, err
	}
	if why := checkSignKey(c.SignKey); why != "" {
		return Arrival{}, fmt.Errorf("the sign key %s", why)
	}
	cfg, text, err := placed("parcel", c.Config, data, filepath.Join(data, provisionDir, currentLink, keyFile))
	if err != nil {
		return Arrival{}, err
	}
	own, err := factory(file, nil)
	if err != nil {
		return Arrival{}, err
	}
	cfg.Terminal.Board = boardFile(file, cfg.Terminal.Board)
	switch {
	case cfg.HasBoard() && own.HasBoard() && cfg.Terminal.Board != own.Terminal.Board:
		// With the wrong board display and keypad would not work, and nobody could correct it at the terminal.
		return Arrival{}, Problem{File: "parcel", Key: boardKey,
			Text: fmt.Sprintf("%q: this terminal is %q; leave it out of the merchant's configuration",
				cfg.Terminal.Board, own.Terminal.Board)}
	case cfg.HasBoard():
	case own.HasBoard():
		cfg.takeBoard(own)
	default:
		// Only the configuration that is replaced now names the board, so it is copied from there.
		if now, _, err := InForce(file, data, nil); err == nil && now.HasBoard() {
			cfg.takeBoard(now)
			if text, err = withBoard(text, now.Terminal.Board); err != nil {
				return Arrival{}, err
			}
		}
	}
	return Arrival{cfg, text, c.SignKey, data}, nil
}

func withBoard(text []byte, board string) ([]byte, error) {
	_, tables, err := tomlfile.Tables("parcel", text)
	if err != nil {
		return nil, err
	}
	set(tables, "terminal", "board", board)
	return tomlfile.Encode(tables)
}

// Install puts the parcel in force and replaces the one before. If the power fails at any moment, the old one
// or the new one is in force, and complete.
func (a Arrival) Install(serial uint64) error { return a.write(serial, currentLink) }

// Wait stores the parcel beside the one in force, for TakeWaiting. It replaces a parcel that waited before.
func (a Arrival) Wait(serial uint64) error { return a.write(serial, nextLink) }

func (a Arrival) write(serial uint64, as string) error {
	if err := a.install(serial, as, func() error { return nil }); err != nil {
		return fmt.Errorf("write what was provisioned: %w", err)
	}
	return nil
}

// install calls step before each change to the disk. A test returns an error there to simulate a power failure.
func (a Arrival) install(serial uint64, as string, step func() error) error {
	device, err := DeviceKey(a.data)
	if err != nil {
		return err
	}
	sealed, err := provision.SealKey(device, rand.Reader, a.key)
	if err != nil {
		return err
	}
	dir, name := filepath.Join(a.data, provisionDir), strconv.FormatUint(serial, 10)
	made, link := filepath.Join(dir, name), filepath.Join(dir, ".link")
	for _, do := range []func() error{
		func() error { return os.MkdirAll(dir, 0o700) },
		func() error { return durable.SyncDir(a.data) },
		// A leftover of an attempt that was interrupted. No link points to it.
		func() error { return os.RemoveAll(made) },
		func() error { return os.RemoveAll(link) },
		func() error { return os.Mkdir(made, 0o700) },
		func() error { return durable.Create(filepath.Join(made, configFile), a.text) },
		func() error { return durable.Create(filepath.Join(made, keyFile), []byte(sealed)) },
		func() error { return durable.SyncDir(made) },
		func() error { return os.Symlink(name, link) },
		func() error { return durable.SyncDir(dir) },
		func() error { return os.Rename(link, filepath.Join(dir, as)) },
		func() error { return durable.SyncDir(dir) },
	} {
		if err := step(); err != nil {
			return err
		}
		if err := do(); err != nil {
			return err
		}
	}
	// The parcel is in force now. Removing old files may fail: the next call removes them. A parcel that waits
	// is older than this one and is dropped.
	if as == currentLink && step() == nil {
		os.Remove(filepath.Join(dir, nextLink)) //nolint:errcheck // the next call removes it
	}
	tidyParcels(dir, step)
	return nil
}

// tidyParcels removes the parcels to which neither link points. If a link cannot be read, it removes nothing.
func tidyParcels(dir string, step func() error) {
	kept := []string{currentLink, nextLink}
	for _, link := range kept[:2] {
		switch name, err := os.Readlink(filepath.Join(dir, link)); {
		case err == nil:
			kept = append(kept, name)
		case !errors.Is(err, fs.ErrNotExist):
			return
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !slices.Contains(kept, e.Name()) && step() == nil {
			os.RemoveAll(filepath.Join(dir, e.Name())) //nolint:errcheck // the next call tries again
		}
	}
}
