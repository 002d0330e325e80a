package ip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/wire"
)

// DuplicateError tells that an address of ours is somebody else's too (RFC 4862, 5.4.5: "the node … SHOULD log a
// system management error"). errors.Is finds EADDRINUSE in it.
type DuplicateError struct {
	Interface string
	Addr      netip.Addr
	Owner     wire.MAC // who has it; zero if that is not known
}

// Error names the address and who has it.
func (e *DuplicateError) Error() string {
	s := fmt.Sprintf("interface %s: address %v is a duplicate: ", e.Interface, e.Addr)
	if e.Owner == (wire.MAC{}) {
		return s + "another station is about to use it"
	}
	return s + e.Owner.String() + " has it"
}

// Unwrap returns EADDRINUSE.
func (e *DuplicateError) Unwrap() error { return syscall.EADDRINUSE }

// WaitReady waits until no address of the interface is tentative (RFC 4862, 5.4). Errors: ENODEV, ctx's, or a
// *DuplicateError for the first address that failed.
func (l *Layer) WaitReady(ctx context.Context, index int32) error {
	var err error
	waited := l.wait(ctx, func() (done bool) {
		var d *device
		if d, err = l.find(index); err != nil {
			return true
		}
		done = true
		for i := range d.addrs {
			switch a := &d.addrs[i]; a.State {
			case netif.Duplicate:
				err = &DuplicateError{d.name, a.Addr.Netip(), a.Owner}
				return true
			case netif.Tentative:
				done = false
			}
		}
		return done
	})
	if err != nil {
		return err
	}
	return waited
}

// WaitSettled waits until Route answers q with something other than ErrTentative, and returns that, or ctx's error.
func (l *Layer) WaitSettled(ctx context.Context, q Query) (*Path, error) {
	var p *Path
	var err error
	waited := l.wait(ctx, func() bool {
		p, err = l.Route(l.rt.Now(), q)
		return !errors.Is(err, ErrTentative)
	})
	if waited != nil {
		return nil, waited
	}
	return p, err
}

// wait waits until done, called with the control shard locked, returns true. It returns ctx's error if that comes
// first.
func (l *Layer) wait(ctx context.Context, done func() bool) error {
	l.control.Lock()
	defer l.control.Unlock()
	if done() {
		return nil
	}
	if l.settled == nil {
		l.settled = l.control.NewCond()
	}
	stop := l.rt.AfterDone(ctx, func() {
		l.control.Lock()
		l.wake()
		l.control.Unlock()
	})
	defer stop()
	for !done() {
		if err := ctx.Err(); err != nil {
			return err
		}
		l.control.Wait(l.settled)
	}
	return nil
}

// wake makes those who wait look again. Control locked.
func (l *Layer) wake() {
	if l.settled != nil {
		l.settled.Broadcast()
	}
}
