package storage

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// SQLite takes the first frame of its log that does not fit for the log's end. After a power cut
// that is right, but a byte that went bad in the middle makes it drop acknowledged commits
// without an error. A commit begins after the previous one was synced, so a power cut spoils at
// most one commit: two commits after the break prove damage. (A damaged last commit cannot be
// told from a power cut.) Format: sqlite.org/fileformat2.html, section 4.

const (
	walHeader   = 32
	frameHeader = 24
	walMagic    = 0x377f0682 // the last bit: the checksums are big-endian
)

// checkLog returns ErrCorrupt for a log with commits after damage. It runs before SQLite opens
// the file.
func checkLog(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	err = readLog(bufio.NewReaderSize(f, 1<<16))
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // the readable part
	}
	return errors.Join(err, f.Close())
}

// readLog returns io.EOF or io.ErrUnexpectedEOF if nothing is wrong.
func readLog(r io.Reader) error {
	var header [walHeader]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return err
	}
	if header == [walHeader]byte{} {
		return nil // never written: the header is synced before anything after it
	}
	magic := binary.BigEndian.Uint32(header[:])
	l := logSum{order: binary.LittleEndian}
	if magic == walMagic|1 {
		l.order = binary.BigEndian
	}
	salts := [8]byte(header[16:24])
	sum := l.add([2]uint32{}, header[:24])
	if magic|1 != walMagic|1 || sum != stored(header[24:]) {
		return fmt.Errorf("%w: the header of its log", ErrCorrupt)
	}
	size := binary.BigEndian.Uint32(header[8:])
	if size < 512 || size > 65536 {
		return fmt.Errorf("%w: the page size of its log", ErrCorrupt)
	}
	frame := make([]byte, frameHeader+size)
	ends := [][2]uint32{sum} // checksums that the next frame may follow; several after a bad frame
	broken, behind := 0, 0
	for n := 1; ; n++ {
		if _, err := io.ReadFull(r, frame); err != nil {
			return err
		}
		commits := binary.BigEndian.Uint32(frame[4:]) != 0
		ours := [8]byte(frame[8:16]) == salts
		follows := false // by its checksum, which does not cover the salts
		next := [][2]uint32{stored(frame[16:])}
		for _, end := range ends {
			sum := l.add(l.add(end, frame[:8]), frame[frameHeader:])
			follows = follows || sum == next[0]
			if broken == 0 {
				next = append(next, sum) // its own checksum may be the bad part
			}
		}
		fits := ours && follows
		switch {
		case broken == 0 && fits:
			next = next[:1]
		case broken == 0:
			broken = n
		case !fits:
			return nil
		}
		if broken > 0 && commits && (ours || follows) {
			if behind++; behind == 2 {
				return fmt.Errorf("%w: frame %d of its log, with commits behind it", ErrCorrupt, broken)
			}
		}
		ends = next
	}
}

// logSum is the checksum of the log, over pairs of 32-bit words.
type logSum struct{ order binary.ByteOrder }

func (l logSum) add(sum [2]uint32, b []byte) [2]uint32 {
	for ; len(b) >= 8; b = b[8:] {
		sum[0] += l.order.Uint32(b) + sum[1]
		sum[1] += l.order.Uint32(b[4:]) + sum[0]
	}
	return sum
}

func stored(b []byte) [2]uint32 {
	return [2]uint32{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])}
}
