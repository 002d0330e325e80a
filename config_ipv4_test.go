package onlink

import (
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/wire"
)

// The options of IPv4 addresses reach the interface; nonsense is refused.
func TestInterfaceIPv4(t *testing.T) {
	s := clock.NewSim(1)
	defer s.Stop()
	st, err := New(Config{Runtime: s.Runtime(1)})
	if err != nil {
		t.Fatal(err)
	}
	bad, _ := mem.Pair(mem.Config{Runtime: s.Runtime(2), Addr: []wire.MAC{{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}}})
	if _, err := st.AddLink("bad", bad, InterfaceConfig{Conflicts: 4}); err == nil || !strings.Contains(err.Error(), "Conflicts is 4") {
		t.Errorf("Conflicts 4: %v", err)
	}
	a, _ := mem.Pair(mem.Config{Runtime: s.Runtime(2), Addr: []wire.MAC{{2, 0, 0, 0, 0, 3}, {2, 0, 0, 0, 0, 4}}})
	i, err := st.AddLink("eth0", a, InterfaceConfig{LinkLocal4: true, IPv6: IPv6Config{Disable: true}})
	if err != nil {
		t.Fatal(err)
	}
	s.Run(s.Now().Add(time.Minute))
	addrs := i.Addresses()
	if len(addrs) != 1 || !addrs[0].Addr().Is4() || !addrs[0].Addr().IsLinkLocalUnicast() || addrs[0].Bits() != 16 ||
		!st.ip.Snapshot().Interface(int32(i.Index())).Addrs[0].Assigned() {
		t.Errorf("addresses: %v", addrs)
	}
}
