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

// style is one of the Go fonts (see NOTICE). Characters that they lack, above all Chinese, come from Unifont in
// every style.
type style uint8

const (
	medium style = iota
	bold
	mono
)

// fonts caches faces and their glyphs: screens use few of them, and rasterising is slow on a small board.
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
	signs          int // height of Unifont's characters in pixels
	ascent, height int
	capHeight      int
	glyphs         map[string]glyph
}

type glyph struct {
	mask    *image.Alpha
	at      image.Point // of the mask, relative to the dot
	advance fixed.Int26_6
}

func (f *fonts) face(s style, px int) *face {
	key := [2]int{int(s), px}
	if got := f.faces[key]; got != nil {
		return got
	}
	// At 72 dpi a point is a pixel. The fonts were parsed, so only a size of zero could fail here.
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
	// Unifont is scaled in steps of 8 pixels, half its height, and not below its own height, at which it is
	// legible.
	got.signs = max(unifont.Height, got.height/8*8)
	f.faces[key] = got
	return got
}

// glyph returns the glyph of one character of unifont.Signs. Unifont provides what the font lacks, and letters
// with combining marks that have no single code point.
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

// sign returns a character of Unifont, centred on the middle of the capitals.
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

// baseline returns the baseline that centres capitals in a box.
func (f *face) baseline(box image.Rectangle) int {
	return box.Min.Y + (box.Dy()+f.capHeight)/2
}

// wrap breaks a line between words and between Chinese characters. It returns false if a word is wider than w.
// Chinese lines are balanced: one character alone on the last line reads badly, and Chinese has no words that
// fix the breaks.
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

// fill puts as many words into each line as fit.
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
