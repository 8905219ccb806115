package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// circle makes nodes that have all joined one agreement; the first keeps the roll. newcomers is the rule for who joins.
func circle(t *testing.T, newcomers string, count int) (nodes []*Node, id string) {
	t.Helper()
	ctx := context.Background()
	for range count {
		nodes = append(nodes, newTestNode(t))
	}
	keeper := nodes[0]
	def := strings.Replace(textWith("", "1", "Report", nodes[0], nodes[1]), "depositary = ", fmt.Sprintf("newcomers = %q\ndepositary = ", newcomers), 1)
	id = agreement.ID([]byte(def))
	must(perform(t, keeper, id, ActRequest{Act: "propose", Definition: def}))(t)
	must(carry(nodes[1], must(keeper.RollFileOf(ctx, id))(t)))(t)
	must(carry(keeper, must(perform(t, nodes[1], id, ActRequest{Act: "approve"}))(t).File))(t)
	for _, n := range nodes[2:] {
		joins(t, keeper, n, id)
	}
	return nodes, id
}

func joins(t *testing.T, keeper, n *Node, id string) {
	t.Helper()
	must(carry(n, must(keeper.RollFileOf(context.Background(), id))(t)))(t)
	must(carry(keeper, must(perform(t, n, id, ActRequest{Act: "join"}))(t).File))(t)
}

func withdraws(t *testing.T, keeper, n *Node, id string) {
	t.Helper()
	must(carry(n, must(keeper.RollFileOf(context.Background(), id))(t)))(t)
	must(carry(keeper, must(perform(t, n, id, ActRequest{Act: "withdraw"}))(t).File))(t)
}

func amber(t *testing.T, n *Node, id, text string) Receipt {
	t.Helper()
	d := reportDraft(text)
	d.TLP, d.Serves = "AMBER", []string{"1"}
	return must(n.Publish(context.Background(), id, d))(t)
}

// standingAt is how a node stands to a record of a log that it follows.
func standingAt(t *testing.T, n *Node, log string, index int64) string {
	t.Helper()
	o, _, err := n.openAt(context.Background(), log, index)
	if err != nil {
		t.Fatal(err)
	}
	return o.view.Standing
}

// hoard is everything that somebody could fetch of a log: each object, and each wrap that an epoch names.
type hoard struct {
	objects [][]byte
	epochs  []record.EpochBody
	wraps   map[string][]byte
}

func hoardOf(t *testing.T, n *Node, log string) hoard {
	t.Helper()
	ctx := context.Background()
	h := hoard{wraps: map[string][]byte{}}
	no := n.book(log).no
	for index := range must(n.reader.Log(ctx, log))(t).Size {
		hash := must(n.objectHash(ctx, no, index))(t)
		h.objects = append(h.objects, must(n.store.Object(ctx, hash))(t))
		if body, ok, err := n.epochAt(ctx, no, index); err == nil && ok {
			h.epochs = append(h.epochs, body)
			for _, w := range body.Wraps {
				if b, err := n.store.Object(ctx, record.ParseHash(w.Object)); err == nil {
					h.wraps[w.Object] = b
				}
			}
		}
	}
	return h
}

// opensWith tries all that keys can make of a hoard: every wrap is tried, whoever it is said to be for, each key is ratcheted
// forward, and the object is tried with everything.
func (h hoard) opensWith(index int64, keys []age.Identity, more ...record.EpochKey) error {
	for _, e := range h.epochs {
		for _, w := range h.wraps {
			if k, err := record.UnwrapEpoch(e.Epoch, e.Step, e.Commit, w, keys...); err == nil {
				more = append(more, k)
			}
		}
	}
	_, err := record.OpenObject(h.objects[index], append(slices.Clone(keys), record.EpochIdentity(more...))...)
	return err
}

// epochKeysOf are all keys of epochs that a node holds of a log.
func epochKeysOf(t *testing.T, n *Node, log string) (out []record.EpochKey) {
	t.Helper()
	for _, row := range must(n.store.EpochKeys(context.Background(), n.book(log).no))(t) {
		if e, err := n.openEpoch(row); err == nil {
			out = append(out, e)
		}
	}
	return out
}

func epochsOf(t *testing.T, n *Node, log string) []record.EpochBody {
	t.Helper()
	return hoardOf(t, n, log).epochs
}

func TestAFormerMemberNeverOpensWhatWasSealedAfterItLeft(t *testing.T) {
	nodes, id := circle(t, "none", 10)
	keeper, leaver, stays := nodes[0], nodes[9], nodes[4]
	log := follows(t, leaver, keeper, id)
	follows(t, stays, keeper, id)
	before := amber(t, keeper, id, "while it was a member")
	syncOnce(t, leaver, log)
	if got := standingAt(t, leaver, log, before.Index); got != StandingValid {
		t.Fatalf("a member does not open what is sealed to it: %s", got)
	}
	withdraws(t, keeper, leaver, id)
	count := len(epochsOf(t, keeper, log))
	var after []Receipt
	for i := range 3 {
		after = append(after, amber(t, keeper, id, fmt.Sprint("after it left ", i)))
	}
	epochs := epochsOf(t, keeper, log)
	if fresh := epochs[count:]; len(fresh) != 1 || fresh[0].Mode != record.EpochFresh || len(fresh[0].Wraps) != 9 {
		t.Fatalf("a leave takes a fresh key once, lazily: %+v", fresh)
	}
	syncOnce(t, leaver, log)
	syncOnce(t, stays, log)
	everything := hoardOf(t, keeper, log)
	for _, r := range after {
		if got := standingAt(t, leaver, log, r.Index); got != StandingSealed {
			t.Errorf("place %d at the former member: %s", r.Index, got)
		}
		err := everything.opensWith(r.Index, leaver.keys.sealIdentities(), epochKeysOf(t, leaver, log)...)
		if !errors.Is(err, record.ErrNotForUs) {
			t.Errorf("place %d with all that the former member has, and all bytes there are: %v", r.Index, err)
		}
		if got := standingAt(t, stays, log, r.Index); got != StandingValid {
			t.Errorf("place %d at a member: %s", r.Index, got)
		}
	}
	if err := everything.opensWith(before.Index, leaver.keys.sealIdentities()); err != nil {
		t.Errorf("what it had is not taken from it: %v", err)
	}
	// Coming back, it gets what comes then, and nothing of what was sealed while it was away.
	joins(t, keeper, leaver, id)
	again := amber(t, keeper, id, "after it came back")
	syncOnce(t, leaver, log)
	if got := standingAt(t, leaver, log, again.Index); got != StandingValid {
		t.Errorf("after it came back: %s", got)
	}
	if got := standingAt(t, leaver, log, after[0].Index); got != StandingSealed {
		t.Errorf("what was sealed while it was away: %s", got)
	}
}

func TestWhatANewcomerGets(t *testing.T) {
	for _, c := range []struct {
		rule    string
		members int
		earlier string
	}{{"none", 9, StandingSealed}, {"all", 9, StandingValid}, {"year", 9, StandingValid}, {"all", 3, StandingValid}, {"none", 3, StandingSealed}} {
		t.Run(fmt.Sprint(c.rule, c.members), func(t *testing.T) {
			ctx := context.Background()
			nodes, id := circle(t, c.rule, c.members)
			keeper := nodes[0]
			earlier := amber(t, keeper, id, "Observed a walrus")
			newcomer := newTestNode(t)
			joins(t, keeper, newcomer, id)
			log := follows(t, newcomer, keeper, id)
			before := len(epochsOf(t, keeper, log))
			next := amber(t, keeper, id, "Observed a narwhal")
			for _, e := range epochsOf(t, keeper, log)[before:] {
				if len(e.Wraps) != 1 || e.Mode != record.EpochRatchet {
					t.Errorf("a join costs the newcomer's wraps only: %s with %d wraps", e.Mode, len(e.Wraps))
				}
			}
			syncOnce(t, newcomer, log)
			if got := standingAt(t, newcomer, log, next.Index); got != StandingValid {
				t.Errorf("the next record: %s", got)
			}
			if got := standingAt(t, newcomer, log, earlier.Index); got != c.earlier {
				t.Errorf("an earlier record: %s", got)
			}
			// The roll is all readable from its log, whatever the rule for other records is.
			for index := range earlier.Index {
				if o, _, err := keeper.openAt(ctx, id, index); err != nil || o.record.Kind != record.KindRoll {
					continue
				}
				if got := standingAt(t, newcomer, log, index); got != StandingValid {
					t.Errorf("roll record at place %d: %s", index, got)
				}
			}
			if err := newcomer.WaitIndexed(ctx, log, next.Size); err != nil {
				t.Fatal(err)
			}
			if got := found(t, newcomer, "walrus"); len(got) == 1 != (c.earlier == StandingValid) {
				t.Errorf("searching for what came before: %+v", got)
			}
		})
	}
}

// A key that comes late opens what was indexed as sealed, and a wrap that the host did not give is asked for again.
func TestAWrapThatDidNotComeIsAskedForAgain(t *testing.T) {
	ctx := context.Background()
	nodes, id := circle(t, "none", 9)
	keeper, member := nodes[0], nodes[5]
	log := logOf(t, keeper, id)
	r := amber(t, keeper, id, "Observed a walrus")
	hidden := &hidesWraps{next: keeper.LogHandler(func(*http.Request) Viewer { return Viewer{Own: true} }), hoard: hoardOf(t, keeper, log)}
	must(member.FollowLog(ctx, FollowRequest{URL: serve(t, hidden) + "/log/" + log}))(t)
	if err := member.WaitIndexed(ctx, log, r.Size); err != nil {
		t.Fatal(err)
	}
	if got := standingAt(t, member, log, r.Index); got != StandingSealed || len(found(t, member, "walrus")) != 0 {
		t.Fatalf("without its wrap: %s", got)
	}
	hidden.given = true
	soon := time.Now().Add(2 * time.Minute)
	member.follower.Clock = func() time.Time { return soon }
	round := must(member.Sync(ctx, log))(t)
	if round.Err != nil {
		t.Fatal(round.Err)
	}
	if got := standingAt(t, member, log, r.Index); got != StandingValid {
		t.Fatalf("with its wrap: %s", got)
	}
	// The index takes it in before anything that comes now.
	next := amber(t, keeper, id, "Observed a narwhal")
	syncOnce(t, member, log)
	if err := member.WaitIndexed(ctx, log, next.Size); err != nil {
		t.Fatal(err)
	}
	if got := found(t, member, "walrus"); len(got) != 1 {
		t.Errorf("searching for what came late: %+v", got)
	}
	if v := here(t, member, id); v.Joined != 9 {
		t.Errorf("the roll from the log: %+v", v)
	}
}

func TestAMemberThatWasAwayDuringSeveralEpochsCatchesUp(t *testing.T) {
	nodes, id := circle(t, "none", 12)
	keeper, away := nodes[0], nodes[3]
	log := follows(t, away, keeper, id)
	var receipts []Receipt
	for i, leaver := range nodes[9:] {
		receipts = append(receipts, amber(t, keeper, id, fmt.Sprint("record ", i)))
		withdraws(t, keeper, leaver, id)
	}
	joins(t, keeper, newTestNode(t), id)
	receipts = append(receipts, amber(t, keeper, id, "the last"))
	dir := away.Dir()
	shut(t, away)
	away = again(t, dir, OpenOptions{})
	syncOnce(t, away, log)
	for _, r := range receipts {
		if got := standingAt(t, away, log, r.Index); got != StandingValid {
			t.Errorf("place %d: %s", r.Index, got)
		}
	}
}

func TestAStolenKeyOpensNothingThatIsSealedAfterItWasRevoked(t *testing.T) {
	ctx := context.Background()
	for _, reason := range []string{"compromised", "superseded"} {
		t.Run(reason, func(t *testing.T) {
			nodes, id := circle(t, "none", 10)
			keeper, robbed := nodes[0], nodes[2]
			log := follows(t, robbed, keeper, id)
			theirs := follows(t, keeper, robbed, id)
			before := amber(t, keeper, id, "before")
			stolen := robbed.keys.sealIdentities()
			old := must(robbed.keyring(theirs))(t).SealKeys("")[0].ID
			mustChange(t, robbed, KeyChange{Action: "rotate", Role: "seal"})
			if reason == "compromised" {
				mustChange(t, robbed, KeyChange{Action: "revoke", Key: old, Reason: reason})
			}
			syncOnce(t, keeper, theirs)
			keeper.heardUnder(ctx, id)
			after := amber(t, keeper, id, "after")
			everything := hoardOf(t, keeper, log)
			err := everything.opensWith(after.Index, stolen)
			if reason == "compromised" && !errors.Is(err, record.ErrNotForUs) {
				t.Errorf("with the stolen key: %v", err)
			}
			last := everything.epochs[len(everything.epochs)-1]
			if want := map[string]record.EpochMode{"compromised": record.EpochFresh, "superseded": record.EpochRatchet}[reason]; last.Mode != want && reason == "compromised" {
				t.Errorf("%s: %s with %d wraps", reason, last.Mode, len(last.Wraps))
			}
			// With the new key alone it opens what comes, and what it had.
			k := must(robbed.keyring(theirs))(t).SealKeys("")[0]
			secret, _ := robbed.keys.find(k.ID)
			fresh := must(secret.Identity())(t)
			for _, r := range []Receipt{before, after} {
				if err := everything.opensWith(r.Index, []age.Identity{fresh}); err != nil {
					t.Errorf("place %d with the new key alone: %v", r.Index, err)
				}
			}
		})
	}
}

// A mirror that is not in the audience opens nothing of it, and serves those who are.
func TestAMirrorOpensNothingAndServesAll(t *testing.T) {
	ctx := context.Background()
	nodes, id := circle(t, "none", 12)
	author, mirror, behind := nodes[1], nodes[0], nodes[5]
	must(carry(author, must(mirror.RollFileOf(ctx, id))(t)))(t)
	log := follows(t, mirror, author, id)
	var parties []string
	for _, n := range nodes[2:] {
		parties = append(parties, n.Party().ID)
	}
	all := amber(t, author, id, "for all")
	d := reportDraft("not for the mirror")
	d.TLP, d.Serves, d.Parties = "AMBER", []string{"1"}, slices.Sorted(slices.Values(parties))
	some := must(author.Publish(ctx, id, d))(t)
	syncOnce(t, mirror, log)
	if got := standingAt(t, mirror, log, some.Index); got != StandingSealed {
		t.Errorf("the mirror: %s", got)
	}
	everything := hoardOf(t, mirror, log)
	if err := everything.opensWith(some.Index, mirror.keys.sealIdentities(), epochKeysOf(t, mirror, log)...); !errors.Is(err, record.ErrNotForUs) {
		t.Errorf("the mirror with all that it holds: %v", err)
	}
	if len(everything.wraps) != len(hoardOf(t, author, log).wraps) {
		t.Errorf("the mirror has %d wraps of %d", len(everything.wraps), len(hoardOf(t, author, log).wraps))
	}
	// Behind the mirror: whoever is meant opens it, though it never spoke to the author.
	must(behind.FollowLog(ctx, FollowRequest{URL: serve(t, mirror.LogHandler(func(*http.Request) Viewer { return Viewer{Party: behind.Party().ID} })) + "/log/" + log, Party: author.Party().ID}))(t)
	for _, r := range []Receipt{all, some} {
		if got := standingAt(t, behind, log, r.Index); got != StandingValid {
			t.Errorf("place %d behind the mirror: %s", r.Index, got)
		}
	}
}

// A mirror that lies is found out, whatever it changes: its follower keeps what the author signed.
func TestALyingMirror(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	log := logOf(t, keeper, id)
	first := amber(t, keeper, id, "the first")
	honest := keeper.LogHandler(func(*http.Request) Viewer { return Viewer{Own: true} })
	liar := &liar{next: honest}
	url := serve(t, liar)
	must(other.FollowLog(ctx, FollowRequest{URL: url + "/log/" + log}))(t)
	second := amber(t, keeper, id, "the second")
	old := must(keeper.reader.Checkpoint(ctx, log))(t)
	for what, change := range map[string]func(path string, body []byte) []byte{
		"a changed checkpoint": func(path string, b []byte) []byte {
			if strings.HasSuffix(path, "/checkpoint") {
				b[len(b)-5] ^= 1
			}
			return b
		},
		"changed leaves": func(path string, b []byte) []byte {
			if strings.Contains(path, "/tile/entries/") {
				b[len(b)-1] ^= 1
			}
			return b
		},
		"a changed tile": func(path string, b []byte) []byte {
			if strings.Contains(path, "/tile/0/") {
				b[0] ^= 1
			}
			return b
		},
		"short answers": func(_ string, b []byte) []byte { return b[:len(b)/2] },
		"nothing":       func(string, []byte) []byte { return nil },
	} {
		liar.change = change
		round := must(other.Sync(ctx, log))(t)
		if round.Err == nil || round.Size != first.Size {
			t.Errorf("%s: %+v", what, round)
		}
	}
	liar.change = func(path string, b []byte) []byte {
		if strings.HasPrefix(path, "/object/") {
			b[len(b)-1] ^= 1
		}
		return b
	}
	must(other.Sync(ctx, log))(t)
	if v := must(other.Followed(ctx, log))(t); v.Size != second.Size || v.Absent == 0 {
		t.Errorf("changed objects: the signed tree is taken, the objects wait: %+v", v)
	}
	liar.change = func(path string, b []byte) []byte {
		if strings.HasSuffix(path, "/checkpoint") {
			return old // what the author signed once, when it has signed more
		}
		return b
	}
	third := amber(t, keeper, id, "the third")
	must(other.Sync(ctx, log))(t)
	if v := must(other.Followed(ctx, log))(t); v.Size >= third.Size {
		t.Errorf("%+v", v)
	}
	// Another host tells.
	round := must(other.Compare(ctx, serve(t, honest), log, must(keeper.reader.Checkpoint(ctx, log))(t)))(t)
	if round.Err != nil || round.Size != third.Size {
		t.Errorf("beside the mirror: %+v", round)
	}
}

// liar passes answers on and changes them.
type liar struct {
	next   http.Handler
	change func(path string, body []byte) []byte
}

func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := &answer{header: http.Header{}, status: http.StatusOK}
	r.Header.Del("Range")
	l.next.ServeHTTP(a, r)
	if l.change != nil && a.status == http.StatusOK {
		a.body = l.change(r.URL.Path, a.body)
	}
	w.Header().Set("Content-Type", a.header.Get("Content-Type"))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// hidesWraps answers 404 to who asks for a wrap, until they are given.
type hidesWraps struct {
	next  http.Handler
	hoard hoard
	given bool
}

func (h *hidesWraps) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, is := h.hoard.wraps[strings.TrimPrefix(r.URL.Path, "/object/")]; (is || strings.HasPrefix(r.URL.Path, "/objects/")) && !h.given {
		http.NotFound(w, r)
		return
	}
	h.next.ServeHTTP(w, r)
}

// Audiences around the limit of direct sealing, and the largest there is.
func TestAudiencesOfAllSizes(t *testing.T) {
	n := newTestNode(t)
	sizes := []int{1, 7, 8, 9}
	if !testing.Short() {
		sizes = append(sizes, 1025)
	}
	if os.Getenv("MITHAQ_LONG") == "1" { // half a minute of making parties; package record seals to as many in each run
		sizes = append(sizes, record.MaxParties)
	}
	parties := manyParties(t, n, sizes[len(sizes)-1])
	for _, size := range sizes {
		d := reportDraft("for some")
		d.TLP = "AMBER"
		for _, p := range parties[:size] {
			d.Parties = append(d.Parties, p.id)
		}
		slices.Sort(d.Parties)
		r := mustPublish(t, n, d)
		h := hoardOf(t, n, r.Log)
		object := h.objects[r.Index]
		if _, _, sealedByEpoch := record.SealedBy(object); sealedByEpoch != (size >= record.MaxDirect) {
			t.Errorf("an audience of %d: by an epoch: %v", size, sealedByEpoch)
		}
		ids := []int{0, size / 2, size - 1}
		if size < len(parties) {
			ids = append(ids, size)
		}
		for _, i := range ids {
			err := opensAs(h, r.Index, parties[i])
			if i < size && err != nil || i >= size && !errors.Is(err, record.ErrNotForUs) {
				t.Errorf("an audience of %d: party %d: %v", size, i, err)
			}
		}
	}
}

// opensAs opens a place as one recipient does: with the wrap that is for it.
func opensAs(h hoard, index int64, p lightParty) error {
	var keys []record.EpochKey
	for _, e := range h.epochs {
		for _, w := range e.Wraps {
			if w.To != p.seal.ID {
				continue
			}
			k, err := record.UnwrapEpoch(e.Epoch, e.Step, e.Commit, h.wraps[w.Object], p.identity)
			if err != nil {
				return err
			}
			keys = append(keys, k)
		}
	}
	_, err := record.OpenObject(h.objects[index], p.identity, record.EpochIdentity(keys...))
	return err
}

// lightParty is a party that is nothing but a keyring and what opens its seal key.
type lightParty struct {
	id       string
	seal     record.Key
	identity age.Identity
}

// manyParties pins parties in a node.
func manyParties(t *testing.T, n *Node, count int) (out []lightParty) {
	t.Helper()
	ctx := context.Background()
	for i := range count {
		k, p := lightKeyring(t, n.rand, fmt.Sprint("Party ", i))
		// Pinning reads all pins first: for thousands the store is written to directly.
		if err := n.store.PutPin(ctx, store.Pin{Party: k.Party, Pinned: n.now(), Keyring: k.Envelope()}); err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func lightKeyring(t *testing.T, rand io.Reader, name string) (record.Keyring, lightParty) {
	t.Helper()
	ctx := context.Background()
	root := must(must(record.GenerateSigningKey(rand, record.RoleRoot))(t).Signer())(t)
	keys := []record.Key{}
	for _, role := range []record.Role{record.RoleLog, record.RoleNode, record.RoleOfficer} {
		secret := must(record.GenerateSigningKey(rand, role))(t)
		keys = append(keys, record.NewKey(role, must(secret.PublicKey())(t)))
	}
	identity := must(age.GenerateHybridIdentity())(t)
	seal := record.NewKey(record.RoleSeal, record.HybridPublicKey(identity.Recipient()))
	log := must(record.NewID(rand, record.PrefixLog))(t)
	draft := record.FirstKeyring(root.PublicKey(), record.Names{"en": name}, record.LogIdentity{ID: log, Origin: record.LogOrigin(log), Agreement: record.OwnAgreement}, time.Now(), append(keys, seal)...)
	k := must(record.ParseKeyring(must(draft.Sign(ctx, root))(t)))(t)
	return k, lightParty{k.Party, seal, identity}
}

// serve serves a handler until the test ends.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}
