package main

import (
	"context"
	"errors"
)

// runningFlags say which host a command works on that looks at a host or changes it.
type runningFlags struct {
	Socket string `help:"Control socket of a running onlink up: its path, or the name of its first device; by default that of the only one there is." placeholder:"PATH" group:"Which host:"`
	Node   string `help:"Work on a node of the built-in lab instead: client, router or server." placeholder:"NAME" group:"Which host:"`
}

// target runs v on the host that the flags say.
func (f *runningFlags) target(ctx context.Context, v verb) error {
	i := invoked(ctx)
	if f.Node != "" {
		if f.Socket != "" {
			return usagef("--socket and --node: a command works on one host")
		}
		return inLab(ctx, f.Node, v, i)
	}
	path, err := findControl(f.Socket)
	if err != nil {
		return err
	}
	return control(ctx, path, i)
}

// targetFlags are runningFlags for commands that may also be a host of their own.
type targetFlags struct {
	runningFlags `embed:""`
	hostFlags    `embed:"" group:"A host of its own:"`
}

// target runs v on the host that the flags say.
func (f *targetFlags) target(ctx context.Context, v verb) error {
	switch own := f.devices() > 0; {
	case !own && f.given():
		return usagef("--addr and what else says how to be a host needs --tap NAME, --tun NAME or --dev NAME")
	case !own:
		return f.runningFlags.target(ctx, v)
	case f.Socket != "" || f.Node != "":
		return usagef("--tap, --tun and --dev make a host of its own: they do not go with --socket and --node")
	}
	h, err := f.open(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		return err
	}
	i := invoked(ctx)
	err = v.run(newSession(h.ctx, h.Stack, i.in, i.out, i.err))
	if fault := h.fault(); fault != nil {
		err = fault
	}
	return errors.Join(err, h.close())
}

// given reports whether the flags say anything about how to be a host.
func (f *hostFlags) given() bool {
	return len(f.Addr)+len(f.Gateway)+len(f.Route)+len(f.DNS)+len(f.Search)+f.Queues > 0 || f.autoconfFlags != autoconfFlags{} || f.DHCP.given || f.Hostname != "" || f.Pcap != ""
}
