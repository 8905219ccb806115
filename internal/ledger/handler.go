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
)

const (
	// immutable is for what its path names for ever; private, because a shared cache does not know who may see it.
	immutablePublic  = "public, max-age=31536000, immutable"
	immutablePrivate = "private, max-age=31536000, immutable"
	// A checkpoint is asked for again each time, but its ETag makes that cheap.
	fresh = "no-cache"
)

// handler serves logs and objects.
type handler struct {
	reader    Reader
	authorize func(*http.Request, LogInfo) bool
	coder     *coding.Coder
	logger    *slog.Logger
}

// NewHandler serves
//
//	/log/<id>/checkpoint
//	/log/<id>/tile/<L>/<N>[.p/<W>]
//	/log/<id>/tile/entries/<N>[.p/<W>]
//	/object/<sha256>
//
// as C2SP tlog-tiles demands, to whom authorize permits a log; an object is permitted with any log that holds it.
// Whoever is not permitted learns nothing: the answer is 404, as for what does not exist. An erased object is 410
// with a tombstone. What cannot be read is logged. What pays is compressed, in a coding that the client takes.
func NewHandler(reader Reader, authorize func(r *http.Request, log LogInfo) bool, logger *slog.Logger) http.Handler {
	return &handler{reader: reader, authorize: authorize, coder: coding.New(), logger: logger}
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
	if !ok {
		notFoundPage(w)
		return
	}
	if res.kind == resourceObject {
		h.object(w, r, res.hash)
		return
	}
	info, err := h.reader.Log(r.Context(), res.logID)
	if err == nil && !h.authorize(r, info) {
		err = ErrNotFound
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	if res.kind == resourceCheckpoint {
		h.checkpoint(w, r, info)
		return
	}
	h.tile(w, r, info, res)
}

func (h *handler) checkpoint(w http.ResponseWriter, r *http.Request, info LogInfo) {
	b, err := h.reader.Checkpoint(r.Context(), info.ID)
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
	sum := sha256.Sum256(b)
	h.coder.Serve(w, r, coding.Content{Tag: hex.EncodeToString(sum[:16]), Body: b})
}

func (h *handler) tile(w http.ResponseWriter, r *http.Request, info LogInfo, res resource) {
	var b []byte
	var err error
	tag := strconv.FormatInt(res.n, 10) + "." + strconv.Itoa(res.width)
	if res.kind == resourceBundle {
		b, err = h.reader.Bundle(r.Context(), info.ID, res.n, res.width)
		tag += "e"
	} else {
		b, err = h.reader.Tile(r.Context(), info.ID, res.level, res.n, res.width)
		tag += "t" + strconv.Itoa(res.level)
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", cacheFor(info.Public))
	// Hashes do not get smaller. A bundle's three constant bytes of 35 save 2 % at best, for half a millisecond of a
	// processor (docs/ledger.md), which is more than reading and sending it take.
	h.coder.Serve(w, r, coding.Content{Tag: tag, Body: b, Dense: true})
}

func (h *handler) object(w http.ResponseWriter, r *http.Request, hash Hash) {
	o, err := h.reader.Object(r.Context(), hash)
	var erased *ErrErased
	if err != nil && !errors.As(err, &erased) {
		h.fail(w, r, err)
		return
	}
	allowed, public := false, false
	for _, info := range o.Logs {
		allowed = allowed || h.authorize(r, info)
		public = public || info.Public
	}
	if !allowed {
		notFoundPage(w)
		return
	}
	if erased != nil {
		h.tombstone(w, erased)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", cacheFor(public))
	// A clear object's content is zstd already, a sealed one's is ciphertext.
	h.coder.Serve(w, r, coding.Content{Tag: hex.EncodeToString(hash[:]), Body: o.Bytes, Dense: true})
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
	case errors.Is(err, ErrNotFound):
		notFoundPage(w)
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
