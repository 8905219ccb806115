module github.com/mithaq/mithaq

go 1.26.0

require (
	github.com/go-json-experiment/json v0.0.0-20260820222146-c27c302e5fc3
	golang.org/x/text v0.43.0
	pgregory.net/rapid v1.3.0
)
