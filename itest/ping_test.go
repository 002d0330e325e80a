package itest

import (
	"context"
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/onlink-go/onlink"
)

func itoa(n int) string { return strconv.Itoa(n) }

// sizes of pings: one that fits a packet and one that takes six fragments.
var pingSizes = []int{56, 8000}

// ping lets the kernel's side ping once, which must be answered. (Of several pings, the program waits for the last only
// as long as others took.)
func (n *namespace) ping(target string, size int) (out string) {
	n.t.Helper()
	return n.run("ping", "-c", "1", "-W", "20", "-s", itoa(size), target)
}

func TestPingFromKernel(t *testing.T) {
	t.Parallel()
	need(t, "ping")
	eachLink(t, func(t *testing.T, r *rig) {
		targets := []string{v4.stack, v6.stack}
		if r.name == "tap0" {
			targets = append(targets, r.linkLocal().String()+"%tap0")
		}
		for _, target := range targets {
			for _, size := range pingSizes {
				for range 3 {
					if out := r.ping(target, size); strings.Contains(out, "wrong data") {
						t.Errorf("%s, %d octets:\n%s", target, size, out)
					}
				}
			}
		}
	})
}

// RFC 4291, 2.8: a node must recognize the All-Nodes multicast address as its own; RFC 4443, 4.2: its answer comes
// from a unicast address of the interface.
func TestPingAllNodes(t *testing.T) {
	t.Parallel()
	need(t, "ping")
	r := newRig(t, setup{})
	// The kernel, which is a node too, answers itself first: so there have to be several.
	eventually(t, "the stack answers", func() bool {
		out := r.run("ping", "-c", "5", "-i", "0.1", "ff02::1%tap0")
		return strings.Contains(out, "from "+r.linkLocal().String()+"%tap0")
	})
}

func TestPingFromStack(t *testing.T) {
	t.Parallel()
	eachLink(t, func(t *testing.T, r *rig) {
		targets := []netip.Addr{netip.MustParseAddr(v4.kernel), netip.MustParseAddr(v6.kernel)}
		if r.name == "tap0" {
			targets = append(targets, r.kernelLinkLocal())
		}
		for _, target := range targets {
			for _, size := range pingSizes {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				reply, err := r.Ping(ctx, target, onlink.PingConfig{Size: size})
				cancel()
				if err != nil {
					t.Fatalf("%v, %d octets: %v", target, size, err)
				}
				if reply.From != target || reply.Size != size || reply.HopLimit != 64 || reply.RTT <= 0 {
					t.Errorf("%v, %d octets: %+v", target, size, reply)
				}
			}
		}
	})
}

// neighbor is an entry of `ip -json neigh`.
type neighbor struct {
	Dst    netip.Addr
	LLAddr string
	State  []string
}

func (r *rig) kernelNeighbors() (n []neighbor) {
	r.t.Helper()
	r.json(&n, "neigh show dev "+r.name)
	return n
}

// kernelAddress is an address of `ip -json address`.
type kernelAddress struct {
	Local     netip.Addr
	Scope     string
	Tentative bool
	DADFailed bool
}

func (r *rig) kernelAddresses() []kernelAddress {
	r.t.Helper()
	var links []struct {
		Addrs []kernelAddress `json:"addr_info"`
	}
	r.json(&links, "address show dev "+r.name)
	return links[0].Addrs
}

// kernelMAC returns the link address of the kernel's side.
func (r *rig) kernelMAC() string {
	r.t.Helper()
	var links []struct{ Address string }
	r.json(&links, "link show dev "+r.name)
	return links[0].Address
}

// kernelLinkLocal returns the kernel's link-local address, with the stack's name for the interface as zone, when it is
// in use.
func (r *rig) kernelLinkLocal() (found netip.Addr) {
	r.t.Helper()
	eventually(r.t, "the kernel has a link-local address", func() bool {
		for _, a := range r.kernelAddresses() {
			if a.Scope == "link" {
				found = a.Local.WithZone(r.name)
				return r.isLocal(a.Local.String())
			}
		}
		return false
	})
	return found
}

// json runs `ip -json` with args and decodes what it prints.
func (r *rig) json(v any, args string) {
	r.t.Helper()
	out := r.ip("-json " + args)
	if err := json.Unmarshal([]byte(out), v); err != nil {
		r.t.Fatalf("ip %s: %v\n%s", args, err, out)
	}
}

func TestKernelFindsStackReachable(t *testing.T) {
	t.Parallel()
	need(t, "ping")
	r := newRig(t, setup{})
	want := r.device.Info().Addr.String()
	for _, target := range []netip.Addr{netip.MustParseAddr(v4.stack), netip.MustParseAddr(v6.stack), r.linkLocal()} {
		if target.IsLinkLocalUnicast() {
			r.ping(target.String()+"%tap0", 56)
		} else {
			r.ping(target.String(), 56)
		}
		i := slices.IndexFunc(r.kernelNeighbors(), func(n neighbor) bool {
			return n.Dst == target && n.LLAddr == want && slices.Contains(n.State, "REACHABLE")
		})
		if i < 0 {
			t.Errorf("%v is not REACHABLE at %s: %+v", target, want, r.kernelNeighbors())
		}
	}
}
