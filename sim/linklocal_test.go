package sim_test

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
)

// Link-local addresses work end to end, with their zone.
func TestLinkLocal(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a, b := n.Host("a"), n.Host("b")
	n.Wire(a.Port("eth0"), b.Port("wan"), sim.Line{Delay: time.Millisecond})
	n.RunFor(5 * time.Second)
	addr := b.Interface("wan").Addresses()[0].Addr().String()
	serve(t, b, func(c *onlink.TCPConn) {
		if from := c.RemoteAddr().String(); !strings.HasPrefix(from, "[fe80") || !strings.Contains(from, "%wan]") {
			t.Errorf("a connection from %s", from)
		}
		discard(t, c)
	})
	a.Go("client", func() {
		send(t, dial(t, a, "["+addr+"%eth0]:80"), 100_000)
		if r, err := ping(a, addr+"%eth0", onlink.PingConfig{Size: 4000}); err != nil || r.From.Zone() != "eth0" {
			t.Errorf("ping: %+v, %v", r, err)
		}
		// Who is a member of the group answers too.
		own := a.Interface("eth0").Addresses()[0].Addr().String()
		if r, err := ping(a, "ff02::1%eth0", onlink.PingConfig{}); err != nil || r.From.String() != own+"%eth0" || r.RTT != 0 {
			t.Errorf("ping of all nodes: %+v, %v", r, err)
		}
		_, err := a.DialContext(context.Background(), "tcp", "["+addr+"]:80")
		wantErr(t, "without a zone", err, syscall.EINVAL)
	})
	run(t, n)
}
