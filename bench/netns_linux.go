package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/onlink-go/onlink/internal/netns"
)

// namespace is a network namespace.
type namespace struct{ netns.Namespace }

// none is no namespace.
var none = namespace{-1}

// newNamespace makes one, with settings under which connections do not learn from each other.
func newNamespace() (namespace, error) {
	made, err := netns.New()
	if err != nil {
		return none, err
	}
	n := namespace{made}
	for _, s := range []struct{ path, value string }{
		{"net/ipv6/conf/default/disable_ipv6", "1"},
		{"net/ipv4/tcp_no_metrics_save", "1"},
	} {
		var fault error
		err := n.Do(func() { fault = os.WriteFile("/proc/sys/"+s.path, []byte(s.value), 0) })
		if err != nil || fault != nil {
			n.Close()
			return none, fmt.Errorf("%s: %w", s.path, errOf(err, fault))
		}
	}
	return n, nil
}

// ip runs `ip` in the namespace with each line of args.
func (n namespace) ip(ctx context.Context, args ...string) error {
	for _, line := range args {
		var out []byte
		var fault error
		err := n.Do(func() { out, fault = exec.CommandContext(ctx, "ip", strings.Fields(line)...).CombinedOutput() })
		if err = errOf(err, fault); err != nil {
			return fmt.Errorf("ip %s: %w\n%s", line, err, out)
		}
	}
	return nil
}

// errOf returns the first of errs that is one.
func errOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
