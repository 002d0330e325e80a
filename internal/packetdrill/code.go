package packetdrill

import (
	"errors"
	"fmt"
	"strings"

	"github.com/onlink-go/onlink/internal/packetdrill/abi"
	"github.com/onlink-go/onlink/internal/packetdrill/code"
	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

// What code learns of a socket.
const (
	solTCP    = 6
	tcpInfo   = 11
	soMeminfo = 55

	tcpInfoSize = 512 // more than any system tells
	meminfoSize = 9 * 4
)

// runCode runs a piece of code, which sees what the socket made last says of itself at this point.
func (r *runner) runCode(c *script.Code) error {
	if r.current == nil || r.current.fd < 0 {
		return errors.New("there is no socket that the code could be about")
	}
	info, err := r.query(r.current.fd, solTCP, tcpInfo, tcpInfoSize)
	if err != nil {
		return fmt.Errorf("getsockopt of TCP_INFO for the code: %s", errnoName(err))
	}
	values := abi.TCPInfo(info)
	if mem, err := r.query(r.current.fd, solSocket, soMeminfo, meminfoSize); err == nil {
		values = append(values, abi.MemInfo(mem)...) // where the system does not tell, code that asks fails
	}
	if r.code == nil {
		r.code = code.New()
		r.code.Print = func(text string) {
			r.trace(r.world.Now(), "code printed %s", strings.TrimRight(text, "\n"))
		}
	}
	for _, v := range values {
		r.code.Set(v.Name, v.Value)
	}
	err = r.code.Run(c.TextPos.File, c.TextPos.Line, c.TextPos.Col, c.Text)
	if e, ok := errors.AsType[*code.Error](err); ok {
		return r.failure(script.Pos{File: e.File, Line: e.Line, Col: e.Col}, errors.New(e.Msg))
	}
	return err
}

// query makes a getsockopt.
func (r *runner) query(fd, level, name, size int) ([]byte, error) {
	b, n := make([]byte, size), 0
	var err error
	c := r.world.Do("getsockopt", func() { n, err = r.world.Getsockopt(fd, level, name, b) })
	if !c.Done {
		if err := r.world.Sleep(r.world.Now(), func() bool { return c.Done }); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, err
	}
	return b[:n], nil
}
