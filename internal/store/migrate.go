package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// migrate brings one scope ("truth" or "local") to the newest version of its tables.
//
// On PostgreSQL goose's lock table keeps two starting replicas apart. goose has no such lock for SQLite; there a file
// lock beside the database does the same, because SQLite is only ever used by processes of one machine.
func migrate(ctx context.Context, db *sql.DB, k kind, scope, dir string) error {
	sub, err := fs.Sub(migrations, "migrations/"+k.String()+"/"+scope)
	if err != nil {
		return fmt.Errorf("reading the embedded migrations: %w", err)
	}
	table := "goose_" + scope
	opts := []goose.ProviderOption{goose.WithTableName(table), goose.WithDisableGlobalRegistry(true)}
	dialect := goose.DialectSQLite3
	if k == postgres {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresTableLocker()
		if err != nil {
			return fmt.Errorf("preparing the migration lock: %w", err)
		}
		opts = append(opts, goose.WithLocker(locker))
	} else {
		unlock, err := lockFile(ctx, filepath.Join(dir, "migrate.lock"))
		if err != nil {
			return fmt.Errorf("waiting for the migration lock: %w", err)
		}
		defer unlock()
	}
	steps, err := migrationSteps(sub)
	if err != nil {
		return fmt.Errorf("reading the migrations of the %s tables: %w", scope, err)
	}
	p, err := goose.NewProvider(dialect, db, nil, append(opts, goose.WithGoMigrations(steps...))...)
	if err != nil {
		return fmt.Errorf("preparing the migrations of the %s tables: %w", scope, err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrating the %s tables: %w", scope, err)
	}
	return nil
}

// migrationSteps reads the files of one scope: each is carried out whole, in one transaction, up to its way back. goose would cut
// them into statements at every start, with a buffer of 4 MiB for a line; both databases take them uncut.
func migrationSteps(sub fs.FS) ([]*goose.Migration, error) {
	names, err := fs.Glob(sub, "*.sql")
	if err != nil {
		return nil, err
	}
	var steps []*goose.Migration
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return nil, err
		}
		text, err := fs.ReadFile(sub, name)
		if err != nil {
			return nil, err
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		run := func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, up)
			return err
		}
		steps = append(steps, goose.NewGoMigration(version, &goose.GoFunc{RunTx: run}, nil))
	}
	return steps, nil
}
