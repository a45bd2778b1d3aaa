package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/internal/tooltest"
	"payterm/provision"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"golang.org/x/crypto/bcrypt"
)

// The front panel in a browser that the test starts and ends.

var rewrite = flag.Bool("update", false, "write the pictures of docs/ anew")

type browser struct {
	t   *testing.T
	ctx context.Context
}

// openPanel opens the front panel in a window of this size, and waits for the glass.
func openPanel(t *testing.T, url string, width, height int64, flags ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	bounded, stop := context.WithTimeout(t.Context(), 3*time.Minute)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox,
		chromedp.ExecPath(tooltest.Need(t, "chromium")))
	options = append(options, flags...)
	allocator, closeAllocator := chromedp.NewExecAllocator(bounded, options...)
	ctx, closeBrowser := chromedp.NewContext(allocator)
	t.Cleanup(func() { closeBrowser(); closeAllocator(); stop() })
	b := &browser{t, ctx}
	b.do(chromedp.EmulateViewport(width, height), chromedp.Navigate(url))
	b.until("the page hears the terminal", `events.readyState === 1 && document.getElementById('words').children.length > 0`)
	return b
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func eval[T any](b *browser, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%v: %s", err, expression)
	}
	return v
}

func (b *browser) until(what, condition string) {
	b.t.Helper()
	for end := time.Now().Add(never); !eval[bool](b, condition); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("never: %s (%s)", what, condition)
		}
	}
}

func (b *browser) types(keys string) { b.t.Helper(); b.do(chromedp.KeyEvent(keys)) }

// tabTo presses Tab until the control with this id has the focus, and checks that the focus is
// visible at each.
func (b *browser) tabTo(id string) {
	b.t.Helper()
	for range 90 {
		b.types(kb.Tab)
		at := eval[struct{ ID, Outline string }](b,
			`(() => { const e = document.activeElement; return {id: e.id, outline: e === document.body || e.tagName === 'IFRAME' ? 'none needed' : getComputedStyle(e).outlineStyle}; })()`)
		if at.Outline == "none" {
			b.t.Errorf("the focus on %q does not show", at.ID)
		}
		if at.ID == id {
			return
		}
	}
	b.t.Fatalf("Tab never comes to #%s", id)
}

// settle waits until the page's glass shows what the terminal's display shows, and that is at rest.
func (b *browser) settle() {
	b.t.Helper()
	const settled = `(async () => {
  const draw = (from, w, h) => {
    const pen = new OffscreenCanvas(w, h).getContext('2d');
    pen.imageSmoothingEnabled = false;
    pen.drawImage(from, 0, 0, w, h);
    return pen.getImageData(0, 0, w, h).data;
  };
  const look = async () => createImageBitmap(await (await fetch('/emu/display.png')).blob());
  const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);
  const before = await look();
  await new Promise(done => setTimeout(done, 150));
  const now = await look(), w = now.width, h = now.height, pixels = draw(now, w, h);
  return same(draw(before, w, h), pixels) && same(draw(document.getElementById('glass'), w, h), pixels);
})()`
	for end := time.Now().Add(time.Minute); ; {
		at, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](settled, chromedp.EvalAwaitPromise))
		switch {
		case err != nil:
			b.t.Fatal(err)
		case at:
			return
		case time.Now().After(end):
			b.t.Fatal("the page's glass does not show the display")
		}
	}
}

// picture takes a picture for the documentation. It is taken at every run, to test that, and
// written with -update only.
func (b *browser) picture(name string) {
	b.t.Helper()
	b.settle()
	shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	small, err := reduce(shot)
	if err != nil {
		b.t.Fatal(err)
	}
	if len(small) > 90<<10 {
		b.t.Errorf("%s takes %d bytes: 90 kB are the most", name, len(small))
	}
	if *rewrite {
		if err := os.WriteFile(filepath.Join("..", "..", "docs", name), small, 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
}

// reduce reduces a picture to its 256 most frequent colours.
func reduce(shot []byte) ([]byte, error) {
	img, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		return nil, err
	}
	count := map[color.RGBA]int{}
	size := img.Bounds()
	at := func(x, y int) color.RGBA {
		r, g, b, _ := img.At(x, y).RGBA()
		// similar shades become one; white stays white
		near := func(v uint32) uint8 { return uint8(v>>8)&0xfc | uint8(v>>14) }
		return color.RGBA{near(r), near(g), near(b), 0xff}
	}
	for y := range size.Dy() {
		for x := range size.Dx() {
			count[at(x, y)]++
		}
	}
	colours := make([]color.RGBA, 0, len(count))
	for c := range count {
		colours = append(colours, c)
	}
	slices.SortFunc(colours, func(a, b color.RGBA) int { return count[b] - count[a] })
	var palette color.Palette
	for _, c := range colours[:min(len(colours), 256)] {
		palette = append(palette, c)
	}
	small := image.NewPaletted(size, palette)
	index := map[color.RGBA]uint8{}
	for y := range size.Dy() {
		for x := range size.Dx() {
			c := at(x, y)
			i, known := index[c]
			if !known {
				i = uint8(palette.Index(c))
				index[c] = i
			}
			small.SetColorIndex(x, y, i)
		}
	}
	var out bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, small)
	return out.Bytes(), err
}

// TestPanelByKeyboard sells in both modes with the keyboard alone.
func TestPanelByKeyboard(t *testing.T) {
	t.Parallel()
	s := newShop(t, "inquiry_interval = \"300ms\"\nfirst_inquiry = \"300ms\"\n")
	b := openPanel(t, s.panel, 1440, 900)
	approved := func(n int, mode payterm.Mode) {
		t.Helper()
		s.waitScreen("approved")
		if o := s.orders()[n]; o.Outcome != payterm.Approved || o.Mode != mode {
			t.Errorf("order %+v", o)
		}
		b.until("the words follow the glass", `/APPROVED/i.test(document.getElementById('words').textContent)`)
	}

	b.types("1234" + kb.Enter) // the display has the focus at first
	s.waitScreen("scan")
	b.tabTo("show")
	b.types(kb.Enter)
	approved(0, payterm.Passive)
	b.until("the slip is there", `/APPROVED/.test(document.getElementById('slip-words').textContent)`)

	b.tabTo("glass")
	b.types(kb.Enter)
	s.waitScreen("idle")
	b.types("7." + kb.Backspace + kb.Backspace) // 00 is removed in one step or two
	b.types(kb.Escape)
	s.waitScreen("idle")

	b.types("500" + kb.Enter) // a wallet with a password opens by itself
	s.waitScreen("scan")
	b.tabTo("password")
	b.types(" ")
	b.tabTo("show")
	b.types(kb.Enter)
	b.until("the wallet asks", `document.activeElement.id === 'pay' && /\/pay\//.test(document.activeElement.src)`)
	s.waitScreen("waiting")
	b.pay(s)
	approved(1, payterm.Passive)
	b.tabTo("back")
	b.types(kb.Enter)

	b.tabTo("glass")
	b.types(kb.Enter)
	s.waitScreen("idle")
	b.types("700")
	s.waitScreen("amount")
	b.types(kb.F1)
	s.waitScreen("choose_wallet")
	b.types("1")
	s.waitScreen("show_code")
	time.Sleep(300 * time.Millisecond) // the frame takes time on the bus
	b.tabTo("look")
	b.types(kb.Enter)
	b.until("the phone has read the code", `document.activeElement.id === 'pay'`)
	if src := eval[string](b, `document.getElementById('pay').src`); src != s.ledger()[2].CodeURL {
		t.Errorf("the phone went to %s, the gateway gave %s", src, s.ledger()[2].CodeURL)
	}
	time.Sleep(500 * time.Millisecond) // time for the pay page, for the picture
	b.picture("panel.png")
	b.pay(s)
	approved(2, payterm.Active)
}

// pay opens the pay page and presses its first button, Pay. The page is of another origin, so
// only the effect is visible.
func (b *browser) pay(s *shop) {
	b.t.Helper()
	last := func() row { l := s.ledger(); return l[len(l)-1] }
	b.types(kb.Tab)
	for end := time.Now().Add(never); last().Status != "success"; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("Enter on the pay page pays nothing: %+v", last())
		}
		b.types(kb.Enter)
	}
}

// TestPanelPaper pays with printed codes of a board without pixels: the phone reads the newest
// one on the paper.
func TestPanelPaper(t *testing.T) {
	t.Parallel()
	s := &shop{t: t, data: t.TempDir()}
	_, ready := program(t, "payterm", "emulate", "--board", "raspberrypi-i2c-hd44780", "--listen", "127.0.0.1:0",
		"--data", s.data, "--scale", "10")
	s.panel, s.sim = ready["panel"].(string), ready["gateway"].(string)
	b := openPanel(t, s.panel, 1440, 900)
	b.tabTo("look-paper")
	b.types(kb.Enter)
	b.until("there is none yet", `/no QR code on the paper/.test(document.getElementById('say').textContent)`)
	for n := range 2 {
		b.tabTo("glass")
		if n > 0 {
			b.types(kb.Enter)
		}
		s.waitScreen("idle")
		b.types("700")
		s.waitScreen("amount")
		b.types(kb.F1)
		s.waitScreen("choose_wallet")
		b.types("1")
		s.waitScreen("show_code")
		s.printsCode(s.ledger()[n].CodeURL)
		b.tabTo("look")
		b.types(kb.Enter)
		b.until("where to look", `/one that was printed is on the paper/.test(document.getElementById('say').textContent)`)
		b.tabTo("look-paper")
		b.types(kb.Enter)
		b.until("the phone has read the code", `document.activeElement.id === 'pay'`)
		if src := eval[string](b, `document.getElementById('pay').src`); src != s.ledger()[n].CodeURL {
			t.Errorf("the phone went to %s, the gateway gave %s", src, s.ledger()[n].CodeURL)
		}
		b.pay(s)
		s.waitScreen("approved")
		s.paperUntil(slices.Repeat([]string{"Customer copy"}, n+1)...)
		b.tabTo("back")
		b.types(kb.Enter)
		b.until("the focus is where it was", `document.activeElement.id === 'look-paper'`)
	}
}

// printsCode waits until a code is on paper and a phone can read it.
func (s *shop) printsCode(url string) {
	s.t.Helper()
	read := ""
	for end := time.Now().Add(never); !strings.Contains(read, strconv.Quote(url)); time.Sleep(50 *
		time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%s is not on paper: %s", url, read)
		}
		_, read = s.try("POST", s.panel+"/phone/look", map[string]string{"at": "paper"})
	}
}

// TestPanelParcel provisions a terminal in the browser: the Scanner field takes a pasted parcel,
// with its line end, and refuses a longer text.
func TestPanelParcel(t *testing.T) {
	t.Parallel()
	d := newDepot(t)
	d.boot()
	text, code := d.parcel(firstKey)
	b := openPanel(t, d.panel, 1280, 720)
	pastes := func(text string) {
		t.Helper()
		b.do(chromedp.Evaluate[chromedp.Void](`document.getElementById('code').value = ''; document.getElementById('code').focus();`))
		if !eval[bool](b, fmt.Sprintf(`document.execCommand('insertText', false, %q)`, text)) {
			t.Fatal("nothing is pasted")
		}
		b.types(kb.Enter)
	}
	pastes(strings.Repeat("A", provision.MaxText+1))
	b.until("too long is told", `/1 to 2048 characters/.test(document.getElementById('say').textContent)`)
	if len(text) <= 512 {
		t.Errorf("a parcel of %d characters proves nothing", len(text))
	}
	pastes(text + "\n")
	d.says("setup_code", "12 digits")
	b.tabTo("glass")
	b.types(code + kb.Enter)
	d.sells("ALIPAY")
}

// problems lists, in the page, faults of layout and accessibility, as sentences.
const problems = `(() => {
  const bad = [], say = (e, what) => bad.push((e.id || e.dataset.key || e.textContent.trim().slice(0, 30) || e.tagName) + ': ' + what);
  const shown = e => e.checkVisibility() && e.getClientRects().length > 0;
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > wide) bad.push('the page scrolls sideways: ' + document.documentElement.scrollWidth);

  // Each control has a name, and can be got at: it is not cut and not covered.
  const text = e => [...e.childNodes].map(n => n.nodeType === 3 ? n.data : n.nodeType === 1 && n.getAttribute('aria-hidden') !== 'true' ? text(n) : '').join('').trim();
  const name = e => e.getAttribute('aria-label') ||
    (e.getAttribute('aria-labelledby') || '').split(' ').map(id => document.getElementById(id)).filter(Boolean).map(text).join(' ') ||
    [...(e.labels || [])].map(l => text(l)).join(' ') || (/^(BUTTON|A|SUMMARY)$/.test(e.tagName) ? text(e) : '') || e.title;
  const controls = [...document.querySelectorAll('button, input, select, a[href], summary, iframe, [tabindex]')].filter(shown);
  for (const e of controls) {
    if (!name(e).trim()) say(e, 'has no name');
    e.scrollIntoView({block: 'center', behavior: 'instant'});
    const r = e.getBoundingClientRect();
    if (r.left < 0 || r.right > wide + .5) say(e, 'is cut');
    const at = document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2);
    if (!at || !(e.contains(at) || at.contains(e) && at.closest('label'))) say(e, 'is covered by ' + (at && (at.id || at.tagName)));
    if (r.width < 20 || r.height < 20) say(e, 'is too small to hit');
    if (e.scrollWidth > e.clientWidth + 1 && e.tagName === 'BUTTON') say(e, 'is narrower than its text');
  }
  scrollTo(0, 0);

  // Each text stands out: contrast of 4.5 at least (WCAG 2, 1.4.3).
  const rgb = c => (c.match(/[\d.]+/g) || []).map(Number);
  const light = c => c.slice(0, 3).map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const s = getComputedStyle(e), c = rgb(s.backgroundColor);
      if (s.backgroundImage !== 'none') return null;
      if (c.length === 3 || c[3] === 1) return c;
      if (c[3] > 0) return null;
    }
    return [255, 255, 255];
  };
  const contrast = (e, colour) => {
    const back = ground(e);
    if (!back || colour.length > 3 && colour[3] < 1) return say(e, 'its contrast cannot be computed');
    const [a, b] = [light(colour), light(back)].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) say(e, 'contrast of ' + ((a + .05) / (b + .05)).toFixed(2));
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let texts = 0;
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !shown(e) || /^(SCRIPT|STYLE|OPTION)$/.test(e.tagName)) continue;
    texts++;
    contrast(e, rgb(getComputedStyle(e).color));
  }
  for (const e of document.querySelectorAll('[placeholder]')) contrast(e, rgb(getComputedStyle(e, '::placeholder').color));
  for (const e of document.querySelectorAll('select')) contrast(e, rgb(getComputedStyle(e).color));
  if (controls.length < 50 || texts < 90) bad.push('only ' + controls.length + ' controls and ' + texts + ' texts were seen');
  return bad;
})()`

// TestPanelOnAPhone checks the panel in a phone's size, and its accessibility.
func TestPanelOnAPhone(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	b := openPanel(t, s.panel, 360, 740)
	check := func(when string) {
		t.Helper()
		for _, p := range eval[[]string](b, problems) {
			t.Errorf("%s: %s", when, p)
		}
	}
	seen := `(() => { const end = document.querySelector('nav').getBoundingClientRect().top; return ['#glass', '.keys .ENTER', '.keys [data-key="00"]'].every(q => { const r = document.querySelector(q).getBoundingClientRect(); return r.top >= 0 && r.bottom <= end; }); })()`
	if !eval[bool](b, seen) {
		t.Error("display and keypad do not fit on the first screen")
	}
	s.keys("1", "2", "3", "4", "ENTER")
	s.waitScreen("scan")
	s.scan(s.wallet("ALIPAY", false))
	s.waitScreen("approved")
	b.until("the slip is there", `/APPROVED/.test(document.getElementById('slip-words').textContent)`)
	b.until("the words follow the glass", `/APPROVED/i.test(document.getElementById('words').textContent)`)
	b.until("the news is told", `/read \*{4}\d{4}/.test(document.getElementById('say').textContent)`)
	b.picture("panel-phone.png")
	b.told(0, "payment_answered")
	b.until("the books are there", `!document.getElementById('pairs').hidden`)
	check("360x740")
	b.do(chromedp.EmulateViewport(320, 568))
	check("320x568")
	for _, size := range [][2]int64{{390, 844}, {1000, 700}, {1280, 720}, {1440, 900}} {
		b.do(chromedp.EmulateViewport(size[0], size[1]))
		check(fmt.Sprint(size[0], "x", size[1]))
	}
	sections := `(() => { const e = document.activeElement.closest('main > *'); return e ? e.id || e.className : ''; })()`
	var order []string
	for b.tabTo("glass"); len(order) == 0 || order[len(order)-1] != ""; b.types(kb.Tab) { // once around
		if at := eval[string](b, sections); len(order) == 0 || order[len(order)-1] != at {
			order = append(order, at)
		}
	}
	if got := strings.Join(order, " "); got != "terminal phone side trouble trial timeline " {
		t.Errorf("Tab goes through %q", got)
	}
	moving := `[...document.querySelectorAll('*')].flatMap(e => ['', '::before', '::after'].map(p => getComputedStyle(e, p))).filter(s => s.transitionDuration !== '0s' || s.animationName !== 'none').length`
	if eval[int](b, moving) == 0 {
		t.Error("nothing moves, so that stillness proves nothing")
	}
	still := openPanel(t, s.panel, 1280, 720, chromedp.Flag("force-prefers-reduced-motion", true))
	if n := eval[int](still, moving); n > 0 {
		t.Errorf("%d parts move for those who asked for stillness", n)
	}
	if live := eval[int](b, `document.querySelectorAll('[aria-live=polite], [role=status]').length`); live < 2 {
		t.Errorf("%d live regions: the terminal's text and the messages need one", live)
	}
	if foreign := eval[[]string](b,
		`performance.getEntriesByType('resource').map(r => r.name).filter(n => !n.startsWith(location.origin + '/'))`); len(foreign) > 0 {
		t.Errorf("the page fetches %q", foreign)
	}

	// The checks find planted faults.
	for plant, want := range map[string]string{
		`<button style="width:50px;height:50px"></button>`:                              "has no name",
		`<div style="width:2000px">wide</div>`:                                          "scrolls sideways",
		`<p style="color:#777;background:#888">grey on grey</p>`:                        "contrast of",
		`<button style="position:fixed;top:0;left:-20px;width:60px">out</button>`:       "is cut",
		`<div style="position:fixed;inset:0;background:#000;z-index:9">a curtain</div>`: "is covered",
	} {
		b.do(chromedp.Evaluate[chromedp.Void]("document.body.insertAdjacentHTML('beforeend', '<div id=plant>" + plant +
			"</div>')"))
		if found := strings.Join(eval[[]string](b, problems), "\n"); !strings.Contains(found, want) {
			t.Errorf("planted %s, found %q", plant, found)
		}
		b.do(chromedp.Evaluate[chromedp.Void]("document.getElementById('plant').remove()"))
	}
}

// told waits until an order of the timeline, counted from the newest, has all of these words.
func (b *browser) told(place int, words ...string) {
	b.t.Helper()
	for _, w := range words {
		b.until("the timeline tells it",
			fmt.Sprintf(`((document.querySelectorAll('#orders > li')[%d] || {}).textContent || '').includes(%q)`, place,
				w))
	}
}

// TestPanelRefund makes a refund with a supervisor's PIN, which is shown nowhere.
func TestPanelRefund(t *testing.T) {
	t.Parallel()
	pin, err := bcrypt.GenerateFromPassword([]byte("4711"), 10)
	if err != nil {
		t.Fatal(err)
	}
	s := newShop(t, "inquiry_interval = \"200ms\"\nrefund_interval = \"200ms\"\n[supervisor]\npin_hash = \""+
		string(pin)+"\"\n")
	sale := s.sold("12.34")
	b := openPanel(t, s.panel, 1280, 720)
	b.told(0, "12.34 CAD", "✓ approved", "payment_answered", "print customer", "in: authentic reply, success",
		"PASSIVEPAY at the gateway")
	b.do(chromedp.Evaluate[chromedp.Void](`window.heard = []; events.addEventListener('key', e => heard.push(JSON.parse(e.data).key))`))
	refund := s.run("refund", string(sale.ID), "--amount", "5.00")
	s.waitScreen("pin")
	b.types("4712" + kb.Enter)
	b.until("the wrong PIN is refused", `/wrong/i.test(document.getElementById('words').textContent)`)
	b.types("4711" + kb.Enter)
	if status, o := refund.end(); status != 0 || o.RefundedMinor != 500 {
		t.Fatalf("exit status %d, %+v", status, o)
	}
	b.told(0, "5.00 CAD", "refund, Alipay of "+string(sale.ID), "✓ approved", "REFUND at the gateway",
		"5.00 CAD given back")
	b.told(1, "refund_opened", "refund_ended")
	b.until("both books agree", `document.getElementById('sum').textContent === '= 1 agrees'`)
	b.until("the row says so",
		`/approved, paid 12.34 CAD, given back 5.00 CAD.*partial refunded, paid 12.34 CAD, given back 5.00 CAD.*= same/.test(document.querySelector('#pairs tbody').textContent)`)
	if heard := eval[string](b, `heard.join(' ')`); heard != "* * * * ENTER * * * * ENTER" {
		t.Errorf("the keys of a PIN are told as %q", heard)
	}

	// A summary opens by key and stays open when the timeline changes.
	b.tabTo("orders")
	b.types(kb.Tab + kb.Tab) // skips the newest
	b.types(kb.Enter)
	b.until("the sale's story is open", `document.querySelectorAll('#orders details')[1].open`)
	second := s.run("refund", string(sale.ID), "--amount", "1.00")
	s.waitScreen("pin")
	s.keys("4", "7", "1", "1", "ENTER")
	if status, _ := second.end(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	b.told(2, "6.00 CAD in all")
	if !eval[bool](b, `document.querySelectorAll('#orders details')[2].contains(document.activeElement) && document.querySelectorAll('#orders details')[2].open`) {
		t.Error("the focus is lost when the timeline goes on")
	}
}

// TestPanelTrouble breaks network and printer with the panel's switches, and repairs them.
func TestPanelTrouble(t *testing.T) {
	t.Parallel()
	s := newShop(t, "inquiry_interval = \"200ms\"\nfirst_inquiry = \"200ms\"\nleave_after = \"500ms\"\n"+
		"passive_counter = \"1s\"\nhttp_timeout = \"1s\"\nladder = [\"1s\"]\nladder_repeat = \"1s\"\n")
	b := openPanel(t, s.panel, 1440, 900)
	state := func(id, want string) {
		t.Helper()
		b.until(id+": "+want, fmt.Sprintf(`document.getElementById(%q).parentElement.querySelector('.state').textContent === %q`, id, want))
	}
	state("fault-drop_after_apply", "off")
	b.tabTo("fault-drop_after_apply") // of the next sale by scanned code
	b.types(" ")
	state("fault-drop_after_apply", "on: PASSIVEPAY, 1 of 1 to come")
	b.tabTo("action")
	b.types("Inq")
	b.tabTo("times")
	b.types("until")
	b.tabTo("fault-drop_before_apply")
	b.types(" ")
	state("fault-drop_before_apply", "on: STATUS_QUERY, met 0 times")
	b.tabTo("action")
	b.types("Ref")
	b.tabTo("fault-code:")
	b.types(" ")
	state("fault-code:", "on: REFUND, SYSTEM_ERROR, met 0 times")

	sell := func() {
		t.Helper()
		b.tabTo("glass")
		b.types("500" + kb.Enter)
		s.waitScreen("scan")
		b.tabTo("show")
		b.types(kb.Enter)
	}
	sell()
	s.waitScreen("in_doubt")
	b.told(0, "? in doubt", "no answer", "in: nothing that can be believed", "STATUS_QUERY at the gateway")
	state("fault-drop_after_apply", "off") // it was used once
	b.until("one is open", `document.getElementById('sum').textContent === '… 1 open' && /… open.*has yet to learn it/.test(document.querySelector('#pairs tbody').textContent)`)
	for _, p := range eval[[]string](b, problems) {
		t.Error(p)
	}
	b.do(chromedp.Evaluate[chromedp.Void](`document.getElementById('trouble').scrollIntoView({block: 'end', behavior: 'instant'})`))
	b.picture("panel-trouble.png")
	b.tabTo("fault-drop_before_apply")
	b.types(" ")
	b.told(0, "✓ approved", "late payment", "5.00 CAD paid")
	b.until("both books agree", `document.getElementById('sum').textContent === '= 1 agrees'`)
	state("fault-drop_before_apply", "off")

	// A payment of another terminal at the same gateway.
	other := *s
	other.dir = t.TempDir()
	other.data = filepath.Join(other.dir, "data")
	settings, err := os.ReadFile(filepath.Join(s.dir, "payterm.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(other.dir, "payterm.toml"), settings, 0o600); err != nil {
		t.Fatal(err)
	}
	other.start()
	other.sold("1.00")
	b.until("the difference is named",
		`document.getElementById('sum').textContent === '≠ 1 differs, = 1 agrees' && /not in the journal.*≠ differs.*does not know this order/.test(document.querySelector('#pairs tbody').textContent)`)

	// An unplugged printer is shown on the glass until it is back.
	b.tabTo("glass")
	b.types(kb.Enter)
	s.waitScreen("idle")
	b.tabTo("pull-printer")
	b.types(" ")
	state("pull-printer", "on")
	b.until("the glass tells it", `/printer does not answer/i.test(document.getElementById('words').textContent)`)
	b.tabTo("clear")
	b.types(kb.Enter)
	for _, id := range []string{"pull-printer", "fault-code:"} {
		state(id, "off")
	}
	b.until("the glass is quiet", `!/printer does not answer/i.test(document.getElementById('words').textContent)`)
}
