package board

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// disk is a guest's disk that can lose its power: a server of the network block device protocol (newstyle,
// https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md). A write is on the medium only after a
// flush. At a power cut each sector written since the last flush is kept or lost at random. Killing the
// emulator with a plain image file does not show that: the host's page cache keeps every write, flushed or not.
type disk struct {
	path string // of its socket
	lies bool   // planted bug: a flush is acknowledged and does nothing

	line sync.Mutex // held by the one connection

	mu      sync.Mutex
	now     []byte // as the guest reads it
	medium  []byte // content after a power cut that loses all unflushed writes
	pending []write
	writes  int // in all
	flushes int
	left    int           // writes until the power fails
	due     chan struct{} // closes then
	off     bool          // later requests are ignored
}

type write struct {
	offset int64
	data   []byte
}

const (
	sector   = 512
	diskSize = 64 << 20
)

// newDisk serves an image until the test ends, one connection at a time.
func newDisk(t *testing.T, image []byte) *disk {
	t.Helper()
	d := &disk{path: filepath.Join(t.TempDir(), "disk"), now: image, medium: bytes.Clone(image)}
	l, err := net.Listen("unix", d.path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d.line.Lock()
			err = d.serve(c)
			d.line.Unlock()
			if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) &&
				!errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("disk: %v", err)
			}
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return d
}

// options of the handshake, and commands of the transmission.
const (
	optionMagic = 0x49484156454F5054 // IHAVEOPT
	optAbort    = 2
	optGo       = 7
	cmdRead     = 0
	cmdWrite    = 1
	cmdDisc     = 2
	cmdFlush    = 3
)

func (d *disk) serve(c io.ReadWriter) error {
	var failed error
	get := func(into any) {
		if failed == nil {
			failed = binary.Read(c, binary.BigEndian, into)
		}
	}
	put := func(parts ...any) {
		var b bytes.Buffer
		for _, p := range parts {
			binary.Write(&b, binary.BigEndian, p) //nolint:errcheck // of fixed sizes
		}
		if failed == nil {
			_, failed = c.Write(b.Bytes())
		}
	}
	put([]byte("NBDMAGIC"), uint64(optionMagic), uint16(1|2)) // fixed newstyle, no zeroes
	var flags uint32
	get(&flags)
	for agreed := false; !agreed && failed == nil; {
		var o struct {
			Magic          uint64
			Option, Length uint32
		}
		get(&o)
		if failed != nil {
			break
		}
		if o.Magic != optionMagic || o.Length > 4096 {
			return fmt.Errorf("option %+v", o)
		}
		get(make([]byte, o.Length))
		answer := func(kind uint32, body ...any) {
			length := 0
			for _, b := range body {
				length += binary.Size(b)
			}
			put(append([]any{uint64(0x3e889045565a9), o.Option, kind, uint32(length)}, body...)...)
		}
		switch o.Option {
		case optGo:
			answer(3, uint16(0), uint64(len(d.now)), uint16(1|4)) // the size; it can flush
			answer(1)
			agreed = true
		case optAbort:
			answer(1)
			return failed
		default:
			answer(1<<31 | 1)
		}
	}
	for failed == nil {
		var q struct {
			Magic       uint32
			Flags, Type uint16
			Cookie      uint64
			Offset      uint64
			Length      uint32
		}
		get(&q)
		if failed != nil || d.isOff() {
			break
		}
		if q.Magic != 0x25609513 || q.Type != cmdFlush && q.Offset+uint64(q.Length) > uint64(len(d.now)) {
			return fmt.Errorf("request %+v", q)
		}
		done := []any{uint32(0x67446698), uint32(0), q.Cookie}
		switch q.Type {
		case cmdRead:
			d.mu.Lock()
			data := bytes.Clone(d.now[q.Offset : q.Offset+uint64(q.Length)])
			d.mu.Unlock()
			put(append(done, data)...)
		case cmdWrite:
			data := make([]byte, q.Length)
			if get(data); failed == nil {
				d.write(int64(q.Offset), data)
				put(done...)
			}
		case cmdFlush:
			d.flush()
			put(done...)
		case cmdDisc:
			return failed
		default:
			return fmt.Errorf("command %d was not offered", q.Type)
		}
	}
	return failed
}

func (d *disk) write(offset int64, data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	copy(d.now[offset:], data)
	d.pending = append(d.pending, write{offset, data})
	d.writes++
	if d.left--; d.left == 0 {
		d.off = true
		close(d.due)
	}
}

func (d *disk) isOff() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.off
}

func (d *disk) flush() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.flushes++
	if d.lies {
		return
	}
	for _, w := range d.pending {
		copy(d.medium[w.offset:], w.data)
	}
	d.pending = nil
}

// after lets the power fail at the nth write from now, which is not flushed any more, and then closes the
// channel.
func (d *disk) after(n int) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left, d.due = n, make(chan struct{})
	return d.due
}

// image returns a copy of the disk.
func (d *disk) image() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Clone(d.now)
}

// replace writes the whole disk, flushed, after another program has changed the image.
func (d *disk) replace(image []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	copy(d.now, image)
	copy(d.medium, image)
	d.pending = nil
}

// cut cuts the power. Each unflushed sector is kept with a probability, so that writes are reordered and
// incomplete. It returns how many sectors were unflushed and how many are lost. The guest has ended; requests
// still in the connection are read first.
func (d *disk) cut(chance *rand.Rand) (atStake, lost int) {
	d.line.Lock()
	defer d.line.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	keep := []float64{0, 0.1, 0.5, 0.9, 1}[chance.IntN(5)]
	for _, w := range d.pending {
		for at := 0; at < len(w.data); at += sector {
			atStake++
			if chance.Float64() >= keep {
				lost++
				continue
			}
			copy(d.medium[w.offset+int64(at):], w.data[at:min(at+sector, len(w.data))])
		}
	}
	d.pending, d.left, d.off = nil, 0, false
	copy(d.now, d.medium)
	return atStake, lost
}

// TestDisk: flushed sectors survive every cut, each other sector may be lost; and a disk that lies about its
// flushes loses data.
func TestDisk(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	old, flushed, wet := bytes.Repeat([]byte{1}, 4*sector), bytes.Repeat([]byte{2}, 4*sector),
		bytes.Repeat([]byte{3}, 4*sector)
	for _, lies := range []bool{false, true} {
		seen := map[byte]int{}
		for range 100 {
			image := append(bytes.Clone(old), old...)
			d := &disk{now: image, medium: bytes.Clone(image), lies: lies}
			d.write(0, flushed)
			d.flush()
			d.write(4*sector, wet)
			d.cut(chance)
			if kept := bytes.Equal(d.now[:4*sector], flushed); !kept && !lies {
				t.Fatal("what was flushed is lost")
			} else if !kept {
				seen[0]++
			}
			for at := 4 * sector; at < len(d.now); at += sector {
				if whole := bytes.Count(d.now[at:at+sector], d.now[at:at+1]); whole != sector {
					t.Fatal("a sector is torn")
				}
				seen[d.now[at]]++
			}
		}
		if seen[1] == 0 || seen[3] == 0 || lies != (seen[0] > 0) {
			t.Errorf("a disk that lies: %v: sectors by what they hold %v", lies, seen)
		}
	}
}
