package scanner

import "bytes"

// A scanner often acknowledges a command, on the same line and before the code that it
// reads next. These answers are skipped here; they are from the manuals of
//
//   - Grow GM60 to GM861 and Newland EM3095 ("reply": 02 00, type, length, data, FCS);
//   - readers with Zebra's SSI, Grow GM72 among them (ACK D0, NAK D1);
//   - Newland ("response": STX SOH ... ETX with an ACK within).
//
// The ACK (06) and NAK (15) of other scanners are single control characters, which begin
// no frame and are skipped like any of those.

// part is how the bytes between two codes continue.
type part int

const (
	noReply     part = iota // no answer begins like this
	someReply               // an answer, incomplete so far
	wholeReply              // an answer, all of it
	brokenReply             // it began like an answer and is none: it may be the rest of one
)

// Longer answers are not answers to start or stop.
const (
	longestData  = 32
	longestReply = 128
)

// reply classifies bytes between two codes. own are answers of this scanner.
func reply(b []byte, own [][]byte) part {
	may := false
	for _, r := range own {
		if bytes.Equal(r, b) {
			return wholeReply
		}
		may = may || bytes.HasPrefix(r, b)
	}
	if may {
		return someReply
	}
	for _, kind := range []func([]byte) part{growReply, ssiReply, newlandReply} {
		if p := kind(b); p != noReply {
			return p
		}
	}
	return noReply
}

// growReply is 02 00, a type (00 done, 01 wrong FCS, 03 no such command), the number of data
// bytes, the data, and a CRC from the type on.
func growReply(b []byte) part {
	switch n := len(b); {
	case b[0] != 0x02 || n > 1 && b[1] != 0x00:
		return noReply
	case n < 4:
		return someReply
	case b[3] > longestData:
		return brokenReply
	case n < 4+int(b[3])+2:
		return someReply
	default:
		fcs := crcCCITT(b[2 : n-2])
		if b[n-2] != byte(fcs>>8) || b[n-1] != byte(fcs) {
			return brokenReply
		}
		return wholeReply
	}
}

// crcCCITT is the CRC with polynomial 0x1021 and start value 0.
func crcCCITT(b []byte) uint16 {
	var crc uint16
	for _, c := range b {
		crc ^= uint16(c) << 8
		for range 8 {
			carry := crc&0x8000 != 0
			if crc <<= 1; carry {
				crc ^= 0x1021
			}
		}
	}
	return crc
}

// ssiReply is an SSI packet: its length without the checksum, ACK or NAK, source (00), status,
// for a NAK its cause, and the two's complement of the sum.
func ssiReply(b []byte) part {
	n := len(b)
	if b[0] != 0x04 && b[0] != 0x05 {
		return noReply
	}
	if want := b[0] + 0xcc; n > 1 && b[1] != want { // 04 D0, 05 D1
		return noReply
	}
	if n < int(b[0])+2 {
		return someReply
	}
	sum := uint16(0)
	for _, c := range b[:n-2] {
		sum += uint16(c)
	}
	if sum = -sum; b[n-2] != byte(sum>>8) || b[n-1] != byte(sum) {
		return brokenReply
	}
	return wholeReply
}

// newlandReply is STX SOH, printable characters with an ACK, NAK or ENQ among them, ETX.
func newlandReply(b []byte) part {
	n := len(b)
	switch last := b[n-1]; {
	case b[0] != 0x02 || n > 1 && b[1] != 0x01:
		return noReply
	case n < 3:
		return someReply
	case last == 0x03:
		return wholeReply
	case n > longestReply || last == '\r' || last == '\n':
		return brokenReply
	}
	return someReply
}
