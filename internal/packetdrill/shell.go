package packetdrill

import "fmt"

type shell struct{}

func newShell(w World, dir string) *shell { return &shell{} }

func (s *shell) run(text string) error                   { return fmt.Errorf("not yet") }
func (s *shell) source(path string, args []string) error { return fmt.Errorf("not yet") }
