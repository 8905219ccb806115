package federate

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// objectsAhead is how many objects are asked for at once. With what is gathered for the next transaction they bound the
// memory of a round, whatever the log's size.
const objectsAhead = 128

// walk goes through the bundles from what is stored to the end of the signed tree.
type walk struct {
	next   int64 // bundle to ask for
	front  int64 // bundle to add
	rows   map[int64][]tlog.Hash
	pieces map[int64]*piece
	queue  []place
	wanted map[[32]byte][]place
	flying int   // objects that were asked for
	held   int64 // bytes of pieces that are not added yet
	batch  batch // added and not stored
}

// piece is a bundle that came, or the absent objects of a round that mends.
type piece struct {
	n       int64
	first   int64 // index of objects[0]
	objects [][32]byte
	got     []store.Object
	keyring map[int64]record.Keyring // that its leaves bring
	epochs  []int64                  // leaves with an epoch record
	lost    []store.WantedWrap       // wraps that did not come
	asked   []store.WantedWrap       // wraps of a round that mends
	waiting int
	open    map[int64]int      // how much of what waits is of a leaf; a wrap is of the leaf that names it
	wrapOf  map[[32]byte]int64 // the leaf that names a wrap
}

// settled is the place of the first leaf of which something is still wanted.
func (p *piece) settled() int64 {
	first := p.first + int64(len(p.objects))
	for index, n := range p.open {
		if n > 0 {
			first = min(first, index)
		}
	}
	return first
}

// leaf is the leaf on whose account a place wants its object.
func (p place) leaf() int64 {
	if p.index < 0 {
		return p.epoch
	}
	return p.index
}

// place is what an object is wanted for: a leaf of a piece, or with index -1 an attachment.
type place struct {
	piece *piece
	index int64
	hash  [32]byte
	epoch int64 // of an attachment: the leaf that names it
}

// batch is what the next transaction stores.
type batch struct {
	objects  []store.Object
	keyrings []store.Keyring
	absent   []int64
	epochs   []int64
	wanted   []store.WantedWrap
	bytes    int64
}

func newWalk(size int64) *walk {
	n := size / bundleWidth
	return &walk{next: n, front: n, rows: map[int64][]tlog.Hash{}, pieces: map[int64]*piece{}, wanted: map[[32]byte][]place{}}
}

func newPiece(n, first int64, objects [][32]byte) *piece {
	return &piece{n: n, first: first, objects: objects, keyring: map[int64]record.Keyring{}, open: map[int64]int{}, wrapOf: map[[32]byte]int64{}}
}

func (w *walk) want(p *piece, index int64, hash [32]byte) {
	p.waiting++
	p.open[index]++
	w.queue = append(w.queue, place{piece: p, index: index, hash: hash})
}

// wantWrap wants what an epoch record names.
func (w *walk) wantWrap(p *piece, epoch int64, hash [32]byte) {
	p.waiting++
	p.open[epoch]++
	p.wrapOf[hash] = epoch
	w.queue = append(w.queue, place{p, -1, hash, epoch})
}

// bundles is how many bundles the target has, the incomplete one included.
func (s *State) bundles() int64 { return (s.target.Size + bundleWidth - 1) / bundleWidth }

func (s *State) bundleWidth(n int64) int {
	return int(min(bundleWidth, s.target.Size-n*bundleWidth))
}

// advance asks for bundles and objects ahead, adds what is complete in order, and stores when there is enough.
func (s *State) advance(now time.Time) []Effect {
	w := s.walk
	for s.phase == walking {
		p := w.pieces[w.front]
		if p == nil || p.waiting > 0 || s.full() {
			break
		}
		if err := s.absorb(p); err != nil {
			return s.refuse(now, fetch.Malformed, err)
		}
	}
	out, stop := s.flush(now)
	if stop {
		return out
	}
	if s.failure != nil {
		return append(out, s.windUp(now)...)
	}
	for w.next < s.bundles() && w.next-w.front < int64(s.opts.Ahead) {
		if over, notice := s.overQuota(now, min((w.next+1)*bundleWidth, s.target.Size)); over != nil {
			out = append(out, notice...)
			if len(s.asked) > 0 || len(w.queue) > 0 || s.storing {
				break
			}
			if s.growth.Waiting() > 0 {
				return append(out, s.store(nil))
			}
			s.phase = resting
			return append(out, Rest{Until: over.Until, Err: ErrQuota})
		}
		ok, more := s.rowOf(now, w.next)
		out = append(out, more...)
		if !ok {
			return out
		}
		out = append(out, s.fetch(Request{What: ResourceBundle, N: w.next, Width: s.bundleWidth(w.next)}))
		w.next++
	}
	return append(out, s.askObjects()...)
}

// fail ends the walk, but not before what is under way has come and what is complete is stored: however bad the line, each
// round gets further.
func (s *State) fail(now time.Time, err error) []Effect {
	if s.failure == nil {
		s.failure = err
	}
	return s.advance(now)
}

func (s *State) windUp(now time.Time) []Effect {
	if p := s.walk.pieces[s.walk.front]; p != nil && !s.cut && !s.full() {
		if out := s.askObjects(); len(out) > 0 {
			return out
		}
	}
	if len(s.asked) > 0 || s.storing {
		return nil
	}
	if p := s.walk.pieces[s.walk.front]; p != nil {
		part := p.upTo(p.settled())
		if err := s.absorb(part); err != nil {
			return s.refuse(now, fetch.Malformed, err)
		}
		if len(part.objects) < len(p.objects) {
			clear(s.walk.pieces) // what came of later ones does not follow
		}
	}
	if s.growth.Waiting() > 0 {
		return []Effect{s.store(nil)}
	}
	return s.giveUp(now, s.failure)
}

// upTo is the part of a piece before a leaf of it.
func (p *piece) upTo(end int64) *piece {
	q := newPiece(p.n, p.first, p.objects[:end-p.first])
	q.keyring = p.keyring
	for _, o := range p.got {
		if of, wrap := p.wrapOf[o.Hash]; o.Index >= 0 && o.Index < end || o.Index < 0 && wrap && of < end {
			q.got = append(q.got, o)
		}
	}
	for _, index := range p.epochs {
		if index < end {
			q.epochs = append(q.epochs, index)
		}
	}
	for _, w := range p.lost {
		if w.Index < end {
			q.lost = append(q.lost, w)
		}
	}
	return q
}

// ErrQuota ends a round whose author waits.
var ErrQuota = errors.New("the author's quota is used up")

// full says that what was added must be stored before more is.
func (s *State) full() bool {
	return s.growth.Waiting() >= s.opts.PieceLeaves || s.walk.batch.bytes >= s.opts.PieceBytes
}

// rowOf sees to it that the hashes by which a bundle is judged are here: of a complete bundle its root, of the last one its
// leaf hashes.
func (s *State) rowOf(now time.Time, n int64) (bool, []Effect) {
	key, indexes := s.rowKey(n)
	if _, ok := s.walk.rows[key]; ok {
		return true, nil
	}
	var hashes []tlog.Hash
	ok, out := s.withTiles(now, func(h tlog.HashReader) (err error) {
		hashes, err = h.ReadHashes(indexes)
		return err
	})
	if !ok {
		return false, out
	}
	for old := range s.walk.rows {
		if old >= 0 && old < s.walk.front/bundleWidth {
			delete(s.walk.rows, old)
		}
	}
	s.walk.rows[key] = hashes
	for k := range s.tiles { // the tiles of complete rows are not needed again
		if k.width == bundleWidth && k.level <= 1 {
			delete(s.tiles, k)
		}
	}
	return true, nil
}

// lastRow is the key of the incomplete bundle's leaf hashes among the rows.
const lastRow = -1

func (s *State) rowKey(n int64) (key int64, indexes []int64) {
	complete := s.target.Size / bundleWidth
	if n == complete {
		for i := n * bundleWidth; i < s.target.Size; i++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, i))
		}
		return lastRow, indexes
	}
	key = n / bundleWidth
	for i := key * bundleWidth; i < min((key+1)*bundleWidth, complete); i++ {
		indexes = append(indexes, tlog.StoredHashIndex(tileHeight, i))
	}
	return key, indexes
}

func (s *State) cameBundle(ev Came) []Effect {
	r := ev.Request
	if ev.Err != nil {
		return s.fail(ev.Now, fmt.Errorf("fetching bundle %d: %w", r.N, ev.Err))
	}
	objects, tile, err := ledger.BundleLeaves(ev.Body.Bytes, r.N, r.Width)
	if err == nil && !s.fits(r.N, tile) {
		err = errors.New("it does not hash into the signed tree")
	}
	if err != nil {
		return s.refuse(ev.Now, fetch.WrongHash, fmt.Errorf("bundle %d: %w", r.N, err))
	}
	p := newPiece(r.N, r.N*bundleWidth, objects)
	if skip := s.growth.Size() - p.first; skip > 0 && skip < int64(len(objects)) {
		p.first, p.objects = p.first+skip, objects[skip:]
	} else if skip >= int64(len(objects)) {
		p.objects = nil
	}
	s.walk.pieces[r.N] = p
	if s.opts.Objects {
		for i, h := range p.objects {
			s.walk.want(p, p.first+int64(i), h)
		}
	}
	return s.advance(ev.Now)
}

// fits compares a bundle's leaf hashes with the signed tree.
func (s *State) fits(n int64, tile []byte) bool {
	key, _ := s.rowKey(n)
	row := s.walk.rows[key]
	if key != lastRow {
		return ledger.SubtreeRoot(tile) == [32]byte(row[n%bundleWidth])
	}
	for i, h := range row {
		if [32]byte(h) != [32]byte(tile[i*tlog.HashSize:]) {
			return false
		}
	}
	return true
}

// askObjects asks for the objects that are wanted next, in the order of their leaves.
func (s *State) askObjects() []Effect {
	w := s.walk
	var out []Effect
	for len(w.queue) > 0 && w.flying < objectsAhead {
		p := w.queue[0]
		if p.piece.n > w.front && w.held >= s.opts.PieceBytes {
			break // the pieces before it come first
		}
		w.queue = w.queue[1:]
		w.wanted[p.hash] = append(w.wanted[p.hash], p)
		r := Request{What: ResourceObject, Hash: p.hash}
		if !s.asked[r] {
			w.flying++
			out = append(out, s.fetch(r))
		}
	}
	return out
}

func (s *State) cameObject(ev Came) []Effect {
	w, hash := s.walk, ev.Request.Hash
	w.flying--
	places := w.wanted[hash]
	delete(w.wanted, hash)
	body, err := ev.Body, ev.Err
	if err == nil && !body.File {
		body.Hash, body.Size = sha256.Sum256(body.Bytes), int64(len(body.Bytes))
	}
	var out []Effect
	switch {
	case err == nil && (body.Hash != hash || body.Size == 0):
		// The tree is what the author signed, whatever the host makes of an object: the leaf is taken, the object waits.
		out = s.tell(Notice{Kind: NoticeRefused, Text: fmt.Sprintf("log %s of %s: the host sent other bytes than object %x", s.log.ID, s.log.Party, hash[:8])})
	case err == nil:
		for _, p := range places {
			s.keep(p, body)
		}
	case !errors.Is(err, ledger.ErrNotFound) && !isErased(err):
		err = fmt.Errorf("fetching object %x: %w", hash[:8], err)
		if s.phase != mending {
			s.cut = true
			return s.fail(ev.Now, err)
		}
		s.failure = cmp.Or(s.failure, err)
		s.walk.pieces[-1].waiting -= len(w.queue)
		w.queue = nil // what is under way may come, no more is asked for
	}
	came := err == nil && body.Hash == hash && body.Size > 0
	for _, p := range places {
		if !came && p.index < 0 && s.phase != mending { // those of a mending are counted at its end
			p.piece.lost = append(p.piece.lost, store.WantedWrap{Hash: hash, Index: p.epoch, Due: s.firstTry(ev.Now)})
		}
		p.piece.waiting--
		p.piece.open[p.leaf()]--
	}
	if s.phase == mending {
		if s.walk.pieces[-1].waiting == 0 {
			return append(out, s.mended(ev.Now)...)
		}
		return append(out, s.askObjects()...)
	}
	return append(out, s.advance(ev.Now)...)
}

func isErased(err error) bool {
	var erased *ledger.ErrErased
	return errors.As(err, &erased)
}

// keep puts an object beside its leaf, and asks for the wraps that an epoch record names.
func (s *State) keep(p place, b Body) {
	o := store.Object{Hash: p.hash, Index: p.index, Size: b.Size}
	if !b.File {
		o.Bytes = b.Bytes
	}
	p.piece.got = append(p.piece.got, o)
	s.walk.held += int64(len(o.Bytes))
	s.purse.took(0, b.Size)
	if p.index < 0 || b.Bytes == nil {
		return
	}
	if form, err := record.ObjectForm(b.Bytes); err == nil && form == record.FormSealed {
		return
	}
	if size, err := record.EnvelopeSize(b.Bytes); err == nil && size > maxOpened {
		return // neither a keyring nor an epoch: it is opened when its turn comes, and not here
	}
	r, ok := ClearRecord(b.Bytes)
	if !ok {
		s.purse.Garbage(1)
		return
	}
	if r.Kind != record.KindKeyring && r.Kind != record.KindEpoch {
		return // one look tells, and most are neither
	}
	if k, ok := carriedKeyring(b.Bytes); ok && p.piece.keyring != nil {
		p.piece.keyring[p.index] = k
		return
	}
	epoch, ok := carriedEpoch(b.Bytes)
	if !ok {
		return
	}
	p.piece.epochs = append(p.piece.epochs, p.index)
	for _, w := range epoch.Wraps {
		if hash, ok := hashOf(w.Object); ok && s.takes(w) {
			s.walk.wantWrap(p.piece, p.index, hash)
		}
	}
}
