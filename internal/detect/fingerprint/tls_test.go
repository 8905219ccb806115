package fingerprint

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func wantOne(t testing.TB, events []Event) Event {
	t.Helper()
	if len(events) != 1 {
		t.Fatalf("%d events: %+v", len(events), events)
	}
	return events[0]
}

func checkNode(t testing.TB, e Event, version string) {
	t.Helper()
	if textOf(e.SNI) != "node.example" || !slices.Equal(e.ALPN, []string{"h2"}) || textOf(e.Version) != version || !e.Established ||
		e.Src.String() != "192.0.2.7" || e.SrcPort != 50123 || e.Dst.String() != "198.51.100.9" || e.DstPort != 8443 || e.Transport != "tcp" {
		t.Fatalf("%+v", e)
	}
	if version == "TLSv12" {
		if len(e.ServerChain) != 1 || e.ServerChain[0].Serial != "4711" || textOf(e.Subject) != "CN=node.example,O=Example" ||
			e.SNIMatches == nil || !*e.SNIMatches || textOf(e.NextProtocol) != "h2" {
			t.Fatalf("%+v", e)
		}
	} else if e.ServerChain != nil {
		t.Fatalf("certificates that cannot be seen: %+v", e)
	}
}

// TestRealHandshake reads what Go's own TLS says, cut into segments of many sizes.
func TestRealHandshake(t *testing.T) {
	for version, name := range map[uint16]string{tls.VersionTLS12: "TLSv12", tls.VersionTLS13: "TLSv13"} {
		bursts := handshake(t, version, nil)
		var ja4 string
		for _, size := range []int{1, 2, 7, 100, 536, 1460, 65000} {
			events, stats := runBytes(t, captureOf(segmentsOf(bursts, size)), Options{})
			e := wantOne(t, events)
			checkNode(t, e, name)
			if ja4 != "" && ja4 != e.JA4 || len(stats.Anomalies)+len(stats.Dropped) > 0 {
				t.Fatalf("size %d: %s after %s, %+v", size, e.JA4, ja4, stats)
			}
			ja4 = e.JA4
		}
	}
}

// TestSegmentsAnyhow shuffles, repeats and overlaps segments with the same bytes: the event stays.
func TestSegmentsAnyhow(t *testing.T) {
	bursts := handshake(t, tls.VersionTLS12, nil)
	rapid.Check(t, func(t *rapid.T) {
		list := segmentsOf(bursts, rapid.IntRange(200, 2000).Draw(t, "size"))
		withHandshake := rapid.Bool().Draw(t, "with the TCP handshake")
		head, body := list[:3], slices.Clone(list[3:len(list)-2])
		for range rapid.IntRange(0, 5).Draw(t, "repeats") {
			i := rapid.IntRange(0, len(body)-1).Draw(t, "which")
			again := body[i]
			if cut := rapid.IntRange(0, len(again.data)-1).Draw(t, "cut"); cut > 0 {
				again.seq += uint32(cut)
				again.data = again.data[cut:]
			}
			body = slices.Insert(body, rapid.IntRange(0, len(body)).Draw(t, "where"), again)
		}
		window := rapid.IntRange(1, 4).Draw(t, "disorder")
		source := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		for i := 0; i+window <= len(body); i += window {
			part := body[i : i+window]
			source.Shuffle(len(part), func(a, b int) { part[a], part[b] = part[b], part[a] })
		}
		if withHandshake {
			body = append(slices.Clone(head), body...)
		}
		events := []Event{}
		e := NewEngine(Options{}, func(e Event) { events = append(events, e) })
		feed(e, captureOf(body))
		e.Flush()
		if len(events) != 1 || textOf(events[0].SNI) != "node.example" || len(events[0].ServerChain) != 1 && withHandshake {
			t.Fatalf("%+v, %+v", events, e.Stats())
		}
	})
}

func TestMidstream(t *testing.T) {
	list := segmentsOf(handshake(t, tls.VersionTLS13, nil), 300)
	events, _ := runBytes(t, captureOf(list[3:]), Options{})
	checkNode(t, wantOne(t, events), "TLSv13")
	swapped := slices.Clone(list[3:])
	swapped[0], swapped[1] = swapped[1], swapped[0]
	events, _ = runBytes(t, captureOf(swapped), Options{})
	checkNode(t, wantOne(t, events), "TLSv13")
}

// TestHandshakeBehindItsData: cards with several queues write a SYN behind the data it announced. That is not odd, and the end
// that sent it is the client.
func TestHandshakeBehindItsData(t *testing.T) {
	list := segmentsOf(handshake(t, tls.VersionTLS13, nil), 100)
	for _, first := range []int{3, 4} { // the first segment of the hello, or its second
		swapped := append([]segment{list[first]}, list[:first]...)
		events, stats := runBytes(t, captureOf(append(swapped, list[first+1:]...)), Options{})
		checkNode(t, wantOne(t, events), "TLSv13")
		if len(stats.Anomalies) != 0 {
			t.Errorf("segment %d first: %v", first, stats.Anomalies)
		}
	}
}

// TestTLSBehindOtherProtocols begins TLS after other bytes, as STARTTLS and proxies do.
func TestTLSBehindOtherProtocols(t *testing.T) {
	bursts := handshake(t, tls.VersionTLS12, nil)
	proxy2 := append([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c"), 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 0, 2)
	for name, before := range map[string][]burst{
		"SMTP":        {{false, []byte("220 mail\r\n")}, {true, []byte("EHLO me\r\n")}, {false, []byte("250 STARTTLS\r\n")}, {true, []byte("STARTTLS\r\n")}, {false, []byte("220 go\r\n")}},
		"CONNECT":     {{true, []byte("CONNECT node.example:443 HTTP/1.1\r\n\r\n")}, {false, []byte("HTTP/1.1 200 OK\r\n\r\n")}},
		"SOCKS 5":     {{true, []byte{5, 1, 0}}, {false, []byte{5, 0}}, {true, []byte{5, 1, 0, 1, 1, 2, 3, 4, 1, 187}}, {false, []byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0}}},
		"Postgres":    {{true, []byte{0, 0, 0, 8, 4, 210, 22, 47}}, {false, []byte("S")}},
		"RDP":         {{true, []byte{3, 0, 0, 19, 14, 224, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0}}, {false, []byte{3, 0, 0, 19, 14, 208, 0, 0, 0x12, 0x34, 0, 2, 0x1f, 8, 0, 2, 0, 0, 0}}},
		"much before": {{false, bytes.Repeat([]byte("250-hello\r\n"), 900)}, {true, []byte("STARTTLS\r\n")}, {false, []byte("220 go\r\n")}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{50, 1460} {
				events, _ := runBytes(t, captureOf(segmentsOf(append(slices.Clone(before), bursts...), size)), Options{})
				checkNode(t, wantOne(t, events), "TLSv12")
			}
		})
	}
	t.Run("in one segment", func(t *testing.T) {
		for _, prefix := range [][]byte{[]byte("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n"), proxy2} {
			joined := slices.Clone(bursts)
			joined[0].data = append(slices.Clone(prefix), joined[0].data...)
			events, _ := runBytes(t, captureOf(segmentsOf(joined, 1460)), Options{})
			checkNode(t, wantOne(t, events), "TLSv12")
		}
	})
}

func TestHelloRetryRequest(t *testing.T) {
	bursts := handshake(t, tls.VersionTLS13, func(c, s *tls.Config) {
		c.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP384}
		s.CurvePreferences = []tls.CurveID{tls.CurveP384}
	})
	events, _ := runBytes(t, captureOf(segmentsOf(bursts, 1460)), Options{})
	if len(events) != 2 || events[0].Hello != 1 || events[1].Hello != 2 {
		t.Fatalf("%+v", events)
	}
	for _, e := range events {
		checkNode(t, e, "TLSv13")
		if textOf(e.Curve) != "secp384r1" {
			t.Errorf("curve %s", textOf(e.Curve))
		}
	}
}

func TestClientCertificateAndResumption(t *testing.T) {
	bursts := handshake(t, tls.VersionTLS12, func(c, s *tls.Config) {
		c.Certificates = []tls.Certificate{selfSigned(t)}
		s.ClientAuth = tls.RequestClientCert
	})
	events, _ := runBytes(t, captureOf(segmentsOf(bursts, 1460)), Options{})
	if e := wantOne(t, events); len(e.ClientHashes) != 1 || e.ClientHashes[0] == e.ChainHashes[0] {
		t.Errorf("%+v", e)
	}
	cache := tls.NewLRUClientSessionCache(2)
	certificate := selfSigned(t)
	for i := range 2 {
		bursts = handshake(t, tls.VersionTLS12, func(c, s *tls.Config) {
			c.ClientSessionCache = cache
			s.Certificates = []tls.Certificate{certificate}
			s.SetSessionTicketKeys([][32]byte{{1}})
		})
		events, _ = runBytes(t, captureOf(segmentsOf(bursts, 1460)), Options{})
		if e := wantOne(t, events); e.Resumed != (i == 1) || !e.Established {
			t.Errorf("time %d: %+v", i, e)
		}
	}
}

func TestAlert(t *testing.T) {
	bursts := handshake(t, tls.VersionTLS12, func(c, s *tls.Config) {
		c.CipherSuites = []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}
	})
	events, _ := runBytes(t, captureOf(segmentsOf(bursts, 1460)), Options{})
	if e := wantOne(t, events); textOf(e.LastAlert) != "handshake_failure" || e.Established || e.Version != nil {
		t.Errorf("%+v", e)
	}
}

// TestOverlapGivesBothReadings replaces a part of the hello by another name, in both orders.
func TestOverlapGivesBothReadings(t *testing.T) {
	list := segmentsOf(handshake(t, tls.VersionTLS13, nil), 2000)
	for _, evilFirst := range []bool{true, false} {
		var made []segment
		for _, s := range list {
			evil := s
			evil.data = bytes.ReplaceAll(s.data, []byte("node.example"), []byte("evil.example"))
			switch {
			case bytes.Equal(evil.data, s.data):
				made = append(made, s)
			case evilFirst:
				made = append(made, evil, s)
			default:
				made = append(made, s, evil)
			}
		}
		if len(made) != len(list)+1 {
			t.Fatal("the name is not in one segment")
		}
		events, stats := runBytes(t, captureOf(made), Options{})
		var names []string
		for _, e := range events {
			names = append(names, textOf(e.SNI)+e.Reading)
			if !slices.Equal(e.Anomalies, []string{"tcp-overlap"}) {
				t.Errorf("anomalies %v", e.Anomalies)
			}
		}
		want := []string{"node.example", "evil.exampleother"}
		if evilFirst {
			want = []string{"evil.example", "node.exampleother"}
		}
		if !slices.Equal(names, want) || stats.Anomalies["tcp-overlap"] != 1 {
			t.Errorf("evil first %v: %q, %v", evilFirst, names, stats.Anomalies)
		}
	}
}

// TestForgedSegmentsDoNotBlind sends resets, ends and a second beginning that an end would ignore.
func TestForgedSegmentsDoNotBlind(t *testing.T) {
	list := segmentsOf(handshake(t, tls.VersionTLS12, nil), 300)
	forged := slices.Clone(list[:4])
	forged = append(forged,
		segment{true, list[3].seq + 9000, 0, rst, nil}, segment{false, 5, 0, fin | ack, nil},
		segment{true, 12345, 0, syn, nil}, segment{false, 54321, 12346, syn | ack, nil})
	forged = append(forged, list[4:]...)
	events, stats := runBytes(t, captureOf(forged), Options{})
	checkNode(t, wantOne(t, events), "TLSv12")
	if stats.Anomalies["tcp-handshake"] == 0 {
		t.Errorf("%v", stats.Anomalies)
	}
}

func TestPortsUsedAgain(t *testing.T) {
	list := segmentsOf(handshake(t, tls.VersionTLS12, nil), 1460)
	again := segmentsOf(handshake(t, tls.VersionTLS13, nil), 1460)
	for i := range again {
		if again[i].fromClient {
			again[i].seq += 1 << 30
			again[i].ack += 1 << 29
		} else {
			again[i].seq += 1 << 29
			again[i].ack += 1 << 30
		}
	}
	events, _ := runBytes(t, captureOf(append(list, again...)), Options{})
	if len(events) != 2 {
		t.Fatalf("%+v", events)
	}
	checkNode(t, events[0], "TLSv12")
	checkNode(t, events[1], "TLSv13")
}

func TestLostServerSideStillGivesTheHello(t *testing.T) {
	list := segmentsOf(handshake(t, tls.VersionTLS12, nil), 500)
	onlyClient := slices.DeleteFunc(slices.Clone(list), func(s segment) bool { return !s.fromClient })
	events, _ := runBytes(t, captureOf(onlyClient), Options{})
	if e := wantOne(t, events); textOf(e.SNI) != "node.example" || e.Version != nil {
		t.Errorf("%+v", e)
	}
	for lost := 4; lost < len(list)-2; lost++ {
		if list[lost].fromClient {
			continue
		}
		events, _ := runBytes(t, captureOf(slices.Delete(slices.Clone(list), lost, lost+1)), Options{})
		if e := wantOne(t, events); textOf(e.SNI) != "node.example" {
			t.Errorf("without segment %d: %+v", lost, e)
		}
	}
}

// TestEveryCutOfTheCapture cuts the capture file anywhere: no failure, and the events are those
// whose hello is whole.
func TestEveryCutOfTheCapture(t *testing.T) {
	file := captureOf(segmentsOf(handshake(t, tls.VersionTLS12, nil), 1460))
	step := 7
	if testing.Short() {
		step = 53
	}
	for n := 24; n < len(file); n += step {
		events, _ := runBytes(t, file[:n], Options{})
		if len(events) > 1 {
			t.Fatalf("cut to %d: %d events", n, len(events))
		}
	}
}

func TestOldHelloForm(t *testing.T) {
	bursts := handshake(t, tls.VersionTLS12, nil)
	v2 := append([]byte{0x80, 9 + 9 + 16, 1, 3, 3, 0, 9, 0, 0, 0, 16, 0, 0, 0x2f, 0, 0xc0, 0x2b, 1, 0, 0x80}, make([]byte, 16)...)
	bursts[0].data = v2
	events, _ := runBytes(t, captureOf(segmentsOf(bursts, 1460)), Options{})
	e := wantOne(t, events)
	if !strings.HasPrefix(e.JA4, "t12i020000_") || textOf(e.Version) != "TLSv12" || len(e.ServerChain) != 1 {
		t.Errorf("%+v", e)
	}
}

func TestBeginningsOfOtherProtocols(t *testing.T) {
	var told []string
	list := segmentsOf([]burst{{true, []byte("GET / HTTP/1.1\r\n\r\n")}, {false, []byte("HTTP/1.1 200 OK\r\n\r\n")}}, 5)
	_, _ = runBytes(t, captureOf(list), Options{Stream: func(b *Beginning) {
		told = append(told, fmt.Sprintf("%s %q %q", b.Client.DstAddr(), b.FromClient.First(), b.FromServer.First()))
	}})
	if len(told) != 1 || told[0] != `198.51.100.9 "GET / HTTP/1.1\r\n\r\n" "HTTP/1.1 200 OK\r\n\r\n"` {
		t.Errorf("%q", told)
	}
}

// withTimestamp puts the TCP timestamp option into a packet over IPv4.
func withTimestamp(packet []byte, value, echo uint32) []byte {
	option := binary.BigEndian.AppendUint32([]byte{1, 1, 8, 10}, value)
	option = binary.BigEndian.AppendUint32(option, echo)
	b := slices.Insert(bytes.Clone(packet), 40, option...)
	b[32] = 0x80
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// TestForgedTimestamps forges answers to a SYN that echo what it did not send: once to a client
// that sends timestamps and once to one that does not.
func TestForgedTimestamps(t *testing.T) {
	list := segmentsOf([]burst{{true, []byte("GET / HTTP/1.1\r\n\r\n")}, {false, []byte("HTTP/1.1 200 OK\r\n\r\nthe answer")}}, 1460)
	for _, stamps := range []bool{true, false} {
		c := newCapturing()
		for i, s := range list {
			packet := tcpPacket(client4, server4, s.seq, s.ack, s.flags, s.data)
			if !s.fromClient {
				packet = tcpPacket(server4, client4, s.seq, s.ack, s.flags, s.data)
			}
			if stamps {
				packet = withTimestamp(packet, 1_000_000+uint32(i), map[bool]uint32{true: 1_000_000}[i > 0])
			}
			c.packet(packet)
			if i == 0 {
				c.packet(withTimestamp(tcpPacket(server4, client4, 0, s.seq+1, rst|ack, nil), 100, 100))
				c.packet(withTimestamp(tcpPacket(server4, client4, 0, s.seq+1, fin|ack, []byte("forged")), 100, 100))
			}
		}
		var answer string
		_, stats := runBytes(t, c.file, Options{Stream: func(b *Beginning) { answer = string(b.FromServer.First()) }})
		if stats.Anomalies["tcp-timestamp"] != 2 || !strings.HasSuffix(answer, "the answer") || !strings.HasPrefix(answer, "HTTP/1.1") {
			t.Errorf("stamps %v: %v, %q", stamps, stats.Anomalies, answer)
		}
	}
}
