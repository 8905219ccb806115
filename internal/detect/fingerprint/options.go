package fingerprint

import (
	"fmt"

	"github.com/mithaq/mithaq/internal/detect/capture"
	"github.com/mithaq/mithaq/internal/detect/packet"
)

// Options bounds the memory of an engine and says who else listens. The zero value is good.
type Options struct {
	// Flows is how many connections are followed at once, 0 for 65,536. One takes 120 bytes.
	Flows int
	// Sessions is how many of them may be in the part that is read (the first kilobytes, until the
	// handshake is over) at once, 0 for 16,384. One takes about 2 KiB and what is buffered.
	Sessions int
	// Buffer is how many bytes of streams are kept in total, 0 for 64 MiB.
	Buffer int
	// Fragments is how many incomplete IP datagrams wait at once, 0 for 256, with FragmentBytes
	// bytes in total, 0 for 8 MiB.
	Fragments, FragmentBytes int
	// Scan is how many bytes of each direction are searched for the beginning of TLS, 0 for 8 KiB.
	Scan int
	// InitialsPerSource is how many QUIC Initials of one source address (an IPv6 /64) are opened a
	// second, 0 for 100; four times as many may come at once.
	InitialsPerSource int
	// Seed makes the hash table's order unpredictable to who sends the packets.
	Seed uint64

	// Anomaly is told of each anomaly.
	Anomaly func(Anomaly)
	// Damage is told of damaged places in the capture.
	Damage func(capture.Damage)
	// Broken is told of packets that are damaged in themselves, see [packet.Problem.Damaged].
	Broken func(packet.Problem, Place)
	// Stream is given the beginnings of connections that are not TLS when they are over, have
	// sent Scan bytes, or give way. What it gets is valid during the call.
	Stream func(*Beginning)
	// Packet is given the headers of every TCP segment and UDP datagram, before anything else. What it gets is valid
	// during the call.
	Packet func(*packet.Info, Place)
	// Datagram is given every UDP datagram. What it gets is valid during the call.
	Datagram func(*packet.Info, Place)
}

// Name lets a function be told, for people, of all that is damaged: places of the capture, and packets. nil: nobody is told.
func (o *Options) Name(tell func(string)) {
	if tell == nil {
		return
	}
	o.Damage = func(d capture.Damage) { tell(d.String()) }
	o.Broken = func(p packet.Problem, at Place) { tell(fmt.Sprintf("%s in packet %d", p, at.Packet)) }
}

// Place is where in the capture something was.
type Place struct {
	Packet int64 // from 1
	Time   int64 // nanoseconds since 1970
	// Hash is that of both ends and the protocol, the same in both directions; others cannot foresee it. Only the place that
	// Options.Packet is given has it.
	Hash uint64
}

// Beginning is what the two directions of a connection began with.
type Beginning struct {
	Client, Server         packet.Info // addresses and ports, from the client and from the server
	FromClient, FromServer *packet.Stream
	Place                  Place // where it began
}

func (o *Options) defaults() {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&o.Flows, 1<<16)
	set(&o.Sessions, 1<<14)
	set(&o.Buffer, 64<<20)
	set(&o.Scan, 8<<10)
	set(&o.InitialsPerSource, 100)
}

// Stats is what an engine counted. Counts by name hold only what occurred.
type Stats struct {
	Packets   int64            `json:"packets"`
	Bytes     int64            `json:"bytes"`
	TCP       int64            `json:"tcp"`
	UDP       int64            `json:"udp"`
	Events    int64            `json:"events"`
	Problems  map[string]int64 `json:"problems,omitempty"`  // packets that gave nothing, by kind
	Anomalies map[string]int64 `json:"anomalies,omitempty"` // by kind
	Damage    map[string]int64 `json:"damage,omitempty"`    // of the capture, by kind
	Dropped   map[string]int64 `json:"dropped,omitempty"`   // what gave way to the bounds, by kind
	Seen      map[string]int64 `json:"seen,omitempty"`      // recognised but not read, by kind
}

// drop is something that gave way to a bound.
type drop uint8

const (
	dropFlow      drop = iota // a flow, for another
	dropSession               // a session, for another
	dropBuffer                // bytes, because all buffers are in use
	dropScattered             // bytes, because the stream is in too many pieces
	dropInitial               // a QUIC Initial, because its source sent too many
	dropHello                 // a hello, because its connection sent too many
	drops
)

var dropNames = [drops]string{"flows", "sessions", "no-buffer", "scattered", "quic-initials", "hellos"}
