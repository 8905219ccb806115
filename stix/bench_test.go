package stix

import (
	"fmt"
	"testing"
)

// BenchmarkValidate shows objects a second by the MUSTs, and under strict, over the published bundles.
func BenchmarkValidate(b *testing.B) {
	files := bundles(b)
	for _, name := range []string{"apt1.json.gz", "amnesty-pegasus.json.gz", "ics-attack.json.gz"} {
		for _, opts := range []Options{{}, {Strict: true, MaxFindings: 1}} {
			b.Run(fmt.Sprintf("%s/strict=%v", name, opts.Strict), func(b *testing.B) {
				raw := files[name]
				b.SetBytes(int64(len(raw)))
				b.ReportAllocs()
				objects := 0
				for b.Loop() {
					report := Validate(raw, opts)
					objects += report.Objects
				}
				b.ReportMetric(float64(objects)/b.Elapsed().Seconds(), "objects/s")
			})
		}
	}
}

// BenchmarkParse shows how fast objects are found and described.
func BenchmarkParse(b *testing.B) {
	raw := bundles(b)["amnesty-pegasus.json.gz"]
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}
