// Package capture reads packets from pcap and pcapng files, plain or compressed with gzip or zstd.
//
// It promises that a damaged file never stops a run: what cannot be read is counted by kind and
// reported with its position, reading continues at the next block that makes sense, and no packet
// costs an allocation. It does not look inside packets (package packet does) and it does not
// capture live traffic. Start reading at [NewReader].
package capture
