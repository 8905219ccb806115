package store

import (
	"database/sql"
	"fmt"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the only place that names the PostgreSQL driver
)

// openPostgres opens a pool for writing transactions and one for reads, so that readers cannot starve the writer.
func openPostgres(dsn string) (write, read *sql.DB, err error) {
	write, err = sql.Open("pgx", dsn)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the PostgreSQL database: %w", err)
	}
	write.SetMaxOpenConns(2)
	write.SetConnMaxIdleTime(10 * time.Minute)
	read, err = sql.Open("pgx", dsn)
	if err != nil {
		_ = write.Close()
		return nil, nil, fmt.Errorf("opening the PostgreSQL database: %w", err)
	}
	read.SetMaxOpenConns(8)
	read.SetConnMaxIdleTime(10 * time.Minute)
	return write, read, nil
}
