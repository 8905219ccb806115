package sensor

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/mithaq/mithaq/internal/detect/capture"
	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/traffic"
)

// Live reads the packets of an interface through AF_PACKET. It needs CAP_NET_RAW. What the kernel could not hand over in
// time is counted. Tags of virtual networks that the card takes off are not seen.
type Live struct {
	name string
	fd   int
	ring *ring
	link capture.LinkType
	seed uint64

	mu      sync.Mutex
	dropped map[string]int64 // by kind, as of the last time it was looked at
	lost    int64            // by the kernel
}

// OpenLive opens an interface by its name.
func OpenLive(name string, seed uint64) (*Live, error) {
	card, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("opening the interface %s: %w", name, err)
	}
	all := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL))
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(all))
	if errors.Is(err, unix.EPERM) {
		return nil, fmt.Errorf("opening the interface %s: %w: run as root or with CAP_NET_RAW", name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the interface %s: %w", name, err)
	}
	ring, err := openRing(fd)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: card.Index})
	}
	if err == nil {
		// All that passes by, not only what is for this machine. Cards that cannot are read as they are.
		_ = unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &unix.PacketMreq{Ifindex: int32(card.Index), Type: unix.PACKET_MR_PROMISC})
	}
	if err != nil {
		if ring != nil {
			err = errors.Join(err, ring.close())
		}
		return nil, fmt.Errorf("opening the interface %s: %w", name, errors.Join(err, unix.Close(fd)))
	}
	link := capture.LinkEthernet
	if card.HardwareAddr == nil && card.Flags&net.FlagLoopback == 0 {
		link = capture.LinkRaw // a tunnel hands over IP packets
	}
	return &Live{name: name, fd: fd, ring: ring, link: link, seed: seed, dropped: map[string]int64{}}, nil
}

// Run implements Source.
func (l *Live) Run(ctx context.Context, yield func(*event.Event)) (err error) {
	defer func() { err = errors.Join(err, l.ring.close(), unix.Close(l.fd)) }()
	source := traffic.NewSource(l.name, traffic.Options{Seed: l.seed}, yield)
	defer source.Flush()
	p := capture.Packet{Link: l.link}
	for looked := int64(0); ; {
		came, err := l.ring.next(&p, source.Packet)
		if err != nil {
			return fmt.Errorf("reading the interface %s: %w", l.name, err)
		}
		if !came || p.Time-looked > 1e9 {
			looked = p.Time
			l.look(source)
		}
		if err := ctx.Err(); err != nil {
			l.look(source)
			return err
		}
	}
}

// look notes what the kernel lost since it was asked last, and what gave nothing or gave way so far.
func (l *Live) look(source *traffic.Source) {
	stats := source.Stats()
	dropped := make(map[string]int64, len(stats.Malformed)+len(stats.Dropped)+1)
	for _, counts := range []map[string]int64{stats.Malformed, stats.Dropped} {
		for kind, n := range counts {
			dropped[kind] += n
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if st, err := unix.GetsockoptTpacketStatsV3(l.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
		l.lost += int64(st.Drops)
	}
	dropped["kernel"] = l.lost
	l.dropped = dropped
}

// Dropped implements Source.
func (l *Live) Dropped() map[string]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.dropped)
}
