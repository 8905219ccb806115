package pattern

// Bounds on a pattern's text. They are wide: the longest published patterns
// hold some thousands of hashes in one set.
const (
	// MaxLength is the longest pattern, in bytes.
	MaxLength = 1 << 20
	// MaxDepth bounds brackets inside brackets, and qualifiers on qualifiers.
	MaxDepth = 100
	// MaxSet is the largest number of members of one set.
	MaxSet = 100_000
)

// Limits bounds one call of Match, so that no pattern and no observations can
// hold a caller up. The zero value of a field means its default.
type Limits struct {
	// Observations is how many observations one call takes (default 1,000,000).
	Observations int
	// Steps is the work of one call: characters looked at by regular
	// expressions, values compared, edges tried while observations are bound
	// (default 100,000,000: a few seconds at most).
	Steps int64
}

const (
	defaultObservations = 1_000_000
	defaultSteps        = 100_000_000
	// maxSlots bounds how many separate bindings a REPEATS over an ordered or
	// alternative expression is unfolded to.
	maxSlots = 4096
	// maxJSONDepth bounds arrays and objects inside each other in observations.
	maxJSONDepth = 100
)
