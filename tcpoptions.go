package onlink

import "github.com/onlink-go/onlink/internal/tcp"

// noDelay turns Nagle's algorithm off, as package net does with every connection.
func noDelay(c *tcp.Config) { c.NoDelay = true }
