package main

import (
	"bytes"
	"os"
	"strconv"
	"time"
)

// slab returns how many octets the kernel's own structures take.
func slab() float64 {
	time.Sleep(100 * time.Millisecond) // what is freed after a grace period is free
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(b) {
		fields := bytes.Fields(line)
		if len(fields) > 1 && string(fields[0]) == "Slab:" {
			n, _ := strconv.ParseFloat(string(fields[1]), 64)
			return n * 1024
		}
	}
	return 0
}
