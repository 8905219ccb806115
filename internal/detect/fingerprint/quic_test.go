package fingerprint

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The writer's side of QUIC Initial protection, made apart from the reader's for the test.

func label(secret []byte, name string, n int) []byte {
	info := append([]byte{0, byte(n), byte(6 + len(name))}, "tls13 "+name...)
	out, err := hkdf.Expand(sha256.New, secret, string(append(info, 0)), n)
	if err != nil {
		panic(err)
	}
	return out
}

func sealInitial(version uint32, keyID, dcid, scid, token []byte, fromServer bool, number byte, frames []byte) []byte {
	first := byte(0xc0)
	if version == 0x6b3343cf {
		first = 0xd0
	}
	return sealFirst(first, version, keyID, dcid, scid, token, fromServer, number, frames)
}

// sealFirst is sealInitial with another first byte.
func sealFirst(first byte, version uint32, keyID, dcid, scid, token []byte, fromServer bool, number byte, frames []byte) []byte {
	salts := map[uint32]string{
		1:          "\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a",
		0x6b3343cf: "\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9",
		0xfaceb001: "\x7f\xbc\xdb\x0e\x7c\x66\xbb\xe9\x19\x3a\x96\xcd\x21\x51\x9e\xbd\x7a\x02\x64\x4a",
		0xff00001d: "\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99",
	}
	prefix := "quic"
	if version == 0x6b3343cf {
		prefix = "quicv2"
	}
	initial, err := hkdf.Extract(sha256.New, keyID, []byte(salts[version]))
	if err != nil {
		panic(err)
	}
	side := "client in"
	if fromServer {
		side = "server in"
	}
	secret := label(initial, side, 32)
	block, _ := aes.NewCipher(label(secret, prefix+" key", 16))
	aead, _ := cipher.NewGCM(block)
	mask, _ := aes.NewCipher(label(secret, prefix+" hp", 16))
	nonce := label(secret, prefix+" iv", 12)
	nonce[11] ^= number

	head := binary.BigEndian.AppendUint32([]byte{first}, version)
	head = append(append(head, byte(len(dcid))), dcid...)
	head = append(append(head, byte(len(scid))), scid...)
	head = append(append(head, byte(len(token))), token...)
	head = binary.BigEndian.AppendUint16(head, 0x4000|uint16(1+len(frames)+16))
	head = append(head, number)
	packet := aead.Seal(bytes.Clone(head), nonce, frames, head)
	at := len(head) - 1
	var m [16]byte
	mask.Encrypt(m[:], packet[at+4:at+20])
	packet[0] ^= m[0] & 15
	packet[at] ^= m[1]
	return packet
}

func cryptoFrame(offset int, data []byte) []byte {
	b := []byte{6}
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(offset))
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(len(data)))
	return append(b, data...)
}

func padded(frames []byte, n int) []byte {
	return append(frames, make([]byte, max(0, n-len(frames)))...)
}

// quicHellos lets Go's TLS make a ClientHello and a ServerHello for QUIC.
func quicHellos(t testing.TB) (client, server []byte) {
	t.Helper()
	ctx := context.Background()
	config := &tls.Config{ServerName: "node.example", InsecureSkipVerify: true, NextProtos: []string{"h3"}, MinVersion: tls.VersionTLS13}
	c := tls.QUICClient(&tls.QUICConfig{TLSConfig: config})
	c.SetTransportParameters([]byte{1, 2, 3})
	s := tls.QUICServer(&tls.QUICConfig{TLSConfig: &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}, NextProtos: []string{"h3"}, MinVersion: tls.VersionTLS13}})
	s.SetTransportParameters([]byte{4, 5, 6})
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	written := func(conn *tls.QUICConn) []byte {
		var b []byte
		for {
			switch ev := conn.NextEvent(); {
			case ev.Kind == tls.QUICNoEvent:
				return b
			case ev.Kind == tls.QUICWriteData && ev.Level == tls.QUICEncryptionLevelInitial:
				b = append(b, ev.Data...)
			}
		}
	}
	client = written(c)
	if err := s.HandleData(tls.QUICEncryptionLevelInitial, client); err != nil {
		t.Fatal(err)
	}
	return client, written(s)
}

var dcid, scid, serverID = []byte("12345678"), []byte("abcd"), []byte("SERVERID")

func checkQUIC(t testing.TB, e Event, version string) {
	t.Helper()
	if textOf(e.SNI) != "node.example" || !slices.Equal(e.ALPN, []string{"h3"}) || e.Transport != "quic" || e.JA4[:4] != "q13d" ||
		textOf(e.Version) != "TLSv13" || e.Cipher == nil || e.QUIC == nil || e.QUIC.Version != version || e.Established {
		t.Fatalf("%+v %+v", e, e.QUIC)
	}
}

func TestQUICVersions(t *testing.T) {
	ch, sh := quicHellos(t)
	for version, name := range map[uint32]string{1: "1", 0x6b3343cf: "2", 0xff00001d: "draft-29", 0xfaceb001: "mvfst-22"} {
		c := newCapturing()
		c.packet(udpPacket(client4, server4, sealInitial(version, dcid, dcid, scid, nil, false, 0, padded(cryptoFrame(0, ch), 1150))))
		c.packet(udpPacket(server4, client4, sealInitial(version, dcid, scid, serverID, nil, true, 0, append([]byte{2, 0, 0, 0, 0}, cryptoFrame(0, sh)...))))
		events, _ := runBytes(t, c.file, Options{})
		checkQUIC(t, wantOne(t, events), name)
	}
}

// TestQUICWithTheFixedBitCleared: peers that agreed on it before send it either way (RFC 9287).
func TestQUICWithTheFixedBitCleared(t *testing.T) {
	ch, sh := quicHellos(t)
	c := newCapturing()
	c.packet(udpPacket(client4, server4, sealFirst(0x80, 1, dcid, dcid, scid, nil, false, 0, padded(cryptoFrame(0, ch), 1150))))
	c.packet(udpPacket(server4, client4, sealFirst(0x80, 1, dcid, scid, serverID, nil, true, 0, cryptoFrame(0, sh))))
	events, _ := runBytes(t, c.file, Options{})
	checkQUIC(t, wantOne(t, events), "1")
}

// TestQUICAnyhow cuts the hello into CRYPTO frames, those into packets, coalesces and shuffles them.
func TestQUICAnyhow(t *testing.T) {
	ch, sh := quicHellos(t)
	rapid.Check(t, func(t *rapid.T) {
		var frames [][]byte
		for from := 0; from < len(ch); {
			to := min(len(ch), from+rapid.IntRange(20, 300).Draw(t, "size"))
			frames = append(frames, cryptoFrame(max(0, from-rapid.IntRange(0, 3).Draw(t, "again")), nil))
			start := max(0, from-2)
			frames[len(frames)-1] = cryptoFrame(start, ch[start:to])
			from = to
		}
		frames = rapid.Permutation(frames).Draw(t, "order")
		var datagrams [][]byte
		for i := 0; len(frames) > 0; i++ {
			n := rapid.IntRange(1, len(frames)).Draw(t, "in one packet")
			p := sealInitial(1, dcid, dcid, scid, nil, false, byte(i), padded(append([]byte{1, 0}, bytes.Join(frames[:n], nil)...), 40))
			frames = frames[n:]
			if len(datagrams) > 0 && rapid.Bool().Draw(t, "coalesce") {
				datagrams[len(datagrams)-1] = append(datagrams[len(datagrams)-1], p...)
			} else {
				datagrams = append(datagrams, p)
			}
		}
		c := newCapturing()
		for _, d := range datagrams {
			c.packet(udpPacket(client6, server6, d))
		}
		handshakePacket := []byte{0xe0, 0, 0, 0, 1, 4, 'a', 'b', 'c', 'd', 8, 'S', 'E', 'R', 'V', 'E', 'R', 'I', 'D', 0x40, 30}
		answer := sealInitial(1, dcid, scid, serverID, nil, true, 0, cryptoFrame(0, sh))
		c.packet(udpPacket(server6, client6, append(padded(handshakePacket, 51), answer...)))
		var events []Event
		e := NewEngine(Options{}, func(e Event) { events = append(events, e) })
		feed(e, c.file)
		e.Flush()
		if len(events) != 1 || textOf(events[0].SNI) != "node.example" || textOf(events[0].Version) != "TLSv13" || events[0].Src.String() != "2001:db8::7" {
			t.Fatalf("%+v %+v", events, e.Stats())
		}
	})
}

func TestQUICRetryAndVersionChange(t *testing.T) {
	ch, sh := quicHellos(t)
	c := newCapturing()
	hello := padded(cryptoFrame(0, ch), 1100)
	c.packet(udpPacket(client4, server4, sealInitial(1, dcid, dcid, scid, nil, false, 0, hello)))
	retry := append([]byte{0xf0, 0, 0, 0, 1, 4}, scid...)
	retry = append(append(append(retry, 3), "new"...), "token and sixteen bytes of tag"...)
	c.packet(udpPacket(server4, client4, retry))
	again := sealInitial(1, []byte("new"), []byte("new"), scid, []byte("token"), false, 1, hello)
	c.packet(udpPacket(client4, server4, again))
	c.packet(udpPacket(client4, server4, again))
	// The server answers in version 2 with keys from the same identifier (RFC 9368).
	c.packet(udpPacket(server4, client4, sealInitial(0x6b3343cf, []byte("new"), scid, serverID, nil, true, 0, cryptoFrame(0, sh))))
	c.packet(udpPacket(client4, server4, again)) // late
	events, _ := runBytes(t, c.file, Options{})
	e := wantOne(t, events)
	checkQUIC(t, e, "2")
	if !e.QUIC.Retry || e.QUIC.OriginalDCID != hexText(dcid) || e.QUIC.ClientDCID != hexText([]byte("new")) {
		t.Errorf("%+v", e.QUIC)
	}
}

// TestInitialFlood sends Initials of one source and checks that its work is bounded while another
// source is still read.
func TestInitialFlood(t *testing.T) {
	ch, _ := quicHellos(t)
	c := newCapturing()
	garbage := sealInitial(1, []byte("wrongkey"), dcid, scid, nil, false, 0, make([]byte, 1100))
	for i := range 5000 {
		c.now -= 1e6 - 1000 // a microsecond apart
		c.packet(udpPacket(client4, server4, garbage))
		if i == 4000 {
			c.packet(udpPacket(client6, server6, sealInitial(1, dcid, dcid, scid, nil, false, 0, padded(cryptoFrame(0, ch), 1100))))
		}
	}
	events, stats := runBytes(t, c.file, Options{})
	if e := wantOne(t, events); textOf(e.SNI) != "node.example" {
		t.Errorf("%+v", e)
	}
	if stats.Dropped["quic-initials"] < 4000 {
		t.Errorf("%v", stats.Dropped)
	}
}

func TestGoogleQUICIsSeen(t *testing.T) {
	c := newCapturing()
	c.packet(udpPacket(client4, server4, append([]byte("\x09abcdefghQ039\x01"), make([]byte, 50)...)))
	c.packet(udpPacket(client4, server4, append([]byte("\xc3Q046\x50abcdefgh"), make([]byte, 50)...)))
	if events, stats := runBytes(t, c.file, Options{}); len(events) != 0 || stats.Seen["google-quic"] != 2 {
		t.Errorf("%+v %+v", events, stats)
	}
}

// dtlsDatagrams wraps a hello's body in DTLS, cut into parts.
func dtlsDatagrams(kind byte, number uint16, body []byte, size int) [][]byte {
	var list [][]byte
	for from := 0; from < len(body); from += size {
		to := min(len(body), from+size)
		m := []byte{kind, 0, byte(len(body) >> 8), byte(len(body)), byte(number >> 8), byte(number), 0, byte(from >> 8), byte(from), 0, byte((to - from) >> 8), byte(to - from)}
		m = append(m, body[from:to]...)
		r := []byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, byte(from), byte(len(m) >> 8), byte(len(m))}
		list = append(list, append(r, m...))
	}
	return list
}

func TestDTLS(t *testing.T) {
	// Go's TLS hello becomes one of DTLS: other version numbers, and a cookie behind the session id.
	bursts := handshake(t, tls.VersionTLS12, nil)
	asDTLS := func(cookie string) []byte {
		body := bytes.Clone(bursts[0].data[9:])
		body[0], body[1] = 0xfe, 0xfd
		at := 35 + int(body[34])
		return slices.Concat(body[:at], []byte{byte(len(cookie))}, []byte(cookie), body[at:])
	}
	serverHello := bytes.Clone(bursts[1].data[9 : 9+int(bursts[1].data[8])])
	serverHello[0], serverHello[1] = 0xfe, 0xfd
	for _, size := range []int{1000, 90} {
		c := newCapturing()
		send := func(fromClient bool, list [][]byte) {
			for _, d := range list {
				if fromClient {
					c.packet(udpPacket(client4, server4, d))
				} else {
					c.packet(udpPacket(server4, client4, d))
				}
			}
		}
		send(true, dtlsDatagrams(1, 0, asDTLS(""), size))
		send(false, dtlsDatagrams(3, 0, []byte{0xfe, 0xff, 3, 1, 2, 3}, size))
		parts := dtlsDatagrams(1, 1, asDTLS("\x01\x02\x03"), size)
		slices.Reverse(parts)
		send(true, parts)
		send(false, dtlsDatagrams(2, 1, serverHello, size))
		ccs, encrypted := []byte{20, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 1}, []byte{22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 9, 9}
		send(true, [][]byte{slices.Concat(ccs, encrypted)})
		send(false, [][]byte{slices.Concat(ccs, encrypted)})
		events, _ := runBytes(t, c.file, Options{})
		e := wantOne(t, events)
		if textOf(e.SNI) != "node.example" || e.Transport != "dtls" || e.JA4[:4] != "d12d" || textOf(e.Version) != "DTLSv12" || !e.Established {
			t.Errorf("size %d: %+v", size, e)
		}
	}
}
