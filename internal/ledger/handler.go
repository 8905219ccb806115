package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/mithaq/mithaq/internal/coding"
	"github.com/mithaq/mithaq/internal/policy"
)

const (
	// immutable is for what its path names for ever; private, because a shared cache does not know who may see it.
	immutablePublic  = "public, max-age=31536000, immutable"
	immutablePrivate = "private, max-age=31536000, immutable"
	// A checkpoint is asked for again each time, but its ETag makes that cheap.
	fresh = "no-cache"
)

// handler serves logs and objects. It has no bytes but those that the gate let out.
type handler struct {
	reader guardedReader
	coder  *coding.Coder
	logger *slog.Logger
}

// NewHandler serves
//
//	/log/<id>/checkpoint
//	/log/<id>/tile/<L>/<N>[.p/<W>]
//	/log/<id>/tile/entries/<N>[.p/<W>]
//	/object/<sha256>
//	/objects/<sha256>,<sha256>,…
//
// as C2SP tlog-tiles demands, to whom the gate permits them. Who may not have a log learns nothing of it: the answer is 404,
// as for what does not exist. An object in a log that the caller may have, but not the object, is 403. An erased object is
// 410 with a tombstone. What cannot be read is logged. What pays is compressed, in a coding that the client takes.
func NewHandler(reader Reader, gate Gate, logger *slog.Logger) http.Handler {
	return &handler{reader: guardedReader{reader, gate}, coder: coding.New(), logger: logger}
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	// The escaped form is looked at, so that %2e or a doubled slash is not a second spelling.
	res, ok := parsePath(r.URL.EscapedPath())
	switch {
	case !ok:
		notFoundPage(w)
	case res.kind == resourceObject:
		h.object(w, r, res.hash)
	case res.kind == resourceBatch:
		h.batch(w, r, res.batch)
	case res.kind == resourceCheckpoint:
		h.checkpoint(w, r, res.logID)
	default:
		h.tile(w, r, res)
	}
}

func (h *handler) checkpoint(w http.ResponseWriter, r *http.Request, id string) {
	info, out, err := h.reader.checkpoint(r, id)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", fresh)
	if !info.Public {
		w.Header().Set("Cache-Control", "private, "+fresh)
	}
	// The root names the checkpoint but for cosignatures, which are part of the bytes, so the bytes are hashed.
	h.send(w, r, "", out, false)
}

func (h *handler) tile(w http.ResponseWriter, r *http.Request, res resource) {
	info, out, err := h.reader.tile(r, res)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	tag := strconv.FormatInt(res.n, 10) + "." + strconv.Itoa(res.width)
	if res.kind == resourceBundle {
		tag += "e"
	} else {
		tag += "t" + strconv.Itoa(res.level)
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", cacheFor(info.Public))
	// Hashes do not get smaller. A bundle's three constant bytes of 35 save 2 % at best, for half a millisecond of a
	// processor (docs/ledger.md), which is more than reading and sending it take.
	h.send(w, r, tag, out, true)
}

func (h *handler) object(w http.ResponseWriter, r *http.Request, hash Hash) {
	out, public, err := h.reader.object(r, hash)
	var erased *ErrErased
	if errors.As(err, &erased) {
		h.tombstone(w, erased)
		return
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", cacheFor(public && out.bytes.Item().Marking.TLP == policy.TLPClear))
	// A clear object's content is zstd already, a sealed one's is ciphertext.
	h.send(w, r, hex.EncodeToString(hash[:]), out, true)
}

// send opens what was decided about and answers with it; without a tag, its hash is one. No other function here but batch
// sends bytes of a log or an object.
func (h *handler) send(w http.ResponseWriter, r *http.Request, tag string, out outgoing, dense bool) {
	c, err := out.open()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	if c.file != nil {
		f, err := c.file()
		if err != nil {
			h.fail(w, r, err)
			return
		}
		defer func() { _ = f.Close() }()
		h.coder.ServeDense(w, r, tag, f)
		return
	}
	b := c.bytes
	if tag == "" {
		sum := sha256.Sum256(b)
		tag = hex.EncodeToString(sum[:16])
	}
	h.coder.Serve(w, r, coding.Content{Tag: tag, Body: b, Dense: dense})
}

// tombstoneJSON is the body of a 410.
type tombstoneJSON struct {
	Object string    `json:"object"`
	Erased time.Time `json:"erased"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
}

func (h *handler) tombstone(w http.ResponseWriter, e *ErrErased) {
	b, err := json.Marshal(tombstoneJSON{Object: hex.EncodeToString(e.Hash[:]), Erased: e.Tombstone.At.UTC(), By: e.Tombstone.Issuer, Reason: e.Tombstone.Reason})
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusGone)
	_, _ = w.Write(append(b, '\n'))
}

func cacheFor(public bool) string {
	if public {
		return immutablePublic
	}
	return immutablePrivate
}

func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	var behind *ErrBehind
	switch {
	case errors.Is(err, ErrWithheld):
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "withheld: the sharing decision keeps this object from you", http.StatusForbidden)
	case errors.Is(err, ErrNotFound):
		notFoundPage(w)
	case errors.Is(err, ErrUnsettled):
		w.Header().Set("Retry-After", "5")
		http.Error(w, "recalls are still being read: ask again", http.StatusServiceUnavailable)
	case errors.As(err, &behind):
		w.Header().Set("Retry-After", "60")
		http.Error(w, "this log is being restored", http.StatusServiceUnavailable)
	case r.Context().Err() != nil:
		// The client left; nobody reads the answer.
	default:
		h.logger.ErrorContext(r.Context(), "cannot serve", "path", r.URL.EscapedPath(), "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
	}
}

func notFoundPage(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "not found", http.StatusNotFound)
}
