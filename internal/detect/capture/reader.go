package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// MaxPacket is the largest packet in bytes that is read; larger ones are skipped as damage.
// It is libpcap's MAXIMUM_SNAPLEN.
const MaxPacket = 262144

// window is the read buffer: at least one whole block with a packet of MaxPacket fits.
const window = 2 * MaxPacket

// ErrNotCapture means that the input is neither pcap nor pcapng, compressed or not.
var ErrNotCapture = errors.New("not a pcap or pcapng capture")

// Packet is one captured packet.
type Packet struct {
	Number int64 // from 1, as other tools count
	Time   int64 // nanoseconds since 1970, 0 where the capture does not say
	Link   LinkType
	Length int    // bytes on the wire; more than len(Data) where the capture cut the packet
	Data   []byte // valid until the next call of Next
}

// Options adjusts a Reader. The zero value is good.
type Options struct {
	// Damage is told of each damaged place, at most DamageReports times. Counts go on.
	Damage func(Damage)
	// DamageReports limits the calls of Damage; 0 means 100.
	DamageReports int
	// Map lets the reader map the input into memory, when that is a file, instead of copying it. Who says so has to read
	// packets under debug.SetPanicOnFault and to ask Reader.Fault about what it recovers: a file that another program cuts off
	// takes its bytes away, even those of a packet that was given out.
	Map bool
}

// Reader reads the packets of one capture. It is for one goroutine.
type Reader struct {
	in         *input
	mapped     []byte // the file, where it is mapped; see mapped.go
	close      func()
	opts       Options
	offset     int64
	number     int64
	counts     Counts
	order      binary.ByteOrder
	ng         bool
	compressed bool
	source     error // a failure of the input below the buffer, reported once
	sourceTold bool

	classic classicState
	section sectionState
}

// NewReader finds out the format of r by its first bytes and returns a Reader.
// The error is ErrNotCapture, or what reading returned.
func NewReader(r io.Reader, opts Options) (*Reader, error) {
	if opts.DamageReports == 0 {
		opts.DamageReports = 100
	}
	c := &Reader{opts: opts, close: func() {}}
	if opts.Map {
		c.mapped = mapFile(r)
	}
	if c.mapped != nil {
		c.in = newMapped(&sourceReader{r: r, owner: c}, c.mapped)
		c.close = func() { unmap(c.mapped) }
	} else {
		c.in = newInput(&sourceReader{r: r, owner: c})
	}
	if err := c.decompress(); err != nil {
		c.close()
		return nil, err
	}
	head := c.in.peek(4)
	if len(head) < 4 {
		c.close()
		return nil, fmt.Errorf("reading capture: %w", ErrNotCapture)
	}
	if binary.LittleEndian.Uint32(head) == blockSection {
		c.ng = true
		c.order = binary.LittleEndian
		return c, nil
	}
	if err := c.openClassic(head); err != nil {
		c.close()
		return nil, fmt.Errorf("reading capture: %w", err)
	}
	return c, nil
}

// Close frees what a decompressor and a mapped file hold. It does not close the input. Packets must not be read afterwards.
func (c *Reader) Close() { c.close() }

// Counts tells how much damage was met so far.
func (c *Reader) Counts() Counts { return c.counts }

// Next fills in p with the next packet. It returns io.EOF at the end and no other error:
// damage is skipped and counted.
func (c *Reader) Next(p *Packet) error {
	if c.ng {
		return c.nextBlock(p)
	}
	return c.nextClassic(p)
}

func (c *Reader) decompress() error {
	for range 3 { // a capture compressed twice happens; more is an attack
		head := c.in.peek(4)
		switch {
		case isGzip(head):
			z, err := gzip.NewReader(c.in)
			if err != nil {
				return fmt.Errorf("reading gzip: %w", err)
			}
			c.through(z, func() { _ = z.Close() })
		case isZstd(head):
			z, err := zstd.NewReader(c.in, zstd.WithDecoderConcurrency(1),
				zstd.WithDecoderMaxMemory(128<<20), zstd.WithDecoderLowmem(true))
			if err != nil {
				return fmt.Errorf("reading zstd: %w", err)
			}
			c.through(z, z.Close)
		default:
			return nil
		}
	}
	return fmt.Errorf("reading capture: compressed more than three times: %w", ErrNotCapture)
}

func isGzip(head []byte) bool { return len(head) >= 2 && head[0] == 0x1f && head[1] == 0x8b }

func isZstd(head []byte) bool {
	return len(head) >= 4 && binary.LittleEndian.Uint32(head) == 0xfd2fb528
}

func (c *Reader) through(z io.Reader, done func()) {
	before := c.close
	c.close = func() { done(); before() }
	c.compressed = true
	c.in = newInput(&sourceReader{r: z, owner: c})
}

// sourceReader turns a failing input into an early end, so that the packets before the failure
// are still read, and remembers the failure for the counts.
type sourceReader struct {
	r     io.Reader
	owner *Reader
	empty int
}

func (s *sourceReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if n == 0 && err == nil {
		// An input that returns nothing forever has ended.
		if s.empty++; s.empty > 64 {
			return 0, io.EOF
		}
		return 0, nil
	}
	s.empty = 0
	if err != nil && !errors.Is(err, io.EOF) {
		if s.owner.source == nil {
			s.owner.source = err
		}
		return n, io.EOF
	}
	return n, err
}

// end reports a failed source once and returns io.EOF.
func (c *Reader) end() error {
	if c.source != nil && !c.sourceTold {
		c.sourceTold = true
		kind := DamageRead
		if c.compressed {
			kind = DamageCompression
		}
		c.damage(kind, c.source.Error())
	}
	return io.EOF
}

func (c *Reader) damage(kind DamageKind, detail string) {
	c.counts[kind]++
	if c.opts.Damage != nil && c.counts.Total() <= int64(c.opts.DamageReports) {
		c.opts.Damage(Damage{Kind: kind, Offset: c.offset, Packet: c.number, Detail: detail})
	}
}

// skip moves n bytes on, over the end of the buffer too, and tells how far it came.
func (c *Reader) skip(n int64) bool {
	for n > 0 {
		step := min(n, int64(window))
		got := int64(len(c.in.peek(int(step))))
		c.in.pass(int(got))
		c.offset += got
		if got < step {
			return false
		}
		n -= step
	}
	return true
}

// ahead gives the bytes to search for the next record in, over MaxPacket of them unless they are
// the last. It fills the buffer only when it must: filling moves its bytes, and a capture
// damaged at every step must not cost a move of the whole buffer each time.
func (c *Reader) ahead() (data []byte, last bool) {
	if n := c.in.buffered(); n > MaxPacket+64 {
		return c.in.peek(n), false
	}
	data = c.in.peek(window)
	return data, len(data) < window
}
