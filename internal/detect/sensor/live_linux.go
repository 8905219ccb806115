package sensor

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mithaq/mithaq/internal/detect/capture"
	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/traffic"
)

// Live reads the packets of an interface through AF_PACKET. It needs CAP_NET_RAW. What the kernel could not hand over in
// time is counted. Tags of virtual networks that the card takes off are not seen.
type Live struct {
	name    string
	fd      int
	link    capture.LinkType
	seed    uint64
	now     func() time.Time
	lost    atomic.Int64 // by the kernel
	packets atomic.Int64
}

// receiveBuffer is how many bytes the kernel keeps while packets wait, as far as it allows.
const receiveBuffer = 64 << 20

// OpenLive opens an interface by its name.
func OpenLive(name string, seed uint64, now func() time.Time) (*Live, error) {
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
	wait := unix.NsecToTimeval(200e6) // so that the end of the context is seen
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer) // as much as is allowed
	}
	err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: card.Index})
	}
	if err == nil {
		// All that passes by, not only what is for this machine. Cards that cannot are read as they are.
		_ = unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &unix.PacketMreq{Ifindex: int32(card.Index), Type: unix.PACKET_MR_PROMISC})
	}
	if err != nil {
		return nil, fmt.Errorf("opening the interface %s: %w", name, errors.Join(err, unix.Close(fd)))
	}
	link := capture.LinkEthernet
	if card.HardwareAddr == nil && card.Flags&net.FlagLoopback == 0 {
		link = capture.LinkRaw // a tunnel hands over IP packets
	}
	return &Live{name: name, fd: fd, link: link, seed: seed, now: now}, nil
}

// Run implements Source.
func (l *Live) Run(ctx context.Context, yield func(*event.Event)) error {
	defer func() { _ = unix.Close(l.fd) }() // nothing was written
	source := traffic.NewSource(l.name, traffic.Options{Seed: l.seed}, yield)
	defer source.Flush()
	b := make([]byte, capture.MaxPacket)
	p := capture.Packet{Link: l.link}
	for n := 0; ; n++ {
		if n&0x3ff == 0 || ctx.Err() != nil {
			l.statistics()
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		size, _, err := unix.Recvfrom(l.fd, b, unix.MSG_TRUNC)
		switch {
		case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
			n = -1 // nothing came: a moment to look at the context
			continue
		case errors.Is(err, unix.ENETDOWN):
			continue // the interface is down and may come up again
		case err != nil:
			return fmt.Errorf("reading the interface %s: %w", l.name, err)
		}
		p.Number++
		p.Time, p.Length, p.Data = l.now().UnixNano(), size, b[:min(size, len(b))]
		l.packets.Add(1)
		source.Packet(&p)
	}
}

// statistics adds what the kernel lost since it was asked last.
func (l *Live) statistics() {
	if st, err := unix.GetsockoptTpacketStats(l.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
		l.lost.Add(int64(st.Drops))
	}
}

// Dropped implements Source.
func (l *Live) Dropped() map[string]int64 {
	return map[string]int64{"kernel": l.lost.Load()}
}
