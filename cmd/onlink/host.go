package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/capture"
	"github.com/onlink-go/onlink/trace"
)

// hostFlags describe the host that up and fetch are.
type hostFlags struct {
	Tap           []string     `help:"TAP device to be a host on: it carries Ethernet frames. May be repeated." placeholder:"NAME"`
	Tun           []string     `help:"TUN device to be a host on: it carries IP packets. May be repeated." placeholder:"NAME"`
	Dev           []string     `help:"Interface of this machine to be a host on, a network card or one end of a veth pair, beside the kernel: with addresses of its own. May be repeated." placeholder:"NAME"`
	Queues        int          `help:"How many queues a TAP or TUN device has, for as many processors to take in what comes; of a device that is there, if it was made with multi_queue." placeholder:"N"`
	Addr          []hostAddr   `help:"Address of the host with its prefix length; with several devices, and the device it is on. May be repeated. On Ethernet without any, the host takes those that routers tell of." placeholder:"[DEVICE=]ADDR/LEN"`
	Gateway       []gateway    `help:"Router to everywhere else; one of each family." placeholder:"[DEVICE=]ADDR"`
	Route         []staticPath `help:"Way to PREFIX through the router GATEWAY; with %DEVICE behind it where that is link-local. May be repeated." placeholder:"PREFIX=GATEWAY"`
	DNS           []nameServer `help:"Name server, with :PORT if it is not 53; may be repeated." placeholder:"ADDR" name:"dns"`
	Search        []string     `help:"Domain to look names up in, before those that are told of; may be repeated." placeholder:"DOMAIN"`
	autoconfFlags `embed:""`
	dhcpFlags     `embed:""`
	Pcap          string `help:"Write all frames to FILE, as pcapng." placeholder:"FILE"`

	router routerFlags // up's; zero: no router
	dhcp6  *dhcp6Flags // up's; nil: as routers say

	attached func(*host) error // called when the host is on its devices, its addresses not yet verified; nil: nothing
}

// host is a running stack on a device.
type host struct {
	*onlink.Stack
	ports   []*port
	capture *captureFile // nil: none
	news    *news
	control *controlServer // nil: none
	dhcp6   *dhcp6Clients  // nil: none
	dhcp    dhcpClients    // of DHCPv4

	ctx  context.Context // done when the one given to open is, or when the device is gone
	stop context.CancelCauseFunc
}

// goneError is why a host ends whose device was deleted.
type goneError struct{ device string }

// Error says what happened to the device.
func (e goneError) Error() string { return e.device + " is gone: it was deleted while in use" }

// Trace notices that the device is gone, which is not to say that the interface was taken down. It is called with locks of the
// stack held, and so asks the device elsewhere.
func (h *host) Trace(e *trace.Event) {
	if e.Kind != trace.InterfaceDown {
		return
	}
	p := h.ports[e.In-firstPort]
	if p.dev {
		return // it may be up again; see port.watch
	}
	go func() {
		if !p.device.Info().Up {
			h.stop(goneError{p.name})
		}
	}()
}

// fault returns why the host had to end, if nobody asked for it.
func (h *host) fault() error {
	if e, ok := errors.AsType[goneError](context.Cause(h.ctx)); ok {
		return e
	}
	return nil
}

// open makes the host, its addresses verified.
func (f *hostFlags) open(ctx context.Context) (_ *host, err error) {
	h := &host{news: newNews()}
	if f.dhcp6 == nil {
		f.dhcp6 = &dhcp6Flags{}
	}
	if h.ports, err = f.ports(); err != nil {
		return nil, err
	}
	leasing, err := f.dhcpFlags.ports(h.ports)
	if err != nil {
		return nil, err
	}
	cfg := onlink.Config{Forwarding: f.router.Forward, DNSSearch: f.Search, TCP: settingsOfTCP()}
	for _, server := range f.DNS {
		cfg.DNS = append(cfg.DNS, server.AddrPort)
	}
	h.ctx, h.stop = context.WithCancelCause(ctx)
	defer func() {
		if err != nil {
			h.discard()
		}
	}()
	if h.Stack, err = onlink.New(cfg); err != nil {
		return nil, err
	}
	for _, p := range h.ports {
		if err = p.open(); err != nil {
			return nil, err
		}
		p.watch(h)
	}
	if f.Pcap != "" {
		if h.capture, err = createCapture(f.Pcap); err != nil {
			return nil, err
		}
	}
	h.Tracer().Add(h)
	h.Tracer().Add(h.news)
	for _, p := range h.ports {
		if err = h.attach(p); err != nil {
			return nil, err
		}
	}
	if f.attached != nil {
		if err = f.attached(h); err != nil {
			return nil, err
		}
	}
	if err = f.configure(h); err == nil {
		h.dhcp6, err = f.dhcp6.start(h, &f.router)
	}
	if err == nil {
		err = f.dhcpFlags.start(h, leasing, f.dhcp6.duid)
	}
	if err == nil {
		err = f.wait(h)
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		err = fmt.Errorf("%w: give this host another --addr, or find out why that one has it", err)
	}
	if fault := h.fault(); fault != nil {
		err = fault
	}
	return h, err
}

// wait waits until the addresses are verified; without any that was given, for those that a router tells of.
func (f *hostFlags) wait(h *host) error {
	if err := h.waitReady(); err != nil {
		return err
	}
	if f.DHCP.given {
		return h.dhcp.wait(h.ctx)
	}
	if len(f.Addr) > 0 || f.router.Forward || f.IgnoreRA && !f.dhcp6.DHCP6 {
		return nil
	}
	if err := h.news.waitForRouter(h.ctx); err != nil {
		return err
	}
	return h.waitReady() // for the others that came with it
}

// discard undoes what open has done.
func (h *host) discard() {
	h.stop(nil)
	h.dhcp6.stop()
	h.dhcp.end()
	h.control.close() // the error that brought us here is the one to tell
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if h.Stack != nil {
		h.Close(done) // nothing is open yet that could be reset
	}
	for _, p := range h.ports {
		if p.device != nil {
			p.device.Close() // a second Close is harmless
		}
	}
	if h.capture != nil {
		h.capture.Close() // what is in it stays; the error that brought us here is the one to tell
	}
}

// patience is how long connections have to close in an orderly way at the end.
const patience = 3 * time.Second

// close ends the host: connections first, then the device, then the capture.
func (h *host) close() error {
	defer h.stop(nil)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	h.dhcp6.stop() // while it can still speak to servers
	gone := errors.Join(h.control.close(), h.dhcp.leave(ctx, h.Stack))
	err := h.Close(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil // connections whose peers did not close in time were reset: that is how a host goes down
	}
	err = errors.Join(gone, err)
	if h.capture != nil {
		err = errors.Join(err, h.capture.Close())
	}
	return err
}

// describe says who the host is, as "tap0 (02:…): 192.0.2.2/24, fe80::…/64"; devices are separated by semicolons.
func (h *host) describe() string {
	var all []string
	for _, p := range h.ports {
		all = append(all, p.describe())
	}
	return strings.Join(all, "; ")
}

// captureFile is a pcapng file being written.
type captureFile struct {
	*capture.Writer
	b *bufio.Writer
	f *os.File
}

func createCapture(path string) (*captureFile, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	b := bufio.NewWriterSize(f, 1<<20)
	return &captureFile{capture.NewWriter(b, capture.Config{}), b, f}, nil
}

// Close writes out what is buffered and closes the file.
func (c *captureFile) Close() error {
	return errors.Join(c.Writer.Close(), c.b.Flush(), c.f.Close())
}

// settingsOfTCP are those of every stack here: all congestion controls can be chosen.
func settingsOfTCP() onlink.TCPConfig {
	return onlink.TCPConfig{Algorithms: []onlink.CongestionAlgorithm{onlink.BBR()}}
}
