package payterm

// OrderList names a list of orders that a person looks through, the newest first.
type OrderList string

// The lists.
const (
	ListNewest OrderList = "newest"        // every sale and refund
	ListSales  OrderList = "sales"         // approved, with something left to give back
	ListOpen   OrderList = "open"          // not closed yet, in doubt, or marked by an alarm
	ListLate   OrderList = "late_payments" // paid late, and nobody has decided
)

// MinNumber is how many characters at the end of a long number tell an order. What
// is shorter is the counter at the end of an order id, without its leading zeros.
const MinNumber = 6

// maxNumber bounds the number of an order, ours or a wallet's.
const maxNumber = 64

// Number is what was scanned as the number of an order: the barcode of a receipt,
// or the order number in a customer's wallet bill. It is false for a payment code,
// which is money and never looked up, and for what has no such form.
func (c PayCode) Number() (string, bool) {
	if _, pays := c.Channel(); pays || len(c.text) < MinNumber || len(c.text) > maxNumber {
		return "", false
	}
	for i := range len(c.text) {
		if b := c.text[i]; (b < 'A' || b > 'Z') && (b < '0' || b > '9') {
			return "", false
		}
	}
	return c.text, true
}
