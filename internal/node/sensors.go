package node

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/mithaq/mithaq/internal/detect/engine"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/store"
)

// SensorReport is what a sensor, or a run of detection, tells of itself and of the traffic it watches. It stays on this node.
type SensorReport struct {
	Name       string           `json:"name" minLength:"1" maxLength:"100" doc:"What people call it"`
	Source     string           `json:"source,omitempty" maxLength:"400" doc:"What it reads: an interface, a folder, a stream, files"`
	Version    string           `json:"version,omitempty" maxLength:"100"`
	Started    time.Time        `json:"started,omitzero"`
	Once       bool             `json:"once,omitempty" doc:"One run over files, which tells no more: its silence means nothing"`
	Events     int64            `json:"events" minimum:"0"`
	Alerts     int64            `json:"alerts" minimum:"0"`
	Context    int64            `json:"context" minimum:"0" doc:"Matches that wake nobody"`
	Indicators int              `json:"indicators" minimum:"0" doc:"That it matches"`
	Waiting    int64            `json:"waiting" minimum:"0" doc:"Sightings on its disk that the node does not have yet"`
	Dropped    map[string]int64 `json:"dropped,omitempty" doc:"What was given up or could not be read, by kind"`
	Hellos     int64            `json:"hellos,omitempty" minimum:"0" doc:"TLS and QUIC hellos of clients whose fingerprint was taken"`
	Sources    int64            `json:"sources,omitempty" minimum:"0" doc:"About how many machines it has seen"`
	Settled    bool             `json:"settled,omitempty" doc:"Enough was seen to call a fingerprint rare"`
	Prints     []SensorPrint    `json:"prints,omitempty" maxItems:"100" doc:"The rarest fingerprints"`
	Beacons    []SensorBeacon   `json:"beacons,omitempty" maxItems:"100" doc:"What calls its destination like clockwork, whether an indicator names it or not"`
}

// SensorPrint is a fingerprint of a client.
type SensorPrint struct {
	Kind    string `json:"kind" enum:"ja3,ja4"`
	Value   string `json:"value" maxLength:"200"`
	Count   int64  `json:"count" doc:"Hellos that have it"`
	Sources int64  `json:"sources" doc:"About how many machines send it"`
}

// SensorBeacon is a series of calls with the rhythm of a program's.
type SensorBeacon struct {
	Time     *time.Time    `json:"time,omitempty" doc:"Of the last call"`
	Sure     float64       `json:"sure"`
	Flow     *engine.Flow  `json:"flow,omitempty"`
	Value    string        `json:"value,omitempty" maxLength:"400" doc:"Where it calls"`
	Evidence []engine.Term `json:"evidence"`
}

// SensorView is a sensor as it last told of itself.
type SensorView struct {
	SensorReport
	Told time.Time `json:"told"`
}

const (
	// maxSensors bounds the sensors of which the node knows.
	maxSensors = 1000
	// maxSensorReport bounds what one tells, in bytes.
	maxSensorReport = 1 << 20
)

// ReportSensor keeps what a sensor tells of itself.
func (n *Node) ReportSensor(ctx context.Context, r SensorReport) error {
	if n.ledger == nil {
		return errReadOnly()
	}
	report, err := json.Marshal(r)
	if err != nil {
		return fault.New(fault.Invalid, "", "reading what sensor %s tells: %v", fault.Clip(r.Name), err)
	}
	if len(report) > maxSensorReport {
		return fault.New(fault.Invalid, "tell less", "reading what sensor %s tells: %d bytes are more than %d", fault.Clip(r.Name), len(report), maxSensorReport)
	}
	return fault.OfStore(n.store.PutSensor(ctx, store.Sensor{Name: r.Name, Told: n.now(), Report: report}, maxSensors))
}

// Sensors lists the sensors, the one that told last first.
func (n *Node) Sensors(ctx context.Context) ([]SensorView, error) {
	list, err := n.store.Sensors(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]SensorView, 0, len(list))
	for _, s := range list {
		v := SensorView{Told: s.Told}
		if err := json.Unmarshal(s.Report, &v.SensorReport); err != nil {
			return nil, fmt.Errorf("reading what sensor %s told: %w", fault.Clip(s.Name), err)
		}
		out = append(out, v)
	}
	return out, nil
}
