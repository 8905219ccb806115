package logs_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/logs"
)

// read gives each event of a log as a line of text, without the place in the file.
func read(t testing.TB, name string, r io.Reader, opts logs.Options) ([]string, logs.Stats) {
	t.Helper()
	var out []string
	stats, err := logs.Read(context.Background(), name, bufio.NewReaderSize(r, 1<<16), opts, func(ev *event.Event) {
		out = append(out, show(ev))
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, stats
}

func show(ev *event.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d %s %v:%d>%v:%d %s", ev.Log, ev.Time, ev.UID, ev.Src, ev.SrcPort, ev.Dst, ev.DstPort, ev.Protocol)
	var values []string
	for _, v := range ev.Values {
		values = append(values, fmt.Sprintf(" %s[%s]=%q", v.Kind, v.Field, v.Text))
	}
	slices.Sort(values)
	return b.String() + strings.Join(values, "")
}

const dnsTSV = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n" +
	"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\tanswers\trejected\n#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tvector[string]\tbool\n" +
	"1521911720.865716\tC1\t10.47.1.100\t41772\t10.0.0.100\t53\tudp\tb\\xc3\\xbccher.example\ta.example,192.0.2.1\tF\n" +
	"1521911721.000001\tC2\t2001:db8::1\t41773\t2001:db8::2\t53\tudp\t-\t(empty)\tF\n" +
	"cut\tshort\n#close\t2018\n"

const dnsJSON = `{"_path":"dns","ts":"2018-03-24T17:15:20.865716Z","uid":"C1","id.orig_h":"10.47.1.100","id.orig_p":41772,"id.resp_h":"10.0.0.100","id.resp_p":53,"proto":"udp","query":"b\u00fccher.example","answers":["a.example","192.0.2.1"],"rejected":false}
{"ts":1521911721.000001,"uid":"C2","id.orig_h":"2001:db8::1","id.orig_p":41773,"id.resp_h":"2001:db8::2","id.resp_p":53,"proto":"udp","answers":[],"other":{"query":"no.example"}}
{"ts":1521911721.000001,"uid":"C2",
`

func TestZeekFormsAreEqual(t *testing.T) {
	fromTSV, tsvStats := read(t, "dns.log", strings.NewReader(dnsTSV), logs.Options{})
	fromJSON, jsonStats := read(t, "dns.json", strings.NewReader(dnsJSON), logs.Options{})
	want := []string{
		`dns 1521911720865716000 C1 10.47.1.100:41772>10.0.0.100:53 udp address[answers]="192.0.2.1" address[id.orig_h]="10.47.1.100" address[id.resp_h]="10.0.0.100" domain[answers]="a.example" domain[query]="bücher.example"`,
		`dns 1521911721000001000 C2 2001:db8::1:41773>2001:db8::2:53 udp address[id.orig_h]="2001:db8::1" address[id.resp_h]="2001:db8::2"`,
	}
	if !slices.Equal(fromTSV, want) {
		t.Errorf("TSV:\n%s\nwant\n%s", strings.Join(fromTSV, "\n"), strings.Join(want, "\n"))
	}
	if !slices.Equal(fromJSON, want) {
		t.Errorf("JSON:\n%s\nwant\n%s", strings.Join(fromJSON, "\n"), strings.Join(want, "\n"))
	}
	if tsvStats.Malformed["wrong-field-count"] != 1 || jsonStats.Malformed["bad-json"] != 1 {
		t.Errorf("malformed lines: %v, %v", tsvStats.Malformed, jsonStats.Malformed)
	}
}

func TestEVE(t *testing.T) {
	text := `garbage
{"timestamp":"2021-06-06T15:57:37.272281+0200","flow_id":1300129227356448,"event_type":"http","src_ip":"182.237.17.202","src_port":59502,"dest_ip":"192.0.2.9","dest_port":8080,"proto":"TCP","http":{"hostname":"bad.example","url":"/a\"b?x","http_user_agent":"curl"}}
{"timestamp":"2021-06-06T15:57:38+00:00","event_type":"dns","dns":{"version":2,"type":"answer","rrname":"x.example","answers":[{"rrname":"x.example","rdata":"192.0.2.7"},{"rdata":"y.example"}],"grouped":{"A":["192.0.2.7"]}}}
{"timestamp":"2021-06-06T15:57:38Z","event_type":"tls","tls":{"sni":"s.example","fingerprint":"2d:d1:9f:80:99:86:fc:ac:5f:2a:2a:fd:a3:f3:7e:96:7c:dd:24:37","ja3":{"hash":"b7202231ff2db28363c109cedc6d1642","string":"1"},"serial":"17:8E"}}
`
	var named []string
	got, stats := read(t, "eve.json", strings.NewReader(text), logs.Options{Malformed: func(m logs.Malformed) { named = append(named, m.String()) }})
	want := []string{
		`http 1622987857272281000 1300129227356448 182.237.17.202:59502>192.0.2.9:8080 tcp address[dest_ip]="192.0.2.9" address[src_ip]="182.237.17.202" domain[http.hostname]="bad.example" other[http.http_user_agent]="curl" url[http.url]="http://bad.example:8080/a\"b?x"`,
		`dns 1622995058000000000  invalid IP:0>invalid IP:0  address[dns.answers.rdata]="192.0.2.7" address[dns.grouped.A]="192.0.2.7" domain[dns.answers.rdata]="y.example" domain[dns.answers.rrname]="x.example" domain[dns.rrname]="x.example"`,
		`tls 1622995058000000000  invalid IP:0>invalid IP:0  certificate-hash[tls.fingerprint]="2d:d1:9f:80:99:86:fc:ac:5f:2a:2a:fd:a3:f3:7e:96:7c:dd:24:37" certificate-serial[tls.serial]="17:8E" domain[tls.sni]="s.example" ja3[tls.ja3.hash]="b7202231ff2db28363c109cedc6d1642"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if stats.Format != "eve" || !slices.Equal(named, []string{"eve.json:1: bad-json"}) {
		t.Errorf("format %s, named %v", stats.Format, named)
	}
}

func TestMappingAndObservedData(t *testing.T) {
	m, err := logs.ParseMapping([]byte("log = \"proxy\"\n[fields]\n\"client.ip\" = \"source\"\n\"request.host\" = \"host\"\nat = \"time\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	got, _ := read(t, "proxy.json", strings.NewReader(`{"at":1700000000,"client":{"ip":"192.0.2.1","x":[{}]},"request":{"host":"a.example"}}`), logs.Options{Mapping: m})
	if want := []string{`proxy 1700000000000000000  192.0.2.1:0>invalid IP:0  address[client.ip]="192.0.2.1" domain[request.host]="a.example"`}; !slices.Equal(got, want) {
		t.Errorf("got %s", got)
	}
	if _, err := logs.ParseMapping([]byte("[fields]\na = \"nonsense\"")); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("a wrong word: %v", err)
	}
	bundle := `{"type":"bundle","id":"bundle--1","objects":[{"type":"domain-name","id":"domain-name--1","value":"A.example"},
	 {"type":"observed-data","id":"observed-data--1","first_observed":"2026-01-01T00:00:00Z","last_observed":"2026-01-01T00:00:00Z","number_observed":1,"object_refs":["domain-name--1"]}]}`
	got, stats := read(t, "seen.json", strings.NewReader(bundle), logs.Options{})
	if len(got) != 1 || !strings.Contains(got[0], `domain[domain-name:value]="A.example"`) || stats.Format != "stix" {
		t.Errorf("observed data: %s %+v", got, stats)
	}
	if _, err := logs.Read(context.Background(), "x.txt", bufio.NewReader(strings.NewReader("hello")), logs.Options{}, nil); !errors.Is(err, logs.ErrUnknown) {
		t.Errorf("a text is read as a log: %v", err)
	}
}

// shared finds test data that may stand beside the module.
func shared(t testing.TB, parts ...string) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			found := filepath.Join(append([]string{dir, "..", "shared", "data"}, parts...)...)
			if _, err := os.Stat(found); err != nil {
				t.Skipf("not here: shared/data/%s", strings.Join(parts, "/"))
			}
			return found
		}
		if dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	t.Fatal("no go.mod above the test")
	return ""
}

func readFile(t testing.TB, name string) ([]string, logs.Stats) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, name, z, logs.Options{})
}

func TestZeekFormsAreEqualOnRealTraffic(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared(t, "zeek", "tsv"), "*.log.gz"))
	if err != nil || len(files) == 0 {
		t.Fatal("no logs", err)
	}
	for _, name := range files {
		log := strings.TrimSuffix(filepath.Base(name), ".log.gz")
		fromTSV, tsv := readFile(t, name)
		fromJSON, json := readFile(t, filepath.Join(shared(t, "zeek", "json"), log+".json.gz"))
		if len(fromTSV) != len(fromJSON) || len(tsv.Malformed)+len(json.Malformed) > 0 {
			t.Errorf("%s: %d and %d events, malformed %v and %v", log, len(fromTSV), len(fromJSON), tsv.Malformed, json.Malformed)
			continue
		}
		different := 0
		for i := range fromTSV {
			if fromTSV[i] != fromJSON[i] {
				if different++; different <= 3 {
					t.Errorf("%s, record %d:\nTSV  %s\nJSON %s", log, i, fromTSV[i], fromJSON[i])
				}
			}
		}
	}
}

func TestEVEOnRealTraffic(t *testing.T) {
	got, stats := readFile(t, shared(t, "eve", "eve.json.gz"))
	if len(got) != 5000 || len(stats.Malformed) > 0 {
		t.Errorf("%d events of 5000, malformed %v", len(got), stats.Malformed)
	}
	kinds := map[string]int{}
	for _, line := range got {
		kind, _, _ := strings.Cut(line, " ")
		kinds[kind]++
	}
	if fmt.Sprint(kinds) != "map[alert:745 anomaly:3 dns:680 fileinfo:3 flow:3512 http:56 tls:1]" {
		t.Errorf("kinds of events: %v", kinds)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(dnsTSV))
	f.Add([]byte(dnsJSON))
	f.Add([]byte(`{"event_type":"dns","dns":{"answers":[[[{"rrname":"\ud83d\ude00"}]]],"rrname":"a\\"}}`))
	f.Add([]byte(`[{"type":"bundle","objects":[]}]`))
	mapping, err := logs.ParseMapping([]byte("[fields]\n\"a.b\" = \"http-host\"\n\"a.c\" = \"http-target\"\na = \"email\"\n"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		_, err := logs.Read(context.Background(), "dns.log", bufio.NewReader(strings.NewReader(string(text))), logs.Options{Mapping: mapping},
			func(ev *event.Event) { ev.Observation() })
		if err != nil && !errors.Is(err, logs.ErrUnknown) {
			t.Error(err)
		}
	})
}
