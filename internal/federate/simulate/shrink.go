package simulate

// Shrink takes away from a world that fails what it can without, and returns the smallest one that still fails. Another fault
// than the first may be what is left: it is a fault all the same.
func Shrink(c Config) Config { return shrink(c, Run) }

func shrink(c Config, run func(Config) error) Config {
	for again := true; again; {
		again = false
		for _, take := range []func(*Config){
			func(c *Config) { c.Members = max(3, c.Members/2) },
			func(c *Config) { c.Members = max(3, c.Members-1) },
			func(c *Config) { c.Records /= 2 },
			func(c *Config) { c.Records = max(0, c.Records-1) },
			func(c *Config) { c.Outsiders /= 2 },
			func(c *Config) { c.Lose = 0 },
			func(c *Config) { c.Repeat = 0 },
			func(c *Config) { c.Partitions /= 2 },
			func(c *Config) { c.Restarts /= 2 },
			func(c *Config) { c.Backups /= 2 },
			func(c *Config) { c.FullDisks /= 2 },
			func(c *Config) { c.Pauses /= 2 },
			func(c *Config) { c.Standbys /= 2 },
			func(c *Config) { c.Withdrawals = 0 },
			func(c *Config) { c.Skew = 0 },
			func(c *Config) { c.LyingAuthor = false },
			func(c *Config) { c.LyingMirror = false },
			func(c *Config) { c.RefusingWitness = false },
			func(c *Config) { c.SilentDepositary = false },
		} {
			less := c
			take(&less)
			if less != c && run(less) != nil {
				c, again = less, true
			}
		}
	}
	return c
}
