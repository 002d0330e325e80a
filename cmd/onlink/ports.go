package main

import (
	"fmt"
	"strings"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/afpacket"
	"github.com/onlink-go/onlink/link/capture"
	"github.com/onlink-go/onlink/link/tuntap"
)

// port is a device of the host, and the interface on it.
type port struct {
	name   string
	tun    bool
	dev    bool // an interface that this machine has already
	queues int  // of a TAP or TUN device; 0: one
	cfg    onlink.InterfaceConfig
	device link.Link         // nil until it is open
	iface  *onlink.Interface // nil until it is attached
}

// maxQueues is how many queues the kernel gives a TAP or TUN device.
const maxQueues = 256

// devices returns how many devices the flags name.
func (f *hostFlags) devices() int { return len(f.Tap) + len(f.Tun) + len(f.Dev) }

// firstPort is the index of the interface of the first port: the loopback interface's is 1, and the others follow in order.
const firstPort = 2

// ports returns the devices that the flags name, with the addresses and gateways of each.
func (f *hostFlags) ports() (all []*port, err error) {
	for _, name := range f.Tap {
		all = append(all, &port{name: name, queues: f.Queues})
	}
	for _, name := range f.Tun {
		all = append(all, &port{name: name, tun: true, queues: f.Queues})
	}
	for _, name := range f.Dev {
		all = append(all, &port{name: name, dev: true})
	}
	seen := make(map[string]bool)
	for _, p := range all {
		if seen[p.name] {
			return nil, usagef("%s is named twice", p.name)
		}
		seen[p.name] = true
		f.apply(&p.cfg)
	}
	if len(all) == 0 {
		return nil, usagef("say which device to be a host on, with --tap NAME or --tun NAME, or --dev NAME for an interface of this machine")
	}
	switch {
	case f.Queues < 0 || f.Queues > maxQueues:
		return nil, usagef("--queues %d: a device has 1 to %d", f.Queues, maxQueues)
	case f.Queues > 0 && len(f.Tap)+len(f.Tun) == 0:
		return nil, usagef("--queues %d: only a --tap or --tun has as many as it is asked to", f.Queues)
	}
	for _, a := range f.Addr {
		p, err := a.find(all, "--addr", a.Prefix)
		if err != nil {
			return nil, err
		}
		p.cfg.Addresses = append(p.cfg.Addresses, a.Prefix)
	}
	for _, g := range f.Gateway {
		p, err := g.find(all, "--gateway", g.Addr)
		if err != nil {
			return nil, err
		}
		p.cfg.Gateways = append(p.cfg.Gateways, g.Addr)
	}
	for _, p := range all {
		if p.tun && len(p.cfg.Addresses) == 0 {
			return nil, usagef("say which address to have, with --addr %sADDR/LEN", p.prefix(all))
		}
	}
	if err := f.router.check(all); err != nil || f.dhcp6 == nil {
		return all, err
	}
	return all, f.dhcp6.check(all, &f.router)
}

// prefix returns what flags about p begin with.
func (p *port) prefix(all []*port) string {
	if len(all) == 1 {
		return ""
	}
	return p.name + "="
}

// find returns the device that a flag with the given value is about.
func (d onDevice) find(all []*port, flag string, value any) (*port, error) {
	if d.device == "" {
		if len(all) == 1 {
			return all[0], nil
		}
		return nil, usagef("%s %v: there are several devices; say which, as in %s %s=%v", flag, value, flag, all[0].name, value)
	}
	for _, p := range all {
		if p.name == d.device {
			return p, nil
		}
	}
	return nil, usagef("%s %s=%v: no --tap, --tun or --dev is called %s", flag, d.device, value, d.device)
}

// open opens the device.
func (p *port) open() (err error) {
	var l link.Link
	if p.dev {
		l, err = afpacket.Open(p.name, afpacket.Config{})
	} else {
		l, err = tuntap.Open(p.name, tuntap.Config{TUN: p.tun, Queues: p.queues})
	}
	if err == nil {
		p.device = l
	}
	return err
}

// watch ends h when p, an interface of this machine, does not exist any more.
func (p *port) watch(h *host) {
	d, ok := p.device.(*afpacket.Device)
	if !ok {
		return // h notices that a TAP or TUN goes down
	}
	go func() {
		select {
		case <-d.Gone():
			h.stop(goneError{p.name})
		case <-h.ctx.Done():
		}
	}()
}

// attach makes an interface of p, which is open.
func (h *host) attach(p *port) (err error) {
	l := p.device
	if h.capture != nil {
		c := capture.New(h.Runtime(), l, h.capture.Writer, p.name)
		h.Tracer().Add(c)
		l = c
	}
	p.iface, err = h.AddLink(p.name, l, p.cfg)
	return err
}

// describe says what p is, as "tap0 (02:…): 192.0.2.2/24, fe80::…/64".
func (p *port) describe() string {
	var addrs []string
	for _, a := range p.iface.Addresses() {
		addrs = append(addrs, a.String())
	}
	name := p.iface.Name()
	if info := p.device.Info(); info.Medium == link.Ethernet {
		name += fmt.Sprintf(" (%v)", info.Addr)
	}
	return name + ": " + strings.Join(addrs, ", ")
}
