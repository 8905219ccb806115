package api

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// What follows is spoken between nodes. A caller is known by its signature (RFC 9421), and who is not entitled gets what
// there would be for everybody.

// longestWait is below the server's read timeout, at which net/http gives up on a connection that says nothing.
const longestWait = 50 * time.Second

func (s *server) registerExchange(mux *http.ServeMux) {
	mux.HandleFunc("GET /.well-known/mithaq", s.card)
	mux.HandleFunc("GET /changes", s.changes)
}

func (s *server) card(w http.ResponseWriter, r *http.Request) {
	c, err := s.node.Card(r.Context())
	if err != nil {
		s.logger.Error("serving the card", "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	writeJSON(w, http.StatusOK, c)
}

// changes answers which logs have grown since ?after=, and waits up to ?wait= seconds for one that does.
func (s *server) changes(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	wait := time.Duration(0)
	if text := q.Get("wait"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 0 {
			writeProblem(w, http.StatusUnprocessableEntity, "wait is a number of seconds")
			return
		}
		wait = min(time.Duration(seconds)*time.Second, longestWait)
	}
	out, err := s.node.Changes(r.Context(), callerOf(r.Context()).party, q.Get("after"), wait)
	if err != nil {
		if r.Context().Err() == nil {
			s.logger.Error("listing changes", "error", err)
			writeProblem(w, http.StatusServiceUnavailable, "try again later")
		}
		return
	}
	writeJSON(w, http.StatusOK, out)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the caller has gone: nothing is left to do
}
