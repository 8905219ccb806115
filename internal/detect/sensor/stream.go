package sensor

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
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
	log      *slog.Logger
	told     map[string]bool // kinds of lines that could not be read; of the goroutine that runs

	mu     sync.Mutex
	counts map[string]int64
}

// streamBatch is how many messages are matched before they are acknowledged.
const streamBatch = 1000

// OpenStream connects to a server and finds the stream. durable names the consumer. What cannot be read is counted, and the
// first line of a kind is logged.
func OpenStream(ctx context.Context, url, stream, durable string, log *slog.Logger) (*Stream, error) {
	conn, err := nats.Connect(url, nats.Name("mithaq sensor"), nats.Timeout(10*time.Second), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(false))
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
	return &Stream{conn: conn, consumer: consumer, name: stream, log: log, told: map[string]bool{}, counts: map[string]int64{}}, nil
}

// Run implements Source.
func (s *Stream) Run(ctx context.Context, yield func(*event.Event)) error {
	defer func() {
		_ = s.conn.FlushTimeout(5 * time.Second) // acknowledgements; what they do not reach comes again
		s.conn.Close()
	}()
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
		var all []jetstream.Msg
		for m := range batch.Messages() {
			all = append(all, m)
		}
		for _, part := range bySubject(all) {
			if err := s.read(ctx, part, yield); err != nil {
				return err
			}
		}
		for _, m := range all {
			if m.Ack() != nil {
				s.add("not-acknowledged", 1) // it comes again
			}
		}
	}
}

// part is the messages of one subject, as lines. A stream may hold Zeek's logs and EVE beside each other, and what a log is only its subject may
// say: lines of different subjects are not read as one log.
type part struct {
	subject string
	text    bytes.Buffer
	places  []int64 // in the stream, of each line
}

func bySubject(all []jetstream.Msg) []*part {
	var parts []*part
	bySubject := map[string]*part{}
	for n, m := range all {
		p := bySubject[m.Subject()]
		if p == nil {
			p = &part{subject: m.Subject()}
			bySubject[p.subject], parts = p, append(parts, p)
		}
		place := int64(n) + 1
		if meta, err := m.Metadata(); err == nil {
			place = int64(meta.Sequence.Stream)
		}
		for line := range bytes.Lines(bytes.TrimRight(m.Data(), "\r\n")) {
			p.text.Write(bytes.TrimRight(line, "\r\n"))
			p.text.WriteByte('\n')
			p.places = append(p.places, place)
		}
	}
	return parts
}

// read matches the lines of one subject. The last word of the subject is the log's name, where lines do not say.
func (s *Stream) read(ctx context.Context, p *part, yield func(*event.Event)) error {
	name := "nats:" + s.name + "/" + p.subject[strings.LastIndexByte(p.subject, '.')+1:]
	at := func(line int64) int64 {
		if line >= 1 && line <= int64(len(p.places)) {
			return p.places[line-1]
		}
		return 0
	}
	options := logs.Options{Malformed: func(m logs.Malformed) { s.tell(p.subject, m.Kind, at(m.Line)) }}
	stats, err := logs.Read(ctx, name, bufio.NewReaderSize(&p.text, min(1<<18, p.text.Len())), options, func(ev *event.Event) {
		ev.Line = at(ev.Line)
		yield(ev)
	})
	for kind, n := range stats.Malformed {
		s.add(kind, n)
	}
	if errors.Is(err, logs.ErrUnknown) {
		s.add("unknown-lines", int64(len(p.places)))
		s.tell(p.subject, "unknown-lines", at(1))
		return nil
	}
	return err
}

// tell logs the first line of a kind that could not be read.
func (s *Stream) tell(subject, kind string, place int64) {
	if !s.told[kind] {
		s.told[kind] = true
		s.log.Warn("a line cannot be read; more of the kind are only counted", "stream", s.name, "subject", subject, "sequence", place, "kind", kind)
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
