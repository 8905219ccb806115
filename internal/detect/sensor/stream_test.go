package sensor_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/sensor"
)

// TestStream reads events out of a JetStream stream, goes on behind what was acknowledged, and counts what is no event.
func TestStream(t *testing.T) {
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	go srv.Start()
	defer func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	}()
	if !srv.ReadyForConnections(30 * time.Second) {
		t.Fatal("the server is not ready")
	}
	conn, err := nats.Connect(srv.ClientURL(), nats.Timeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute) // else it is five seconds for each request
	defer cancel()
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "ZEEK", Subjects: []string{"zeek.>"}}); err != nil {
		t.Fatal(err)
	}
	publish := func(texts ...string) {
		t.Helper()
		for _, text := range texts {
			if _, err := js.Publish(ctx, "zeek.dns", []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	read := func(n int) (queries []string, dropped map[string]int64) {
		t.Helper()
		s, err := sensor.OpenStream(ctx, srv.ClientURL(), "ZEEK", "test", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		until, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		err = s.Run(until, func(ev *event.Event) {
			for _, v := range ev.Values {
				if v.Field == "query" {
					queries = append(queries, string(v.Text))
				}
			}
			if len(queries) == n {
				cancel()
			}
		})
		if err == nil {
			t.Error("it ended by itself")
		}
		return queries, s.Dropped()
	}
	publish(dns(1, "a.example"), "not JSON", dns(2, "b.example")+dns(3, "c.example"))
	got, dropped := read(3)
	if !slices.Equal(got, []string{"a.example", "b.example", "c.example"}) || dropped["bad-json"] != 1 {
		t.Errorf("%v, %v", got, dropped)
	}
	publish(dns(4, "d.example"))
	if got, _ = read(1); !slices.Equal(got, []string{"d.example"}) {
		t.Errorf("the second time %v", got)
	}
	// Zeek's and Suricata's lines beside each other, some that do not say which log they are of, and a subject of nothing that can be read.
	for _, m := range [][2]string{{"zeek.http", `{"ts":1767222000.5,"uid":"C1","id.orig_h":"10.0.0.7","id.resp_h":"192.0.2.1","host":"a.example","uri":"/x"}`},
		{"zeek.eve", `{"timestamp":"2026-01-01T00:00:00.5+0000","event_type":"dns","src_ip":"10.0.0.7","dest_ip":"10.0.0.53","dns":{"rrname":"b.example"}}`},
		{"zeek.other", "nothing"}, {"zeek.http", `{"ts":1767222001.5,"uid":"C2","id.orig_h":"10.0.0.7","id.resp_h":"192.0.2.1","host":"c.example","uri":"/y"}`}} {
		if _, err := js.Publish(ctx, m[0], []byte(m[1])); err != nil {
			t.Fatal(err)
		}
	}
	s, err := sensor.OpenStream(ctx, srv.ClientURL(), "ZEEK", "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	until, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	got = nil
	_ = s.Run(until, func(ev *event.Event) {
		for _, v := range ev.Values {
			if v.Kind == index.URL || v.Kind == index.Domain {
				got = append(got, fmt.Sprintf("%s:%d %s %s", ev.File, ev.Line, ev.Log, v.Text))
			}
		}
		if len(got) == 5 {
			cancel()
		}
	})
	slices.Sort(got)
	if want := []string{"nats:ZEEK/eve:6 dns b.example", "nats:ZEEK/http:5 http a.example", "nats:ZEEK/http:5 http http://a.example/x",
		"nats:ZEEK/http:8 http c.example", "nats:ZEEK/http:8 http http://c.example/y"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if _, err := sensor.OpenStream(ctx, srv.ClientURL(), "NONE", "test", slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a stream that is not there was opened")
	}
}
