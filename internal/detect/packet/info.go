package packet

import "net/netip"

// IP protocol numbers that matter here.
const (
	ProtocolTCP = 6
	ProtocolUDP = 17
)

// TCP flags.
const (
	FlagFIN = 1 << iota
	FlagSYN
	FlagRST
	FlagPSH
	FlagACK
)

// Info is what the headers of one packet say: the innermost IP packet when there are tunnels.
// Its slices point into the bytes given to Decode.
type Info struct {
	Src, Dst         [16]byte // an IPv4 address is mapped (::ffff:a.b.c.d)
	SrcPort, DstPort uint16
	Protocol         uint8 // of IP; the ports and below are of TCP and UDP only
	IPv6             bool
	Flags            uint8 // of TCP
	Tunnels          uint8 // how many IP packets this one was inside of
	Reassembled      bool  // from IP fragments
	Later            bool  // the reading of overlapping fragments in which later bytes replace
	HasTimestamp     bool  // the TCP timestamp option is there
	Seq, Ack         uint32
	TSVal, TSEcr     uint32
	Payload          []byte // of TCP or UDP, without link padding
	Cut              bool   // the capture does not hold the whole payload
}

// SrcAddr gives the source address.
func (p *Info) SrcAddr() netip.Addr { return netip.AddrFrom16(p.Src).Unmap() }

// DstAddr gives the destination address.
func (p *Info) DstAddr() netip.Addr { return netip.AddrFrom16(p.Dst).Unmap() }

// Problem says why a packet gave no TCP or UDP payload, or what was odd about it.
type Problem uint8

// The problems, in the order statistics print them. ProblemNone is no problem at all.
const (
	ProblemNone            Problem = iota
	ProblemTruncated               // a header runs over the end of what was captured
	ProblemHeader                  // a header contradicts itself
	ProblemLink                    // a link type that is not decoded
	ProblemNotIP                   // neither IPv4 nor IPv6 inside: ARP, spanning tree and the like
	ProblemProtocol                // IP, but neither TCP nor UDP
	ProblemTooDeep                 // more headers than any real packet has
	ProblemFragmentBad             // a fragment that cannot belong anywhere
	ProblemFragmentPending         // a fragment, waiting for the others
	ProblemFragmentEvicted         // an incomplete datagram was given up: too old, or no room
	ProblemFragmentOverlap         // fragments overlap with different bytes: both readings are given
	Problems
)

var problemNames = [Problems]string{
	"none", "truncated-header", "bad-header", "unknown-link", "not-ip", "other-protocol", "too-deep",
	"bad-fragment", "fragment", "fragments-given-up", "fragment-overlap",
}

// Damaged tells whether the packet is broken, not only of no use: cut, contradicting itself, or made to be so.
func (p Problem) Damaged() bool {
	return p == ProblemTruncated || p == ProblemHeader || p == ProblemTooDeep || p == ProblemFragmentBad
}

// String names the problem the way statistics print it.
func (p Problem) String() string {
	if p < Problems {
		return problemNames[p]
	}
	return "unknown"
}
