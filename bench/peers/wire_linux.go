package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/onlink-go/onlink/internal/netns"
)

// direction says which side of a wire between the kernel and a stack is the client, which sends in bulk.
type direction bool

const (
	toKernel   direction = false
	fromKernel direction = true
)

// The names of the kernel's side of a wire, and of the far end of a veth pair, which is in a namespace of its own.
const (
	deviceName = "peers0"
	farName    = "far0"
)

// pair joins the kernel, which has the client's addresses, and a stack, which has the server's.
func (d direction) pair(stack host, f family, closed func()) *pair {
	p := &pair{client: stack, server: kernelHost(here), addr: clientAddrs.of(f), close: closed}
	if d == fromKernel {
		p.client, p.server, p.addr = p.server, p.client, serverAddrs.of(f)
	}
	return p
}

// onDevice has a stack make the kernel's device: a TAP or a TUN.
func (d direction) onDevice(make func() (host, error)) opener {
	return func(f family) (*pair, error) {
		if err := rootOnly(); err != nil {
			return nil, err
		}
		stack, err := make()
		if err != nil {
			return nil, err
		}
		if err := address(here, deviceName, clientAddrs); err != nil {
			stack.close()
			return nil, err
		}
		return d.pair(stack, f, stack.close), nil
	}
}

// onVeth gives a stack one end of a veth pair, in a namespace where the kernel has no address.
func (d direction) onVeth(make func() (host, error)) opener {
	return func(f family) (*pair, error) {
		space, unplug, err := veth(1500)
		if err != nil {
			return nil, err
		}
		var stack host
		err = errors.Join(
			command(space.Do, "sysctl -q -w net.ipv6.conf."+farName+".disable_ipv6=1"),
			command(space.Do, "ip link set "+farName+" up"),
			address(here, deviceName, clientAddrs))
		if err == nil {
			if fault := space.Do(func() { stack, err = make() }); fault != nil {
				err = fault
			}
		}
		if err != nil {
			unplug()
			return nil, err
		}
		// The cable first: gVisor's stack blocks for ever if it is closed while a packet comes in.
		return d.pair(stack, f, func() {
			unplug()
			time.Sleep(settling)
			stack.close()
		}), nil
	}
}

// settling is how long a stack has for what has come over a cable that is gone.
const settling = 20 * time.Millisecond

// rootOnly says why there is no namespace to work in.
func rootOnly() error {
	if os.Getenv(isolated) == "" {
		return errors.New("needs root, for network namespaces and devices")
	}
	return nil
}

// veth joins this namespace to a new one by a pair of deviceName here and farName there, until unplug.
func veth(mtu int) (space netns.Namespace, unplug func(), err error) {
	if err := rootOnly(); err != nil {
		return -1, nil, err
	}
	if space, err = netns.New(); err != nil {
		return -1, nil, err
	}
	if err := command(here, fmt.Sprintf("ip link add %s mtu %d type veth peer name %s mtu %[2]d netns %[4]s", deviceName, mtu, farName, space.Path())); err != nil {
		space.Close()
		return -1, nil, err
	}
	return space, func() {
		exec.Command("ip", "link", "delete", deviceName).Run() // it goes with the namespace otherwise
		space.Close()
	}, nil
}

// address gives the kernel's interface its addresses and sets it up.
func address(in func(func()) error, name string, a addresses) error {
	for _, line := range []string{
		fmt.Sprintf("ip address add %v dev %s", a.v4, name),
		fmt.Sprintf("ip address add %v dev %s nodad", a.v6, name),
		fmt.Sprintf("ip link set %s up", name),
	} {
		if err := command(in, line); err != nil {
			return err
		}
	}
	return nil
}

// here calls f in the namespace that the program is in.
func here(f func()) error { f(); return nil }

// command runs a program in a namespace.
func command(in func(func()) error, line string) error {
	args := strings.Fields(line)
	var out []byte
	var err error
	if fault := in(func() { out, err = exec.Command(args[0], args[1:]...).CombinedOutput() }); fault != nil {
		return fault
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %s", line, err, strings.TrimSpace(string(out)))
	}
	return nil
}
