// Hello serves HTTP through onlink on a TUN.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/netip"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/tuntap"
)

func main() {
	device, err := tuntap.Open("tun0", tuntap.Config{TUN: true})
	if err != nil {
		log.Fatal(err)
	}
	s, err := onlink.New(onlink.Config{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := s.AddLink("tun0", device, onlink.InterfaceConfig{Addresses: []netip.Prefix{netip.MustParsePrefix("198.51.100.2/24")}}); err != nil {
		log.Fatal(err)
	}
	l, err := s.Listen(context.Background(), "tcp", ":80")
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "Hello, world") })))
}
