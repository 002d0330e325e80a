module github.com/onlink-go/onlink/dhcp

go 1.26.0

require github.com/onlink-go/onlink v0.0.0

require (
	github.com/gaissmai/bart v0.30.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/onlink-go/onlink => ..
