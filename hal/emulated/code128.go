package emulated

import (
	"errors"
	"fmt"
)

// code128Widths are bar and space widths in modules by symbol value (ISO/IEC
// 15417); 106 is the stop.
var code128Widths = [...]string{
	"212222", "222122", "222221", "121223", "121322", "131222",
	"122213", "122312", "132212", "221213", "221312", "231212",
	"112232", "122132", "122231", "113222", "123122", "123221",
	"223211", "221132", "221231", "213212", "223112", "312131",
	"311222", "321122", "321221", "312212", "322112", "322211",
	"212123", "212321", "232121", "111323", "131123", "131321",
	"112313", "132113", "132311", "211313", "231113", "231311",
	"112133", "112331", "132131", "113123", "113321", "133121",
	"313121", "211331", "231131", "213113", "213311", "213131",
	"311123", "311321", "331121", "312113", "312311", "332111",
	"314111", "221411", "431111", "111224", "111422", "121124",
	"121421", "141122", "141221", "112214", "112412", "122114",
	"122411", "142112", "142211", "241211", "221114", "413111",
	"241112", "134111", "111242", "121142", "121241", "114212",
	"124112", "124211", "411212", "421112", "421211", "212141",
	"214121", "412121", "111143", "111341", "131141", "114113",
	"114311", "411113", "411311", "113141", "114131", "311141",
	"411131", "211412", "211214", "211232", "2331112",
}

// code128 parses the data of GS k, function B, where {B and {C select subsets. It returns the
// symbol values with start, check and stop, and the text.
func code128(data []byte) (values []int, words string, err error) {
	subset := byte(0)
	for i := 0; i < len(data); i++ {
		c := data[i]
		if c == '{' {
			if i++; i == len(data) {
				return nil, "", errors.New("it ends in an opening brace")
			}
			switch next := data[i]; {
			case next == '{' && subset == 'B':
				values, words = append(values, '{'-32), words+"{"
			case next == 'B' || next == 'C':
				switch {
				case subset == 0:
					values = append(values, map[byte]int{'B': 104, 'C': 105}[next])
				case subset != next:
					values = append(values, map[byte]int{'B': 100, 'C': 99}[next])
				}
				subset = next
			default:
				return nil, "", fmt.Errorf("unknown subset %q", next)
			}
			continue
		}
		switch {
		case subset == 'B' && c >= 0x20 && c < 0x7f:
			values, words = append(values, int(c)-32), words+string(rune(c))
		case subset == 'C' && c < 100:
			values, words = append(values, int(c)), words+fmt.Sprintf("%02d", c)
		default:
			return nil, "", fmt.Errorf("byte %#02x outside its subset", c)
		}
	}
	if len(values) == 0 {
		return nil, "", errors.New("it is empty")
	}
	check := values[0]
	for i, v := range values[1:] {
		check += (i + 1) * v
	}
	return append(values, check%103, 106), words, nil
}
