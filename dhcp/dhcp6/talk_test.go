package dhcp6_test

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/dhcp/dhcp6"
)

// reconfigure is a Reconfigure that has the digest that the key makes (RFC 8415, 20.4). The Authentication option is the last.
func reconfigure(key []byte, replay uint64) []byte {
	m := &dhcp6.Message{Type: dhcp6.Reconfigure, ClientID: dhcp6.NewDUIDLL([6]byte{2, 0, 0, 0, 0, 9}), ServerID: serverID,
		ReconfigureMessage: dhcp6.Renew,
		Auth:               &dhcp6.Auth{Protocol: 3, Algorithm: 1, Replay: replay, Info: append([]byte{2}, make([]byte, 16)...)}}
	raw := m.Append(nil)
	h := hmac.New(md5.New, key)
	h.Write(raw)
	return append(raw[:len(raw)-16], h.Sum(nil)...)
}

// A server asks for a Renew, over the wire: to the client it works, to all nodes it does not (RFC 8415, 16.11).
func TestReconfigureOverWire(t *testing.T) {
	key := []byte("0123456789abcdef")
	o := newOffice(t, dhcp6.Config{Mode: dhcp6.Stateful, NoRapidCommit: true, ClientID: dhcp6.NewDUIDLL([6]byte{2, 0, 0, 0, 0, 9})})
	o.edit = func(r *dhcp6.Message) {
		r.ReconfigureAccept = true
		r.Auth = &dhcp6.Auth{Protocol: 3, Algorithm: 1, Replay: uint64(len(o.heard)), Info: append([]byte{1}, key...)}
	}
	o.RunFor(10 * time.Second)
	o.expect("heard", &o.heard, "Solicit", "Request")
	send := func(to netip.AddrPort, key string, replay uint64) {
		o.router.Go("reconfigure", func() {
			c, err := o.router.ListenPacket(context.Background(), "udp6", "[::]:0")
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			if _, err := c.(*onlink.UDPConn).WriteToUDPAddrPort(reconfigure([]byte(key), replay), to); err != nil {
				t.Error(err)
			}
		})
		o.RunFor(time.Second)
	}
	send(netip.MustParseAddrPort("[ff02::1%lan]:546"), string(key), 100)
	o.expect("to all nodes", &o.heard)
	o.mute = true
	send(o.last, "another key 1234", 101)
	o.expect("with another key", &o.heard)
	send(o.last, string(key), 102)
	o.expect("to the client", &o.heard, "Renew")
	o.edit = nil
	send(o.last, string(key), 102)
	o.expect("again", &o.heard)
}

// A server that says so is spoken to by itself, once there is an address that it can answer to (RFC 8415, 18.2).
func TestUnicastOverWire(t *testing.T) {
	o := newOffice(t, dhcp6.Config{Mode: dhcp6.Stateful, NoRapidCommit: true})
	o.advertise(false, false) // the way to the server
	o.edit = func(r *dhcp6.Message) { r.Unicast = netip.MustParseAddr("2001:db8:1::1") }
	o.RunFor(10 * time.Second)
	if !o.last.Addr().IsLinkLocalUnicast() {
		t.Errorf("requested from %v", o.last)
	}
	o.expect("heard", &o.heard, "Solicit", "Request")
	o.global = true
	o.RunFor(100 * time.Second)
	o.expect("heard", &o.heard, "Renew")
	if o.last.Addr() != netip.MustParseAddr("2001:db8:1::5") || o.client.State().State != dhcp6.Bound {
		t.Errorf("renewed from %v: %+v", o.last, o.client.State())
	}
}
