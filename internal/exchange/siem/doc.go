// Package siem writes alerts, sightings and indicators as log lines for a SIEM: CEF in syslog, and JSON lines in the Elastic
// Common Schema.
//
// It promises one line for each, whatever their texts hold, and the marking on each of them. It sends nothing: lines go to a
// writer. Start reading at [Event], then [Event.CEF] and [Event.ECS].
package siem
