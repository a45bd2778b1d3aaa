package glass

import (
	"image"

	"payterm"
)

// symbol draws the tone's symbol in white, so that the meaning does not depend on colour alone: dots for busy,
// a tick for good, a cross for bad, a question mark for doubt.
func (p *Painter) symbol(t payterm.Tone, box image.Rectangle) {
	side := box.Dx()
	pen := max(2, side/6)
	at := func(x, y int) image.Point { // in sixteenths of the box
		return image.Pt(box.Min.X+x*side/16, box.Min.Y+y*side/16)
	}
	switch t {
	case payterm.Busy:
		half := min(pen/2+1, (side*5/16-1)/2) // the three dots must not touch
		for i := range 3 {
			c := at(3+5*i, 8)
			p.fill(image.Rect(c.X-half, c.Y-half, c.X+half, c.Y+half), paperWhite)
		}
	case payterm.Good:
		p.stroke(at(1, 9), at(6, 14), pen)
		p.stroke(at(6, 14), at(15, 3), pen)
	case payterm.Bad:
		p.stroke(at(2, 2), at(14, 14), pen)
		p.stroke(at(14, 2), at(2, 14), pen)
	case payterm.Doubt:
		p.centred("?", box, bold, side*5/4, paperWhite)
	case payterm.Calm:
	}
}

// stroke draws a thick line from a to b.
func (p *Painter) stroke(a, b image.Point, pen int) {
	steps := max(abs(b.X-a.X), abs(b.Y-a.Y), 1)
	for i := range steps + 1 {
		x, y := a.X+(b.X-a.X)*i/steps, a.Y+(b.Y-a.Y)*i/steps
		p.fill(image.Rect(x-pen/2, y-pen/2, x-pen/2+pen, y-pen/2+pen), paperWhite)
	}
}

func abs(n int) int { return max(n, -n) }
