// Package record is the spine's vocabulary: what a party signs, how the bytes are laid out, who may have signed them,
// and to whom they are sealed. It is docs/formats.md, sections 1 to 7, 9 and 10, in Go.
//
// It promises that what it hands out was checked whole (strict JSON, every signature, every role, every limit), that
// bytes it was given are never rewritten, and that every refusal is an [Error] naming the place and the remedy.
//
// It is not for storage, logs, clocks or commands: it does no input or output, starts nothing, and takes time and
// randomness as parameters (age's own file keys excepted, which come from the system). Whether somebody may see a
// record is package policy's business.
//
// Start reading at [Record] (what is said), then [OpenRecord] (when to believe it), [Keyring] and [History] (whose
// keys), [SealObject] and [OpenObject] (how it travels), [Kinds] (what can be said).
package record
