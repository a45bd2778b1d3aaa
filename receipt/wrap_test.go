package receipt

import (
	"os"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/drivers/printer"
	"payterm/flows/order"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// onPaper returns the lines of a slip as a printer with its own Chinese characters gets them.
func onPaper(t *testing.T, columns int, r payterm.Receipt) []string {
	t.Helper()
	var paper tape
	p, err := printer.New(&paper, printer.Options{Columns: columns, Chinese: printer.GB18030,
		Barcode: printer.BarcodeNone, Sleep: func(time.Duration) {}})
	if err == nil {
		err = p.Print(t.Context(), r)
	}
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.SplitSeq(paper.String(), "\n") {
		var text strings.Builder
		for i, part := range strings.Split(line, "\x1c&") { // on, up to FS .
			if i == 0 {
				continue
			}
			signs, rest, _ := strings.Cut(part, "\x1c.")
			utf8, err := simplifiedchinese.GB18030.NewDecoder().String(signs)
			if err != nil {
				t.Fatal(err)
			}
			text.WriteString(utf8 + rest)
		}
		lines = append(lines, text.String())
	}
	return lines
}

// TestChineseWordsStayWhole: no Chinese word of our slips is broken over two lines, on any paper.
func TestChineseWordsStayWhole(t *testing.T) {
	source, err := os.ReadFile("../unifont/chinese.go")
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(strings.Split(string(source), "`")[1])
	if len(words) < 300 {
		t.Fatalf("%d words", len(words))
	}
	for _, columns := range []int{24, 32, 42, 48} {
		for _, slip := range all {
			for _, outcome := range []payterm.Outcome{payterm.Approved, payterm.Declined, payterm.InDoubt} {
				o := sale
				o.Outcome = outcome
				r := Compose(slip, o, true, Options{Language: "zh", Merchant: shop})
				lines := onPaper(t, columns, r)
				if slip == order.SlipInDoubt && !strings.Contains(strings.Join(lines, ""), "付款凭证") {
					t.Fatalf("it cannot be read: %q", lines)
				}
				for _, word := range words {
					for at := range word {
						for i, line := range lines[:len(lines)-1] {
							next := lines[i+1]
							if at > 0 && strings.HasSuffix(line, word[:at]) && strings.HasPrefix(next, word[at:]) {
								t.Errorf("%d columns, %s: %q is broken: %q, %q", columns, slip, word, line, next)
							}
						}
					}
				}
			}
		}
	}
}
