package dhcp6

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"github.com/onlink-go/onlink"
)

// datagram is what came to the client's port, at an address of ours: the socket hears no groups.
type datagram []byte

// mostWaiting is how many datagrams wait for Run at most; more are lost, as in the socket.
const mostWaiting = 64

// open opens the port, unless it is open, and has what comes to it noted.
func (c *Client) open() error {
	if c.conn != nil {
		return nil
	}
	l := onlink.ListenConfig{Stack: c.stack, Interface: c.iface.Name()}
	pc, err := l.ListenPacket(context.Background(), "udp6", netip.AddrPortFrom(netip.IPv6Unspecified(), ClientPort).String())
	if err != nil {
		return err
	}
	conn := pc.(*onlink.UDPConn)
	// RFC 8415, 16.11: a Reconfigure is discarded if "the message was not unicast to the client", and nothing else is for groups
	// that a client would be in.
	if err := conn.SetHearAll(false); err != nil {
		return errors.Join(err, conn.Close())
	}
	c.conn = conn
	c.rt.Spawn("dhcp6 on "+c.iface.Name(), func() { c.read(conn) })
	return nil
}

// read reads until the socket is closed.
func (c *Client) read(conn *onlink.UDPConn) {
	b := make([]byte, 65536)
	for {
		n, err := conn.Read(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // of what was sent
		}
		d := append(datagram(nil), b[:n]...)
		c.signal(func() {
			if len(c.arrived) < mostWaiting {
				c.arrived = append(c.arrived, d)
			}
		})
	}
}

// send sends a message. One that cannot be sent is sent again like one that was lost.
//
// RFC 8415, 18.2: "If the client has a source address of sufficient scope that can be used by the server as a return address and the
// client has received a Server Unicast option [...] from the server, the client SHOULD unicast any Request, Renew, Release, and Decline
// messages to the server."
func (c *Client) send(o *Outgoing) {
	if !c.up {
		return
	}
	to := Servers.WithZone(c.iface.Name())
	if o.Unicast.IsValid() && c.reaches(o.Unicast) {
		to = o.Unicast
	}
	if _, err := c.conn.WriteToUDPAddrPort(o.Message.Append(nil), netip.AddrPortFrom(to, ServerPort)); err != nil {
		c.failed(o.Message.Type.String(), err)
	}
}

// reaches reports whether the interface has an address that the server can answer to.
func (c *Client) reaches(server netip.Addr) bool {
	state := c.iface.State()
	for _, a := range state.Addresses {
		addr := a.Prefix.Addr()
		if a.State == "preferred" && addr.Is6() && addr.IsLinkLocalUnicast() == server.IsLinkLocalUnicast() {
			return true
		}
	}
	return false
}
