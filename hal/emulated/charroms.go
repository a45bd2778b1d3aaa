package emulated

// The HD44780U's character ROMs above ASCII (data sheet, "character codes and character patterns"). ROM code A02 is
// the European one: what stands at each code, sixteen to a line. A00, the Japanese one, has halfwidth katakana in
// the order of JIS X 0201 and a few Greek letters.
var europeanROM = []rune("▶◀“”⏫⏬●↵↑↓→←≤≥▲▼" + // 0x10
	" !\"#$%&'()*+,-./" +
	"0123456789:;<=>?" +
	"@ABCDEFGHIJKLMNO" +
	"PQRSTUVWXYZ[\\]^_" +
	"`abcdefghijklmno" +
	"pqrstuvwxyz{|}~⌂" +
	"БДЖЗИЙЛПУЦЧШЩЪЫЭ" + // 0x80
	"α♪ΓπΣσ♬τ🔔ΘΩδ∞♥ε∩" +
	"‖¡¢£¤¥¦§ƒ©ª«ЮЯ®‘" +
	"°±²³₧µ¶·ω¹º»¼½¾¿" +
	"ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏ" +
	"ÐÑÒÓÔÕÖ×ΦÙÚÛÜÝÞß" +
	"àáâãäåæçèéêëìíîï" +
	"ðñòóôõö÷øùúûüýþÿ")

// meaning is the character that a ROM has at a code; U+FFFD where it has none, or one that Unicode lacks.
func (c *hd44780) meaning(b byte) rune {
	switch {
	case b < 0x10:
	case c.european():
		return europeanROM[b-0x10]
	case b == 0x5c:
		return '¥'
	case b == 0x7e:
		return '→'
	case b == 0x7f:
		return '←'
	case b >= ' ' && b < 0x7f:
		return rune(b)
	case b >= 0xa1 && b <= 0xdf:
		return '｡' + rune(b) - 0xa1
	case b == 0xff:
		return '█'
	}
	return '\ufffd'
}

func (c *hd44780) european() bool { return c.d.ROM == "A02" }

// accents are the upper two rows of dots of an accented letter in A02, and on which letters it has them.
var accents = []struct {
	rows          [2]byte
	bare, letters string
}{
	{[2]byte{0x02, 0x04}, "aeiouyAEIOUY", "áéíóúýÁÉÍÓÚÝ"},
	{[2]byte{0x08, 0x04}, "aeiouAEIOU", "àèìòùÀÈÌÒÙ"},
	{[2]byte{0x04, 0x0a}, "aeiouAEIOU", "âêîôûÂÊÎÔÛ"},
	{[2]byte{0x0a, 0x00}, "aeiouyAEIOU", "äëïöüÿÄËÏÖÜ"},
	{[2]byte{0x0d, 0x12}, "anoANO", "ãñõÃÑÕ"},
}

// The dots of accented letters are in the way of the sheet's figure; its codes are exact.
//
// low are capitals of five rows, which leave room for an accent, and i without its dot.
var low = map[rune][5]byte{
	'A': {0x0e, 0x11, 0x1f, 0x11, 0x11}, 'E': {0x1f, 0x10, 0x1e, 0x10, 0x1f}, 'I': {0x0e, 0x04, 0x04, 0x04, 0x0e},
	'N': {0x11, 0x19, 0x15, 0x13, 0x11}, 'O': {0x1f, 0x11, 0x11, 0x11, 0x1f}, 'U': {0x11, 0x11, 0x11, 0x11, 0x0e},
	'Y': {0x11, 0x0a, 0x04, 0x04, 0x04}, 'i': {0x0c, 0x04, 0x04, 0x04, 0x0e},
}

// others are characters of A02 that are not a letter and its accent.
var others = map[rune][8]byte{
	'ç':  {0x00, 0x0e, 0x11, 0x10, 0x11, 0x0e, 0x04, 0x0c},
	'Ç':  {0x0e, 0x11, 0x10, 0x10, 0x11, 0x0e, 0x04, 0x0c},
	'£':  {0x06, 0x09, 0x08, 0x1c, 0x08, 0x08, 0x1f},
	'«':  {0x00, 0x05, 0x0a, 0x14, 0x0a, 0x05},
	'»':  {0x00, 0x14, 0x0a, 0x05, 0x0a, 0x14},
	'°':  {0x0c, 0x12, 0x12, 0x0c},
	'×':  {0x00, 0x11, 0x0a, 0x04, 0x0a, 0x11},
	'·':  {0x00, 0x00, 0x00, 0x0c, 0x0c},
	'\\': {0x00, 0x10, 0x08, 0x04, 0x02, 0x01},
	'~':  {0x00, 0x00, 0x08, 0x15, 0x02},
	'¥':  {0x11, 0x0a, 0x1f, 0x04, 0x1f, 0x04, 0x04},
}

// blot are eight rows of all dots, which the picture has for a character whose dots are not typed here.
var blot = [8]byte{0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f}

// drawing returns the dots of a character.
func drawing(r rune) [8]byte {
	if dots, is := others[r]; is {
		return dots
	}
	if r >= ' ' && r <= '}' {
		return ascii(r)
	}
	for _, a := range accents {
		for i, letter := range []rune(a.letters) {
			if letter != r {
				continue
			}
			bare := rune(a.bare[i])
			dots := ascii(bare)
			if five, is := low[bare]; is {
				copy(dots[2:], five[:])
			}
			copy(dots[:], a.rows[:])
			return dots
		}
	}
	return blot
}

// ascii returns the dots of a character that both ROMs have.
func ascii(r rune) (rows [8]byte) {
	for x, column := range characterROM[r-' '] {
		for y := range 8 {
			rows[y] |= column >> y & 1 << (4 - x)
		}
	}
	return rows
}

// read is what a person takes a drawn character for: one of A02 with the same dots, a euro sign, a bullet or a
// filled cell. Others are U+E000 and up, by their place in the RAM.
func (c *hd44780) read(place int) rune {
	dots := [8]byte(c.signs[8*place:])
	switch dots {
	case [8]byte{0x07, 0x08, 0x1e, 0x08, 0x1e, 0x08, 0x07}:
		return '€'
	case [8]byte{0x00, 0x00, 0x0e, 0x0e, 0x0e}:
		return '•'
	case blot:
		return '█'
	}
	for _, r := range europeanROM[0x90:] {
		if drawing(r) == dots {
			return r
		}
	}
	return rune(0xe000 + place)
}
