module github.com/onlink-go/onlink/cmd/onlink

go 1.26.0

require (
	github.com/alecthomas/kong v1.17.0
	github.com/onlink-go/onlink v0.0.0
	github.com/onlink-go/onlink/dhcp v0.0.0
	github.com/prometheus/client_golang v1.23.2
	github.com/prometheus/client_model v0.6.2
	github.com/prometheus/common v0.66.1
	golang.org/x/net v0.62.0
)

require (
	github.com/kr/text v0.2.0 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	go.yaml.in/yaml/v2 v2.4.2 // indirect
	golang.org/x/sys v0.49.0 // indirect
	google.golang.org/protobuf v1.36.8 // indirect
)

replace (
	github.com/onlink-go/onlink => ../..
	github.com/onlink-go/onlink/dhcp => ../../dhcp
)
