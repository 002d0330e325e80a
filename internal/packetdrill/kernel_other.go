package packetdrill

import (
	"errors"

	"github.com/onlink-go/onlink/link/capture"
)

func newKernelWorld(cfg *Config, w *capture.Writer) (World, error) {
	return nil, errors.New("scripts run against the kernel on Linux only")
}
