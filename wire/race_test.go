//go:build race

package wire

const raceEnabled = true // allocation counts mean nothing
