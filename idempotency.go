package payterm

import "errors"

// IdempotencyKey is a caller's name for one request: sent again it gives the order that
// came of it (invariant 21).
type IdempotencyKey string

// MaxIdempotencyKey is the most characters of a key.
const MaxIdempotencyKey = 128

var errIdempotencyKey = errors.New("idempotency_key: 1 to 128 printable ASCII characters, no blank at either end")

// UnmarshalText takes a key that comes from outside. An empty one is a variable that
// nobody has set, and would protect from nothing. Beyond ASCII two keys may look alike
// and be two.
func (k *IdempotencyKey) UnmarshalText(text []byte) error {
	n := len(text)
	if n == 0 || n > MaxIdempotencyKey || text[0] == ' ' || text[n-1] == ' ' {
		return errIdempotencyKey
	}
	for _, c := range text {
		if c < ' ' || c > '~' {
			return errIdempotencyKey
		}
	}
	*k = IdempotencyKey(text)
	return nil
}
