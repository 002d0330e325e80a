package main

import (
	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/afpacket"
	"github.com/onlink-go/onlink/link/tuntap"
)

// onlinkTap is our stack on a TAP or TUN of the kernel's.
func onlinkTap(d direction, cfg tuntap.Config) opener {
	return d.onDevice(func() (host, error) {
		device, err := tuntap.Open(deviceName, cfg)
		if err != nil {
			return host{}, err
		}
		return onlinkHost(device, serverAddrs, onlink.Config{})
	})
}

// onlinkPacket is our stack on a packet socket, at one end of a veth pair.
func onlinkPacket(d direction) opener {
	return d.onVeth(func() (host, error) {
		device, err := afpacket.Open(farName, afpacket.Config{})
		if err != nil {
			return host{}, err
		}
		return onlinkHost(device, serverAddrs, onlink.Config{})
	})
}
