package evidence

import (
	"math"
	"slices"
)

// Rhythm says how much a row of connections looks like a program's calls home. Each part is from 0 (a person, or chance)
// to 1 (a clock).
type Rhythm struct {
	Score     float64 // all parts together
	Interval  float64 // how alike the gaps between calls are, and how few are next to nothing
	Size      float64 // how alike the sizes are; NaN when they are not known
	Duration  float64 // how alike the durations are; NaN when they are not known
	Histogram float64 // how evenly calls fill the time from first to last
	Period    int64   // the median gap in nanoseconds
	Calls     int     // after those within a second of each other were taken as one
}

const (
	// together is how close calls are that are taken as one: browsers and implants alike open several connections at once.
	together = int64(1e9)
	// minCalls is how many calls a rhythm needs. Ten gaps of chance look alike once in some thousands of rows.
	minCalls = 12
	// beaconScore is from where on a rhythm is called a beacon's.
	beaconScore = 0.7
)

// Beacon tells whether the rhythm is one of a beacon.
func (r Rhythm) Beacon() bool { return r.Score >= beaconScore }

// RhythmOf reads a rhythm out of connections in the order of their times, which are in nanoseconds. Sizes and durations
// of 0 are not known; both may be nil. The zero Rhythm means that there are too few.
//
// Jitter widens the gaps but leaves them their form: what a timer draws from [T-j, T+j] has no gaps near zero and few
// beyond twice the median, however large j is, while people and queues make gaps that are mostly next to nothing with a
// few long ones (their spread is at least as large as their mean). So the gaps are held against the median, and those
// of a host that was asleep for a while are left out of the account.
func RhythmOf(times, sizes, durations []int64) Rhythm {
	gaps, calls := gapsOf(times)
	if calls < minCalls {
		return Rhythm{Calls: calls}
	}
	r := Rhythm{Calls: calls, Size: alike(sizes), Duration: alike(durations)}
	slices.Sort(gaps)
	r.Period = gaps[len(gaps)/2]
	r.Interval = intervalScore(gaps, float64(r.Period))
	r.Histogram = histogramScore(times)
	sum, weight := 0.55*r.Interval+0.25*r.Histogram, 0.8
	for _, part := range []struct{ score, weight float64 }{{r.Size, 0.12}, {r.Duration, 0.08}} {
		if !math.IsNaN(part.score) {
			sum, weight = sum+part.score*part.weight, weight+part.weight
		}
	}
	r.Score = sum / weight
	// Gaps that are not those of a timer are not made up for by anything else.
	r.Score = min(r.Score, r.Interval+0.25)
	return r
}

// gapsOf gives the gaps between calls.
func gapsOf(times []int64) (gaps []int64, calls int) {
	if len(times) == 0 {
		return nil, 0
	}
	last := times[0]
	for _, t := range times[1:] {
		if t-last < together {
			continue
		}
		gaps = append(gaps, t-last)
		last = t
	}
	return gaps, len(gaps) + 1
}

// intervalScore judges gaps that are sorted.
func intervalScore(gaps []int64, median float64) float64 {
	n := float64(len(gaps))
	short, long := 0.0, 0.0
	for _, g := range gaps {
		switch {
		case float64(g) < 0.12*median:
			short++
		case float64(g) > 2.6*median:
			long++
		}
	}
	quartile := func(p float64) float64 { return float64(gaps[int(p*(n-1)+0.5)]) }
	low, high := quartile(0.25), quartile(0.75)
	spread := (high - low) / median // 0 of a clock, 0.8 with 80 % jitter, 1.6 by chance
	skew := 0.0
	if high > low {
		skew = math.Abs(low+high-2*median) / (high - low)
	}
	score := 1 - ramp(spread, 0.95, 1.6)
	score = min(score, 1-ramp(short/n, 0.02, 0.12))
	score = min(score, 1-ramp(long/n, 0.05, 0.25))
	return score * (1 - 0.4*ramp(skew, 0.35, 0.9)*ramp(spread, 0.1, 0.4))
}

// ramp is 0 up to from, 1 from to on, and even between.
func ramp(x, from, to float64) float64 { return min(1, max(0, (x-from)/(to-from))) }

// bins is into how many parts the time from the first call to the last is cut.
const bins = 24

// histogramScore says how evenly calls fill the bins: the share of bins with calls, and how little these differ.
func histogramScore(times []int64) float64 {
	first, last := times[0], times[len(times)-1]
	parts := min(bins, len(times)/2)
	if last <= first || parts == 0 {
		return 0
	}
	var counts [bins]float64
	for _, t := range times {
		counts[min(parts-1, int(float64(t-first)/float64(last-first)*float64(parts)))]++
	}
	mean, full := float64(len(times))/float64(parts), 0.0
	variance := 0.0
	for _, c := range counts[:parts] {
		if c > 0 {
			full++
		}
		variance += (c - mean) * (c - mean)
	}
	even := 1 - ramp(math.Sqrt(variance/float64(parts))/mean, 0.5, 1.5)
	return ramp(full/float64(parts), 0.4, 0.95) * even
}

// alike says how close the known of some numbers are to their median; NaN when fewer than half are known.
func alike(numbers []int64) float64 {
	known := make([]int64, 0, len(numbers))
	for _, n := range numbers {
		if n > 0 {
			known = append(known, n)
		}
	}
	if len(known) < minCalls || 2*len(known) < len(numbers) {
		return math.NaN()
	}
	slices.Sort(known)
	median := known[len(known)/2]
	for i, n := range known {
		known[i] = max(n-median, median-n)
	}
	slices.Sort(known)
	return 1 - ramp(float64(known[len(known)/2])/float64(median), 0.05, 0.6)
}
