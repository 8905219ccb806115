// Package policy answers one question for every exit of the program: may this principal have this item, for this use,
// now? The answer is no unless a rule says yes, and it comes with its reasons.
//
// It promises that nothing is allowed without a permitting rule; that TLP:RED reaches no one but its named persons,
// whatever an agreement's own rules say; that a recall, an expiry or a rule that forbids only ever takes away, and that
// a stricter marking never reaches further than a laxer one; and that a page of items costs as many evaluations as it
// has decision classes. Markings (TLP 2.0, PAP) and audiences are Cedar policies in shipped/, an agreement adds its own
// under a closed schema, and recall, expiry and erasure are filters outside Cedar that can only deny.
//
// One thing a recall does not do: keep an author, or its own auditor, from having the bytes of its own object back
// (exit "object"), without which it could not restore its log. Erasure does.
//
// It is not an identity system and keeps no state: who asks, where a party stands and which recalls bind are facts the
// caller brings, and so is the time. It does no I/O.
//
// Start reading at [Decider.Decide], then shipped/*.cedar, then [LoadRules].
package policy
