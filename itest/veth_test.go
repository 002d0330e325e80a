package itest

import (
	"net"
	"strings"
	"testing"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link/afpacket"
)

// maxFrame is how many octets a frame of Ethernet has at most.
const maxFrame = 14 + 1500

// newVethPair makes two namespaces that a veth pair joins: veth0 in near, which is down, and veth1 in far, where the kernel has no
// addresses.
func newVethPair(t testing.TB) (near, far *namespace) {
	t.Helper()
	near, far = newNamespace(t), newNamespace(t)
	writeSysctl(far, "net/ipv6/conf/default/disable_ipv6", "1")
	near.ip("link add veth0 type veth peer name veth1 netns " + far.Path())
	far.ip("link set veth1 up")
	return near, far
}

// newVethRig makes a rig of a kernel and a stack at the two ends of a veth pair, each in a namespace of its own: veth0 is the
// kernel's, and veth1 the stack's, where another kernel has no addresses. With VLANs it is veth0.7 and veth1.7. Of s, noOffload,
// whole and vlan count.
func newVethRig(t testing.TB, s setup) (_ *rig, far *namespace, d *afpacket.Device) {
	t.Helper()
	near, far := newVethPair(t)
	r, ours := &rig{namespace: near, name: "veth0"}, "veth1"
	if s.vlan {
		r.ip("link set veth0 up")
		r.name, ours = "veth0.7", "veth1.7"
		p, err := r.try("ip", strings.Fields("link add link veth0 name veth0.7 type vlan id 7")...)
		if strings.Contains(p.stderr.String(), "Unknown device type") {
			t.Skip("the kernel has no VLAN devices: module 8021q")
		} else if err != nil {
			t.Fatalf("%v: %s", err, &p.stderr)
		}
		far.ip("link add link veth1 name veth1.7 type vlan id 7")
		far.ip("link set veth1.7 up")
	}
	r.bringUp(r.name, families)

	s.at, s.stack.Runtime = families, clock.NewReal()
	var err error
	far.do(func() {
		d, err = afpacket.Open(ours, afpacket.Config{Runtime: s.stack.Runtime, NoOffload: s.noOffload})
	})
	if err != nil {
		t.Fatal(err)
	}
	r.attach(t, s, ours, d)
	return r, far, d
}

// Whichever end of a veth pair makes super-packets or leaves checksums to the other, what arrives is what was sent.
func TestVethTransfer(t *testing.T) {
	t.Parallel()
	need(t, "ethtool")
	for _, s := range []struct {
		name        string
		set         setup
		kernel, far string // what each end is told
		super       bool   // whether super-packets come in; of tagged frames it is not asked
	}{
		{"everything left to others", setup{}, "", "", true},
		{"our segments whole", setup{whole: true}, "", "", true},
		{"frames as on a wire", setup{noOffload: true}, "", "", false},
		{"the kernel's segments whole", setup{}, "tso off gso off", "", false},
		{"no checksums left by the kernel", setup{}, "tx off", "", false},
		{"nothing left to our end of the pair", setup{}, "", "tso off gso off tx off", true},
		{"the kernel joins nothing", setup{}, "gro off", "gro off", true},
		{"the kernel verifies checksums", setup{}, "rx off", "rx off", true},
		{"tagged", setup{vlan: true}, "", "", false},
		{"tagged, tags and super-packets not left to others", setup{vlan: true}, "txvlan off rxvlan off tso off gso off", "txvlan off rxvlan off tso off gso off tx off", false},
		{"tagged, frames as on a wire", setup{vlan: true, noOffload: true, whole: true}, "tx off", "tx off", false},
		{"nothing left to anybody", setup{noOffload: true, whole: true}, "tx off tso off gso off gro off", "tx off tso off gso off gro off", false},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			r, far, d := newVethRig(t, s.set)
			r.features("veth0", s.kernel)
			far.features("veth1", s.far)
			transfer(t, r, families, 16<<20)
			// Of the super-packets of the kernel none is cut on the way, or all are.
			st := d.Stats()
			mean := st.InOctets / st.InFrames
			t.Logf("%d octets in a frame that came; %+v", mean, st)
			if !s.set.vlan && (mean > maxFrame) != s.super {
				t.Errorf("super-packets came: %v, want %v", !s.super, s.super)
			}
		})
	}
}

// Pings of both sides, with fragments too, and to all nodes: so multicast comes in.
func TestVethPing(t *testing.T) {
	t.Parallel()
	need(t, "ping")
	r, _, _ := newVethRig(t, setup{})
	for _, target := range []string{v4.stack, v6.stack, r.linkLocal().String() + "%veth0"} {
		for _, size := range pingSizes {
			if out := r.ping(target, size); strings.Contains(out, "wrong data") {
				t.Errorf("%s, %d octets:\n%s", target, size, out)
			}
		}
	}
	eventually(t, "the stack answers as one of all nodes", func() bool {
		out := r.run("ping", "-c", "5", "-i", "0.1", "ff02::1%veth0")
		return strings.Contains(out, "from "+r.linkLocal().String()+"%veth0")
	})
}

// The command is a host on an end of a veth pair, and says so when that goes away.
func TestUpDev(t *testing.T) {
	t.Parallel()
	need(t, "ping")
	need(t, "curl")
	n, far := newVethPair(t)
	n.bringUp("veth0", families)
	up := far.onlink(append([]string{"up", "--no-control", "--serve", ":80"}, hostArgs("--dev", "veth1")...)...)
	up.says(t, "http on :80")
	r := &rig{namespace: n, name: "veth0"}
	for _, v := range families {
		n.ping(v.stack, 56)
		if out := r.curl("http://" + net.JoinHostPort(v.stack, "80") + "/"); !strings.Contains(out, "this is onlink on veth1") {
			t.Errorf("curl got %q", out)
		}
	}
	// Without a carrier it waits for one.
	n.ip("link set veth0 down")
	n.ip("link set veth0 up")
	eventually(t, "the host answers again", func() bool {
		_, err := n.try("ping", "-c", "1", "-W", "1", v4.stack)
		return err == nil
	})
	n.ip("link delete veth0")
	up.says(t, "veth1 is gone")
	if err := up.Wait(); err == nil {
		t.Error("the command ended as if all were well")
	}
}
