package engine

import (
	"fmt"
	"math"

	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/warning"
)

// Evidence is added up in log-odds, each term by its name. The weights say how much more often a sign is seen when
// the thing is there than when it is not, as far as experience with shared indicators tells; they are no measurement.
const (
	weightBase     = -1.0
	weightPattern  = 1.5
	weightWarning  = -4.0
	weightSinkhole = 1.0
)

// intelWeight is what a hit of a kind is worth: the harder a value is to share by accident, the more.
func intelWeight(k index.Kind) float64 {
	switch k {
	case index.FileHash, index.CertHash:
		return 4.5
	case index.URL, index.CertSerial, index.Mutex:
		return 3.5
	case index.Domain, index.Email:
		return 3
	case index.Subdomain, index.Other:
		return 2.5
	case index.Address:
		return 2
	case index.Network:
		return 1.2
	}
	return 0.3 // fingerprints
}

// terms makes the evidence of a match.
func terms(kind index.Kind, isPattern bool, field string, confidence uint8, lists []warning.List) []Term {
	out := []Term{{"base", weightBase, "most of what is seen is harmless"}}
	out = append(out, Term{"intel-" + kind.String(), intelWeight(kind), "a shared indicator names this " + kind.String() + " (" + field + ")"})
	if isPattern {
		out = append(out, Term{"pattern", weightPattern, "all parts of its pattern are there"})
	}
	if confidence != index.NoConfidence {
		out = append(out, Term{"confidence", float64(int(confidence)-50) / 25, fmt.Sprintf("its author is %d of 100 confident", confidence)})
	}
	for _, list := range lists {
		if list.Sinkholes {
			out = append(out, Term{"sinkhole", weightSinkhole, "an address of a sinkhole: who speaks to it is likely infected"})
			continue
		}
		out = append(out, Term{"warning-list", weightWarning, "the value is on: " + list.Name})
	}
	return out
}

// sureness turns a sum of log-odds into a probability, to two digits.
func sureness(all []Term) float64 {
	sum := 0.0
	for _, t := range all {
		sum += t.Weight
	}
	return math.Round(100/(1+math.Exp(-sum))) / 100
}
