//go:build !linux

package kernel

import (
	"errors"

	"github.com/onlink-go/onlink/internal/packetdrill"
	"github.com/onlink-go/onlink/link/capture"
)

// New fails: there is only Linux's kernel to run scripts against.
func New(*packetdrill.Config, *capture.Writer) (packetdrill.World, error) {
	return nil, errors.New("scripts run against the kernel on Linux only")
}
