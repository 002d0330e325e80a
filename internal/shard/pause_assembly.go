//go:build amd64 || arm64

package shard

// pause tells the processor that this is a loop which waits for another one: so it leaves more to that one, where they share a core.
//
//go:noescape
func pause()
