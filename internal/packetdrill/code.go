package packetdrill

import (
	"fmt"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

type codeRunner struct{}

func (r *runner) runCode(c *script.Code) error { return fmt.Errorf("not yet") }
