module github.com/onlink-go/onlink/dhcp

go 1.26.0

require (
	github.com/onlink-go/onlink v0.0.0
	golang.org/x/net v0.62.0
)

require golang.org/x/sys v0.49.0 // indirect

replace github.com/onlink-go/onlink => ..
