package simulate

import "time"

// Config says what a world has. The zero value of a fault: it does not happen.
type Config struct {
	Seed    uint64
	Members int // 3 to 30, the depositary among them
	Records int // that honest members publish, all together
	// Probabilities of one message.
	Lose, Repeat float64
	// How often things happen to somebody, on the whole.
	Partitions, Restarts, Backups, FullDisks, Withdrawals int
	// Members, from the depositary on, whose log two processes may write, and how often one of somebody's stands still.
	Standbys, Pauses                          int
	Skew                                      time.Duration // of clocks, at most
	LyingAuthor, LyingMirror, RefusingWitness bool
	SilentDepositary                          bool
	Outsiders                                 int
}

// ConfigOf draws a world from a seed: mostly small ones, in which faults meet more often; one in a hundred has up to 30 members.
func ConfigOf(seed uint64) Config {
	d := newDice(seed)
	members := 3 + d.IntN(3)
	switch {
	case d.chance(0.01):
		members = 13 + d.IntN(18)
	case d.chance(0.1):
		members = 6 + d.IntN(7)
	}
	return Config{Seed: seed, Members: members, Records: 4 + d.IntN(20), Lose: d.Float64() * 0.3, Repeat: d.Float64() * 0.2,
		Partitions: d.IntN(4), Restarts: d.IntN(5), Backups: d.IntN(4), FullDisks: d.IntN(3), Withdrawals: d.IntN(2),
		Standbys: d.IntN(3), Pauses: d.IntN(5),
		Skew: time.Duration(d.IntN(15)) * time.Minute, LyingAuthor: d.chance(0.5), LyingMirror: d.chance(0.4), RefusingWitness: d.chance(0.3),
		SilentDepositary: d.chance(0.2), Outsiders: d.IntN(3)}
}
