package logs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mithaq/mithaq/internal/detect/event"
	"pgregory.net/rapid"
)

// reference reads a line with the library's JSON, member by member: slow, and right by what it is made of.
type reference struct {
	ev     *event.Event
	q      request
	decode *json.Decoder
	zeek   bool
	fields map[string]field // of EVE
}

func newReference(zeek bool, log string, line []byte) *reference {
	r := &reference{ev: &event.Event{}, decode: json.NewDecoder(bytes.NewReader(line)), zeek: zeek, fields: eveFields()}
	r.decode.UseNumber()
	r.ev.Log = log
	return r
}

func (r *reference) next() json.Token {
	token, err := r.decode.Token()
	if err != nil {
		panic(err) // the line is valid
	}
	return token
}

func (r *reference) fieldOf(path string) field {
	if r.zeek {
		return zeekField(r.ev.Log, path)
	}
	return r.fields[path]
}

// within tells whether fields are looked for below a path.
func (r *reference) within(path string) bool {
	for known := range r.fields {
		if !r.zeek && strings.HasPrefix(known, path+".") {
			return true
		}
	}
	return false
}

func (r *reference) object(prefix string) {
	for token := r.next(); token != json.Delim('}'); token = r.next() {
		name := token.(string)
		r.value(prefix+name, r.next(), 0, true, !strings.Contains(name, ".") && r.within(prefix+name))
	}
}

// value takes what a token begins; taken says whether anybody asks for it, inner whether objects are gone into.
func (r *reference) value(path string, token json.Token, depth int, taken, inner bool) {
	f := r.fieldOf(path)
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			if taken && inner {
				r.object(path + ".")
				return
			}
			for token := r.next(); token != json.Delim('}'); token = r.next() {
				r.value("", r.next(), 0, false, false)
			}
			return
		}
		most := maxNesting
		if r.zeek {
			most = 1
		}
		for token := r.next(); token != json.Delim(']'); token = r.next() {
			r.value(path, token, depth+1, taken && depth < most && (!r.zeek || f.role != logName), inner)
		}
	case nil:
	default:
		text := fmt.Sprint(token)
		switch {
		case !taken || f.role == ignored:
		case f.role == logName && r.zeek && text == "":
		case f.role == logName:
			r.ev.Log = text
		default:
			f.take(r.ev, &r.q, []byte(text))
		}
	}
}

func dump(ev *event.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %d %q %v %v %d %d %s %+q %d %d %d %+v\n", ev.Log, ev.Time, ev.UID, ev.Src, ev.Dst, ev.SrcPort, ev.DstPort, ev.Protocol,
		[]string{string(ev.Facts.Certificate.Subject), string(ev.Facts.Certificate.Issuer)}, ev.Facts.Begin, ev.Facts.Duration, ev.Facts.Bytes,
		[]any{ev.Facts.Certificate.From, ev.Facts.Certificate.Until, ev.Facts.Certificate.Name, ev.Facts.Certificate.Trusted})
	for _, v := range ev.Values {
		fmt.Fprintf(&b, "%v %s %q %s %v\n", v.Kind, v.Field, v.Text, v.Path, v.Addr)
	}
	return b.String()
}

// compareWithReference reads lines, each after the other as of one log, and wants of every one that is JSON what the reference has.
func compareWithReference(fatalf func(string, ...any), text []byte) {
	for _, zeek := range []bool{true, false} {
		var fast lineReader = newEVE()
		log := ""
		if zeek {
			fast, log = newZeekJSON("dns"), "dns"
		}
		for line := range bytes.Lines(text) {
			line = bytes.TrimRight(line, "\n")
			ev := &event.Event{}
			problem := fast.line(ev, line)
			if !json.Valid(line) || !utf8.Valid(line) || !bytes.HasPrefix(bytes.TrimLeft(line, " \t\r\n"), []byte("{")) {
				continue
			}
			if problem != "" {
				fatalf("%q: %s, and it is JSON", line, problem)
			}
			want := newReference(zeek, log, line)
			want.next()
			want.object("")
			want.q.finish(want.ev)
			if got, want := dump(ev), dump(want.ev); got != want {
				fatalf("zeek %t, %q:\n%s\nwant\n%s", zeek, line, got, want)
			}
		}
	}
}

func FuzzLinesAreReadAsByTheLibrary(f *testing.F) {
	f.Add([]byte(`{"_path":"dns","ts":1.5,"uid":"C","id.orig_h":"192.0.2.1","query":"a\u00e9.example","answers":["b.example",null,[1],{"query":"x"},"::1"],"rejected":false}` + "\n" +
		`{"ts":"2026-01-01T00:00:00.5Z","_path":"ssl","server_name":"c.example","query":"d.example"}`))
	f.Add([]byte(`{"event_type":"dns","src_ip":"192.0.2.1","dns":{"answers":[[[{"rrname":"\ud83d\ude00"}]]],"rrname":"a\\","grouped":{"A":["1.2.3.4"]}},"x":{"y":["]}\"",{}]}}` + "\n" +
		`{ "event_type" : "flow" , "flow" : {"start":"2026-01-01T00:00:00+0100","age":3} , "dns" : null, "tls":[{"sni":"e.example"}] }`))
	f.Fuzz(func(t *testing.T, text []byte) { compareWithReference(t.Fatalf, text) })
}

// TestLinesAreReadAsByTheLibrary makes lines of names that mean something and values of every sort, with and without spaces, members in any order, twice or not at all.
func TestLinesAreReadAsByTheLibrary(t *testing.T) {
	names := []string{"_path", "ts", "uid", "id.orig_h", "id.resp_h", "id.orig_p", "proto", "query", "answers", "rejected", "other", "event_type", "timestamp", "src_ip", "dest_port",
		"dns", "rrname", "grouped", "A", "tls", "sni", "http", "hostname", "url", "flow", "start", "bytes_toserver", "host", "uri", "a name longer than sixteen bytes", "", "dns.rrname", "\\u0071uery", "q\\\"", "server_name"}
	plain := []string{`"dns"`, `"http"`, `"ssl"`, `"a.example"`, `"192.0.2.7"`, `"2026-01-01T00:00:00.123456Z"`, `1767222000.25`, `53`, `-1e3`, `true`, `null`, `""`, `"x\"y\\"`, `"\u00e9\ud83d\ude00\ud800"`,
		`"/path?{[]},"`, `[]`, `{}`, `"a text of more than eight, and of more than sixteen bytes"`, `"tcp"`, `"[::1]:8080"`}
	rapid.Check(t, func(t *rapid.T) {
		space := rapid.SampledFrom([]string{"", "", "", "", " ", "\t", "  \r"})
		var value func(depth int) string
		value = func(depth int) string {
			sort := rapid.IntRange(0, 9).Draw(t, "sort")
			if depth > 3 || sort < 6 {
				return rapid.SampledFrom(plain).Draw(t, "plain")
			}
			var parts []string
			for i := range rapid.IntRange(0, 5).Draw(t, "parts") {
				part := value(depth + 1)
				if sort < 8 {
					part = `"` + rapid.SampledFrom(names).Draw(t, "name") + `"` + space.Draw(t, "space") + ":" + space.Draw(t, "space") + part
				}
				parts = append(parts, space.Draw(t, "space")+part+space.Draw(t, strconv.Itoa(i)))
			}
			if sort < 8 {
				return "{" + strings.Join(parts, ",") + "}"
			}
			return "[" + strings.Join(parts, ",") + "]"
		}
		var text []byte
		for range rapid.IntRange(1, 4).Draw(t, "lines") {
			var members []string
			for range rapid.IntRange(0, 10).Draw(t, "members") {
				members = append(members, `"`+rapid.SampledFrom(names).Draw(t, "name")+`":`+value(0))
			}
			line := "{" + strings.Join(members, ","+space.Draw(t, "between")) + "}"
			if rapid.IntRange(0, 9).Draw(t, "cut") == 0 {
				line = line[:rapid.IntRange(0, len(line)).Draw(t, "at")]
			}
			text = append(append(text, line...), '\n')
		}
		compareWithReference(t.Fatalf, text)
	})
}
