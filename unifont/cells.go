package unifont

// Cell is a character of five by eight dots, as character displays have them.
type Cell struct {
	Sign rune
	Dots [8]byte // one byte a row, the lowest bit at the right
}

// Full is a cell with all dots set, for test patterns.
const Full = '█'

// Cells are the eight characters that a character display gets in addition to ASCII; the character RAM of an
// HD44780 holds eight. They are characters that some of these displays have and others lack, a full cell, and
// the French letters that are hardest to read without their accents.
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

// CellOf returns a character's index in Cells, or false if it is not one of them.
func CellOf(r rune) (int, bool) {
	for i, c := range Cells {
		if c.Sign == r {
			return i, true
		}
	}
	return 0, false
}
