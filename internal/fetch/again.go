package fetch

import "context"

// Tries is how often something is asked for whose answer breaks off.
const Tries = 3

// Again asks up to [Tries] times as long as answers break off: a line that breaks now and then costs a request, and not the
// round that it belongs to.
func Again[T any](ctx context.Context, ask func() (T, error)) (T, error) {
	for try := 1; ; try++ {
		v, err := ask()
		if try == Tries || KindOf(err) != BrokenOff || ctx.Err() != nil {
			return v, err
		}
	}
}
