// Package suricata writes indicators as rules and datasets of Suricata.
//
// It promises that no text of an indicator can leave its place in a rule, that identifiers of rules lie in a range of one's
// own and stay with their value from one export to the next, and that what no rule can say is reported. It writes rules
// that alert, never such that drop: blocking is the operator's decision. Rules need Suricata 7.
//
// Start reading at [NewWriter].
package suricata
