package index

// Kind is what a value is. Values of different kinds never equal each other: an MD5 of a file is no JA3.
type Kind uint8

// The kinds. Their numbers are on disk: add at the end.
const (
	Address    Kind = iota + 1 // an IPv4 or IPv6 address; key: its 4 or 16 bytes
	Network                    // a prefix of addresses; key: the masked address in 16 bytes, the bits in one
	Domain                     // exactly this name
	Subdomain                  // every name below this one, not the name itself
	URL                        // key: normal form; without a scheme it begins with "//"
	Email                      // an address of a mailbox
	FileHash                   // key: the bytes; the algorithm follows from their number
	CertHash                   // of an X.509 certificate in DER
	CertSerial                 // key: hexadecimal digits in lower case, without leading zeros
	JA3                        // key: 16 bytes
	JA3S                       // key: 16 bytes
	JA4
	Mutex
	Other // any other string; key: the STIX object path, "=", the value
	kinds
)

var kindNames = [kinds]string{"none", "address", "network", "domain", "subdomain", "url", "email", "file-hash",
	"certificate-hash", "certificate-serial", "ja3", "ja3s", "ja4", "mutex", "other"}

// String names the kind the way matches print it.
func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return "unknown"
}

// Context tells that a match of this kind alone says too little to alert on: many harmless programs share a
// fingerprint.
func (k Kind) Context() bool { return k == JA3 || k == JA3S || k == JA4 }
