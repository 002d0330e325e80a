package main

import (
	"bytes"
	"context"
	"fmt"
)

// routeCmd is `onlink route`.
type routeCmd struct {
	runningFlags `embed:""`
	Words        []string `arg:"" optional:"" help:"show"`
}

// Run has the command work on the host that the flags say.
func (c *routeCmd) Run(ctx context.Context) error { return c.target(ctx, c) }

func (c *routeCmd) run(s *session) error {
	var b bytes.Buffer
	for _, r := range s.stack.Routes() {
		fmt.Fprintln(&b, r)
	}
	_, err := s.out.Write(b.Bytes())
	return err
}
