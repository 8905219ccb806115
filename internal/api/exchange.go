package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

// What follows is spoken between nodes. A caller is known by its signature (RFC 9421), and who is not entitled gets what
// there would be for everybody.

// longestWait is below the server's read timeout, at which net/http gives up on a connection that says nothing.
const longestWait = 50 * time.Second

func (s *server) registerExchange(mux *http.ServeMux) {
	mux.HandleFunc("GET /.well-known/mithaq", s.card)
	mux.HandleFunc("GET /changes", s.changes)
	stranger := form{limit: node.MaxReceived, types: []string{"application/json"}}
	mux.HandleFunc("POST /peers", asked(s, stranger, s.node.ReceiveCard))
	mux.HandleFunc("POST /acts", asked(s, stranger, s.node.ReceiveAct))
	mux.HandleFunc("POST /bundles", asked(s, form{limit: node.MaxBrought, types: []string{"application/zip"}, known: true}, s.node.ReceiveBundle))
	mux.HandleFunc("POST /holds", asked(s, form{limit: node.MaxHold, types: []string{"application/json"}, known: true}, s.node.ReceiveHold))
	mux.HandleFunc("POST /rolls", asked(s, stranger, s.node.ShowRolls))
	mux.HandleFunc("POST /rolls/{agreement}", asked(s, stranger, func(r *http.Request, content []byte) (node.RollFile, error) {
		return s.node.ShowRoll(r, content, r.PathValue("agreement"))
	}))
	mux.HandleFunc("POST /witness/add-checkpoint", s.addCheckpoint)
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
	query := node.ChangesQuery{After: q.Get("after")}
	for name, d := range map[string]*time.Duration{"wait": &query.Wait, "calm": &query.Calm} {
		text := q.Get(name)
		if text == "" {
			continue
		}
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 0 {
			writeProblem(w, http.StatusUnprocessableEntity, name+" is a number of seconds")
			return
		}
		*d = min(time.Duration(seconds)*time.Second, longestWait)
	}
	out, err := s.node.Changes(r.Context(), callerOf(r.Context()).party, query)
	if err != nil {
		if r.Context().Err() == nil {
			s.logger.Error("listing changes", "error", err)
			writeProblem(w, http.StatusServiceUnavailable, "try again later")
		}
		return
	}
	writeJSON(w, http.StatusOK, out)
}

// asked answers what another node sends: it is read within bounds, and verified by what is answered with. A party whose key is known
// is known before its body is read.
func asked[T any](s *server, f form, answer func(r *http.Request, content []byte) (T, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Signature-Input") == "" {
			s.node.RefusedRequest(node.RequestStranger)
			http.NotFound(w, r) // unsigned: it is not even read
			return
		}
		party := s.node.CallerAhead(r)
		if party == "" && f.known {
			_, err := s.node.CallerOf(r, nil) // which counts why
			s.logger.Debug("a body was not read", "path", r.URL.Path, "error", err)
			http.NotFound(w, r)
			return
		}
		content, done, why := s.reception.read(w, r, f, party)
		if why != nil {
			s.node.RefusedRequest(why.kind)
			writeProblem(w, why.status, why.words)
			return
		}
		defer done()
		out, err := answer(r, content)
		if err == nil {
			writeJSON(w, http.StatusOK, out)
			return
		}
		switch fault.CodeOf(err) {
		case fault.NotFound:
			http.NotFound(w, r)
		case "":
			if r.Context().Err() != nil {
				return // the caller has gone
			}
			s.logger.Error("answering another node", "path", r.URL.Path, "error", err)
			writeProblem(w, http.StatusInternalServerError, "the node's own fault: see its log")
		default:
			var p *Problem
			if !errors.As(problem(err), &p) {
				writeProblem(w, http.StatusInternalServerError, "the node's own fault: see its log")
				return
			}
			if p.Status == http.StatusUnprocessableEntity {
				s.node.RefusedRequest(node.RequestBadForm)
			}
			writeJSON(w, p.Status, p)
		}
	}
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
