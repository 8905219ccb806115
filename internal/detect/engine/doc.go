// Package engine matches events against indicators, and says of each match what was seen where, which indicator it
// was and from whom, why it counts and how sure it is.
//
// It promises that nothing fires that is revoked, outside of its time or not allowed, judged when the match is made;
// that sureness is a sum of named terms; and that a fingerprint alone is context, never an alert. It reads no input
// itself (packages logs and traffic do). Start reading at [Engine.Event].
package engine
