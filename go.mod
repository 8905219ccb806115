module github.com/mithaq/mithaq

go 1.26.0

require (
	github.com/blevesearch/snowballstem v0.9.0
	golang.org/x/text v0.43.0
	pgregory.net/rapid v1.3.0
)
