package sensor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/mithaq/mithaq/internal/detect/capture"
)

// ring is memory that the kernel writes packets into, shared with it (packet(7), PACKET_RX_RING, TPACKET_V3): no system call and no
// copy for each packet, and the time at which the kernel got it. Blocks go round: each is the kernel's or ours, as its status says.
type ring struct {
	fd     int
	memory []byte
	block  int // the one that comes next
}

const (
	ringBlock  = 1 << 20 // bytes of a block: many packets, and the largest that offloading makes
	ringBlocks = 64
	ringFrame  = 1 << 11 // says nothing with blocks, and has to divide them
	ringRetire = 20      // milliseconds after which a block is handed over that is not full
	ringWait   = 200     // milliseconds until nothing came: a moment to look at other things
)

// Places in the headers of blocks and packets (linux/if_packet.h: tpacket_block_desc, tpacket3_hdr).
const (
	blockStatus  = 8
	blockPackets = 12
	blockFirst   = 16
	blockHead    = 48
	packetHead   = 48
)

// openRing gives a socket its ring.
func openRing(fd int) (*ring, error) {
	err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3)
	if err == nil {
		err = unix.SetsockoptTpacketReq3(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &unix.TpacketReq3{Block_size: ringBlock, Block_nr: ringBlocks,
			Frame_size: ringFrame, Frame_nr: ringBlock / ringFrame * ringBlocks, Retire_blk_tov: ringRetire})
	}
	if err != nil {
		return nil, fmt.Errorf("asking for a ring of %d MiB: %w", ringBlock*ringBlocks>>20, err)
	}
	memory, err := unix.Mmap(fd, 0, ringBlock*ringBlocks, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping a ring of %d MiB: %w", ringBlock*ringBlocks>>20, err)
	}
	return &ring{fd: fd, memory: memory}, nil
}

func (r *ring) close() error { return unix.Munmap(r.memory) }

// status is that of the next block: whose it is. The kernel writes it last.
func (r *ring) status() *uint32 {
	return (*uint32)(unsafe.Pointer(&r.memory[r.block*ringBlock+blockStatus])) // #nosec G103 -- shared with the kernel, and aligned
}

// next calls yield for the packets of the next block, whose bytes are valid during the call. It returns false when none came for a
// while.
func (r *ring) next(p *capture.Packet, yield func(*capture.Packet)) (came bool, err error) {
	if atomic.LoadUint32(r.status())&unix.TP_STATUS_USER == 0 {
		return false, r.wait()
	}
	b := r.memory[r.block*ringBlock : (r.block+1)*ringBlock]
	at := binary.NativeEndian.Uint32(b[blockFirst:])
	for range binary.NativeEndian.Uint32(b[blockPackets:]) {
		if at < blockHead || at > ringBlock-packetHead {
			break
		}
		h := b[at:]
		next, size := binary.NativeEndian.Uint32(h), binary.NativeEndian.Uint32(h[12:])
		begin := uint64(binary.NativeEndian.Uint16(h[24:]))
		if begin+uint64(size) > uint64(len(h)) {
			break
		}
		p.Number++
		p.Time = int64(binary.NativeEndian.Uint32(h[4:]))*1e9 + int64(binary.NativeEndian.Uint32(h[8:]))
		p.Data, p.Length = h[begin:begin+uint64(size)], int(binary.NativeEndian.Uint32(h[16:]))
		if len(p.Data) > capture.MaxPacket {
			p.Data = p.Data[:capture.MaxPacket]
		}
		yield(p)
		at += next
	}
	atomic.StoreUint32(r.status(), unix.TP_STATUS_KERNEL)
	r.block = (r.block + 1) % ringBlocks
	return true, nil
}

// wait returns when a block is there, or after a while.
func (r *ring) wait() error {
	ready := []unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLIN | unix.POLLERR}}
	n, err := unix.Poll(ready, ringWait)
	if errors.Is(err, unix.EINTR) || err == nil && n == 0 {
		return nil
	}
	if err == nil && ready[0].Revents&unix.POLLERR != 0 {
		// The error is gone once it was asked for. An interface that is down may come up again.
		if code, asked := unix.GetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_ERROR); asked == nil && code != 0 && code != int(unix.ENETDOWN) {
			err = unix.Errno(code)
		}
	}
	return err
}
