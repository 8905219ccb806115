package stix

// Limits bounds what a document may ask of the reader. The zero value of a field means its default.
type Limits struct {
	// MaxObject is the largest object in bytes; 32 MiB by default, 1 GiB at most.
	MaxObject int
	// MaxDepth is how deeply arrays and objects may nest inside one object; 100 by default.
	MaxDepth int
	// MaxNumber is the longest number in characters; 256 by default.
	MaxNumber int
	// MaxNodes is how many JSON values one object may hold; 4,000,000 by default.
	MaxNodes int
	// AnyNumber takes numbers that no double can hold and numbers of any length.
	AnyNumber bool
}

func (l Limits) orDefaults() Limits {
	if l.MaxObject <= 0 {
		l.MaxObject = 32 << 20
	}
	l.MaxObject = min(l.MaxObject, 1<<30)
	if l.MaxDepth <= 0 {
		l.MaxDepth = 100
	}
	if l.MaxNumber <= 0 {
		l.MaxNumber = 256
	}
	if l.MaxNodes <= 0 {
		l.MaxNodes = 4_000_000
	}
	return l
}
