package packetdrill

import (
	"github.com/onlink-go/onlink/internal/packetdrill/abi"
	"github.com/onlink-go/onlink/socket"
)

// errnoOf is Linux's number for what a call returned.
func errnoOf(err error) int { return socket.Errno(err) }

func errnoName(err error) string { return abi.ErrnoName(errnoOf(err)) }
