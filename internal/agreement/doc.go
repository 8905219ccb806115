// Package agreement holds what an agreement is and how its state follows from its roll, as pure values.
//
// It promises that the same roll folds to the same state with the same hash on every machine, that a refused act changes
// nothing and says why with a typed error, and that an agreement file is read strictly and printed in one stable form.
// It is *not* the place of signatures, envelopes and proofs (package record checks those before an act gets here),
// nor of decisions (package policy compiles the rules that are only text here), nor of any I/O or clock: times are parameters.
//
// Start reading at [Agreement] (what a file says), then [Load] and [Print] (the file), [State] and [Apply] (the roll),
// [FoldPair] (two parties alone), [Promises] (which commitments are kept). docs/agreement-file.md and docs/agreement-state.md are the specifications.
package agreement
