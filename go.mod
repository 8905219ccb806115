module github.com/mithaq/mithaq

go 1.26
