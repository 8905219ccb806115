package main

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/detect/capture"
)

// frame is one packet with where its IPv4 addresses are and how long after the one before it comes.
type frame struct {
	data []byte
	at   []int
	gap  int64 // nanoseconds
}

// repeat writes frames so often, with other addresses and later times in every copy: connections do not repeat. gap is between all
// packets where it is not 0; else they are as far apart as in their captures.
func repeat(frames []frame, name string, copies int, gap time.Duration) (packets int64, err error) {
	f, err := os.Create(name) // #nosec G304 -- a file of this benchmark
	if err != nil {
		return 0, err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	head := make([]byte, 24)
	binary.LittleEndian.PutUint32(head, 0xa1b23c4d)
	binary.LittleEndian.PutUint32(head[4:], 2|4<<16)
	binary.LittleEndian.PutUint32(head[16:], capture.MaxPacket)
	binary.LittleEndian.PutUint32(head[20:], 1)
	if _, err := w.Write(head); err != nil {
		return 0, err
	}
	at := int64(1.7e18)
	var room []byte
	for n := range copies {
		for _, fr := range frames {
			at += cmp.Or(gap.Nanoseconds(), fr.gap)
			room = append(room[:0], fr.data...)
			for _, i := range fr.at {
				room[i] ^= byte(n >> 8)
				room[i+1] ^= byte(n)
			}
			var record [16]byte
			binary.LittleEndian.PutUint32(record[:], uint32(at/1e9))
			binary.LittleEndian.PutUint32(record[4:], uint32(at%1e9))
			binary.LittleEndian.PutUint32(record[8:], uint32(len(room)))
			binary.LittleEndian.PutUint32(record[12:], uint32(len(room)))
			if _, err := w.Write(record[:]); err != nil {
				return 0, err
			}
			if _, err := w.Write(room); err != nil {
				return 0, err
			}
			packets++
		}
	}
	return packets, errors.Join(w.Flush(), f.Close())
}

const (
	betweenCaptures = int64(1e9)
	longestGap      = int64(60e9) // a capture that is put together from several may go on years later
)

// readFrames reads the Ethernet frames with IPv4 in them below a folder.
func readFrames(dir string) (frames []frame, err error) {
	err = filepath.WalkDir(dir, func(name string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".md") {
			return err
		}
		f, err := os.Open(name) // #nosec G304 -- a benchmark reads what it is told to
		if err != nil {
			return err
		}
		defer f.Close()
		r, err := capture.NewReader(f, capture.Options{})
		if err != nil {
			return nil // no capture
		}
		defer r.Close()
		var p capture.Packet
		last := int64(0)
		for r.Next(&p) == nil {
			if p.Link != capture.LinkEthernet || len(p.Data) < 34 || p.Length != len(p.Data) || p.Data[12] != 8 || p.Data[13] != 0 {
				continue
			}
			gap := betweenCaptures
			if last != 0 {
				gap = min(max(p.Time-last, 1), longestGap)
			}
			last = p.Time
			frames = append(frames, frame{data: append([]byte(nil), p.Data...), at: []int{14 + 12, 14 + 16}, gap: gap})
		}
		return nil
	})
	return frames, err
}

// goOn lets every direction of TCP that carried something send so many full segments more at the end, all directions in
// turns: what connections mostly consist of, and captures made to show hellos do not.
func goOn(frames []frame, segments int) []frame {
	type direction struct {
		ends  [12]byte
		frame frame // the last with a payload
		next  uint32
		tcp   int
	}
	var order []*direction
	known := map[[12]byte]*direction{}
	for _, fr := range frames {
		ip := fr.data[14:]
		tcp := 14 + int(ip[0]&15)*4
		if ip[9] != 6 || binary.BigEndian.Uint16(ip[6:])&0x3fff != 0 || len(fr.data) < tcp+20 {
			continue
		}
		payload := 14 + int(binary.BigEndian.Uint16(ip[2:])) - tcp - int(fr.data[tcp+12]>>4)*4
		if payload <= 0 {
			continue
		}
		var ends [12]byte
		copy(ends[:], ip[12:20])
		copy(ends[8:], fr.data[tcp:tcp+4])
		d := known[ends]
		if d == nil {
			d = &direction{ends: ends}
			known[ends] = d
			order = append(order, d)
		}
		d.frame, d.tcp, d.next = fr, tcp, binary.BigEndian.Uint32(fr.data[tcp+4:])+uint32(payload)
	}
	const full = 1400
	for range segments {
		for _, d := range order {
			header := d.tcp + int(d.frame.data[d.tcp+12]>>4)*4
			data := make([]byte, header+full)
			copy(data, d.frame.data[:header])
			for i := header; i < len(data); i++ {
				data[i] = byte(i*7) ^ byte(d.next>>8)
			}
			binary.BigEndian.PutUint16(data[16:], uint16(len(data)-14))
			binary.BigEndian.PutUint32(data[d.tcp+4:], d.next)
			data[d.tcp+13] = 0x10
			d.next += full
			frames = append(frames, frame{data: data, at: d.frame.at, gap: 20_000})
		}
	}
	return frames
}
