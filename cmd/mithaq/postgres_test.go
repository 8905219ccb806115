package main

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScriptsOnPostgreSQL runs testdata/postgres/*.txtar, each with an empty database of its own in $POSTGRES. See
// tools/postgres.sh.
func TestScriptsOnPostgreSQL(t *testing.T) {
	server := os.Getenv("MITHAQ_TEST_POSTGRES")
	if server == "" {
		t.Skip("MITHAQ_TEST_POSTGRES is not set: run tools/postgres.sh go test ./cmd/mithaq")
	}
	p := scriptParams("testdata/postgres")
	home := p.Setup
	p.Setup = func(env *testscript.Env) error {
		dsn, err := freshDatabase(env, server)
		env.Setenv("POSTGRES", dsn)
		if err != nil {
			return err
		}
		return home(env)
	}
	testscript.Run(t, p)
}

// freshDatabase makes a database and drops it when the script has ended.
func freshDatabase(env *testscript.Env, server string) (dsn string, err error) {
	db, err := sql.Open("pgx", server)
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("script_%d", os.Getpid())
	if _, err := db.Exec(`CREATE DATABASE ` + name); err != nil {
		return "", err
	}
	env.Defer(func() {
		_, _ = db.Exec(`DROP DATABASE ` + name + ` WITH (FORCE)`) // the whole cluster is thrown away anyway
		_ = db.Close()
	})
	u, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}
