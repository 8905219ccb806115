module github.com/mithaq/mithaq

go 1.26

require (
	github.com/gopacket/gopacket v1.7.7
	github.com/klauspost/compress v1.20.3
	pgregory.net/rapid v1.3.0
)
