module github.com/mithaq/mithaq

go 1.26

require (
	github.com/gopacket/gopacket v1.7.7 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	pgregory.net/rapid v1.3.0 // indirect
)
