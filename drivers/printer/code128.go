package printer

import "strings"

// Code 128 (ISO/IEC 15417) for printers that have no barcodes. A symbol is three bars and three spaces in
// eleven modules; the stop symbol is four bars and three spaces in thirteen.
const (
	startB128 = 104
	toC128    = 99
	stop128   = 106
	check128  = 103 // modulus of the check symbol
)

// widths128 are the widths of each symbol's bars and spaces in modules, beginning with value 0.
var widths128 = strings.Fields(`
	212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222
	123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321
	232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121
	313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224
	111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111
	111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113
	114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112`)

// code128 returns the modules of a text, true for a bar: head in subset B, and tail, an even number of digits,
// in subset C.
func code128(head, tail string) []bool {
	values := []int{startB128}
	for i := range len(head) {
		values = append(values, int(head[i])-' ')
	}
	if tail != "" {
		values = append(values, toC128)
		for _, pair := range subsetC(tail) {
			values = append(values, int(pair))
		}
	}
	sum := values[0]
	for i, v := range values[1:] {
		sum += (i + 1) * v
	}
	var modules []bool
	for _, v := range append(values, sum%check128, stop128) {
		for i, width := range widths128[v] {
			for range width - '0' {
				modules = append(modules, i%2 == 0)
			}
		}
	}
	return modules
}

// barcodePicture draws the bars of a barcode.
func (e *encoder) barcodePicture(modules []bool) {
	p := newPicture(len(modules)*barWidth, barHeight)
	for x := range len(modules) * barWidth {
		for y := 0; y < barHeight && modules[x/barWidth]; y++ {
			p.set(x, y)
		}
	}
	e.print(p, false)
}
