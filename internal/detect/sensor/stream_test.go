package sensor_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mithaq/mithaq/internal/detect/event"
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
	conn, err := nats.Connect(srv.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
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
		s, err := sensor.OpenStream(ctx, srv.ClientURL(), "ZEEK", "test")
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
	if _, err := sensor.OpenStream(ctx, srv.ClientURL(), "NONE", "test"); err == nil {
		t.Error("a stream that is not there was opened")
	}
}
