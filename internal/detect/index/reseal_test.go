package index

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// resealed gives a damaged file right checksums, so that fuzzing gets past them.
func resealed(file []byte) []byte {
	b := bytes.Clone(file)
	if len(b) < headSize {
		return b
	}
	sum, at := uint32(0), headSize
	for i := range runCount {
		n := binary.LittleEndian.Uint64(b[52+8*i:])
		if n > uint64(len(b)-at) {
			break
		}
		sum = crc32.Update(sum, castagnoli, b[at:at+int(n)])
		at = min(len(b), at+int(n)+padding(int(n)))
	}
	binary.LittleEndian.PutUint32(b[12:], sum)
	binary.LittleEndian.PutUint32(b[headSize-4:], crc32.Checksum(b[:headSize-4], castagnoli))
	return b
}
