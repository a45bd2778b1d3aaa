#!/bin/sh
# Guess:   openCashDrawer() sends ESC p m t1 t2, five bytes, for each of the two drawers.
# Seen:    node-thermal-printer sends "ESC p 0" and "ESC p 1" without their times. A printer takes the next two
#          bytes for them, which here are "ESC p" of the second command: drawer 1 gets a pulse of 54 ms, drawer 2
#          none, and a byte 01 is left over. What follows a single command of that sort loses its first two bytes.
# Matters: a drawer on the second connector never opens, and an emulated printer that is strict about times finds
#          fault with a driver that works on the desk.
. "$(dirname "$0")/common"
packages node-thermal-printer@4.6.1
cat >main.cjs <<'JS'
const { ThermalPrinter, PrinterTypes } = require('node-thermal-printer')
const p = new ThermalPrinter({ type: PrinterTypes.EPSON, interface: 'unused' })
p.openCashDrawer()
const b = p.getBuffer()
console.log('bytes:', b.toString('hex').replace(/..(?=.)/g, '$& '))
let i = 0
while (i < b.length) {
  if (b[i] === 0x1b && b[i + 1] === 0x70) {
    console.log(`ESC p: drawer ${b[i + 2] + 1}, on for ${b[i + 3] * 2} ms, off for ${b[i + 4] * 2} ms`)
    i += 5
  } else {
    console.log('left over:', b[i].toString(16).padStart(2, '0'))
    i++
  }
}
JS
gives node main.cjs <<'SEEN'
bytes: 1b 70 00 1b 70 01
ESC p: drawer 1, on for 54 ms, off for 224 ms
left over: 01
SEEN
