module github.com/onlink-go/onlink/itest

go 1.26.0

require (
	github.com/gopacket/gopacket v1.7.7
	github.com/onlink-go/onlink v0.0.0
	github.com/onlink-go/onlink/dhcp v0.0.0
	go.uber.org/goleak v1.3.0
	golang.org/x/sys v0.49.0
	pgregory.net/rapid v1.3.0
)

require (
	github.com/gaissmai/bart v0.30.0 // indirect
	golang.org/x/net v0.62.0 // indirect
)

replace (
	github.com/onlink-go/onlink => ..
	github.com/onlink-go/onlink/dhcp => ../dhcp
)
