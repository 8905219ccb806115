// Package sensor matches a party's traffic for months: it follows its node's indicators, reads packets off an interface,
// files of a spool directory or events of a NATS JetStream stream, and keeps what it saw on disk until the node has it.
//
// It promises fixed memory and a bounded file for sightings, that a sighting which was written survives a power cut, that
// reading goes on where it was after a restart, and that everything it has to give up is counted. It sends nothing to
// anybody but its own node, where a person decides. Start reading at [Sensor.Run].
package sensor
