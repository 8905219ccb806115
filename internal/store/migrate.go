package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path/filepath"

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
	p, err := goose.NewProvider(dialect, db, sub, opts...)
	if err != nil {
		return fmt.Errorf("preparing the migrations of the %s tables: %w", scope, err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrating the %s tables: %w", scope, err)
	}
	return nil
}
