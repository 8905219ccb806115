package record

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// The window with which envelopes are compressed, and the largest that is accepted.
const (
	zstdWindow    = 1 << 20
	maxZstdWindow = 8 << 20
)

// zstdEncoder and zstdDecoder are made at first use: an idle node does not need them. Both are safe for concurrent use.
var (
	zstdEncoder = sync.OnceValues(func() (*zstd.Encoder, error) {
		return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(2), zstd.WithWindowSize(zstdWindow), zstd.WithEncoderCRC(true), zstd.WithLowerEncoderMem(true))
	})
	zstdDecoder = sync.OnceValues(func() (*zstd.Decoder, error) {
		return zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxWindow(maxZstdWindow), zstd.WithDecoderMaxMemory(MaxEnvelope), zstd.WithDecoderLowmem(true))
	})
)

// compress appends b to dst as one zstd frame with its content size and checksum.
func compress(dst, b []byte) ([]byte, error) {
	enc, err := zstdEncoder()
	if err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	return enc.EncodeAll(b, dst), nil
}

// decompress appends the content of the one frame that b is to dst, which is empty and may have room. It takes no more memory than the content size that the frame
// states, which is at most limit.
func decompress(dst, b []byte, limit int) ([]byte, *Error) {
	size, err := checkFrame(b, limit)
	if err != nil {
		return nil, err
	}
	dec, fault := zstdDecoder()
	if fault != nil {
		return nil, &Error{CodeObject, "", "the decompressor did not start", fault}
	}
	out, fault := dec.DecodeAll(b, dst)
	if fault != nil {
		return nil, &Error{CodeObject, "", "the zstd frame is damaged: fetch the object again", fault}
	}
	if len(out) != size {
		return nil, fail(CodeObject, "", "the zstd frame states %d bytes and holds %d: fetch the object again", size, len(out))
	}
	return out, nil
}

// checkFrame walks over the frame without decompressing (RFC 8878, section 3.1.1) and returns its content size. It
// refuses what docs/formats.md, section 4, refuses: no content size, too large a window, a dictionary, a second frame.
func checkFrame(b []byte, limit int) (int, *Error) {
	var h zstd.Header
	if err := h.Decode(b); err != nil {
		return 0, &Error{CodeObject, "", "not a zstd frame: fetch the object again", err}
	}
	switch {
	case h.Skippable:
		return 0, fail(CodeObject, "", "a skippable zstd frame holds no envelope: write one plain frame")
	case h.DictionaryID != 0:
		return 0, fail(CodeObject, "", "the zstd frame needs a dictionary: write it without")
	case !h.HasFCS:
		return 0, fail(CodeObject, "", "the zstd frame does not state its content size: write it with the size")
	case h.FrameContentSize > uint64(limit):
		return 0, fail(CodeSize, "", "%d bytes when decompressed, at most %d are allowed", h.FrameContentSize, limit)
	case h.HeaderSize > len(b):
		return 0, fail(CodeObject, "", "the zstd frame is cut short: fetch the object again")
	}
	window := h.WindowSize
	if h.SingleSegment {
		window = h.FrameContentSize
	}
	if window > maxZstdWindow {
		return 0, fail(CodeSize, "", "a zstd window of %d bytes, at most %d are allowed", window, maxZstdWindow)
	}
	rest := b[h.HeaderSize:]
	for last := false; !last; {
		if len(rest) < 3 {
			return 0, fail(CodeObject, "", "the zstd frame is cut short: fetch the object again")
		}
		header := int(rest[0]) | int(rest[1])<<8 | int(rest[2])<<16
		last = header&1 == 1
		size := header >> 3
		switch header >> 1 & 3 {
		case 1: // one byte, repeated
			size = 1
		case 3:
			return 0, fail(CodeObject, "", "the zstd frame has a block of a reserved type: fetch the object again")
		}
		if len(rest) < 3+size {
			return 0, fail(CodeObject, "", "the zstd frame is cut short: fetch the object again")
		}
		rest = rest[3+size:]
	}
	checksum := 0
	if h.HasCheckSum {
		checksum = 4
	}
	if len(rest) != checksum {
		return 0, fail(CodeObject, "", "%d bytes after the zstd frame: write one frame and nothing else", len(rest)-checksum)
	}
	return int(h.FrameContentSize), nil
}
