package main

import (
	"bytes"
	"context"
	"fmt"
)

// addrCmd is `onlink addr`.
type addrCmd struct {
	runningFlags `embed:""`
	Words        []string `arg:"" optional:"" help:"show [dev DEVICE]"`
}

// Run has the command work on the host that the flags say.
func (c *addrCmd) Run(ctx context.Context) error { return c.target(ctx, c) }

func (c *addrCmd) run(s *session) error {
	var b bytes.Buffer
	for _, i := range s.stack.Snapshot().Interfaces {
		fmt.Fprintln(&b, i)
	}
	_, err := s.out.Write(b.Bytes())
	return err
}
