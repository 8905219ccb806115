// Package strictoml reads TOML the way a contract is read: every key has a place, and a key nobody asked for is an error.
//
// It promises that each problem names its file, line and column and says what to do about it, that all problems of a
// file are reported together (up to [MaxProblems]), and that hostile input costs bounded time and memory.
// It is not a general TOML library: no struct tags, no reflection, no floats; callers ask a [Table] for each key they
// know and call [Table.Done] at the end. Start reading at [Parse], then [Table].
package strictoml
