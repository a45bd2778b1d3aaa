package printer

import "payterm"

// Encode returns the bytes of a receipt.
func Encode(r payterm.Receipt, o Options) ([]byte, error) {
	e, err := encode(r, o, false)
	return e.out, err
}
