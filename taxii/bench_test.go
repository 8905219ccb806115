package taxii_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/mithaq/mithaq/taxii"
)

func filled(b *testing.B, n int) *taxii.Server {
	m := newMemory()
	var batch []string
	for i := range n {
		if batch = append(batch, indicator(i, 1)); len(batch) == 1000 {
			put(b, m, place, batch...)
			batch = batch[:0]
		}
	}
	put(b, m, place, batch...)
	return newServer(b, m, nil)
}

// BenchmarkEmptyPoll: added_after is later than everything.
func BenchmarkEmptyPoll(b *testing.B) {
	s := filled(b, 100_000)
	r := httptest.NewRequest(http.MethodGet, objectsPath+"?added_after=2030-01-01T00:00:00.000000Z", nil)
	r.SetBasicAuth("ann", "pw-ann")
	b.ReportAllocs()
	for b.Loop() {
		s.ServeHTTP(httptest.NewRecorder(), r)
	}
}

// BenchmarkDrain: pages of 1,000 to the end.
func BenchmarkDrain(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := filled(b, n)
			b.ReportAllocs()
			pages := 0
			next := ""
			for b.Loop() {
				response, body := ask(s, "GET", objectsPath+"?limit=1000"+next, "")
				p := body[:60]
				next = ""
				if response.StatusCode == 200 && p[:13] == `{"more":true,` {
					next = "&next=" + p[21:43]
				}
				pages++
			}
			b.ReportMetric(float64(pages*1000)/b.Elapsed().Seconds(), "objects/s")
		})
	}
}

// BenchmarkRead is what posting costs for each object before the backend sees it.
func BenchmarkRead(b *testing.B) {
	raw := []byte(indicator(1, 1))
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := taxii.ReadObject(raw); err != nil {
			b.Fatal(err)
		}
	}
}
