// Package unifont contains GNU Unifont, a bitmap font of 16 pixels, for displays and printers whose own
// characters are only Latin. It has some 55,000 characters: all that Unifont draws of Unicode's basic plane.
//
// Legible converts any text to one that can be drawn, Signs splits it into characters, and Words shows where
// its lines may be broken. The bitmaps are in glyphs.bin, which a test makes from Unifont's own file and
// compares with it (TestGlyphs). Their licence is OFL.txt; docs/decisions/0009-chinese.md says why this font.
package unifont

import (
	"compress/flate"
	_ "embed" // the bitmaps
	"encoding/binary"
	"image"
	"io"
	"strings"
	"sync"
)

// Height is the height of every character in pixels.
const Height = 16

// glyphs has 256 blocks of 256 characters each. It begins with a table of the end of each block, counted from
// the end of the table: numbers of four bytes, big-endian. A block is compressed (RFC 1951): first the number
// of bytes in a row of each of its characters, 0 for none, then their rows one after the other.
//
//go:embed glyphs.bin
var glyphs string

// block is one block of glyphs. It is unpacked when one of its characters is first needed.
type block struct {
	once sync.Once
	from [257]uint16 // where the rows of each character begin, in units of Height bytes
	rows string
}

var blocks [256]block

func (b *block) unpack(n int) {
	from, to := 0, end(n)
	if n > 0 {
		from = end(n - 1)
	}
	if from == to {
		return // the block is empty
	}
	packed := glyphs[4*len(blocks):]
	text, err := io.ReadAll(flate.NewReader(strings.NewReader(packed[from:to])))
	if err != nil {
		panic("unifont: glyphs.bin is damaged: " + err.Error()) // it is part of the program
	}
	for i, width := range text[:256] {
		b.from[i+1] = b.from[i] + uint16(width)
	}
	b.rows = string(text[256:])
}

// end returns the end of a block, counted from the end of the table.
func end(n int) int { return int(binary.BigEndian.Uint32([]byte(glyphs[4*n : 4*n+4]))) }

// Glyph is the bitmap of one character.
type Glyph struct {
	wide bool
	rows string // from the top; the leftmost pixel is the highest bit
}

// Find returns a glyph, or false if there is none.
func Find(r rune) (Glyph, bool) {
	if r < 0 || r > 0xffff {
		return Glyph{}, false
	}
	b := &blocks[r>>8]
	b.once.Do(func() { b.unpack(int(r >> 8)) })
	from, to := int(b.from[r&0xff]), int(b.from[r&0xff+1])
	if from == to {
		return Glyph{}, false
	}
	return Glyph{to-from == 2, b.rows[from*Height : to*Height]}, true
}

// Width returns 8 pixels for a letter and 16 for a Chinese character.
func (g Glyph) Width() int {
	if g.wide {
		return 16
	}
	return 8
}

// At reports whether a pixel is black.
func (g Glyph) At(x, y int) bool {
	bytes := g.Width() / 8
	return g.rows[y*bytes+x/8]>>(7-x%8)&1 == 1
}

// Scaled draws the glyph in black on transparent, height pixels high and wide in proportion. A pixel of the
// glyph blackens each pixel that it touches, so that at one and a half times the size all strokes have the same
// width and all gaps stay open.
func (g Glyph) Scaled(height int) *image.Alpha {
	m := image.NewAlpha(image.Rect(0, 0, g.Width()*height/Height, height))
	for y := range Height {
		for x := range g.Width() {
			if !g.At(x, y) {
				continue
			}
			for ty := y * height / Height; ty < ((y+1)*height+Height-1)/Height; ty++ {
				for tx := x * height / Height; tx < min(m.Rect.Max.X, ((x+1)*height+Height-1)/Height); tx++ {
					m.Pix[ty*m.Stride+tx] = 0xff
				}
			}
		}
	}
	return m
}
