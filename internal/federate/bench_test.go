package federate_test

import (
	"testing"

	"github.com/mithaq/mithaq/internal/federate"
)

// BenchmarkTree follows a log of 65,536 leaves without its objects, as a witness or a mirror's first pass does: everything but
// network and disk.
func BenchmarkTree(b *testing.B) {
	a := author(b, 1, 1<<16)
	for b.Loop() {
		f := newFollower(b, a, federate.Options{})
		if rest := f.round(a.Log); rest.Err != nil {
			b.Fatal(rest.Err)
		}
	}
	b.ReportMetric(float64(b.N)*(1<<16)/b.Elapsed().Seconds(), "leaves/s")
}
