package screen_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
	"payterm/glass"
	"payterm/receipt"
	"payterm/screen"
)

// strips are the pictures of docs/cashier.md: screens side by side, by the names of the shots. They are made
// together with those of docs/screens.
var strips = map[string][]string{
	"sale":     {"amount", "tip", "scan", "approved"},
	"code":     {"choose_wallet", "show_code"},
	"unknown":  {"waiting", "in_doubt (passive)", "warning, a doubt"},
	"late":     {"idle, much to do", "order, late"},
	"paid":     {"find, a bill", "order, paid", "order, not paid"},
	"refund":   {"refund_amount, a part", "number, refund", "refunded"},
	"paper":    {"approved, with fee, no paper"},
	"day":      {"menu, signed on", "totals, Z"},
	"training": {"idle", "drills", "briefing"},
}

// fieldStrips are the pictures of docs/field.md.
func fieldStrips() map[string][]payterm.Screen {
	shop := screen.Options{Language: "en", Merchant: "Tea & Co", Link: counter.NetworkUp, Now: noon}
	setUp := func(name string) payterm.Screen {
		all := setupShots()
		i := slices.IndexFunc(all, func(s setupShot) bool { return s.name == name })
		return screen.Setup(all[i].view, screen.Options{Language: "en"})
	}
	idle := func(n screen.Notice, r screen.Refusal) payterm.Screen {
		o := shop
		o.Notice, o.Refusal = n, r
		return screen.Compose(atRest()[0].view, o)
	}
	return map[string][]payterm.Screen{
		"setup": {setUp("all well"), setUp("code"), setUp("done"), idle("", "")},
		"service": {idle(screen.UpdateInstalling, ""), idle(screen.UpdateRestarting, ""),
			idle(screen.UpdateRefused, screen.NotOurs), setUp("no paper")},
	}
}

// guided are the shots, and one that only the guide has.
func guided() []shot {
	all := shots()
	for _, s := range all {
		if s.name == "number, refund, wrong" {
			s.view.PINWrong = false
			all = append(all, shot{name: "number, refund", view: s.view})
		}
	}
	return all
}

// maxPictures is the largest size of all pictures of the guide together, in bytes.
const maxPictures = 300_000

// TestPicturesOfTheGuide compares the guide's pictures with the present screens.
func TestPicturesOfTheGuide(t *testing.T) {
	p, err := glass.NewPainter(240, 320)
	if err != nil {
		t.Fatal(err)
	}
	all, size := guided(), int64(0)
	pictures := fieldStrips()
	for name, names := range strips {
		for _, of := range names {
			i := slices.IndexFunc(all, func(s shot) bool { return s.name == of })
			if i < 0 {
				t.Fatalf("%s: there is no shot %q", name, of)
			}
			o := screen.Options{Language: "en", Merchant: "Tea & Co"}
			if name == "training" {
				o.Watermark = screen.InTraining
			}
			pictures[name] = append(pictures[name], screen.Compose(all[i].view, o))
		}
	}
	for name, screens := range pictures {
		var strip sheet
		for _, s := range screens {
			img, err := p.Paint(s)
			if err != nil {
				t.Errorf("%s: %v", s.Name, err)
			}
			strip.add("", img, len(screens))
		}
		strip.hold(t, filepath.Join("..", "pictures", name))
	}
	files, err := filepath.Glob(filepath.Join("..", "docs", "pictures", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		at, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		size += at.Size()
		if pictures[strings.TrimSuffix(filepath.Base(path), ".png")] == nil {
			t.Errorf("%s: nobody draws it", path)
		}
	}
	if size > maxPictures {
		t.Errorf("the guide's pictures have %d bytes: %d at the most", size, maxPictures)
	}
}

// shown returns every text that an English screen or slip can have.
func shown() map[string]bool {
	texts := map[string]bool{}
	for _, s := range slices.Concat(variants(), guided()) {
		for _, o := range []screen.Options{{}, {Watermark: "TRAINING"}, {ScannerAway: true},
			{OnPaper: func(string) bool { return true }}} {
			o.Language, o.Merchant = "en", "Tea & Co"
			out := screen.Compose(s.view, o)
			for _, item := range out.Items {
				out.Lines = append(out.Lines, item.Text)
			}
			for _, line := range append([]string{out.Title, out.Status, out.Small, out.Watermark}, out.Lines...) {
				texts[chosen.ReplaceAllString(line, "")] = true
			}
			for _, k := range out.Keys {
				texts[k.Does] = true
			}
		}
	}
	for drill := range counter.Drills { // with the briefings of the others
		v := counter.View{Name: counter.ViewBriefing, Menu: counter.Menu{Task: counter.TaskTraining, Cursor: drill}}
		out := screen.Compose(v, screen.Options{Language: "en"})
		for _, line := range append(out.Lines, out.Title) {
			texts[line] = true
		}
	}
	_, all := slips("en")
	all = append(all, receipt.Compose(order.SlipMerchant, payterm.Order{}, true, receipt.Options{Language: "en"}))
	for _, slip := range all {
		for _, line := range slip.Lines {
			texts[line.Text], texts[line.Right] = true, true
		}
	}
	delete(texts, "")
	return texts
}

// chosen matches what precedes a line that a digit chooses.
var chosen = regexp.MustCompile(`^(> )?\d+\) `)

var (
	pictureOf = regexp.MustCompile(`\]\(pictures/([a-z]+)\.png\)`)
	quoted    = regexp.MustCompile("`([^`]+)`") // in the cashier's guide
	said      = regexp.MustCompile(`"([^"]+)"`) // in the field's, which has file names too
	pressed   = regexp.MustCompile(`\*\*([^*]+)\*\*`)
	plainKeys = regexp.MustCompile(`^[A-Z0-9]+$`)
)

// misled names what a guide says and the terminal does not: a picture that is not
// drawn or not shown, a text in its quotes that no screen or slip has, a key between **
// that no keypad has.
func misled[P any](guide string, texts map[string]bool, pictures map[string]P, quotes *regexp.Regexp) []string {
	var out []string
	guide = strings.Join(strings.Fields(guide), " ") // a text may be broken over two lines
	seen := map[string]bool{}
	for _, m := range pictureOf.FindAllStringSubmatch(guide, -1) {
		seen[m[1]] = true
		if _, drawn := pictures[m[1]]; !drawn {
			out = append(out, "picture "+m[1])
		}
	}
	for name := range pictures {
		if !seen[name] {
			out = append(out, "not shown: "+name)
		}
	}
	for _, m := range quotes.FindAllStringSubmatch(guide, -1) {
		if !texts[m[1]] {
			out = append(out, "text "+m[1])
		}
	}
	for _, m := range pressed.FindAllStringSubmatch(guide, -1) {
		if plainKeys.MatchString(m[1]) && !payterm.Key(m[1]).Valid() {
			out = append(out, "key "+m[1])
		}
	}
	return out
}

// What the cashier's guide quotes is what the terminal says.
func TestGuideIsTrue(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "cashier.md"))
	if err != nil {
		t.Fatal(err)
	}
	texts := shown()
	for _, m := range misled(string(text), texts, strips, quoted) {
		t.Errorf("cashier.md: %s", m)
	}
	for what, spoil := range map[string][2]string{
		"picture sail":          {"pictures/sale.png", "pictures/sail.png"},
		"not shown: sale":       {"pictures/sale.png", "pictures/code.png"},
		"text Result not known": {"`Result unknown`", "`Result not known`"},
		"key OK":                {"**ENTER**", "**OK**"},
	} {
		if found := misled(strings.Replace(string(text), spoil[0], spoil[1], 1), texts, strips,
			quoted); !slices.Contains(found, what) {
			t.Errorf("%q in place of %q is not seen: %q", spoil[1], spoil[0], found)
		}
	}
}

// What the field guide quotes is what the terminal says while it is set up or updated.
func TestFieldGuideIsTrue(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "field.md"))
	if err != nil {
		t.Fatal(err)
	}
	texts := shown()
	put := func(s payterm.Screen) {
		for _, line := range append(s.Lines, s.Title) {
			texts[line] = true
		}
	}
	for _, s := range allOfSetup() {
		s.view.Test.More = 0
		put(screen.Setup(s.view, screen.Options{Language: "en"}))
	}
	for _, o := range news() {
		o.Language = "en"
		put(screen.Compose(atRest()[0].view, o))
	}
	texts["A2"], texts["high endurance"] = true, true // on cards
	guide := string(text)
	for _, m := range misled(guide, texts, fieldStrips(), said) {
		t.Errorf("field.md: %s", m)
	}
	if found := misled(strings.Replace(guide, "It has expired", "It is too old", 1), texts, fieldStrips(),
		said); !slices.Contains(found, "text It is too old") {
		t.Errorf("a text that no screen has is not seen: %q", found)
	}
}
