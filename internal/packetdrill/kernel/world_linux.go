package kernel

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/onlink-go/onlink/internal/packetdrill"
	"github.com/onlink-go/onlink/internal/packetdrill/shell"
	"github.com/onlink-go/onlink/link/capture"
)

// linkName is what the device is called in its namespace, as packetdrill calls it.
const linkName = "tun0"

// world is a network namespace with a TUN device. It belongs to one goroutine, which calls its methods; what happens in
// the meantime comes over a channel.
type world struct {
	System
	ns     *os.File // the namespace
	tun    int      // the device; -1: not made yet
	quit   [2]int   // a pipe whose writing end, closed, ends the reader of tun
	pcap   *pcap    // nil: none
	began  time.Time
	events chan func() // to run on the goroutine that the world belongs to
	sent   []packetdrill.Sent
	idle   []*worker
	closed chan struct{} // the reader of tun has ended
}

// New makes a namespace, a device with the addresses and routes of cfg in it, and the World they are.
func New(cfg *packetdrill.Config, w *capture.Writer) (packetdrill.World, error) {
	// What a script opens must not live on in a command that is run meanwhile.
	k := &world{System: System{Opening: unix.O_CLOEXEC}, began: time.Now(), tun: -1, events: make(chan func(), 4096), closed: make(chan struct{})}
	runtime.LockOSThread()
	hurry(true)
	first, err := k.newNamespace()
	if err != nil {
		calm()
		return nil, fmt.Errorf("cannot make a network namespace, which takes root: %w", err)
	}
	k.idle = append(k.idle, first)
	if w != nil {
		k.pcap = newPcap(w, cfg.MTU, cfg.CaptureName)
	}
	err = k.inside(func() error { return k.setUp(cfg) })
	if err != nil {
		k.End()
		return nil, err
	}
	return k, nil
}

// hurry makes the calling thread run before others on a busy machine, or not any more: a script is about milliseconds. It
// may not be allowed to, and is content then.
func hurry(yes bool) {
	a := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL}
	if yes {
		a.Policy, a.Priority = unix.SCHED_RR, 1
	}
	_ = unix.SchedSetAttr(0, &a, 0)
}

// calm ends what New has begun with the goroutine's thread.
func calm() {
	hurry(false)
	runtime.UnlockOSThread()
}

// worker is an operating system thread in the namespace.
type worker struct {
	jobs chan func()
	tid  int
}

// newNamespace starts the first worker, in a new namespace.
func (k *world) newNamespace() (*worker, error) {
	return k.newWorker(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		var err error
		k.ns, err = os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
		return err
	})
}

// newWorker starts a worker, which enters the namespace by enter. Its thread is never given back to the runtime: it ends
// with the goroutine.
func (k *world) newWorker(enter func() error) (*worker, error) {
	w := &worker{jobs: make(chan func())}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread()
		hurry(true)
		w.tid = unix.Gettid()
		err := enter()
		ready <- err
		if err != nil {
			return
		}
		for f := range w.jobs {
			f()
		}
	}()
	return w, <-ready
}

// worker returns a worker that has nothing to do.
func (k *world) worker() (*worker, error) {
	if n := len(k.idle); n > 0 {
		w := k.idle[n-1]
		k.idle = k.idle[:n-1]
		return w, nil
	}
	return k.newWorker(func() error { return unix.Setns(int(k.ns.Fd()), unix.CLONE_NEWNET) })
}

// inside runs f in the namespace and waits for it.
func (k *world) inside(f func() error) error {
	w, err := k.worker()
	if err != nil {
		return err
	}
	done := make(chan error)
	w.jobs <- func() { done <- f() }
	err = <-done
	k.idle = append(k.idle, w)
	return err
}

// run runs a program in the namespace, on a worker.
func run(argv ...string) error {
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %s (%w)", strings.Join(argv, " "), strings.TrimSpace(string(out)), err)
	}
	return nil
}

// setUp makes the device, and begins to read from it. The sizes of buffers, which a namespace has from the machine, become
// those that Linux begins with.
func (k *world) setUp(cfg *packetdrill.Config) error {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("/dev/net/tun: %w", err)
	}
	ifr, err := unix.NewIfreq(linkName)
	if err == nil {
		ifr.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
	}
	if err != nil {
		unix.Close(fd)
		return fmt.Errorf("cannot make %s: %w", linkName, err)
	}
	k.tun = fd
	if err := unix.Pipe2(k.quit[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	go k.read()
	family := "-4"
	address := []string{"ip", "addr", "add", netip.PrefixFrom(cfg.LocalIP, cfg.PrefixLen).String(), "dev", linkName}
	if cfg.LocalIP.Is6() {
		family, address = "-6", append(address, "nodad")
	}
	for _, argv := range [][]string{
		{"sysctl", "-q", "net.ipv4.tcp_rmem=4096 131072 6291456", "net.ipv4.tcp_wmem=4096 16384 4194304"},
		{"ip", "link", "set", "lo", "up"},
		{"ip", "link", "set", linkName, "mtu", strconv.Itoa(cfg.MTU), "up"},
		address,
		{"ip", family, "route", "add", cfg.RemotePrefix.String(), "via", cfg.GatewayIP.String(), "dev", linkName},
	} {
		if err := run(argv...); err != nil {
			return err
		}
	}
	return usable(cfg.LocalIP)
}

// usable waits until the kernel takes packets to an address of IPv6. It gets that ready in its own time, though nobody is
// asked whether the address is a duplicate; the route to it comes last.
func usable(a netip.Addr) error {
	if a.Is4() {
		return nil
	}
	for range 1000 {
		out, err := exec.Command("ip", "-6", "route", "show", "table", "local", "dev", linkName).Output()
		if err == nil && strings.Contains(string(out), "local "+a.String()+" ") {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
	return fmt.Errorf("%v is not ready", a)
}

// read takes what the kernel sends, with the instant of that.
func (k *world) read() {
	defer close(k.closed)
	runtime.LockOSThread()
	hurry(true)
	fds := []unix.PollFd{{Fd: int32(k.tun), Events: unix.POLLIN}, {Fd: int32(k.quit[0]), Events: unix.POLLIN}}
	for {
		b := make([]byte, 65536)
		n, err := unix.Read(k.tun, b)
		at := time.Now()
		if err == nil {
			k.events <- func() {
				k.sent = append(k.sent, packetdrill.Sent{At: at.Sub(k.began), Data: b[:n]})
				k.pcap.record(b[:n], true)
			}
			continue
		}
		if err != unix.EAGAIN && err != unix.EINTR {
			return
		}
		if _, err := unix.Poll(fds, -1); err != nil && err != unix.EINTR || fds[1].Revents != 0 {
			return
		}
	}
}

// Begin throws away what was sent during the preparations, as a host that comes up does.
func (k *world) Begin() {
	time.Sleep(time.Millisecond)
	k.drain()
	k.sent = nil
	k.began = time.Now()
}

func (k *world) Now() time.Duration { return time.Since(k.began) }

func (k *world) SinceBegin(unix time.Duration) time.Duration {
	return unix - time.Duration(k.began.UnixNano())
}

// Patience is short: what is overdue by so much is late whenever it comes.
func (k *world) Patience() time.Duration { return 2 * time.Second }

// Grace is what a call may need to return once nothing holds it, on a busy machine.
func (k *world) Grace() time.Duration { return 100 * time.Millisecond }

// drain runs what has happened.
func (k *world) drain() {
	for {
		select {
		case f := <-k.events:
			f()
		default:
			return
		}
	}
}

// spin is how long before an instant the goroutine stops sleeping, which is not exact, and looks at the clock.
const spin = 200 * time.Microsecond

func (k *world) Sleep(until time.Duration, stop func() bool) error {
	for {
		k.drain()
		if stop != nil && stop() {
			return nil
		}
		left := until - k.Now()
		switch {
		case left <= 0:
			return nil
		case left < spin:
			runtime.Gosched()
			continue
		}
		t := time.NewTimer(min(left-spin, time.Hour))
		select {
		case f := <-k.events:
			f()
		case <-t.C:
		}
		t.Stop()
	}
}

// Do makes a call on a worker, and watches the worker's thread to see whether it blocks.
func (k *world) Do(name string, f func()) *packetdrill.Call {
	c := &packetdrill.Call{}
	w, err := k.worker()
	if err != nil {
		panic(err)
	}
	w.jobs <- func() {
		f()
		at := time.Now()
		k.events <- func() {
			c.Done, c.At = true, at.Sub(k.began)
			k.idle = append(k.idle, w)
		}
	}
	for asleep := 0; asleep < 3; {
		select {
		case f := <-k.events:
			f()
		default:
			runtime.Gosched()
		}
		if c.Done {
			break
		}
		if w.sleeps() {
			asleep++
			time.Sleep(20 * time.Microsecond)
		}
	}
	return c
}

// sleeps reports whether the worker's thread waits in a system call that is not Go's own waiting (futex).
func (w *worker) sleeps() bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/syscall", w.tid))
	if err != nil {
		return true
	}
	number, _, _ := strings.Cut(string(b), " ")
	n, err := strconv.Atoi(number)
	return err == nil && n != unix.SYS_FUTEX && n != unix.SYS_NANOSLEEP
}

func (k *world) Inject(b []byte) error {
	k.pcap.record(b, false)
	_, err := unix.Write(k.tun, b)
	if errors.Is(err, unix.EINVAL) {
		return nil // a packet that TUN does not take, as one of another version, is one the kernel does not
	}
	return err
}

func (k *world) Sent() *packetdrill.Sent {
	if len(k.sent) == 0 {
		return nil
	}
	p := k.sent[0]
	k.sent = k.sent[1:]
	return &p
}

// sysctlPath is where a setting is. In a thread of the namespace these are the namespace's own.
func sysctlPath(name string) string { return "/proc/sys/" + strings.ReplaceAll(name, ".", "/") }

// SetSysctl sets one of the namespace's settings; others would be the machine's.
func (k *world) SetSysctl(name, value string) error {
	if !strings.HasPrefix(name, "net.") {
		return fmt.Errorf("sysctl %s: only settings of the network belong to a script", name)
	}
	return k.inside(func() error {
		f, err := os.OpenFile(sysctlPath(name), os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("sysctl %s: %w", name, err)
		}
		_, err = f.WriteString(value + "\n")
		return errors.Join(err, f.Close())
	})
}

func (k *world) Sysctl(name string) (value string, err error) {
	err = k.inside(func() error {
		b, err := os.ReadFile(sysctlPath(name))
		value = strings.Join(strings.Fields(string(b)), " ")
		return err
	})
	return value, err
}

// programs are those that act on the namespace only.
var programs = []string{"ip", "tc", "ethtool", "nstat"}

func (k *world) Command(argv []string) (string, error) {
	for _, p := range programs {
		if argv[0] == p {
			return "", k.inside(func() error { return run(argv...) })
		}
	}
	return "", &shell.UnknownError{Name: argv[0]}
}

// End closes what the script left open, and the namespace with it.
func (k *world) End() error {
	k.System.CloseAll()
	defer calm()
	if k.quit[1] != 0 {
		unix.Close(k.quit[1])
		for wait := true; wait; { // the reader may be about to tell of a packet
			select {
			case f := <-k.events:
				f()
			case <-k.closed:
				wait = false
			}
		}
	}
	k.drain()
	for _, fd := range []int{k.tun, k.quit[0]} {
		if fd > 0 {
			unix.Close(fd)
		}
	}
	for _, w := range k.idle {
		close(w.jobs)
	}
	if k.ns != nil {
		return k.ns.Close()
	}
	return nil
}
