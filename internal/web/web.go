package web

import (
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
)

// Options of the screens.
type Options struct {
	Files  fs.FS // the built files: index.html and assets/
	Logger *slog.Logger
	// Doors are the parties of the demonstration, each with the address that signs in at its node with one click.
	// Empty outside the demonstration.
	Doors func() []Door
	// Key opens this node's own door; empty: there is none.
	Key string
}

// Door is one party of the demonstration.
type Door struct {
	Party string            `json:"party"`
	Names map[string]string `json:"names"`
	URL   string            `json:"url"`
}

// Screens is the handler of everything that a browser is served.
type Screens struct {
	node     *node.Node
	options  Options
	files    *files
	sessions *scs.SessionManager
	limits   *limits
	live     *live
	openID   providers
}

// New makes the screens of a node.
func New(n *node.Node, o Options) (*Screens, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Screens{node: n, options: o, limits: newLimits(time.Now), live: newLive(n, o.Logger)}
	var err error
	if s.files, err = readFiles(o.Files); err != nil {
		return nil, err
	}
	s.sessions = newSessions(n)
	return s, nil
}

// Close ends the live connections, so that a stopping server need not wait for them.
func (s *Screens) Close() { s.live.close() }

// Over is the whole outside surface: the screens and, beneath them, the API.
func (s *Screens) Over(beneath http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /session", s.who)
	mux.HandleFunc("POST /session", s.signIn)
	mux.HandleFunc("DELETE /session", s.signOut)
	mux.HandleFunc("POST /session/passkey", s.askPasskey)
	mux.HandleFunc("POST /session/passkey/confirm", s.usePasskey)
	mux.HandleFunc("GET /session/oidc", s.toProvider)
	mux.HandleFunc("GET /session/oidc/return", s.fromProvider)
	mux.HandleFunc("GET /session/factors", s.mine(false, s.factors))
	mux.HandleFunc("DELETE /session/factors/{kind}/{id}", s.mine(true, s.removeFactor))
	mux.HandleFunc("POST /session/codes", s.mine(true, s.offerCodes))
	mux.HandleFunc("POST /session/codes/confirm", s.mine(true, s.addCodes))
	mux.HandleFunc("POST /session/passkeys", s.mine(true, s.offerPasskey))
	mux.HandleFunc("POST /session/passkeys/confirm", s.mine(true, s.addPasskey))
	mux.HandleFunc("GET /enter/{key}", s.enter)
	mux.HandleFunc("GET /live", s.serveLive)
	mux.HandleFunc("GET /assets/", s.files.serveAsset)
	mux.HandleFunc("GET /favicon.svg", s.files.serveAsset)
	mux.HandleFunc("GET /{$}", s.files.servePage)
	for _, screen := range screens {
		mux.HandleFunc("GET /"+screen, s.files.servePage)
		mux.HandleFunc("GET /"+screen+"/", s.files.servePage)
	}
	mux.Handle("/", s.files.orPage(s.lend(beneath)))
	return protected(mux)
}

// screens are the first words of the screens' addresses; every other address is the API's.
var screens = []string{"sign-in", "promises", "today", "agreements", "participants", "exchange", "desk", "watch", "record", "admin", "account", "design"}

// lend gives a request to the API the scopes of who is signed in. A request that carries a token of its own is left alone.
func (s *Screens) lend(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			if p, ok := s.person(r); ok {
				r = api.As(r, p)
				w.Header().Set("Cache-Control", "no-store")
			}
		}
		next.ServeHTTP(w, r)
	})
}

// protected refuses what another site made the browser send, and says what the browser may do with what it gets.
func protected(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fail(w, http.StatusForbidden, "cross-site", "another site sent this request: open the screens themselves")
	}))
	return cross.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
		next.ServeHTTP(w, r)
	}))
}

// contentPolicy allows this node's own files and nothing inline. Trusted types leave one way to make HTML from a string:
// the one by which Svelte clones its templates.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types svelte-trusted-html"
