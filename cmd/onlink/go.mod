module github.com/onlink-go/onlink/cmd/onlink

go 1.26.0

require (
	github.com/alecthomas/kong v1.17.0
	github.com/onlink-go/onlink v0.0.0
	github.com/onlink-go/onlink/dhcp v0.0.0
	golang.org/x/net v0.62.0
)

require (
	github.com/gaissmai/bart v0.30.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace (
	github.com/onlink-go/onlink => ../..
	github.com/onlink-go/onlink/dhcp => ../../dhcp
)
