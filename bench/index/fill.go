package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/node"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// agreementText is an agreement of one party with eleven commitments and deadlines of its own.
func agreementText(party string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "format = \"mithaq-agreement/1\"\n\n[agreement]\nlabel = \"bench\"\ntype = \"memorandum\"\nforce = \"political\"\nversion = \"1\"\nmode = \"depositary\"\nname.en = \"Bench\"\ndepositary = \"p\"\nfounders = [\"p\"]\n\n[terms]\naccession = \"open\"\n\n[[party]]\nlabel = \"p\"\nkind = \"cert\"\nid = %q\nname.en = \"Party\"\n", party)
	fmt.Fprint(&b, "\n[[deadline]]\nlabel = \"soon\"\nname.en = \"Soon\"\nstarts = \"allegation\"\ndue = \"response\"\nwithin = \"PT24H\"\n\n[[deadline]]\nlabel = \"month\"\nname.en = \"Within a month\"\nstarts = \"allegation\"\ndue = \"response\"\nwithin = \"P1M\"\n")
	for i := range 11 {
		fmt.Fprintf(&b, "\n[[commitment]]\nlabel = \"%d\"\nname.en = \"Commitment\"\nkinds = [\"intel\", \"report\", \"allegation\", \"response\"]\ndeadlines = [\"soon\", \"month\"]\n", i+1)
	}
	return b.String()
}

// found makes a node with an agreement of its own, and returns the party and the log under the agreement.
func found(ctx context.Context, s settings) (party string, log node.LogView, err error) {
	n, err := node.Init(ctx, s.dir, node.InitOptions{Names: map[string]string{"en": "Bench"}, Public: true})
	if err != nil {
		return "", log, err
	}
	defer func() { err = errors.Join(err, n.Close(ctx)) }()
	party = n.Party().ID
	text := agreementText(party)
	id := agreement.ID([]byte(text))
	plan, err := n.ProposeKeyrings(ctx, node.KeyChange{Action: "open", Agreement: id})
	if err != nil {
		return "", log, err
	}
	signed, err := node.SignKeyrings(ctx, plan, node.RootPath(s.dir), node.SecretSource{KeyFile: filepath.Join(s.dir, "unlock.key")})
	if err != nil {
		return "", log, err
	}
	if _, err := n.ApplyKeyrings(ctx, signed); err != nil {
		return "", log, err
	}
	if _, err := n.Act(ctx, id, node.ActRequest{Act: "propose", Definition: text}); err != nil {
		return "", log, err
	}
	logs, err := n.Logs(ctx)
	if err != nil {
		return "", log, err
	}
	for _, l := range logs {
		if l.Agreement == id {
			return party, l, nil
		}
	}
	return "", log, errors.New("the agreement has no log")
}

// fill makes a node and appends records to its log by the ledger itself. Their signatures are random bytes: the index of
// one's own log does not verify them again.
func fill(ctx context.Context, s settings) (err error) {
	party, log, err := found(ctx, s)
	if err != nil {
		return err
	}
	m, err := newMaker(s, party, log.Agreement)
	if err != nil {
		return err
	}
	db, err := store.OpenWith(ctx, "sqlite:"+filepath.Join(s.dir, "mithaq.db"), store.Options{Dir: s.dir})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	guard, err := ledger.OpenFileGuard(db.Files(), filepath.Join(s.dir, "guard"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, guard.Close()) }()
	l, err := ledger.Open(ctx, ledger.Config{Store: db, Guard: guard, Signer: m.signer})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close(ctx)) }()
	start := time.Now()
	var g errgroup.Group
	g.SetLimit(1024)
	for i := range s.records {
		object, err := m.object(i)
		if err != nil {
			return err
		}
		g.Go(func() error {
			_, err := l.Append(ctx, log.ID, ledger.Entry{Object: object, Under: 1})
			return err
		})
	}
	err = g.Wait()
	fmt.Printf("made %d records in %.0f s\n", s.records, time.Since(start).Seconds())
	if m.json > 0 {
		err = errors.Join(err, os.WriteFile(filepath.Join(s.dir, "json.size"), fmt.Append(nil, m.json), 0o600))
	}
	return err
}

// maker makes objects.
type maker struct {
	dice      *dice
	agreement string
	accused   string // leaf of the last allegation
	bundle    int    // STIX objects in each record; 0: records of many kinds
	json      int64  // bytes of bundles so far
	sealed    int
	party     string
	officer   string
	own       age.Recipient
	log       record.SecretKey
	zstd      *zstd.Encoder
}

func newMaker(s settings, party, agreement string) (*maker, error) {
	data, err := os.ReadFile(filepath.Join(s.dir, "keys.age"))
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "unlock.key"))
	if err != nil {
		return nil, err
	}
	ids, err := age.ParseIdentities(strings.NewReader(string(text)))
	if err != nil {
		return nil, err
	}
	keys, err := record.DecodeKeyFile(data, ids[0])
	if err != nil {
		return nil, err
	}
	m := &maker{dice: newDice(1), sealed: s.sealed, party: party, agreement: agreement, bundle: s.bundle}
	for _, k := range keys {
		switch k.Role {
		case record.RoleLog:
			m.log = k
		case record.RoleOfficer:
			m.officer = k.ID
		case record.RoleSeal:
			p, err := k.PublicKey()
			if err != nil {
				return nil, err
			}
			if m.own, err = p.Recipient(); err != nil {
				return nil, err
			}
		}
	}
	m.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	return m, err
}

func (m *maker) signer(logID string, _ uint64) (ledger.LogSigner, error) {
	public, err := m.log.PublicKey()
	if err != nil {
		return nil, err
	}
	signer, err := m.log.Signer()
	if err != nil {
		return nil, err
	}
	return ledger.NewLogSigner(record.LogOrigin(logID), ed25519.PublicKey(public.Bytes), func(msg []byte) ([]byte, error) {
		return signer.Sign(context.Background(), msg)
	}), nil
}

// object makes the i-th record: of ten, six are intel with one indicator, two reports in three languages, one an
// allegation, and one a response, which nine times of ten answers the last allegation, late or in time.
func (m *maker) object(i int) ([]byte, error) {
	d := m.dice
	id, err := record.NewID(d, record.PrefixRecord)
	if err != nil {
		return nil, err
	}
	kind, body := d.body(i, m.accused)
	if m.bundle > 0 {
		kind, body = d.bundle(m.bundle)
		m.json += int64(len(body))
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * 25 * time.Second)
	refs := ""
	if kind == "response" && d.IntN(10) > 0 {
		refs = fmt.Sprintf(`"refs":[{"rel":"answers","leaf":%q}],`, m.accused)
		at = at.Add(time.Duration(d.IntN(48)) * time.Hour)
	}
	tlp, form := "TLP:CLEAR", byte(record.FormClear)
	if d.IntN(100) < m.sealed {
		tlp, form = "TLP:AMBER", byte(record.FormSealed)
	}
	payload := fmt.Sprintf(`{"v":1,"id":%q,"agreement":%q,"author":%q,"officer":%q,"kind":%q,"time":%q,"marking":{"tlp":%q},"serves":["%d"],%s"body":%s}`,
		id, m.agreement, m.party, m.officer, kind, at.Format(time.RFC3339), tlp, 1+d.IntN(11), refs, body)
	sig := make([]byte, 64)
	_, _ = d.Read(sig)
	envelope := fmt.Sprintf(`{"payloadType":%q,"payload":%q,"signatures":[{"keyid":%q,"sig":%q}]}`, record.RecordType,
		base64.StdEncoding.EncodeToString([]byte(payload)), m.officer, base64.StdEncoding.EncodeToString(sig))
	content := m.zstd.EncodeAll([]byte(envelope), nil)
	if form == byte(record.FormSealed) {
		var b strings.Builder
		w, err := age.Encrypt(&b, m.own)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(content); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		content = []byte(b.String())
	}
	object := append([]byte("MQO1"), form)
	salt := make([]byte, 32)
	_, _ = d.Read(salt)
	object = append(append(object, salt...), content...)
	if kind == "allegation" {
		hash := sha256.Sum256(object)
		leaf := record.LeafHash(append([]byte{1}, hash[:]...))
		m.accused = hex.EncodeToString(leaf[:])
	}
	return object, nil
}

// dice is seeded randomness with the vocabulary of three languages.
type dice struct {
	*rand.Rand
	source *rand.ChaCha8
	words  map[string][]string
}

func newDice(seed byte) *dice {
	source := rand.NewChaCha8([32]byte{seed})
	d := &dice{Rand: rand.New(source), source: source, words: map[string][]string{}}
	for language, list := range vocabulary {
		d.words[language] = strings.Fields(list)
	}
	return d
}

func (d *dice) Read(b []byte) (int, error) { return d.source.Read(b) }

// sentence is n words; as in any text, few are frequent and most are rare, and some are names that come once or twice.
func (d *dice) sentence(language string, n int) string {
	words := d.words[language]
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		u := d.Float64()
		b.WriteString(words[int(u*u*u*float64(len(words)))])
		if d.IntN(12) == 0 {
			fmt.Fprintf(&b, " %s%s", syllables[d.IntN(len(syllables))], syllables[d.IntN(len(syllables))]+syllables[d.IntN(len(syllables))])
		}
	}
	return b.String()
}

func (d *dice) body(i int, accused string) (kind, body string) {
	switch {
	case i%10 < 6:
		return d.bundle(1)
	case i%10 < 8:
		return "report", fmt.Sprintf(`{"period":{"from":"2026-10-01","to":"2026-10-31"},"summary":{"ar":%s,"en":%s,"fr":%s}}`,
			quote(d.sentence("ar", 8)), quote(d.sentence("en", 8)), quote(d.sentence("fr", 8)))
	case i%10 == 9:
		return "response", fmt.Sprintf(`{"target":%q,"stance":"partly","text":{"en":%s,"ar":%s}}`, accused, quote(d.sentence("en", 6)), quote(d.sentence("ar", 6)))
	}
	return "allegation", fmt.Sprintf(`{"type":"attribution","against":[{"name":{"en":"Nobody"}}],"summary":{"en":%s},"basis":{"fr":%s},"confidence":"low"}`,
		quote(d.sentence("en", 10)), quote(d.sentence("fr", 10)))
}

// bundle is n indicators.
func (d *dice) bundle(n int) (kind, body string) {
	uuid := func() string {
		return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", d.Uint32(), d.IntN(1<<16), d.IntN(1<<12), d.IntN(1<<12), d.Int64N(1<<48))
	}
	objects := make([]string, n)
	for i := range objects {
		language := []string{"en", "fr", "ar"}[d.IntN(3)]
		stamp := time.Date(2026, 11, 20, 6, 30, 0, 0, time.UTC).Add(time.Duration(d.IntN(1e9)) * time.Millisecond).Format("2006-01-02T15:04:05.000Z")
		objects[i] = fmt.Sprintf(`{"type":"indicator","spec_version":"2.1","id":"indicator--%s","created":%q,"modified":%q,"name":%s,"description":%s,"pattern":%s,"pattern_type":"stix","valid_from":"2026-11-20T06:30:00Z"}`,
			uuid(), stamp, stamp, quote(d.sentence(language, 3)), quote(d.sentence(language, 9)), quote("["+d.pattern()+"]"))
	}
	return "intel", fmt.Sprintf(`{"bundle":{"type":"bundle","id":"bundle--%s","objects":[%s]}}`, uuid(), strings.Join(objects, ","))
}

func quote(s string) string {
	b, _ := json.Marshal(s) // a string always encodes
	return string(b)
}

func (d *dice) address() string {
	return fmt.Sprintf("198.%d.%d.%d", 18+d.IntN(2), d.IntN(256), d.IntN(256))
}

func (d *dice) domain() string {
	return fmt.Sprintf("%s%s-%d.example", syllables[d.IntN(len(syllables))], syllables[d.IntN(len(syllables))], d.IntN(10000))
}

func (d *dice) pattern() string {
	switch d.IntN(3) {
	case 0:
		return "ipv4-addr:value = '" + d.address() + "'"
	case 1:
		return "domain-name:value = '" + d.domain() + "'"
	}
	var h [32]byte
	_, _ = d.Read(h[:])
	return fmt.Sprintf("file:hashes.'SHA-256' = '%x'", h)
}

// query is what somebody types: two words of a language, or an indicator.
func (d *dice) query() (language, text string) {
	switch d.IntN(4) {
	case 0:
		return "ar", d.sentence("ar", 2)
	case 1:
		return "en", d.sentence("en", 2)
	case 2:
		return "fr", d.sentence("fr", 2)
	}
	if d.IntN(2) == 0 {
		return "indicator", d.address()
	}
	return "indicator", d.domain()
}

var syllables = strings.Fields("ka ri mo ten sal dor vex lin ar bo qua nil fer zo pra mis tu lar gen ost hel wy cen dra pol ush ek fin go")
