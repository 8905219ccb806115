// Package fetch reads what other parties' hosts answer, any of which may be hostile.
//
// It promises that an answer costs a bounded amount of memory and time: no redirect is followed unless a person named the address, heads and bodies have a limit,
// a body that trickles is given up, one that is compressed or of another type than was asked for is not read at all, and a
// name that leads into this network is not connected to unless that is wanted. Why an answer was refused is one of a few
// kinds, so that it can be counted.
//
// It knows neither logs nor records, signs nothing, and believes nothing: what came within the bounds is still to be verified
// by whoever asked.
//
// Start reading at answer.go; kinds.go is what is counted, transport.go what is connected to.
package fetch
