package conform

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/onlink-go/onlink/wire"
	"golang.org/x/sys/unix"
)

// Kernel is the Linux kernel as a node, in a network namespace of its own, which goes with it.
type Kernel struct {
	work  chan func() // done on a thread in the namespace
	taps  []*os.File
	marks uint32
}

// NewKernel makes a node of the kernel. It takes root and /dev/net/tun.
func NewKernel(kind Kind) (*Kernel, error) {
	k := &Kernel{work: make(chan func())}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // for ever: the thread, which is in another namespace, ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		ready <- err
		if err != nil {
			return
		}
		for f := range k.work {
			f()
		}
	}()
	if err := <-ready; err != nil {
		return nil, fmt.Errorf("a network namespace: %w", err)
	}
	if err := k.configure(kind); err != nil {
		k.Close()
		return nil, err
	}
	k.mark()
	return k, nil
}

// set sets a sysctl of the namespace, like net/ipv4/ipfrag_time.
func (k *Kernel) set(name, value string) error {
	return k.do(func() error { return os.WriteFile("/proc/sys/"+name, []byte(value), 0) })
}

// do does f in the namespace.
func (k *Kernel) do(f func() error) error {
	done := make(chan error)
	k.work <- func() { done <- f() }
	return <-done
}

// Close gives the namespace back.
func (k *Kernel) Close() {
	for _, f := range k.taps {
		f.Close()
	}
	close(k.work)
}

func (k *Kernel) configure(kind Kind) error {
	n := 1
	if kind != HostNode {
		n = 2
	}
	for i := range n {
		if err := k.openTAP(fmt.Sprintf("tap%d", i)); err != nil {
			return err
		}
	}
	b := new(strings.Builder)
	fmt.Fprintln(b, "link set lo up")
	for i := range n {
		fmt.Fprintf(b, "link set tap%d address %v\n", i, NodeMAC[i])
		for _, p := range prefixes[i] {
			nodad := ""
			if strings.Contains(p, ":") {
				nodad = " nodad"
			}
			fmt.Fprintf(b, "address add %s dev tap%d%s\n", p, i, nodad)
		}
		if kind == SmallRouter && i == 1 {
			fmt.Fprintln(b, "link set tap1 mtu 1280")
		}
		fmt.Fprintf(b, "link set tap%d up\n", i)
	}
	fmt.Fprintf(b, "route add default via %v\nroute add default via %v\n", Peer4[0].Netip(), Peer6[0].Netip())
	return k.do(func() error {
		settings := map[string]string{
			"net/ipv6/conf/default/accept_dad": "0", "net/ipv6/conf/all/accept_dad": "0", "net/ipv6/conf/default/dad_transmits": "0",
			"net/ipv6/conf/default/accept_ra": "0", "net/ipv6/conf/default/router_solicitations": "0",
			"net/ipv6/icmp/ratelimit": "0", "net/ipv4/icmp_ratelimit": "0", "net/ipv4/icmp_msgs_per_sec": "1000000",
			"net/ipv4/icmp_msgs_burst": "1000000",
		}
		for i := range n {
			settings[fmt.Sprintf("net/ipv6/conf/tap%d/router_solicitations", i)] = "0"
			settings[fmt.Sprintf("net/ipv6/conf/tap%d/accept_dad", i)] = "0"
			settings[fmt.Sprintf("net/ipv6/conf/tap%d/dad_transmits", i)] = "0"
		}
		if kind != HostNode {
			settings["net/ipv4/ip_forward"], settings["net/ipv6/conf/all/forwarding"] = "1", "1"
		}
		for path, value := range settings {
			if err := os.WriteFile("/proc/sys/"+path, []byte(value), 0); err != nil && !os.IsNotExist(err) && !os.IsPermission(err) {
				return err
			}
		}
		cmd := exec.Command("ip", "-batch", "-")
		cmd.Stdin = strings.NewReader(b.String())
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("ip: %w: %s", err, out)
		}
		return nil
	})
}

func (k *Kernel) openTAP(name string) error {
	return k.do(func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return err
		}
		ifr, err := unix.NewIfreq(name)
		if err == nil {
			ifr.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
			err = unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
		}
		if err != nil {
			unix.Close(fd)
			return err
		}
		k.taps = append(k.taps, os.NewFile(uintptr(fd), name))
		return nil
	})
}

// patience is how long the kernel may take to answer a mark, which it does at once.
const patience = 3 * time.Second

// Ask implements Host. After each step a mark goes in, an echo request, whose reply comes behind all that the step
// made the kernel send at once.
func (k *Kernel) Ask(steps []Step) []Sent {
	var all []Sent
	for i := range steps {
		st := &steps[i]
		if _, err := k.taps[st.Port].Write(st.Frame); err != nil {
			panic(fmt.Sprintf("a TAP takes no frame: %v", err))
		}
		if st.Then > 0 {
			all = append(all, k.listen(st.Then)...)
		}
		for again := true; again; {
			var s []Sent
			s, again = k.mark()
			all = append(all, s...)
		}
	}
	return all
}

// listen returns what is sent for so long.
func (k *Kernel) listen(d time.Duration) (all []Sent) {
	end := time.Now().Add(d)
	for time.Now().Before(end) {
		for p := range k.taps {
			if s, ok := k.read(p, 10*time.Millisecond); ok {
				all = append(all, s)
				k.answer(s)
			}
		}
	}
	return all
}

// answer plays the neighbors. It reports whether there was anything to answer.
func (k *Kernel) answer(s Sent) bool {
	r := neighbor(s)
	if r == nil {
		return false
	}
	if _, err := k.taps[s.Port].Write(r); err != nil {
		panic(fmt.Sprintf("a TAP takes no frame: %v", err))
	}
	return true
}

// mark returns what was sent before the reply to a mark on each port, and whether neighbors were asked for meanwhile, so
// that more may come.
func (k *Kernel) mark() (all []Sent, asked bool) {
	for p := range k.taps {
		s, again := k.markPort(p)
		all, asked = append(all, s...), asked || again
	}
	return all, asked
}

func (k *Kernel) markPort(p int) (all []Sent, asked bool) {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		// Soon after an interface came up, its link-local address may not be in use: then there is another mark.
		k.marks++
		var id [8]byte
		binary.BigEndian.PutUint32(id[:], k.marks)
		copy(id[4:], "mark")
		msg := ICMP6(PeerLL[p], NodeLL[p], wire.ICMPv6EchoRequest, 0, 0xfade<<16, id[:])
		if _, err := k.taps[p].Write(Eth(p, IP6(PeerLL[p], NodeLL[p], wire.ProtoICMPv6, msg))); err != nil {
			panic(fmt.Sprintf("a TAP takes no frame: %v", err))
		}
		for again := time.Now().Add(patience / 10); ; {
			s, ok := k.read(p, time.Until(again))
			if !ok {
				break
			}
			if bytes.HasSuffix(s.Frame, id[:]) && s.Frame[wire.EthernetLen+wire.IPv6Len] == wire.ICMPv6EchoReply {
				return all, asked
			}
			asked = k.answer(s) || asked
			all = append(all, s)
		}
	}
	panic("the kernel does not answer an echo request")
}

// read returns the next frame of a port.
func (k *Kernel) read(p int, d time.Duration) (Sent, bool) {
	b := make([]byte, 1<<16)
	if err := k.taps[p].SetReadDeadline(time.Now().Add(d)); err != nil {
		panic(fmt.Sprintf("a TAP takes no deadline: %v", err))
	}
	n, err := k.taps[p].Read(b)
	if err != nil {
		return Sent{}, false
	}
	return Sent{p, b[:n]}, true
}
