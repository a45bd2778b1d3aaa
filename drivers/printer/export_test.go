package printer

import "payterm"

// Encode gives the bytes of a receipt alone.
func Encode(r payterm.Receipt, o Options) ([]byte, error) {
	e, err := encode(r, o, false)
	return e.out, err
}
