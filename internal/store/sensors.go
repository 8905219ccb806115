package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Sensor is what a sensor last told of itself.
type Sensor struct {
	Name   string
	Told   time.Time
	Report []byte // JSON
}

// PutSensor keeps what a sensor tells, in place of what it told before. Beyond most sensors, those that told nothing for
// longest are forgotten.
func (d *DB) PutSensor(ctx context.Context, s Sensor, most int) error {
	err := d.local.inTx(ctx, func(x *tx) error {
		if _, err := x.exec(ctx, `INSERT INTO sensor (name, told_us, report) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET told_us = excluded.told_us, report = excluded.report`,
			s.Name, micros(s.Told), orEmpty(s.Report)); err != nil {
			return err
		}
		_, err := x.exec(ctx, `DELETE FROM sensor WHERE name NOT IN (SELECT name FROM sensor ORDER BY told_us DESC, name LIMIT $1)`, most)
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping what a sensor tells: %w", d.explain(err))
	}
	return nil
}

// Sensors lists what sensors told, the last first.
func (d *DB) Sensors(ctx context.Context) ([]Sensor, error) {
	var out []Sensor
	err := queryRows(ctx, d.local, `SELECT name, told_us, report FROM sensor ORDER BY told_us DESC, name`, nil, func(r *sql.Rows) error {
		var s Sensor
		var told int64
		err := r.Scan(&s.Name, &told, &s.Report)
		s.Told = fromMicros(told)
		out = append(out, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing sensors: %w", err)
	}
	return out, nil
}
