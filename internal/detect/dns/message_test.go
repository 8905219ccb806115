package dns

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

func answer(t testing.TB) []byte {
	t.Helper()
	buf := gopacket.NewSerializeBuffer()
	m := &layers.DNS{
		ID: 7, QR: true, Questions: []layers.DNSQuestion{{Name: []byte("WWW.Example.org"), Type: layers.DNSTypeA, Class: layers.DNSClassIN}},
		Answers: []layers.DNSResourceRecord{
			{Name: []byte("www.example.org"), Type: layers.DNSTypeCNAME, Class: layers.DNSClassIN, TTL: 60, CNAME: []byte("cdn.example.net")},
			{Name: []byte("cdn.example.net"), Type: layers.DNSTypeA, Class: layers.DNSClassIN, TTL: 60, IP: net.IPv4(192, 0, 2, 1).To4()},
			{Name: []byte("cdn.example.net"), Type: layers.DNSTypeAAAA, Class: layers.DNSClassIN, TTL: 60, IP: net.ParseIP("2001:db8::1")},
		},
	}
	if err := m.SerializeTo(buf, gopacket.SerializeOptions{FixLengths: true}); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestParse(t *testing.T) {
	b := answer(t)
	m, err := Parse(b)
	if err != nil || !m.Response || m.ID != 7 || m.Questions[0] != (Question{"www.example.org", TypeA, 1}) || m.Cut {
		t.Fatalf("%v %+v", err, m)
	}
	if len(m.Records) != 3 || m.Records[0].Target != "cdn.example.net" || m.Records[1].Addr.String() != "192.0.2.1" || m.Records[2].Addr.String() != "2001:db8::1" {
		t.Errorf("%+v", m.Records)
	}
	for n := range b {
		if m, err := Parse(b[:n]); err == nil && !m.Cut {
			t.Fatalf("cut to %d bytes: %+v", n, m)
		}
	}
}

func TestCompressionAndItsLoops(t *testing.T) {
	head := "\x00\x01\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00"
	good := head + "\x01a\x02bc\x00\x00\x01\x00\x01" + "\xc0\x0e\x00\x05\x00\x01\x00\x00\x00\x05\x00\x04\x01x\xc0\x0e"
	m, err := Parse([]byte(good))
	if err != nil || m.Cut || m.Records[0].Name != "bc" || m.Records[0].Target != "x.bc" {
		t.Errorf("%v %+v", err, m)
	}
	for _, loop := range []string{head + "\xc0\x0c\x00\x01\x00\x01", head + "\x01a\xc0\x0c\x00\x01\x00\x01", head + "\xc0\x0e\xc0\x0c\x00\x01\x00\x01"} {
		if _, err := Parse([]byte(loop)); !errors.Is(err, ErrNotDNS) {
			t.Errorf("%q: %v", loop, err)
		}
	}
	odd := head[:7] + "\x00" + head[8:] + "\x04a.\x01\\\x00\x00\x01\x00\x01"
	if m, err := Parse([]byte(odd)); err != nil || m.Questions[0].Name != `a\.\001\\` {
		t.Errorf("%v %+v", err, m)
	}
}

func TestStream(t *testing.T) {
	var all []string
	for m := range Stream([]byte("\x00\x03abc\x00\x01d\x00\x05cut")) {
		all = append(all, string(m))
	}
	if strings.Join(all, "|") != "abc|d" {
		t.Error(all)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(answer(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err == nil && len(m.Questions)+len(m.Records) == 0 && !m.Cut {
			t.Fatal("an empty message")
		}
		for range Stream(b) {
		}
	})
}

func TestEncrypted(t *testing.T) {
	for _, c := range []struct {
		server, sni, want string
		port              uint16
		alpn              []string
	}{
		{"192.0.2.1", "", "dot", 853, nil}, {"192.0.2.1", "resolver.example", "dot", 443, []string{"dot"}}, {"192.0.2.1", "", "doq", 853, []string{"doq"}},
		{"192.0.2.1", "Dns.Google.", "doh", 443, []string{"h2"}}, {"192.0.2.1", "dns11.quad9.net", "doh", 443, []string{"h2"}},
		{"192.0.2.1", "doh.example", "doh", 443, nil}, {"9.9.9.9", "", "doh", 443, []string{"h2"}}, {"2620:fe::9", "", "doh", 443, nil},
		{"192.0.2.1", "notdns.google", "", 443, []string{"h2"}}, {"9.9.9.9", "www.example", "", 443, nil}, {"192.0.2.1", "", "", 443, []string{"h2"}},
	} {
		if got := Encrypted(netip.MustParseAddr(c.server), c.port, c.sni, c.alpn); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// TestResolversByAddress: who speaks HTTPS to them and names nobody asks for names.
func TestResolversByAddress(t *testing.T) {
	for _, a := range []string{"1.1.1.1", "1.0.0.1", "8.8.8.8", "8.8.4.4", "9.9.9.9", "149.112.112.112", "208.67.222.222", "208.67.220.220", "::ffff:9.9.9.9",
		"2606:4700:4700::1111", "2606:4700:4700::1001", "2001:4860:4860::8888", "2001:4860:4860::8844", "2620:fe::fe", "2620:fe::9"} {
		if got := Encrypted(netip.MustParseAddr(a), 443, "", nil); got != "doh" {
			t.Errorf("%s: %q", a, got)
		}
	}
	for _, a := range []string{"1.1.1.2", "8.8.8.4", "2606:4700:4700::1112", "2620:fe::10", "2620:fe:1::9", "::", "::1.1.1.1"} {
		if got := Encrypted(netip.MustParseAddr(a), 443, "", nil); got != "" {
			t.Errorf("%s: %q", a, got)
		}
	}
}
