package store

import (
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	_ "modernc.org/sqlite" // the only place that names the SQLite driver
)

// sqlitePragmas are set on every connection, in this order of meaning:
// busy_timeout comes first so that the others wait for a lock instead of failing;
// synchronous=FULL makes every commit in the write-ahead log an fsync, which is what "durable" means here;
// secure_delete overwrites what an erasure frees; the mapping is kept small because resident memory is promised.
var sqlitePragmas = []string{
	"busy_timeout(10000)",
	"journal_mode(WAL)",
	"synchronous(FULL)",
	"secure_delete(ON)",
	"mmap_size(16777216)",
	"journal_size_limit(67108864)",
	"wal_autocheckpoint(4000)",
	"foreign_keys(ON)",
	"temp_store(MEMORY)",
}

// openSQLite opens one file as a pool of one writing connection, with more pragmas, and a pool of few reading ones.
func openSQLite(path string, readOnly bool, more ...string) (write, read *sql.DB, err error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, nil, fmt.Errorf("resolving %q: %w", path, err)
	}
	write, err = sql.Open("sqlite", sqliteURI(abs, "immediate", readOnly, append([]string{"cache_size(-16000)"}, more...)...))
	if err != nil {
		return nil, nil, fmt.Errorf("opening %q: %w", path, err)
	}
	write.SetMaxOpenConns(1)
	write.SetMaxIdleConns(1)
	read, err = sql.Open("sqlite", sqliteURI(abs, "deferred", true, "cache_size(-4000)"))
	if err != nil {
		_ = write.Close()
		return nil, nil, fmt.Errorf("opening %q: %w", path, err)
	}
	read.SetMaxOpenConns(4)
	read.SetMaxIdleConns(4)
	return write, read, nil
}

// sqliteURI names a file with the pragmas of a connection; of two that set the same the later holds. The driver sets them in an
// order of its own, so that there must not be both.
func sqliteURI(abs, txlock string, queryOnly bool, more ...string) string {
	q := url.Values{}
	pragmas := slices.Concat(sqlitePragmas, more)
	for i, p := range pragmas {
		name, _, _ := strings.Cut(p, "(")
		if !slices.ContainsFunc(pragmas[i+1:], func(later string) bool { return strings.HasPrefix(later, name+"(") }) {
			q.Add("_pragma", p)
		}
	}
	if queryOnly {
		q.Add("_pragma", "query_only(ON)")
	}
	q.Set("_txlock", txlock)
	u := url.URL{Scheme: "file", Path: abs, RawQuery: q.Encode()}
	return u.String()
}
