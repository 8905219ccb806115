package store

import "testing"

func TestLastingStatements(t *testing.T) {
	for query, want := range map[string]string{
		"SELECT a FROM b LIMIT $12":                            "SELECT a FROM b LIMIT $12 + 0",
		"SELECT a FROM (SELECT a FROM b LIMIT $1) AS c":        "SELECT a FROM (SELECT a FROM b LIMIT $1 + 0) AS c",
		"SELECT a FROM b LIMIT 1":                              "SELECT a FROM b LIMIT 1",
		"INSERT INTO quota_limit (no) VALUES ($1)":             "INSERT INTO quota_limit (no) VALUES ($1)",
		"SELECT a FROM b WHERE c = $1 ORDER BY a LIMIT $2 + 0": "SELECT a FROM b WHERE c = $1 ORDER BY a LIMIT $2 + 0 + 0",
	} {
		if got := lasting(query); got != want {
			t.Errorf("%s\nbecame %s", query, got)
		}
	}
}
