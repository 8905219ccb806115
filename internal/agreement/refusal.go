package agreement

// Code says why an act was refused.
type Code string

// The reasons.
const (
	Malformed   Code = "malformed"    // the act is wrong on its own
	OutOfTurn   Code = "out-of-turn"  // the state does not allow it now
	WrongParent Code = "wrong-parent" // it was made on another state
	WrongResult Code = "wrong-result" // the entry's resulting hash is not what the act makes
	Repeated    Code = "repeated"     // it is in the roll already
	NotEntitled Code = "not-entitled" // its author may not do this
	NoSuch      Code = "no-such"      // it names something that is not there
	TooFew      Code = "too-few"      // not enough officers signed, or no mandate
	BadText     Code = "bad-text"     // the definition cannot be read
	TooMany     Code = "too-many"     // a limit of the roll is reached
	DoubleAct   Code = "misconduct"   // provable: see [MisconductError]
)

// Refusal is why an act changes nothing. What says it in words; Remedy, where there is one, says what to do next.
type Refusal struct {
	Code   Code
	What   string
	Remedy string
	Cause  error
}

// Error prints the words and the remedy.
func (r *Refusal) Error() string {
	s := string(r.Code) + ": " + r.What
	if r.Cause != nil {
		s += ": " + r.Cause.Error()
	}
	if r.Remedy != "" {
		s += " (" + r.Remedy + ")"
	}
	return s
}

// Unwrap gives the cause.
func (r *Refusal) Unwrap() error { return r.Cause }

// Is matches refusals by their code: errors.Is(err, &Refusal{Code: OutOfTurn}).
func (r *Refusal) Is(target error) bool {
	t, ok := target.(*Refusal)
	return ok && t.Code == r.Code
}
