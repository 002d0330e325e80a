package itest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/wire"
)

// Random tables and rules, in the kernel and here: `ip route get` and FIB.Lookup must agree.
func TestRouteGetAsLinux(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: a network namespace")
	}
	const ns = "onl-routeget"
	run := func(stdin string, args ...string) (string, error) {
		c := exec.Command("ip", args...)
		c.Stdin = strings.NewReader(stdin)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if out, err := run("", "netns", "add", ns); err != nil {
		t.Skipf("no network namespace: %v: %s", err, out)
	}
	defer run("", "netns", "del", ns)
	for _, four := range []bool{true, false} {
		routeGet(t, ns, four, run)
	}
}

func routeGet(t *testing.T, ns string, four bool, run func(string, ...string) (string, error)) {
	rng := rand.New(rand.NewPCG(7, 9))
	family := map[bool]string{true: "-4", false: "-6"}[four]
	random := func() netip.Addr {
		if four {
			return netip.AddrFrom4([4]byte{10, byte(rng.IntN(4)), byte(rng.IntN(4)), byte(rng.Uint32())})
		}
		return netip.AddrFrom16([16]byte{0x20, 1, byte(rng.IntN(4)), byte(rng.IntN(4)), 15: byte(1 + rng.IntN(255))})
	}
	var batch strings.Builder
	for i := 2; i < 5; i++ {
		if four {
			fmt.Fprintf(&batch, "link add d%d type veth peer name p%d\nlink set d%d up\nlink set p%d up\naddr add 192.168.%d.1/24 dev d%d\n", i, i, i, i, i, i)
		} else {
			fmt.Fprintf(&batch, "addr add fd00:%d::1/64 dev d%d nodad\n", i, i)
		}
	}
	f := route.New(new(route.Routers), 1)
	tables := []uint32{route.MainTable, 7, 8}
	for range 300 {
		a := random()
		r := route.Route{Prefix: netip.PrefixFrom(a, 4+rng.IntN(a.BitLen()-3)).Masked(), Out: int32(2 + rng.IntN(3)),
			Metric: 1 + rng.IntN(3), Table: tables[rng.IntN(len(tables))]}
		if k := rng.IntN(12); k > 7 {
			r.Type = []route.Type{route.Blackhole, route.Unreachable, route.Prohibit, route.Throw}[k-8]
			r.Out = 0
		}
		// The kernel has one route of a prefix, table and metric.
		taken := false
		for _, o := range f.Prefix(r.Table, r.Prefix) {
			taken = taken || o.Metric == r.Metric
		}
		next, ok := f.With(r)
		if taken || !ok {
			continue
		}
		f = next
		dev := ""
		if r.Out != 0 {
			dev = fmt.Sprintf(" dev d%d", r.Out)
		}
		fmt.Fprintf(&batch, "route add %v %v%s metric %d table %d\n", r.Type, r.Prefix, dev, r.Metric, r.Table)
	}
	for i := range 24 {
		r := route.Rule{Priority: 100 + i, IPv6: !four, Action: route.ToTable, Table: tables[rng.IntN(3)], Not: i > 20}
		a := random()
		to := netip.PrefixFrom(a, map[bool]int{true: 14, false: 22}[four]+rng.IntN(11)).Masked()
		line := "rule add"
		if r.Not {
			line += " not"
		}
		line += fmt.Sprintf(" to %v", to)
		r.To = to
		if rng.IntN(2) == 0 {
			r.Mask, r.Mark = 3, rng.Uint32N(4)
			line += fmt.Sprintf(" fwmark %d/3", r.Mark)
		}
		f, _ = f.WithRule(r)
		fmt.Fprintf(&batch, "%s priority %d lookup %d\n", line, r.Priority, r.Table)
	}
	if out, err := run(batch.String(), family, "-n", ns, "-batch", "-"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for i := range 500 {
		dst, mark := random(), rng.Uint32N(4)
		out, err := run("", family, "-j", "-n", ns, "route", "get", dst.String(), "mark", fmt.Sprint(mark))
		var got []struct{ Dev string }
		answer := strings.TrimSpace(out)
		if err == nil && json.Unmarshal([]byte(out), &got) == nil && len(got) == 1 {
			answer = got[0].Dev
		}
		var r route.Result
		want := "none"
		if f.Lookup(&route.Query{Dst: wire.AddrFrom(dst), Mark: mark}, &r) {
			want = fmt.Sprintf("d%d", r.Hop.Out)
		}
		if (want == "none") != (err != nil) || err == nil && answer != want {
			t.Fatalf("case %d: %v mark %d: Linux says %q (%v), we %s by %v", i, dst, mark, answer, err, want, r.Rule)
		}
	}
}
