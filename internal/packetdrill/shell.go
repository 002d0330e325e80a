package packetdrill

import (
	"time"

	"github.com/onlink-go/onlink/internal/packetdrill/shell"
)

// host is the world as shell commands see it.
type host struct{ World }

// Sleep lets time pass.
func (h host) Sleep(d time.Duration) error { return h.World.Sleep(h.Now()+d, nil) }

func newShell(w World, dir string) *shell.Shell { return shell.New(host{w}, dir) }
