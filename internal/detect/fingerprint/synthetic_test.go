package fingerprint

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"io"
	"math/big"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// capturing writes packets as a pcap file, link type raw IP.
type capturing struct {
	file []byte
	now  int64
}

func newCapturing() *capturing {
	b := binary.LittleEndian.AppendUint32(nil, 0xa1b23c4d)
	b = append(b, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, 262144)
	return &capturing{file: binary.LittleEndian.AppendUint32(b, 101), now: 1_700_000_000e9}
}

func (c *capturing) packet(data []byte) {
	c.now += 1e6
	for _, v := range []uint32{uint32(c.now / 1e9), uint32(c.now % 1e9), uint32(len(data)), uint32(len(data))} {
		c.file = binary.LittleEndian.AppendUint32(c.file, v)
	}
	c.file = append(c.file, data...)
}

func ipPacket(src, dst netip.Addr, protocol byte, payload []byte) []byte {
	if src.Is4() {
		b := []byte{0x45, 0}
		b = binary.BigEndian.AppendUint16(b, uint16(20+len(payload)))
		b = append(b, 0, 0, 0, 0, 64, protocol, 0, 0)
		b = append(append(b, src.AsSlice()...), dst.AsSlice()...)
		return append(b, payload...)
	}
	b := []byte{0x60, 0, 0, 0}
	b = binary.BigEndian.AppendUint16(b, uint16(len(payload)))
	b = append(b, protocol, 64)
	b = append(append(b, src.AsSlice()...), dst.AsSlice()...)
	return append(b, payload...)
}

func udpPacket(src, dst netip.AddrPort, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, src.Port())
	b = binary.BigEndian.AppendUint16(b, dst.Port())
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(payload)))
	return ipPacket(src.Addr(), dst.Addr(), 17, append(append(b, 0, 0), payload...))
}

const (
	fin = 1
	syn = 2
	rst = 4
	ack = 16
)

func tcpPacket(src, dst netip.AddrPort, seq, acked uint32, flags byte, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, src.Port())
	b = binary.BigEndian.AppendUint16(b, dst.Port())
	b = binary.BigEndian.AppendUint32(b, seq)
	b = binary.BigEndian.AppendUint32(b, acked)
	b = append(b, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0)
	return ipPacket(src.Addr(), dst.Addr(), 6, append(b, payload...))
}

var (
	client4 = netip.MustParseAddrPort("192.0.2.7:50123")
	server4 = netip.MustParseAddrPort("198.51.100.9:8443")
	server6 = netip.MustParseAddrPort("[2001:db8::1]:8443")
	client6 = netip.MustParseAddrPort("[2001:db8::7]:50123")
)

// burst is what one end wrote at once.
type burst struct {
	fromClient bool
	data       []byte
}

// wire is one end of a connection in memory with room for what was not read yet. It notes what is
// written to it.
type wire struct {
	net.Conn   // only for its addresses and deadlines
	fromClient bool
	in, out    chan []byte
	left       []byte
	mu         *sync.Mutex
	all        *[]burst
}

func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	*w.all = append(*w.all, burst{w.fromClient, bytes.Clone(b)})
	w.mu.Unlock()
	w.out <- bytes.Clone(b)
	return len(b), nil
}

func (w *wire) Read(b []byte) (int, error) {
	if len(w.left) == 0 {
		data, ok := <-w.in
		if !ok {
			return 0, io.EOF
		}
		w.left = data
	}
	n := copy(b, w.left)
	w.left = w.left[n:]
	return n, nil
}

func selfSigned(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x4711), Subject: pkix.Name{CommonName: "node.example", Organization: []string{"Example"}},
		NotBefore: time.Unix(1_600_000_000, 0), NotAfter: time.Unix(1_900_000_000, 0), DNSNames: []string{"node.example"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// handshake lets Go's own TLS shake hands and exchange a few bytes, and gives what was written.
func handshake(t testing.TB, version uint16, adjust func(client, server *tls.Config)) []burst {
	t.Helper()
	a, b := net.Pipe()
	up, down := make(chan []byte, 1000), make(chan []byte, 1000)
	var mu sync.Mutex
	var all []burst
	serverConfig := &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}, NextProtos: []string{"h2", "http/1.1"}, MaxVersion: version}
	clientConfig := &tls.Config{ServerName: "node.example", InsecureSkipVerify: true, NextProtos: []string{"h2"}, MaxVersion: version}
	if adjust != nil {
		adjust(clientConfig, serverConfig)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server := tls.Server(&wire{Conn: b, in: up, out: down, mu: &mu, all: &all}, serverConfig)
		buf := make([]byte, 100)
		if _, err := server.Read(buf); err == nil {
			_, _ = server.Write([]byte("pong"))
		}
		close(down)
	}()
	client := tls.Client(&wire{Conn: a, fromClient: true, in: down, out: up, mu: &mu, all: &all}, clientConfig)
	if _, err := client.Write([]byte("ping")); err == nil {
		_, _ = client.Read(make([]byte, 100))
	}
	close(up)
	<-done
	return all
}

// segments turns bursts into TCP segments with at most size bytes of payload each.
type segment struct {
	fromClient bool
	seq, ack   uint32
	flags      byte
	data       []byte
}

func segmentsOf(bursts []burst, size int) []segment {
	client, server := uint32(0xfffffff0), uint32(77) // the client's numbers wrap around
	list := []segment{
		{true, client - 1, 0, syn, nil}, {false, server - 1, client, syn | ack, nil}, {true, client, server, ack, nil},
	}
	for _, b := range bursts {
		for data := b.data; len(data) > 0; {
			n := min(size, len(data))
			if b.fromClient {
				list = append(list, segment{true, client, server, ack, data[:n]})
				client += uint32(n)
			} else {
				list = append(list, segment{false, server, client, ack, data[:n]})
				server += uint32(n)
			}
			data = data[n:]
		}
	}
	return append(list, segment{true, client, server, fin | ack, nil}, segment{false, server, client + 1, fin | ack, nil})
}

func (c *capturing) segments(list []segment, client, server netip.AddrPort) {
	for _, s := range list {
		if s.fromClient {
			c.packet(tcpPacket(client, server, s.seq, s.ack, s.flags, s.data))
		} else {
			c.packet(tcpPacket(server, client, s.seq, s.ack, s.flags, s.data))
		}
	}
}

func captureOf(list []segment) []byte {
	c := newCapturing()
	c.segments(list, client4, server4)
	return c.file
}
