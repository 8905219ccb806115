package evidence

import "github.com/mithaq/mithaq/internal/detect/event"

// Sign is one piece of evidence: Weight is added to the log-odds that something is wrong. Rows are where it can be seen
// again; a sign that follows from everything that was read (how rare something is here) names the first.
type Sign struct {
	Name   string
	Weight float64
	Why    string
	// Details are the values in Why by name, so that it can be said in another language: numbers, or texts as they were seen.
	Details map[string]any
	Rows    []event.Place
	Times   []int64 // of a beacon: when the newest calls were, in nanoseconds since 1970, in order
}

// The weights say how much more often a sign is seen where something is wrong than where nothing is. They are judgement,
// not measurement, and small on purpose: together they move a doubtful hit, and none makes an alert by itself.
const (
	weightNew         = 0.6
	weightRare        = 0.7
	weightPopular     = -1.5
	weightRarePrint   = 0.8
	weightCommonPrint = -0.5
	weightBeacon      = 2.0 // for a rhythm without any doubt; less in proportion
	weightUnresolved  = 0.8
	weightSelfSigned  = 0.5
	weightOutdated    = 0.5
	weightWrongName   = 0.6
	weightLongLived   = 0.3
	weightFresh       = 0.3
)

// maxRows bounds the rows that one sign names.
const maxRows = 32

// maxTimes bounds the times that one sign names.
const maxTimes = 240
