package emulated

import (
	"testing"
	"time"

	"payterm/board"
)

// TestCharacterROMs: what a code is in each ROM, and that a drawn letter is read as the letter of the European ROM
// that has its dots.
func TestCharacterROMs(t *testing.T) {
	for _, c := range []struct {
		code           byte
		japanese, euro rune
	}{
		{'A', 'A', 'A'}, {0x5c, '¥', '\\'}, {0x7e, '→', '~'}, {0xb1, 'ｱ', '±'}, {0xdf, 'ﾟ', 'ß'}, {0xe9, '\ufffd', 'é'},
		{0xc9, 'ﾉ', 'É'}, {0xe0, '\ufffd', 'à'}, {0xf9, '\ufffd', 'ù'}, {0xff, '█', 'ÿ'},
		{0xa5, '･', '¥'}, {0xab, 'ｫ', '«'}, {0xd7, 'ﾗ', '×'}, {0x16, '\ufffd', '●'},
		{0x80, '\ufffd', 'Б'}, {0xac, 'ｬ', 'Ю'}, {0xb8, 'ｸ', 'ω'},
	} {
		for rom, want := range map[string]rune{"A00": c.japanese, "A02": c.euro} {
			b := &bench{t: t}
			chip := newHD44780(&board.Display{Columns: 20, Rows: 4, ROM: rom}, b.time, b.report, func() {})
			if got := chip.meaning(c.code); got != want {
				t.Errorf("ROM %s: %#02x is %q, not %q", rom, c.code, got, want)
			}
		}
	}
	if n := len(europeanROM); n != 0xf0 {
		t.Fatalf("the European ROM has %#x characters from 0x10", n)
	}
	seen := map[[8]byte]rune{}
	for _, r := range "éèêëàâäçîïôöûùüñÉÈÊËÀÂÇÎÏÔÛÙÜ£«»°×" {
		dots := drawing(r)
		if other, twice := seen[dots]; twice || dots == blot {
			t.Errorf("%q has the dots of %q: %x", r, other, dots)
		}
		seen[dots] = r
	}
}

// TestDrawnInSight: a byte that changes a drawn character on the glass is counted; the same byte again, and one of a
// character that is not on the glass, are not.
func TestDrawnInSight(t *testing.T) {
	b := &bench{t: t}
	chip := newHD44780(&board.Display{Columns: 16, Rows: 2}, b.time, b.report, func() {})
	chip.four, chip.twoLines, chip.on = true, true, true
	store := func(address, v byte) {
		b.now += time.Millisecond
		chip.instruct(address, b.now)
		b.now += time.Millisecond
		chip.store(v, b.now)
	}
	for x := range byte(16) {
		store(0x80|x, ' ')
		store(0xc0|x, ' ')
	}
	store(0x40|8, 0x1f) // of the second character, which is nowhere
	store(0xc0|3, 9)    // there it is
	for _, c := range []struct {
		address, v byte
		redrawn    int
	}{{0x40 | 9, 0x1f, 1}, {0x40 | 9, 0x1f, 1}, {0x40 | 16, 0x1f, 1}, {0x40 | 15, 0x11, 2}} {
		store(c.address, c.v)
		if chip.redrawn != c.redrawn {
			t.Errorf("after %#02x at %#02x %d bytes have changed in sight, not %d", c.v, c.address, chip.redrawn, c.redrawn)
		}
	}
	if chip.stored != 5 {
		t.Errorf("%d bytes were drawn", chip.stored)
	}
}
