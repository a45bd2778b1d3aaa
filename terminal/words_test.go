package terminal

import (
	"slices"
	"strings"
	"testing"

	"payterm"
	"payterm/config"
	"payterm/flows/counter"
	"payterm/flows/order"
	"payterm/receipt"
	"payterm/screen"
	"payterm/storage"
)

// What the journal says of itself where no sale can be taken is on the screen in its language.
func TestFaultsAreTranslated(t *testing.T) {
	for _, err := range []error{storage.ErrNewer, storage.ErrCorrupt, storage.ErrFull, storage.ErrReadOnly,
		storage.ErrDenied, storage.ErrDisk, storage.ErrBusy} {
		said := map[string]string{}
		for _, language := range payterm.Languages {
			for _, small := range []bool{false, true} {
				s := screen.Compose(counter.View{Name: counter.ViewFault, Fault: err.Error()},
					screen.Options{Language: language, Small: small})
				words := strings.Join(append(slices.Clone(s.Lines), s.Small), "\n")
				if english := strings.Contains(words, err.Error()[1:]); english != (language == "en" && !small) {
					t.Errorf("%s, small %t: %q", language, small, words)
				}
				said[words] = language
			}
		}
		if len(said) != 2*len(payterm.Languages) {
			t.Errorf("%v: %q", err, said)
		}
	}
}

// A slip is in the language of the screens, as they are when it is printed; what a customer takes
// along in the merchant's receipt languages, where there are some.
func TestSlipsFollowTheLanguage(t *testing.T) {
	a := &Agent{o: Options{Config: config.Default(), Watermark: screen.Simulation}}
	told := func(slip order.Slip) string {
		return receipt.Compose(slip, payterm.Order{Outcome: payterm.Approved, Currency: "CAD"}, false,
			a.slipOptions()).Lines[1].Text
	}
	for _, c := range []struct {
		spoken, merchant, customer, mark string
		languages                        []string
	}{
		{"", "Merchant copy", "Customer copy", "SIMULATION", nil},
		{"fr", "Copie du commerçant", "Copie du client", "SIMULATION", nil},
		{"zh", "商户联", "顾客联", "模拟 SIMULATION", nil},
		{"zh", "商户联", "Copie du client", "模拟 SIMULATION", []string{"fr"}},
	} {
		a.o.Config.Terminal.ReceiptLanguages = c.languages
		if c.spoken != "" {
			a.speak(c.spoken)
		}
		if m, cu := told(order.SlipMerchant), told(order.SlipCustomer); m != c.merchant || cu != c.customer {
			t.Errorf("%+v: %q and %q", c, m, cu)
		}
		if mark := a.slipOptions().Watermark; mark != c.mark {
			t.Errorf("%+v: %q", c, mark)
		}
	}
}
