package fingerprint

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mithaq/mithaq/internal/detect/capture"
)

// sharedData gives a folder of the shared test data, and skips the test where there is none.
func sharedData(t testing.TB, folder string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Skip("no module root")
		}
		dir = parent
	}
	data := filepath.Join(dir, "..", "shared", "data", "captures", folder)
	if _, err := os.Stat(data); err != nil {
		t.Skip("shared captures are not here")
	}
	return data
}

// expectations gives the captures of a folder that state what is expected, by file name.
func expectations(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(sharedData(t, folder), "*.expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]byte{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found[strings.TrimSuffix(file, ".expected.json")] = data
	}
	return found
}

func runFile(t testing.TB, file string, opts Options) ([]Event, Stats) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return runBytes(t, data, opts)
}

// runBytes reads a capture, and once more with the same engine, which must have forgotten it.
func runBytes(t testing.TB, data []byte, opts Options) ([]Event, Stats) {
	t.Helper()
	var events []Event
	e := NewEngine(opts, func(e Event) { events = append(events, e) })
	stats, err := e.Run(context.Background(), bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if e.opts.Anomaly == nil && e.opts.Stream == nil && e.opts.Packet == nil && e.opts.Datagram == nil {
		first := events
		events = nil
		again, err := e.Run(context.Background(), bytes.NewReader(data))
		if err != nil || !reflect.DeepEqual(again, stats) || !reflect.DeepEqual(events, first) {
			t.Fatalf("read again: %v\n%+v %+v\nat first:\n%+v %+v", err, events, again, first, stats)
		}
	}
	return events, stats
}

func TestSharedJA4Captures(t *testing.T) {
	type expected struct {
		Src, Dst         string
		SrcPort, DstPort uint16
		Transport        string
		SNI              *string
		ALPN             []string
		ALPNHex          []string `json:"alpn_hex"`
		JA4              string
		Later            []string `json:"ja4_later_hellos"`
		ByDescription    string   `json:"ja4_by_description"`
	}
	for file, data := range expectations(t, "ja4") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var want []expected
			if err := json.Unmarshal(data, &want); err != nil {
				t.Fatal(err)
			}
			events, stats := runFile(t, file, Options{})
			first := slices.DeleteFunc(slices.Clone(events), func(e Event) bool { return e.Hello > 1 })
			if len(first) != len(want) {
				t.Errorf("%d client hellos, want %d (%+v)", len(first), len(want), stats)
			}
			for _, w := range want {
				i := slices.IndexFunc(events, func(e Event) bool {
					return e.Src.String() == w.Src && e.Dst.String() == w.Dst && e.SrcPort == w.SrcPort && e.DstPort == w.DstPort && e.Transport == w.Transport
				})
				if i < 0 {
					t.Errorf("no hello from %s port %d to %s port %d over %s", w.Src, w.SrcPort, w.Dst, w.DstPort, w.Transport)
					continue
				}
				e := events[i]
				ja4 := w.JA4
				if w.ByDescription != "" {
					ja4 = w.ByDescription
				}
				if e.JA4 != ja4 {
					t.Errorf("%s:%d: ja4 %s, want %s", w.Src, w.SrcPort, e.JA4, ja4)
				}
				for k, later := range w.Later {
					if i+1+k >= len(events) || events[i+1+k].JA4 != later || events[i+1+k].SrcPort != w.SrcPort {
						t.Errorf("%s:%d: no later hello %s", w.Src, w.SrcPort, later)
					}
				}
				if (e.SNI == nil) != (w.SNI == nil) || e.SNI != nil && *e.SNI != *w.SNI {
					t.Errorf("%s:%d: sni %q, want %q", w.Src, w.SrcPort, textOf(e.SNI), textOf(w.SNI))
				}
				if w.ALPNHex == nil && !slices.Equal(e.ALPN, w.ALPN) {
					t.Errorf("%s:%d: alpn %q, want %q", w.Src, w.SrcPort, e.ALPN, w.ALPN)
				}
			}
		})
	}
}

type zeekConnection struct {
	Client       string
	ClientPort   uint16 `json:"client_port"`
	Server       string
	ServerPort   uint16 `json:"server_port"`
	Version      *string
	Cipher       *string
	Curve        *string
	ServerName   *string `json:"server_name"`
	Resumed      bool
	LastAlert    *string `json:"last_alert"`
	Next         *string `json:"next_protocol"`
	Established  bool
	Chain        []string `json:"cert_chain_fps"`
	ClientChain  []string `json:"client_cert_chain_fps"`
	Subject      *string
	Issuer       *string
	SNIMatches   *bool  `json:"sni_matches_cert"`
	DCID         string `json:"client_initial_dcid"`
	QUICProtocol string `json:"client_protocol"`
}

func TestSharedZeekCaptures(t *testing.T) {
	for file, data := range expectations(t, "zeek") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var want struct {
				TLS, QUIC    []zeekConnection
				Certificates []map[string]any
			}
			if err := json.Unmarshal(data, &want); err != nil {
				t.Fatal(err)
			}
			events, _ := runFile(t, file, Options{})
			find := func(w zeekConnection) *Event {
				for i := range events {
					e := &events[i]
					if (w.Client == "" || e.Src.String() == w.Client && e.SrcPort == w.ClientPort) && (w.Server == "" || e.Dst.String() == w.Server && e.DstPort == w.ServerPort) {
						return e
					}
				}
				t.Fatalf("no hello for %+v", w)
				return nil
			}
			if len(events) != len(want.TLS) {
				t.Errorf("%d events, want %d", len(events), len(want.TLS))
			}
			same := func(what string, got, want *string) {
				if (got == nil) != (want == nil) || textOf(got) != textOf(want) {
					t.Errorf("%s %q, want %q", what, textOf(got), textOf(want))
				}
			}
			for _, w := range want.TLS {
				e := find(w)
				same("version", e.Version, w.Version)
				same("cipher", e.Cipher, w.Cipher)
				same("curve", e.Curve, w.Curve)
				same("server name", e.SNI, w.ServerName)
				same("last alert", e.LastAlert, w.LastAlert)
				same("next protocol", e.NextProtocol, w.Next)
				if e.Established != w.Established || e.Resumed != w.Resumed {
					t.Errorf("established %v, resumed %v, want %v, %v", e.Established, e.Resumed, w.Established, w.Resumed)
				}
				if !slices.Equal(e.ChainHashes, w.Chain) || !slices.Equal(e.ClientHashes, w.ClientChain) {
					t.Errorf("chains %q, %q, want %q, %q", e.ChainHashes, e.ClientHashes, w.Chain, w.ClientChain)
				}
				if w.Subject != nil {
					same("subject", e.Subject, w.Subject)
					same("issuer", e.Issuer, w.Issuer)
				}
				if w.SNIMatches != nil && (e.SNIMatches == nil || *e.SNIMatches != *w.SNIMatches) {
					t.Errorf("sni matches %v, want %v", e.SNIMatches, *w.SNIMatches)
				}
			}
			for _, w := range want.QUIC {
				e := find(w)
				same("quic server name", e.SNI, w.ServerName)
				if e.QUIC == nil || e.QUIC.Version != *w.Version || e.QUIC.ClientDCID != w.DCID && e.QUIC.OriginalDCID != w.DCID {
					t.Errorf("quic %+v, want %+v", e.QUIC, w)
				}
				if e.ALPN[0] != w.QUICProtocol {
					t.Errorf("alpn %q, want %q", e.ALPN, w.QUICProtocol)
				}
			}
			for _, w := range want.Certificates {
				checkCertificate(t, events, w)
			}
		})
	}
}

func checkCertificate(t *testing.T, events []Event, want map[string]any) {
	t.Helper()
	for _, e := range events {
		for _, c := range append(slices.Clone(e.ServerChain), e.ClientChain...) {
			if c.SHA256 != want["fingerprint"] {
				continue
			}
			got := map[string]any{
				"certificate.version": float64(c.Version), "certificate.serial": c.Serial, "certificate.subject": c.Subject,
				"certificate.issuer": c.Issuer, "certificate.key_alg": c.KeyAlgorithm, "certificate.sig_alg": c.SignatureAlgorithm,
				"certificate.key_type": c.KeyType, "certificate.key_length": float64(c.KeyLength),
				"certificate.not_valid_before": strconv.FormatInt(c.NotBefore.Unix(), 10) + ".000000",
				"certificate.not_valid_after":  strconv.FormatInt(c.NotAfter.Unix(), 10) + ".000000",
			}
			if want["certificate.exponent"] != nil {
				got["certificate.exponent"] = c.Exponent
			}
			if want["basic_constraints.ca"] != nil {
				got["basic_constraints.ca"] = c.CA != nil && *c.CA
			}
			if want["basic_constraints.path_len"] != nil {
				got["basic_constraints.path_len"] = float64(*c.PathLength)
			}
			for k, v := range got {
				if want[k] != v {
					t.Errorf("%s: %v, want %v", k, v, want[k])
				}
			}
			if names, ok := want["san.dns"].([]any); ok {
				var list []string
				for _, n := range names {
					list = append(list, n.(string))
				}
				if !slices.Equal(list, c.DNS) {
					t.Errorf("names %q, want %q", c.DNS, list)
				}
			}
			return
		}
	}
	t.Errorf("certificate %v was not seen", want["fingerprint"])
}

// TestSharedReassemblyCaptures checks the facts that concern hellos, streams and anomalies.
func TestSharedReassemblyCaptures(t *testing.T) {
	dir := sharedData(t, "reassembly")
	type seen struct {
		events     []Event
		stats      Stats
		first      string
		later      string
		fromServer string
		pieces     []string
		anomalies  []Anomaly
	}
	run := func(name string) seen {
		var s seen
		s.events, s.stats = runFile(t, filepath.Join(dir, name), Options{
			Anomaly: func(a Anomaly) { s.anomalies = append(s.anomalies, a) },
			Stream: func(b *Beginning) {
				s.first, s.later = string(b.FromClient.First()), string(b.FromClient.Later())
				s.fromServer = string(b.FromServer.First())
				for i := range b.FromClient.Pieces() {
					at, data := b.FromClient.Piece(i)
					s.pieces = append(s.pieces, strconv.Itoa(at)+":"+string(data))
				}
			},
		})
		return s
	}
	t.Run("overlap", func(t *testing.T) {
		s := run("tcp-exact-overlap.pcap")
		if s.first != "GOOD" || s.later != "EVIL" || s.stats.Anomalies["tcp-overlap"] != 1 {
			t.Errorf("%q, %q, %v", s.first, s.later, s.stats.Anomalies)
		}
	})
	t.Run("gap", func(t *testing.T) {
		s := run("tcp-gap-in-stream.pcap")
		if !slices.Equal(s.pieces, []string{"0:VERY", "8:DATA"}) {
			t.Errorf("%q", s.pieces)
		}
	})
	t.Run("timestamps", func(t *testing.T) {
		s := run("http-timestamp-evasion-linux.pcap")
		if len(s.anomalies) != 2 || s.anomalies[0].Packet != 2 || s.anomalies[1].Packet != 3 || s.anomalies[0].Kind != AnomalyTimestamp {
			t.Errorf("%v", s.anomalies)
		}
		if !strings.HasPrefix(s.fromServer, "HTTP/1.1 200 OK") || !strings.Contains(strings.ToUpper(s.fromServer), "THIS_IS_A_TEST") {
			t.Errorf("%q", s.fromServer)
		}
	})
	t.Run("fragments", func(t *testing.T) {
		if s := run("ipv6-overlapping-fragments.pcap"); s.stats.Problems["fragment-overlap"] != 1 || s.stats.Anomalies["ip-fragment-overlap"] != 1 {
			t.Errorf("%+v", s.stats)
		}
	})
	t.Run("small segments", func(t *testing.T) {
		if s := run("tls-hello-split-small-mtu.pcap"); len(s.events) != 1 || textOf(s.events[0].SNI) != "www.google.com" {
			t.Errorf("%+v", s.events)
		}
	})
	t.Run("quic out of order", func(t *testing.T) {
		s := run("quic-hello-fragments-unordered.pcap")
		if len(s.events) != 1 || textOf(s.events[0].SNI) != "mastodon.social" || s.events[0].Packet != 2 {
			t.Errorf("%+v", s.events)
		}
	})
}

func BenchmarkCaptures(b *testing.B) {
	var packets []capture.Packet
	for _, folder := range []string{"ja4", "zeek", "reassembly"} {
		for file := range expectations(b, folder) {
			data, err := os.ReadFile(file)
			if err != nil {
				b.Fatal(err)
			}
			r, err := capture.NewReader(bytes.NewReader(data), capture.Options{})
			if err != nil {
				b.Fatal(err)
			}
			for {
				var p capture.Packet
				if r.Next(&p) != nil {
					break
				}
				p.Data = slices.Clone(p.Data)
				packets = append(packets, p)
			}
			r.Close()
		}
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		e := NewEngine(Options{Flows: 1 << 12, Sessions: 1 << 10}, func(Event) {})
		for range 20 {
			for i := range packets {
				e.Packet(&packets[i])
			}
			n += len(packets)
		}
		e.Flush()
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "packets/s")
}
