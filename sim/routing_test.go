package sim_test

import (
	"fmt"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/wire"
)

// routed is a client and a server with several routers side by side between their links.
type routed struct {
	*sim.Network
	client, server *sim.Node
	routers        []*sim.Node
	near, far      []*sim.Cable // the client's, or the server's, and then the routers'
	first          []uint64     // packets of the client to each router, by link-layer address
}

// The addresses of routed, by family: of the server, of router i on the client's link, and of networks behind all routers
// where nobody is.
var routedAddrs = []struct{ family, server, near, nowhere string }{
	{"IPv4", "198.51.100.9", "192.0.2.%d", "10.0.0.0/8"},
	{"IPv6", "2001:db8:2::9", "2001:db8:1::%d", "2001:db8:f::/48"},
}

// newRouted returns a network with count routers. The client has the given gateways; without, it has addresses of its own
// and listens to advertisements.
func newRouted(t testing.TB, count int, gateways ...string) *routed {
	t.Helper()
	n := sim.New(1)
	t.Cleanup(n.Stop)
	r := &routed{Network: n, client: n.Host("client"), server: n.Host("server"), first: make([]uint64, count)}
	near := []sim.Port{r.client.Port("eth0", "192.0.2.9/24", "2001:db8:1::9/64").Gateway(gateways...)}
	far := []sim.Port{r.server.Port("eth0", "198.51.100.9/24", "2001:db8:2::9/64")}
	for i := 1; i <= count; i++ {
		node := n.Router(fmt.Sprint("r", i))
		r.routers = append(r.routers, node)
		near = append(near, node.Port("eth0", fmt.Sprintf("192.0.2.%d/24", i), fmt.Sprintf("2001:db8:1::%d/64", i), fmt.Sprintf("fe80::%d/64", i)))
		far = append(far, node.Port("eth1", fmt.Sprintf("198.51.100.%d/24", i), fmt.Sprintf("2001:db8:2::%d/64", i)))
		far[0] = far[0].Gateway(fmt.Sprintf("198.51.100.%d", i), fmt.Sprintf("2001:db8:2::%d", i))
	}
	line := sim.Line{Delay: time.Millisecond}
	r.near, r.far = n.Switch(line, near...), n.Switch(line, far...)
	for _, node := range r.routers {
		for _, a := range routedAddrs {
			if err := node.AddRoute(onlink.Route{Prefix: netip.MustParsePrefix(a.nowhere), Type: onlink.BlackholeRoute}); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.near[0].Filter(func(from *sim.Node, frame []byte) bool {
		h, err := wire.CheckEthernet(frame)
		if err != nil || h.EtherType() == wire.EtherTypeARP || isND(frame[wire.EthernetLen:]) {
			return true
		}
		// The near switch came first, and gave the client the first link-layer address.
		if at := int(h.Dst()[5]) - 2; !h.Dst().IsMulticast() && at >= 0 && at < count {
			r.first[at]++
		}
		return true
	})
	n.RunFor(5 * time.Second) // duplicate address detection is over
	return r
}

// used returns the router that the client has sent packets to since the last call; -1 if there was none, -2 if there were several.
func (r *routed) used() int {
	at := -1
	for i, n := range r.first {
		switch {
		case n > 0 && at == -1:
			at = i
		case n > 0:
			at = -2
		}
	}
	clear(r.first)
	return at
}

// kill makes router i fall silent on all its links, or speak again. Nobody notices but by the silence.
func (r *routed) kill(i int, dead bool) {
	for _, c := range []*sim.Cable{r.near[i+1], r.far[i+1]} {
		c.Filter(nil)
		if dead {
			c.Filter(func(*sim.Node, []byte) bool { return false })
		}
	}
}

// advertise has router i advertise to the client's link, and waits until everybody has heard.
func (r *routed) advertise(t testing.TB, i int, ra *onlink.RouterAdvertisement) {
	t.Helper()
	if err := r.routers[i].Interface("eth0").Advertise(ra); err != nil {
		t.Fatal(err)
	}
}

// tell sends one datagram from the client and returns the router that it went to.
func (r *routed) tell(t testing.TB, dst netip.Addr) int {
	t.Helper()
	r.used()
	u := dialUDP(t, r.client, netip.AddrPortFrom(dst, 9).String())
	u.Write([]byte("x"))
	u.Close()
	r.client.Sleep(100 * time.Millisecond)
	return r.used()
}

// nobody returns address number i behind the routers.
func nobody(family string, i int) netip.Addr {
	if family == "IPv4" {
		return netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})
	}
	return netip.MustParseAddr(fmt.Sprintf("2001:db8:f::%x", i+1))
}

// talk is a connection of the client to the server that goes on while things happen: the server sends back what it gets.
type talk struct {
	*routed
	t testing.TB
	*onlink.TCPConn
}

func (r *routed) talk(t testing.TB, d onlink.Dialer, server string) *talk {
	t.Helper()
	ln := listen(t, r.server, ":80")
	r.server.Go("echo", func() {
		c := accept(t, ln)
		ln.Close()
		buf := make([]byte, 4096)
		for k, err := c.Read(buf); err == nil; k, err = c.Read(buf) {
			c.Write(buf[:k])
		}
		c.Close()
	})
	d.Stack = r.client.Stack
	c, err := d.DialContext(t.Context(), "tcp", netip.AddrPortFrom(netip.MustParseAddr(server), 80).String())
	if err != nil {
		t.Fatal(err)
	}
	return &talk{r, t, c.(*onlink.TCPConn)}
}

// exchange sends 2000 octets and waits until they are back. It returns the router that the packets went to last.
func (k *talk) exchange() int {
	k.t.Helper()
	for range 2 {
		k.used()
		if _, err := k.Write(make([]byte, 1000)); err != nil {
			k.t.Fatal(err)
		}
		if n, err := io.ReadFull(k, make([]byte, 1000)); err != nil {
			k.t.Fatalf("got %d octets back, then: %v", n, err)
		}
	}
	k.client.Sleep(time.Second)
	return k.used()
}

// want fails the test unless the next exchange goes by router i.
func (k *talk) want(what string, i int) {
	k.t.Helper()
	if got := k.exchange(); got != i {
		k.t.Errorf("%s: by router %d, want %d", what, got, i)
	}
}

// eachRouted runs f as a subtest for each family. The client's gateways are given by what follows the last point or colon of
// their addresses.
func eachRouted(t *testing.T, count int, gateways []int, f func(t *testing.T, r *routed, family, server string)) {
	for _, a := range routedAddrs {
		t.Run(a.family, func(t *testing.T) {
			t.Parallel()
			var via []string
			for _, i := range gateways {
				via = append(via, fmt.Sprintf(a.near, i))
			}
			r := newRouted(t, count, via...)
			r.client.Go("client", func() { f(t, r, a.family, a.server) })
			run(t, r.Network)
		})
	}
}

// A router dies, and connections go on by another one, in both directions: RFC 1122, 3.3.1.4: the host must "detect the
// failure of a 'next-hop' gateway that is listed in its route cache and … choose an alternate gateway"; RFC 4861, 7.3. When
// it is back, packets go by it again.
func TestFailover(t *testing.T) {
	eachRouted(t, 2, []int{1, 2}, func(t *testing.T, r *routed, _, server string) {
		k := r.talk(t, onlink.Dialer{}, server)
		k.want("at first", 0)
		r.kill(0, true)
		k.want("the first is dead", 1)
		k.want("still", 1)
		r.kill(0, false)
		for range 300 { // it is asked once a minute
			k.exchange()
		}
		k.want("it is back", 0)
		k.Close()
	})
}
