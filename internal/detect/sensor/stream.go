package sensor

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/logs"
)

// Stream reads lines of Zeek's JSON logs or of EVE out of a NATS JetStream stream, one or more in each message. What was
// matched is acknowledged; a consumer that lasts remembers where this sensor was. Several sensors with one name share the
// work.
type Stream struct {
	conn     *nats.Conn
	consumer jetstream.Consumer
	name     string

	mu     sync.Mutex
	counts map[string]int64
}

// streamBatch is how many messages are matched before they are acknowledged.
const streamBatch = 1000

// OpenStream connects to a server and finds the stream. durable names the consumer.
func OpenStream(ctx context.Context, url, stream, durable string) (*Stream, error) {
	conn, err := nats.Connect(url, nats.Name("mithaq sensor"), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(false))
	if err != nil {
		return nil, fmt.Errorf("connecting to NATS at %s: %w", url, err)
	}
	js, err := jetstream.New(conn)
	var consumer jetstream.Consumer
	if err == nil {
		consumer, err = js.CreateOrUpdateConsumer(ctx, stream, jetstream.ConsumerConfig{Durable: durable, AckPolicy: jetstream.AckExplicitPolicy,
			MaxAckPending: 4 * streamBatch, AckWait: time.Minute})
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("opening the stream %s: %w", stream, err)
	}
	return &Stream{conn: conn, consumer: consumer, name: stream, counts: map[string]int64{}}, nil
}

// Run implements Source.
func (s *Stream) Run(ctx context.Context, yield func(*event.Event)) error {
	defer func() {
		_ = s.conn.FlushTimeout(2 * time.Second) // acknowledgements; what they do not reach comes again
		s.conn.Close()
	}()
	var text bytes.Buffer
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		batch, err := s.consumer.Fetch(streamBatch, jetstream.FetchMaxWait(time.Second))
		if err != nil {
			s.add("fetch-failed", 1)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Second): // the server is away: the connection comes back by itself
			}
			continue
		}
		text.Reset()
		var all []jetstream.Msg
		for m := range batch.Messages() {
			text.Write(bytes.TrimRight(m.Data(), "\r\n"))
			text.WriteByte('\n')
			all = append(all, m)
		}
		if len(all) == 0 {
			continue
		}
		first := int64(0)
		if meta, err := all[0].Metadata(); err == nil {
			first = int64(meta.Sequence.Stream) - 1
		}
		stats, err := logs.Read(ctx, "nats:"+s.name, bufio.NewReaderSize(&text, 1<<18), logs.Options{}, func(ev *event.Event) {
			ev.Line += first // the place in the stream, where messages hold a line each
			yield(ev)
		})
		for kind, n := range stats.Malformed {
			s.add(kind, n)
		}
		if errors.Is(err, logs.ErrUnknown) {
			s.add("unknown-lines", int64(len(all)))
		} else if err != nil {
			return err
		}
		for _, m := range all {
			if m.Ack() != nil {
				s.add("not-acknowledged", 1) // it comes again
			}
		}
	}
}

func (s *Stream) add(kind string, n int64) {
	s.mu.Lock()
	s.counts[kind] += n
	s.mu.Unlock()
}

// Dropped implements Source.
func (s *Stream) Dropped() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]int64{}
	for kind, n := range s.counts {
		out[kind] = n
	}
	return out
}
