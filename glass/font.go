package glass

import (
	"fmt"
	"image"
	"image/draw"
	"strings"
	"unicode/utf8"

	"payterm/unifont"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// style is one of the Go fonts (see NOTICE). What they lack, Chinese above all, is
// Unifont's in each of them.
type style uint8

const (
	medium style = iota
	bold
	mono
)

// fonts holds the faces that were asked for, with their glyphs: a screen repeats
// few of them, and rasterising is what costs on a small board.
type fonts struct {
	parsed [3]*opentype.Font
	faces  map[[2]int]*face
}

func loadFonts() (*fonts, error) {
	f := &fonts{faces: map[[2]int]*face{}}
	for s, ttf := range map[style][]byte{medium: gomedium.TTF, bold: gobold.TTF, mono: gomono.TTF} {
		parsed, err := opentype.Parse(ttf)
		if err != nil {
			return nil, fmt.Errorf("glass: read a font: %w", err)
		}
		f.parsed[s] = parsed
	}
	return f, nil
}

// face is a font at a size in pixels.
type face struct {
	parsed         *opentype.Font
	font           font.Face
	signs          int // height of Unifont's signs
	ascent, height int
	capHeight      int
	glyphs         map[string]glyph
}

type glyph struct {
	mask    *image.Alpha
	at      image.Point // of the mask, from the dot
	advance fixed.Int26_6
}

func (f *fonts) face(s style, px int) *face {
	key := [2]int{int(s), px}
	if got := f.faces[key]; got != nil {
		return got
	}
	// 72 dots an inch make a point a pixel. The fonts parsed, so only a size of
	// zero could fail here.
	size := &opentype.FaceOptions{Size: float64(max(1, px)), DPI: 72, Hinting: font.HintingFull}
	ff, err := opentype.NewFace(f.parsed[s], size)
	if err != nil {
		panic(fmt.Sprintf("glass: font face of %d px: %v", px, err))
	}
	m := ff.Metrics()
	got := &face{
		parsed: f.parsed[s], font: ff, ascent: m.Ascent.Ceil(), height: m.Ascent.Ceil() + m.Descent.Ceil(),
		capHeight: m.CapHeight.Ceil(), glyphs: map[string]glyph{},
	}
	// In steps of half their pixels, and no smaller than they are legible.
	got.signs = max(unifont.Height, got.height/8*8)
	f.faces[key] = got
	return got
}

// glyph is one of unifont.Signs. What the font lacks, and letters with marks that
// nothing takes in, are Unifont's.
func (f *face) glyph(sign string) glyph {
	if g, ok := f.glyphs[sign]; ok {
		return g
	}
	r, n := utf8.DecodeRuneInString(sign)
	index, err := f.parsed.GlyphIndex(nil, r)
	if err != nil || index == 0 || n < len(sign) {
		g := f.sign(sign)
		f.glyphs[sign] = g
		return g
	}
	dr, mask, maskp, advance, ok := f.font.Glyph(fixed.Point26_6{}, r)
	g := glyph{advance: advance}
	if ok && !dr.Empty() {
		g.mask = image.NewAlpha(image.Rect(0, 0, dr.Dx(), dr.Dy()))
		draw.Draw(g.mask, g.mask.Bounds(), mask, maskp, draw.Src)
		g.at = dr.Min
	}
	f.glyphs[sign] = g
	return g
}

// sign is one of Unifont's, with its middle in that of the capitals.
func (f *face) sign(sign string) glyph {
	mask := unifont.Draw(sign).Scaled(f.signs)
	return glyph{mask: mask, at: image.Pt(0, -(f.capHeight+f.signs)/2), advance: fixed.I(mask.Rect.Dx())}
}

func (f *face) width(text string) int {
	var w fixed.Int26_6
	for sign := range unifont.Signs(text) {
		w += f.glyph(sign).advance
	}
	return w.Ceil()
}

// baseline puts capitals into the middle of a box.
func (f *face) baseline(box image.Rectangle) int {
	return box.Min.Y + (box.Dy()+f.capHeight)/2
}

// wrap breaks a line between words, and between Chinese signs; false when a word is
// wider than w. Chinese lines are made about as long as each other: one sign alone
// on the last reads badly, and nothing but the width decides where they end.
func (f *face) wrap(line string, w int) ([]string, bool) {
	lines, ok := f.fill(line, w)
	for len(lines) > 1 && ok && strings.ContainsFunc(line, unifont.Chinese) {
		w -= f.signs / 2
		even, fits := f.fill(line, w)
		if !fits || len(even) > len(lines) {
			break
		}
		lines = even
	}
	return lines, ok
}

// fill puts as much into each line as has room there.
func (f *face) fill(line string, w int) ([]string, bool) {
	ok := true
	var out []string
	current := ""
	for word := range unifont.Words(line) {
		try := strings.TrimLeft(current+word, " ")
		if f.width(try) <= w {
			current = try
			continue
		}
		if current != "" {
			out = append(out, current)
		}
		current = strings.TrimLeft(word, " ")
		ok = ok && f.width(current) <= w
	}
	return append(out, current), ok
}
