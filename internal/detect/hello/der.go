package hello

// ASN.1 tags met in certificates.
const (
	tagBoolean     = 0x01
	tagInteger     = 0x02
	tagBitString   = 0x03
	tagOctetString = 0x04
	tagOID         = 0x06
	tagUTF8        = 0x0c
	tagSequence    = 0x30
	tagSet         = 0x31
	tagUTCTime     = 0x17
	tagTime        = 0x18
	tagBMP         = 0x1e
	tagUniversal   = 0x1c
	tagLatin       = 0x14 // T61String, in practice ISO 8859-1
)

// derReader reads elements of DER, leniently: certificates seen in traffic are not always right.
type derReader struct{ b []byte }

// next gives the tag and contents of the next element; ok is false at the end or at nonsense.
func (r *derReader) next() (tag byte, body []byte, ok bool) {
	if len(r.b) < 2 {
		return 0, nil, false
	}
	tag = r.b[0]
	length, at := int(r.b[1]), 2
	if length >= 0x80 {
		n := length & 0x7f
		if n == 0 || n > 3 || len(r.b) < 2+n {
			return 0, nil, false
		}
		length = 0
		for _, v := range r.b[2 : 2+n] {
			length = length<<8 | int(v)
		}
		at += n
	}
	if length > len(r.b)-at {
		return 0, nil, false
	}
	body = r.b[at : at+length]
	r.b = r.b[at+length:]
	return tag, body, true
}

// want gives the contents of the next element when it has the tag.
func (r *derReader) want(tag byte) ([]byte, bool) {
	before := r.b
	got, body, ok := r.next()
	if !ok || got != tag {
		r.b = before
		return nil, false
	}
	return body, true
}
