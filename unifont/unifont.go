// Package unifont holds signs of GNU Unifont, a bitmap font of 16 pixels, for
// glasses and rolls whose own signs end with Latin: all of GB 2312, which
// Simplified Chinese is written with, and the Latin letters beside it.
//
// Words tells where lines of such texts may be broken. The bitmaps lie in glyphs.bin, which a test makes of Unifont's own file and
// holds against the list of signs (TestGlyphs). Their licence is OFL.txt, and
// docs/decisions/0009-chinese.md tells why this font.
package unifont

import (
	_ "embed" // the signs
	"image"
	"sort"
)

// Height is that of every sign in pixels.
const Height = 16

// glyphs has two parts, of the signs that are 8 and 16 pixels wide: how many,
// their code points in order, their rows. Numbers are big-endian, of two bytes.
//
//go:embed glyphs.bin
var glyphs string

// Glyph is one sign.
type Glyph struct {
	wide bool
	rows string // from the top, the leftmost pixel in the highest bit
}

// Find gives a sign, false where there is none.
func Find(r rune) (Glyph, bool) {
	rest := glyphs
	for _, bytes := range []int{1, 2} {
		n := int(number(rest, 0))
		runes, rows := rest[2:2+2*n], rest[2+2*n:2+2*n+n*bytes*Height]
		if i := sort.Search(n, func(i int) bool { return number(runes, i) >= r }); i < n && number(runes, i) == r {
			return Glyph{bytes == 2, rows[i*bytes*Height : (i+1)*bytes*Height]}, true
		}
		rest = rest[2+2*n+n*bytes*Height:]
	}
	return Glyph{}, false
}

func number(s string, i int) rune { return rune(s[2*i])<<8 | rune(s[2*i+1]) }

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
