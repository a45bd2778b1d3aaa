package screen_test

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"payterm"
	"payterm/board"
	"payterm/boards"
	"payterm/drivers/printer"
	"payterm/glass"
	"payterm/hal/emulated"
	"payterm/screen"
	"payterm/terminal/devices"
)

// build/pictures.html, for design reviews, is written by
//
//	go test ./screen -run Gallery -update
//
// It has each screen on each kind of display and each slip on each width of paper, in every language: what the
// emulated chips show when they are driven by the real drivers.

// glasses are the sizes of displays, each with a board that has it.
var glasses = []struct{ size, board string }{
	{"240x320", "raspberrypi-spi-st7789"},
	{"320x240", "raspberrypi-spi-ili9341"},
	{"128x64", "raspberrypi-i2c-ssd1306"},
	{"20x4", "raspberrypi-i2c-hd44780"},
}

// rolls are the widths of paper, each with a board that has it.
var rolls = []struct{ size, board string }{
	{"58 mm", "emulated"},
	{"80 mm", "generic-fbdev"},
}

// quietBoard is an emulated board, by its profile's name.
func quietBoard(t *testing.T, name string) (*emulated.Board, *board.Board) {
	t.Helper()
	text, err := boards.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := board.ReadProfile(name+".toml", text)
	if err != nil {
		t.Fatal(err)
	}
	return quiet(t, p)
}

// quiet is an emulated board of a profile. The test fails on a violation of its chips.
func quiet(t *testing.T, p board.Profile) (*emulated.Board, *board.Board) {
	t.Helper()
	p.Printer.Baud = 115_200
	e, err := emulated.New(emulated.Config{Profile: p, Scale: 1000})
	if err != nil {
		t.Fatal(err)
	}
	b := board.Open(p, e)
	t.Cleanup(func() {
		for _, v := range e.Violations() {
			t.Errorf("%s: a chip was misused: %v", p.Board, v)
		}
		if err := cmp.Or(b.Close(), e.Close()); err != nil {
			t.Error(err)
		}
	})
	return e, b
}

// newGlass initialises a board's display.
func newGlass(t *testing.T, name string) (*emulated.Board, *glass.Display) {
	t.Helper()
	e, b := quietBoard(t, name)
	return e, lit(t, e, b)
}

// lit opens and initialises a display.
func lit(t *testing.T, e *emulated.Board, b *board.Board) *glass.Display {
	t.Helper()
	d, err := devices.OpenDisplay(b, e.Sleep)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Init(); err != nil {
		t.Fatal(err)
	}
	return d
}

// maxPages is more than any screen needs.
const maxPages = 16

// pages shows a screen and turns its pages until the first is shown again.
func pages(t *testing.T, e *emulated.Board, d *glass.Display, s payterm.Screen) (all []*image.RGBA, unfit error) {
	t.Helper()
	unfit = d.Show(s)
	for range maxPages {
		frame := e.Frame()
		if len(all) > 0 && bytes.Equal(frame.Pix, all[0].Pix) {
			return all, unfit
		}
		all = append(all, frame)
		if err := d.Turn(); err != nil {
			t.Fatal(err)
		}
	}
	t.Errorf("%v %q: more than %d pages", e.Frame().Rect.Max, s.Lines, maxPages)
	return all, unfit
}

// figure is a picture of the gallery.
type figure struct {
	Size, Language, Words, Note string
	Width                       int // on the page, in pixels
	Data                        []template.URL
}

// exhibit is one screen or slip, with a row for each size.
type exhibit struct {
	Name string
	Rows [][]figure
}

// add adds a figure to those of its size.
func (x *exhibit) add(f figure) {
	if n := len(x.Rows); n > 0 && x.Rows[n-1][0].Size == f.Size {
		x.Rows[n-1] = append(x.Rows[n-1], f)
		return
	}
	x.Rows = append(x.Rows, []figure{f})
}

func pngData(t *testing.T, img image.Image) template.URL {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(out.Bytes()))
}

// blank reports whether a picture has only one colour.
func blank(img *image.RGBA) bool {
	for i := 0; i < len(img.Pix); i += 4 {
		if !bytes.Equal(img.Pix[i:i+4], img.Pix[:4]) {
			return false
		}
	}
	return true
}

// TestGallery draws and prints everything; with -update it writes the page.
func TestGallery(t *testing.T) {
	if testing.Short() {
		t.Skip("a review for people: hundreds of pictures")
	}
	var screens, papers []exhibit
	for _, s := range shots() {
		screens = append(screens, exhibit{Name: s.name})
	}
	for _, g := range glasses {
		e, d := newGlass(t, g.board)
		for _, language := range payterm.Languages {
			for i, s := range shots() {
				composed := screen.Compose(s.view, screen.Options{Language: language, Merchant: "Thé & Cie"})
				frames, unfit := pages(t, e, d, composed)
				f := figure{Size: g.size, Language: language,
					Words: strings.Join(append([]string{composed.Title, composed.Amount}, composed.Lines...), " "),
					Width: frames[0].Rect.Dx()}
				if f.Width < 240 {
					f.Width *= 2 // whole pixels
				} else if f.Width > 320 {
					f.Width = 320 // characters, whose frame is large
				}
				if unfit != nil {
					f.Note = unfit.Error()
				}
				for _, frame := range frames {
					if blank(frame) {
						t.Errorf("%s %s %s: nothing is on the glass", g.size, language, s.name)
					}
					f.Data = append(f.Data, pngData(t, frame))
				}
				screens[i].add(f)
			}
		}
	}
	for _, r := range rolls {
		e, b := quietBoard(t, r.board)
		p := b.Profile.Printer
		out, err := printer.New(b.Printer, printer.Options{
			Columns: p.Columns, CodePage: p.CodePage, Cut: p.Cut, CutFeed: p.CutFeed, Baud: p.Baud, Buffer: p.Buffer,
			Speed: p.Speed, Sleep: e.Sleep,
		})
		if err != nil {
			t.Fatal(err)
		}
		paper := roll{e, out}
		for _, languages := range [][]string{{"en"}, {"fr"}, {"zh"}, {"fr", "en"}, {"zh", "en"}} {
			names, all := slips(languages[0], languages...)
			for i, slip := range all {
				img := paper.print(t, slip)
				at := slices.IndexFunc(papers, func(x exhibit) bool { return x.Name == names[i] })
				if at < 0 {
					at = len(papers)
					papers = append(papers, exhibit{Name: names[i]})
				}
				papers[at].add(figure{Size: r.size, Language: strings.Join(languages, "-"), Words: slip.Name,
					Width: min(img.Bounds().Dx()/2, 256), Data: []template.URL{pngData(t, img)}})
			}
		}
	}
	var page bytes.Buffer
	sizes := []string{}
	for _, g := range glasses {
		sizes = append(sizes, g.size)
	}
	for _, r := range rolls {
		sizes = append(sizes, r.size)
	}
	if err := gallery.Execute(&page, map[string]any{"Screens": screens, "Papers": papers, "Sizes": sizes,
		"Languages": []string{"en", "fr", "zh", "fr-en", "zh-en"}}); err != nil {
		t.Fatal(err)
	}
	// The last is what the template writes for a picture that it refuses.
	for _, outside := range []string{"http://", "https://", "#ZgotmplZ"} {
		if strings.Contains(page.String(), outside) {
			t.Errorf("the page holds %s", outside)
		}
	}
	if *update {
		path := filepath.Join("..", "build", "pictures.html")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("%s: %d kB: open it in a browser\n", path, page.Len()>>10)
	}
}

var gallery = template.Must(template.New("gallery").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>payterm: every screen and slip</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: dark; font: 15px/1.45 system-ui, sans-serif; color: #e8edf2; background: #0d1216; accent-color: #7cc4ff; }
  body { margin: 0 auto; padding: 0 20px 40px; max-width: 1760px; }
  header { position: sticky; top: 0; background: #0d1216f2; z-index: 1; padding: 14px 0 10px; border-bottom: 1px solid #2c3740; display: flex; flex-wrap: wrap; gap: 4px 28px; align-items: center; }
  h1 { font-size: 1.15rem; margin: 0; } h2 { font-size: 1rem; margin: 0 0 10px; text-wrap: balance; }
  fieldset { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0 14px; align-items: center; }
  legend { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  label { display: flex; gap: 6px; align-items: center; min-height: 32px; cursor: pointer; }
  input { width: 18px; height: 18px; margin: 0; }
  :focus-visible { outline: 3px solid #7cc4ff; outline-offset: 2px; }
  section { padding: 22px 0 6px; border-top: 1px solid #2c3740; scroll-margin-top: 60px; } section:first-of-type { border: 0; }
  .wall { margin-bottom: 18px; display: flex; flex-wrap: wrap; gap: 18px; align-items: flex-start; }
  figure { margin: 0; display: grid; gap: 6px; max-width: 100%; }
  figure img { display: block; image-rendering: pixelated; max-width: 100%; height: auto; border-radius: 3px; background: #000; margin-bottom: 4px; }
  figure img.fine { image-rendering: auto; }
  figcaption { font-size: .8rem; color: #a9b7c3; max-width: 24rem; } figcaption b { color: #e8edf2; font-weight: 600; } .note { color: #ffd166; }
  {{range .Sizes}}body:has([value="{{.}}"]:not(:checked)) [data-size="{{.}}"] { display: none; }
  {{end}}{{range .Languages}}body:has([value="{{.}}"]:not(:checked)) [data-language="{{.}}"] { display: none; }
  {{end}}
</style>
<header>
  <h1>Every screen and slip</h1>
  <fieldset><legend>Sizes</legend>{{range .Sizes}}<label><input type="checkbox" value="{{.}}" checked> {{.}}</label>{{end}}</fieldset>
  <fieldset><legend>Languages</legend>{{range .Languages}}<label><input type="checkbox" value="{{.}}" checked> {{.}}</label>{{end}}</fieldset>
</header>
<main>
{{define "exhibit"}}<section><h2>{{.Name}}</h2>
{{range .Rows}}<div class="wall" data-size="{{(index . 0).Size}}">
{{range .}}{{$f := .}}<figure data-language="{{.Language}}"><div>{{range .Data}}<img src="{{.}}" width="{{$f.Width}}" alt="{{$f.Words}}" loading="lazy"{{if or (eq $f.Size "20x4") (eq $f.Size "58 mm") (eq $f.Size "80 mm")}} class="fine"{{end}}>{{end}}</div><figcaption><b>{{.Language}}</b> {{.Size}}{{if gt (len .Data) 1}}, {{len .Data}} pages{{end}}{{if .Note}}<br><span class="note">! {{.Note}}</span>{{end}}</figcaption></figure>
{{end}}</div>
{{end}}</section>
{{end}}{{range .Screens}}{{template "exhibit" .}}{{end}}{{range .Papers}}{{template "exhibit" .}}{{end}}
</main>
</html>
`))

// TestBlank: a display that shows nothing is found.
func TestBlank(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 4, 4))
	if !blank(img) {
		t.Error("a dark glass passes")
	}
	if img.Pix[40] = 1; blank(img) {
		t.Error("a dot is not seen")
	}
}
