module github.com/onlink-go/onlink/itest

go 1.26.0

require (
	github.com/gopacket/gopacket v1.7.7
	github.com/insomniacslk/dhcp v0.0.0-20260901064844-234b97448fae
	github.com/onlink-go/onlink v0.0.0
	github.com/onlink-go/onlink/dhcp v0.0.0
	go.uber.org/goleak v1.3.0
	golang.org/x/sys v0.49.0
	pgregory.net/rapid v1.3.0
)

require (
	github.com/josharian/native v1.1.0 // indirect
	github.com/pierrec/lz4/v4 v4.1.14 // indirect
	github.com/u-root/uio v0.0.0-20230220225925-ffce2a382923 // indirect
	golang.org/x/net v0.62.0 // indirect
)

replace (
	github.com/onlink-go/onlink => ..
	github.com/onlink-go/onlink/dhcp => ../dhcp
)
