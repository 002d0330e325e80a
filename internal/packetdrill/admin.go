package packetdrill

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/onlink-go/onlink/internal/packetdrill/shell"
)

// Command runs a command that administers the network, as far as it has a meaning for the stack.
func (w *simWorld) Command(argv []string) (string, error) {
	args := slices.DeleteFunc(slices.Clone(argv[1:]), func(a string) bool {
		return a == "-4" || a == "-6" || a == "-s" || a == "-q" || a == "-f" || a == "inet" || a == "inet6" // how to print, and which family
	})
	var err error
	switch argv[0] {
	case "ip":
		err = w.ip(args)
	case "tc":
		err = tc(args)
	case "ethtool":
		err = ethtool(args)
	case "nstat", "ss", "netstat", "dmesg":
		// What they print is not looked at. Counters are those of one stack, which runs one script.
	case "modprobe", "rmmod":
		err = w.modprobe(args)
	case "kldload", "kldunload", "kldstat":
		err = w.kldload(args)
	case "ifconfig":
		err = w.ifconfig(args)
	default:
		return "", &shell.UnknownError{Name: argv[0]}
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", strings.Join(argv, " "), err)
	}
	return "", err
}

// unsupported is the error of a command the stack cannot obey.
func unsupported(what string) error { return fmt.Errorf("%s is not supported", what) }

// ip is ip(8): what the stack has learned about destinations, and the MTU of the link.
func (w *simWorld) ip(args []string) error {
	if len(args) < 2 {
		return unsupported("this")
	}
	switch args[0] {
	case "tcp_metrics", "tcpmetrics", "tcp_m":
		if strings.HasPrefix("flush", args[1]) {
			return w.FlushMetrics()
		}
	case "link", "l":
		return w.ipLink(args[1:])
	case "route", "r", "ro":
		return w.ipRoute(args[1:])
	case "addr", "address", "a", "neigh", "neighbor", "n", "netns":
		if strings.HasPrefix(args[1], "s") || args[1] == "list" {
			return nil // what it prints is not looked at
		}
	}
	return unsupported(args[0] + " " + args[1])
}

// ipLink is ip link set dev tun0 mtu 1400.
func (w *simWorld) ipLink(args []string) error {
	if args[0] == "show" || args[0] == "list" {
		return nil
	}
	if args[0] != "set" {
		return unsupported("link " + args[0])
	}
	for i := 1; i < len(args); i++ {
		switch args[i] {
		case "dev", linkName, "up":
		case "txqueuelen", "qlen", "gso_max_size", "gso_max_segs":
			i++ // packets do not wait, nor go out joined
		case "mtu":
			if i++; i == len(args) {
				return fmt.Errorf("the MTU is missing")
			}
			n, err := strconv.Atoi(args[i])
			if err != nil || n < 68 || n > 65535 {
				return fmt.Errorf("an MTU of %s", args[i])
			}
			if err := w.SetMTU(n); err != nil {
				return err
			}
		default:
			return unsupported(args[i])
		}
	}
	return nil
}

// tc is tc(8). Queues that neither drop nor delay anything in a script are as good as the stack's own.
func tc(args []string) error {
	if len(args) < 2 || args[0] != "qdisc" {
		return unsupported("this")
	}
	if args[1] == "del" || args[1] == "show" {
		return nil
	}
	for _, kind := range []string{"pfifo", "bfifo", "fq", "fq_codel", "pfifo_fast", "noqueue", "mq"} {
		if slices.Contains(args, kind) {
			return nil
		}
	}
	return unsupported("this queue")
}

// ethtool is ethtool -K DEV FEATURE on|off. The stack's link has no offloads, and packets that leave are compared in a
// way that does not show them.
func ethtool(args []string) error {
	if len(args) > 0 && (args[0] == "-K" || args[0] == "--offload" || args[0] == "--features") {
		return nil
	}
	return unsupported("this")
}

// modprobe loads a congestion control, if the stack has it.
func (w *simWorld) modprobe(args []string) error {
	available, err := w.Sysctl("net.ipv4.tcp_available_congestion_control")
	if err != nil {
		return err
	}
	for _, a := range args {
		if name, ok := strings.CutPrefix(a, "tcp_"); !ok || !slices.Contains(strings.Fields(available), name) {
			return fmt.Errorf("the stack has no module %s", a)
		}
	}
	return nil
}

// kldload is FreeBSD's kldload(8), and its like.
func (w *simWorld) kldload(args []string) error {
	for _, a := range args {
		if !strings.HasPrefix(a, "-") && !w.freeBSDModule(a) {
			return fmt.Errorf("the stack has no module %s", a)
		}
	}
	return nil
}

// ifconfig is ifconfig tun0 mtu 1400.
func (w *simWorld) ifconfig(args []string) error {
	if len(args) == 0 {
		return unsupported("this")
	}
	return w.ipLink(append([]string{"set", "dev"}, args...))
}
