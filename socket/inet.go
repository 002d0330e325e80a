package socket

import (
	"encoding/binary"

	"github.com/onlink-go/onlink/internal/flow"
)

// inet is what TCP and UDP sockets have in common. Its mutex is above the shards' locks, and nobody waits with it
// locked.
type inet struct {
	common
	t       *Table
	hasPort func() bool // mu locked
	domain  int         // AF_INET or AF_INET6
	// datagrams is set if the socket's packets are not cut to the path.
	datagrams bool
	only6     bool // an AF_INET6 socket that never takes IPv4

	// All below: mu.
	v6only    bool
	local     flow.Endpoint // what it is bound to
	boundAddr bool          // by bind, not by connect
	boundPort bool
	shut      int // shutRead, shutWrite
	opt       options
	cookie    uint64 // SO_COOKIE
}

// The directions that are shut down.
const (
	shutRead  = 1
	shutWrite = 2
	shutBoth  = shutRead | shutWrite
)

func int32At(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) }

func putInt32(b []byte, v int32) { binary.LittleEndian.PutUint32(b, uint32(v)) }
