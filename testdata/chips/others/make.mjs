// The documents, by package. Each job is the bytes of one, a line each.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const Encoder = (await import('@point-of-sale/receipt-printer-encoder')).default
const receiptline = require('receiptline')
const thermal = require('node-thermal-printer')
const escpos = require('escpos-buffer')
const { PNG } = require('pngjs')

const jobs = []
const job = (by, document, columns, bytes) =>
  jobs.push({ by, document, columns, bytes: Buffer.from(bytes).toString('base64') })

// A frame of 4 dots around a disc, 96 by 48.
const wide = 96, high = 48
const picture = new Uint8ClampedArray(wide * high * 4)
for (let y = 0; y < high; y++) {
  for (let x = 0; x < wide; x++) {
    const dx = x - 48, dy = y - 24
    const black = x < 4 || y < 4 || x >= 92 || y >= 44 || dx * dx + dy * dy < 200
    picture.set([black ? 0 : 255, black ? 0 : 255, black ? 0 : 255, 255], (y * wide + x) * 4)
  }
}
const image = { data: picture, width: wide, height: high }
const png = new PNG({ width: wide, height: high })
png.data = Buffer.from(picture)
const pngBytes = PNG.sync.write(png)

const url = 'https://example.com/r/T1AAAAA000001?a=1234'
const order = 'T1AAAAA000001'

// @point-of-sale/receipt-printer-encoder
const encoder = (options = {}) => new Encoder({ language: 'esc-pos', columns: 42, ...options }).initialize()
const rpe = 'receipt-printer-encoder 4.0.1'
job(rpe, 'text', 42, encoder().line('Hello').line('a line').cut().encode())
for (const [printerModel, model] of [['epson-tm-t20iii', 'TM-T20III'], ['citizen-ct-s310ii', 'CT-S310II'],
  ['pos-8360', 'POS-8360'], ['hp-a779', 'A779'], ['xprinter-xp-t80q', 'XP-T80Q']]) {
  const e = new Encoder({ printerModel, columns: 42 }).initialize()
  job(rpe, 'model ' + model, 48, e.line('Hello').codepage('auto').line('Café à 5 €').qrcode(url).cut().encode())
}
job(rpe, 'styles', 42, encoder().bold(true).text('bold').bold(false).text(' ').underline(true).text('under')
  .underline(false).text(' ').invert(true).text('inverted').invert(false).newline()
  .width(2).text('wide').width(1).height(2).text('high').height(1).newline().size(2, 2).line('large').size(1, 1)
  .italic(true).line('italic').italic(false).font('B').line('font B').font('A')
  .align('center').line('center').align('right').line('right').align('left').cut('full').encode())
job(rpe, 'table', 42, encoder().table([{ width: 20, align: 'left' }, { width: 20, marginLeft: 2, align: 'right' }],
  [['Tea', '3.20'], ['Cake with a long name that wraps', '4.80']]).rule().box({ style: 'single' }, 'boxed').cut().encode())
for (const page of ['cp437', 'cp850', 'cp858', 'cp860', 'cp863', 'cp865', 'cp852', 'cp866', 'windows1252']) {
  const text = { cp852: 'Łódź €', cp866: 'Привет' }[page] ?? 'Café Montréal à 5 €'
  job(rpe, 'page ' + page, 42, encoder().codepage(page).line(text).cut().encode())
}
job(rpe, 'page auto', 42, encoder().codepage('auto').line('Café Łódź Привет').cut().encode())
job(rpe, 'qr', 42, encoder().align('center').qrcode(url).cut().encode())
job(rpe, 'code128', 42, encoder().barcode('{B' + order, 'code128', 60).cut().encode())
job(rpe, 'code128 narrow', 42, encoder().barcode('{B' + order, 'code128', { height: 60, width: 1, text: true }).cut()
  .encode())
for (const [kind, data] of [['upca', '036000291452'], ['ean8', '96385074'], ['itf', '12345678'], ['codabar', 'A1234B'],
  ['code93', 'ABC-123']]) {
  job(rpe, kind, 42, encoder().barcode(data, kind, { height: 60, width: 2 }).cut().encode())
}
job(rpe, 'ean13', 42, encoder().barcode('4006381333931', 'ean13', { height: 60, text: true }).cut().encode())
job(rpe, 'code39', 42, encoder().barcode('ABC-123', 'code39', 60).cut().encode())
job(rpe, 'pdf417', 42, encoder().pdf417('1234').cut().encode())
job(rpe, 'image', 42, encoder().image(image, wide, high, 'threshold').line('below').cut().encode())
job(rpe, 'image raster', 42, encoder({ imageMode: 'raster' }).image(image, wide, high, 'threshold').line('below').cut()
  .encode())
job(rpe, 'drawer', 42, encoder().pulse().pulse(1, 200, 200).encode())

// receiptline
const rl = 'receiptline 4.0.4'
const line = (text, options) => Buffer.from(receiptline.transform(text,
  { cpl: 42, encoding: 'cp437', cutting: true, command: 'escpos', ...options }), 'binary')
job(rl, 'text', 42, line('Hello\na line\n='))
job(rl, 'styles', 42, line('"bold" _under_ `inverted`\n^wide | ^^high\n^^^large\nleft |\ncenter\n| right'))
job(rl, 'table', 42, line('{border:line;width:20,*}\n-\nTea | 3.20\nCake with a long name that wraps | 4.80\n-'))
for (const page of ['cp437', 'cp858', 'cp860', 'cp863', 'cp865', 'cp852', 'cp866', 'cp1252']) {
  const text = { cp852: 'Łódź €', cp866: 'Привет' }[page] ?? 'Café Montréal à 5 €'
  job(rl, 'page ' + page, 42, line(text, { encoding: page }))
}
job(rl, 'page multilingual', 42, line('Café Łódź Привет', { encoding: 'multilingual' }))
job(rl, 'qr', 42, line(`{code:${url};option:qrcode,4,m}`, { command: 'generic' }))
job(rl, 'code128', 42, line(`{code:${order};option:code128,2,72,hri}`))
job(rl, 'ean13', 42, line('{code:4006381333931;option:ean,2,72,hri}'))
job(rl, 'code39', 42, line('{code:ABC-123;option:code39,2,72,hri}'))
job(rl, 'image', 42, line(`{image:${pngBytes.toString('base64')}}\nbelow`))
for (const command of ['generic', 'impact', 'fit', 'sii', 'citizen']) {
  job(rl, 'command ' + command, 42, line('Hello `inverted`\nCafé 5.00', { command }))
}

// node-thermal-printer
const ntp = 'node-thermal-printer 4.6.1'
const printer = (set = {}) => new thermal.ThermalPrinter({ type: thermal.PrinterTypes.EPSON, interface: 'unused',
  width: 42, ...set })
const print = async (document, write, set) => {
  const p = printer(set)
  await write(p)
  job(ntp, document, 42, p.getBuffer())
}
await print('text', p => { p.println('Hello'); p.println('a line'); p.cut() })
await print('styles', p => {
  p.bold(true); p.print('bold'); p.bold(false); p.underline(true); p.print(' under'); p.underlineThick(true)
  p.print(' thick'); p.underlineThick(false); p.invert(true); p.print(' inverted'); p.invert(false); p.newLine()
  p.setTextDoubleWidth(); p.print('wide'); p.setTextDoubleHeight(); p.print('high'); p.newLine(); p.setTextQuadArea()
  p.println('large'); p.setTextNormal(); p.setTextSize(1, 1); p.println('sized'); p.setTextNormal(); p.setTypeFontB()
  p.println('font B'); p.setTypeFontA(); p.alignCenter(); p.println('center'); p.alignRight(); p.println('right')
  p.alignLeft(); p.upsideDown(true); p.println('upside down'); p.upsideDown(false); p.setLineSpacing(60)
  p.println('far'); p.resetLineSpacing(); p.partialCut()
})
await print('table', p => {
  p.leftRight('Tea', '3.20'); p.table(['One', 'Two', 'Three']); p.drawLine()
  p.tableCustom([{ text: 'left', align: 'LEFT', width: 0.5, bold: true }, { text: 'right', align: 'RIGHT', width: 0.45 }])
  p.cut({ verticalTabAmount: 1 })
})
for (const page of ['PC437_USA', 'PC850_MULTILINGUAL', 'PC858_EURO', 'PC860_PORTUGUESE', 'PC863_CANADIAN_FRENCH',
  'PC865_NORDIC', 'PC852_LATIN2', 'PC866_CYRILLIC2', 'WPC1252', 'ISO8859_15_LATIN9']) {
  const text = { PC852_LATIN2: 'Łódź', PC866_CYRILLIC2: 'Привет' }[page] ?? 'Café Montréal à 5 €'
  await print('page ' + page, p => { p.println(text); p.cut() }, { characterSet: thermal.CharacterSet[page] })
}
await print('qr', p => { p.printQR(url, { cellSize: 4, correction: 'M' }); p.cut() })
await print('code128', p => { p.code128(order, { width: 'LARGE', height: 60, text: 2 }); p.cut() })
await print('ean13', p => { p.printBarcode('4006381333931', 67, { hriPos: 2, width: 3, height: 60 }); p.cut() })
await print('code39', p => { p.printBarcode('ABC-123', 69, { hriPos: 2, width: 2, height: 60 }); p.cut() })
await print('pdf417', p => { p.pdf417('1234'); p.cut() })
await print('maxicode', p => { p.maxiCode('1234'); p.cut() })
await print('image', async p => { await p.printImageBuffer(pngBytes); p.println('below'); p.cut() })
await print('beep', p => { p.beep(2, 1); p.println('after'); p.cut() })
await print('drawer', p => { p.openCashDrawer(); p.println('after the drawers'); p.cut() })

// escpos-buffer
const eb = 'escpos-buffer 4.1.0'
const write = async (model, document, columns, steps) => {
  const memory = new escpos.InMemory()
  const p = await escpos.Printer.CONNECT(model, memory)
  await steps(p)
  job(eb, model + ', ' + document, columns, memory.buffer())
}
const { Style, Align, Cut, Drawer } = escpos
for (const model of ['TM-T20', 'MP-4200 TH', 'DR700', 'I9']) {
  await write(model, 'text', 48, async p => {
    await p.writeln('Hello'); await p.writeln('Café Montréal à 5'); await p.feed(6); await p.cutter(Cut.Partial)
  })
  await write(model, 'styles', 48, async p => {
    await p.writeln('bold', Style.Bold); await p.writeln('under', Style.Underline)
    await p.writeln('condensed', Style.Condensed); await p.writeln('italic', Style.Italic)
    await p.writeln('wide', Style.DoubleWidth); await p.writeln('high', Style.DoubleHeight, Align.Center)
    await p.withStyle({ width: 3, height: 2, bold: true, italic: false, underline: false, align: Align.Right }, async () => {
      await p.writeln('3 by 2')
    })
    await p.feed(6); await p.cutter(Cut.Full)
  })
  await write(model, 'qr', 48, async p => { await p.qrcode(url); await p.feed(6); await p.cutter() })
  await write(model, 'image', 48, async p => {
    await p.draw(new escpos.Image(image, new escpos.Threshold())); await p.writeln('below')
  })
  await write(model, 'drawer', 48, async p => { await p.drawer(Drawer.First); await p.drawer(Drawer.Second) })
}
for (const page of ['cp850', 'cp860', 'cp858']) {
  await write('TM-T20', 'page ' + page, 48, async p => { await p.setCodepage(page); await p.writeln('Café à é ç') })
}

process.stdout.write('[\n' + jobs.map(j => JSON.stringify(j)).join(',\n') + '\n]\n')
