package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"

	"payterm/flows/counter"
	"payterm/internal/beneath"
	"payterm/internal/durable"

	"golang.org/x/crypto/bcrypt"
)

// staffFile has what supervisors have set at the keypad, beside the journal and not in it: a PIN
// is short enough to be found from its hash, and the journal is copied and exported.
const staffFile = "operators.json"

// mostStaff bounds the file: a line of 200 bytes for each operator, and then some.
const mostStaff = 128 << 10

// setPIN is one PIN that was set at the keypad.
type setPIN struct {
	MerchantID string `json:"merchant_id"` // for whom: another merchant's terminal has other people
	Number     string `json:"number"`
	PINHash    string `json:"pin_hash"`
	// Over is the hash that the configuration had for the number then; empty for an operator who
	// was added.
	Over string `json:"over,omitempty"`
}

// Staff are the operators of a terminal: those of the configuration, with what supervisors have
// set at the keypad since. The configuration wins where it says something newer: a PIN that was
// set counts only as long as the configuration has the same hash for the number as it had then,
// or, for an operator who was added, does not have the number at all.
type Staff struct {
	data string
	mu   sync.Mutex
	of   Config // the configuration
	now  Config // with what was set
	set  []setPIN
}

// OpenStaff reads what was set in a data directory. A file that cannot be read is an error, and
// the operators are the configuration's.
func OpenStaff(data string, c Config) (*Staff, error) {
	s := &Staff{data: data, of: c, now: c}
	f, err := beneath.Open(data, staffFile)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", staffFile, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, mostStaff))
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(text))
		err = d.Decode(&s.set)
	}
	if err != nil {
		s.set = nil
		return s, fmt.Errorf("%s: %w", staffFile, err)
	}
	s.now = s.with(s.set)
	return s, nil
}

// with is the configuration with what was set.
func (s *Staff) with(set []setPIN) Config {
	c := s.of
	c.Operators = slices.Clone(c.Operators)
	for _, p := range set {
		if p.MerchantID != c.Gateway.MerchantID {
			continue
		}
		at := slices.IndexFunc(c.Operators, func(o Operator) bool { return o.Number == p.Number })
		switch {
		case at < 0 && p.Over == "":
			c.Operators = append(c.Operators, Operator{Number: p.Number, PINHash: PINHash(p.PINHash)})
		case at >= 0 && string(c.Operators[at].PINHash) == p.Over:
			c.Operators[at].PINHash = PINHash(p.PINHash)
		}
	}
	return c
}

// Now is the configuration with the operators as they are now.
func (s *Staff) Now() Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// Person is who has a number.
func (s *Staff) Person(number string) (counter.Operator, bool) {
	o, known := s.Now().operator(number)
	return counter.Operator{Number: o.Number, Name: o.Name, Supervisor: o.Supervisor}, known
}

// NewPIN hashes an operator's new PIN, which is as slow as comparing one; keep keeps the hash. A number that nobody
// has is an operator who is added.
func (s *Staff) NewPIN(number string, pin counter.PIN) (keep func() error, err error) {
	if !operatorNumber.MatchString(number) {
		return nil, fmt.Errorf("operator %q: 1 to 9999 is needed", number)
	}
	now := s.Now()
	cost := bcrypt.DefaultCost  // that of payterm pin
	if len(now.Operators) > 0 { // all have one cost, as in the configuration
		if cost, err = bcrypt.Cost([]byte(now.Operators[0].PINHash)); err != nil {
			return nil, fmt.Errorf("the cost of the other PINs: %w", err)
		}
	}
	if _, known := now.operator(number); !known && len(now.Operators) >= maxOperators {
		return nil, fmt.Errorf("there are %d operators: more are not taken", maxOperators)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(pin), cost)
	if err != nil {
		return nil, errors.New("the PIN cannot be hashed") // the reason could tell of the PIN
	}
	return func() error { return s.keep(number, string(hash)) }, nil
}

func (s *Staff) keep(number, hash string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	configured, _ := s.of.operator(number)
	p := setPIN{MerchantID: s.of.Gateway.MerchantID, Number: number, PINHash: hash, Over: string(configured.PINHash)}
	// What the configuration has overtaken goes, and so does another merchant's.
	set := slices.DeleteFunc(slices.Clone(s.set), func(old setPIN) bool {
		now, known := s.of.operator(old.Number)
		return old.Number == number || old.MerchantID != p.MerchantID || string(now.PINHash) != old.Over ||
			known != (old.Over != "")
	})
	set = append(set, p)
	text, err := json.MarshalIndent(set, "", "\t")
	if err == nil {
		err = durable.Replace(filepath.Join(s.data, staffFile), text)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", staffFile, err)
	}
	s.set, s.now = set, s.with(set)
	return nil
}

// ComparePIN is Config's, of the operators as they are now.
func (s *Staff) ComparePIN(number string, pin counter.PIN) (counter.Operator, bool) {
	return s.Now().ComparePIN(number, pin)
}

// Whose is Config's, likewise.
func (s *Staff) Whose(number, signKey string) string { return s.Now().Whose(number, signKey) }
