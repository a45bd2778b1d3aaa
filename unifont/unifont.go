// Package unifont holds the signs of GNU Unifont, a bitmap font of 16 pixels, for
// glasses and rolls whose own signs end with Latin: all that Unicode's basic plane has
// a picture of, some 55,000 signs.
//
// Legible makes of any text one that can be drawn, Signs takes it apart, and Words tells
// where its lines may be broken. The bitmaps lie in glyphs.bin, which a test makes of
// Unifont's own file and holds against it (TestGlyphs). Their licence is OFL.txt, and
// docs/decisions/0009-chinese.md tells why this font.
package unifont

import (
	"compress/flate"
	_ "embed" // the signs
	"encoding/binary"
	"image"
	"io"
	"strings"
	"sync"
)

// Height is that of every sign in pixels.
const Height = 16

// glyphs has 256 blocks of 256 signs each. It begins with where each of them ends
// behind that table: a number of four bytes, the highest first. A block is compressed
// (RFC 1951): the bytes of a row of each of its signs, 0 for a sign that is not there,
// then their rows in turn.
//
//go:embed glyphs.bin
var glyphs string

// block is one of them, unpacked when one of its signs is asked for.
type block struct {
	once sync.Once
	from [257]uint16 // of the rows of each sign, in units of Height bytes
	rows string
}

var blocks [256]block

func (b *block) unpack(n int) {
	from, to := 0, end(n)
	if n > 0 {
		from = end(n - 1)
	}
	if from == to {
		return // it has none
	}
	packed := glyphs[4*len(blocks):]
	text, err := io.ReadAll(flate.NewReader(strings.NewReader(packed[from:to])))
	if err != nil {
		panic("unifont: glyphs.bin is damaged: " + err.Error()) // it is in the program
	}
	for i, width := range text[:256] {
		b.from[i+1] = b.from[i] + uint16(width)
	}
	b.rows = string(text[256:])
}

// end is where a block ends, behind the table.
func end(n int) int { return int(binary.BigEndian.Uint32([]byte(glyphs[4*n : 4*n+4]))) }

// Glyph is one sign.
type Glyph struct {
	wide bool
	rows string // from the top, the leftmost pixel in the highest bit
}

// Find gives a sign, false where there is none.
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

// Width is 8 pixels for a letter and 16 for a Chinese sign.
func (g Glyph) Width() int {
	if g.wide {
		return 16
	}
	return 8
}

// At tells whether a pixel is black.
func (g Glyph) At(x, y int) bool {
	bytes := g.Width() / 8
	return g.rows[y*bytes+x/8]>>(7-x%8)&1 == 1
}

// Scaled draws the sign in black or nothing, height pixels high and as wide in
// proportion. A pixel of the sign blackens each pixel that it touches, so that at
// one and a half times the size all strokes are alike and all gaps stay open.
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
