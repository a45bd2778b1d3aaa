#!/bin/sh
# Guess:   an amount as Intl.NumberFormat writes it for France prints with a space between the thousands,
#          whichever ESC/POS library encodes it.
# Seen:    the separator is U+202F, a narrow space that does not break, which no code page has. All four
#          libraries print "1?234,50"; U+00A0 they map to the code page's own.
# Matters: every amount from 1000 on has a question mark in it. Replace U+202F (and U+2009) by a space before
#          encoding.
. "$(dirname "$0")/common"
packages @point-of-sale/receipt-printer-encoder@4.0.1 receiptline@4.0.4 node-thermal-printer@4.6.1 escpos-buffer@4.1.0
cat >main.mjs <<'JS'
import ReceiptPrinterEncoder from '@point-of-sale/receipt-printer-encoder'
import receiptline from 'receiptline'
import thermal from 'node-thermal-printer'
import escpos from 'escpos-buffer'

const price = new Intl.NumberFormat('fr-FR', { style: 'currency', currency: 'EUR' }).format(1234.5)
const amount = price.slice(0, -1) // the euro sign is a story of its own
console.log('amount:', JSON.stringify(amount).replace(/[\u0080-\uffff]/g, c => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0')))
const show = (name, bytes) => {
  const text = Buffer.from(bytes).toString('latin1')
  console.log(name + ':', text.match(/1[^]?234,50/)?.[0].replace(/[^ -~]/g, c => '\\x' + c.charCodeAt(0).toString(16)))
}
show('receipt-printer-encoder', new ReceiptPrinterEncoder({ language: 'esc-pos' }).codepage('cp858').line(amount).encode())
show('receiptline', Buffer.from(receiptline.transform(amount, { cpl: 42, encoding: 'cp858', command: 'escpos' }), 'binary'))
const p = new thermal.ThermalPrinter({ type: thermal.PrinterTypes.EPSON, interface: 'unused', characterSet: thermal.CharacterSet.PC858_EURO })
p.println(amount)
show('node-thermal-printer', p.getBuffer())
const memory = new escpos.InMemory()
const printer = await escpos.Printer.CONNECT('TM-T20', memory)
await printer.writeln(amount)
show('escpos-buffer', memory.buffer())
JS
gives node main.mjs <<'SEEN'
amount: "1\u202f234,50\u00a0"
receipt-printer-encoder: 1?234,50
receiptline: 1?234,50
node-thermal-printer: 1?234,50
escpos-buffer: 1?234,50
SEEN
