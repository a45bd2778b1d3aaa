package unifont

// Cell is a sign of five by eight dots, as displays of characters have them.
type Cell struct {
	Sign rune
	Dots [8]byte // row by row, the lowest bit at the right
}

// Full is a cell with each of its dots, for test patterns.
const Full = '█'

// Cells are the eight signs that a display of characters is given beside those of
// ASCII, as many as the character RAM of an HD44780 holds: signs that not every such
// display has where another has them, a full cell, and the letters without whose marks
// French reads worst.
var Cells = [8]Cell{
	{'¥', [8]byte{0x11, 0x0a, 0x1f, 0x04, 0x1f, 0x04, 0x04, 0x00}},
	{'€', [8]byte{0x07, 0x08, 0x1e, 0x08, 0x1e, 0x08, 0x07, 0x00}},
	{'£', [8]byte{0x06, 0x09, 0x08, 0x1c, 0x08, 0x08, 0x1f, 0x00}},
	{'•', [8]byte{0x00, 0x00, 0x0e, 0x0e, 0x0e, 0x00, 0x00, 0x00}},
	{Full, [8]byte{0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f}},
	{'é', [8]byte{0x02, 0x04, 0x0e, 0x11, 0x1f, 0x10, 0x0e, 0x00}},
	{'è', [8]byte{0x08, 0x04, 0x0e, 0x11, 0x1f, 0x10, 0x0e, 0x00}},
	{'à', [8]byte{0x08, 0x04, 0x0e, 0x01, 0x0f, 0x11, 0x0f, 0x00}},
}

// CellOf gives a sign's number in Cells; false for a sign that is none of them.
func CellOf(r rune) (int, bool) {
	for i, c := range Cells {
		if c.Sign == r {
			return i, true
		}
	}
	return 0, false
}
