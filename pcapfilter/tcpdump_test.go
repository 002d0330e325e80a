package pcapfilter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/onlink-go/onlink/link"
)

// tcpdump is the real one, reading a file of frames.
type tcpdump struct {
	file string
	link link.Medium
	all  [][]byte
}

// newTcpdump writes frames to a file for tcpdump; it skips the test where there is none.
func newTcpdump(t testing.TB, medium link.Medium, frames [][]byte) *tcpdump {
	t.Helper()
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Skip("tcpdump is not installed: there is nothing to compare with")
	}
	network := uint32(1) // LINKTYPE_ETHERNET
	if medium == link.IP {
		network = 101 // LINKTYPE_RAW
	}
	le := binary.LittleEndian
	var b []byte
	for _, v := range []uint32{0xa1b2c3d4, 2 | 4<<16, 0, 0, 65535, network} {
		b = le.AppendUint32(b, v)
	}
	for i, f := range frames { // its number is the frame's time
		for _, v := range []int{i, 0, len(f), len(f)} {
			b = le.AppendUint32(b, uint32(v))
		}
		b = append(b, f...)
	}
	name := filepath.Join(t.TempDir(), "frames.pcap")
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return &tcpdump{name, medium, frames}
}

// errRefused is that tcpdump does not take the expression.
var errRefused = errors.New("refused")

// selects returns the numbers of the frames that tcpdump selects.
func (d *tcpdump) selects(expr string, options ...string) (numbers []int, err error) {
	var out, errout bytes.Buffer
	c := exec.Command("tcpdump", append(options, "-r", d.file, "-w", "-", "--", expr)...)
	c.Stdout, c.Stderr = &out, &errout
	if err := c.Run(); err != nil {
		if strings.Contains(errout.String(), "expression rejects all packets") {
			return nil, nil
		}
		return nil, fmt.Errorf("%w: %s", errRefused, strings.TrimSpace(errout.String()))
	}
	le := binary.LittleEndian
	for b := out.Bytes()[24:]; len(b) > 0; b = b[16+le.Uint32(b[8:]):] {
		numbers = append(numbers, int(le.Uint32(b)))
	}
	return numbers, nil
}

// ours returns the numbers of the frames that our program selects.
func (d *tcpdump) ours(t testing.TB, expr string) ([]int, error) {
	raw, err := Compile(expr, d.link, Options{})
	if err != nil {
		return nil, err
	}
	vm := newVM(t, expr, raw)
	var numbers []int
	for i, f := range d.all {
		n, err := vm.Run(f)
		if err != nil {
			t.Fatalf("%q: %v", expr, err)
		}
		if n > 0 {
			numbers = append(numbers, i)
		}
	}
	return numbers, nil
}

func newVM(t testing.TB, expr string, raw []bpf.RawInstruction) *bpf.VM {
	t.Helper()
	program, all := bpf.Disassemble(raw)
	if !all {
		t.Fatalf("%q: not all instructions are known: %v", expr, program)
	}
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatalf("%q: %v\n%v", expr, err, program)
	}
	return vm
}

// same requires that both select the same frames, or both refuse expr. It returns how many they select. Of a frame that is cut
// off, tcpdump may say one thing when it optimizes the program and another when it does not (-O), because it leaves out or
// puts off loads that fail: either will do.
func (d *tcpdump) same(t *testing.T, expr string) int {
	t.Helper()
	want, wanterr := d.selects(expr)
	got, goterr := d.ours(t, expr)
	switch {
	case goterr != nil && strings.Contains(goterr.Error(), "divides by zero"),
		wanterr != nil && strings.Contains(wanterr.Error(), "shift by more than 31 bits"):
		// Whether tcpdump notices what is not written as a number depends on what its optimizer comes by.
	case (wanterr == nil) != (goterr == nil):
		t.Errorf("%q\n  tcpdump: %v\n  ours:    %v", expr, wanterr, goterr)
	case !slices.Equal(got, want):
		plain, err := d.selects(expr, "-O")
		if err != nil {
			t.Fatal(err)
		}
		over, missing := without(without(got, want), plain), without(intersection(want, plain), got)
		if len(over)+len(missing) > 0 {
			t.Errorf("%q\n  tcpdump selects %v\n  ours            %v\n  too many %v, missing %v", expr, want, got, over, missing)
		}
	}
	return len(got)
}

func intersection(a, b []int) []int { return without(a, without(a, b)) }

func without(a, b []int) (c []int) {
	for _, x := range a {
		if !slices.Contains(b, x) {
			c = append(c, x)
		}
	}
	return c
}

// Both select the same frames of the same hundreds, for a table of expressions and for many made at random.
func TestLikeTcpdump(t *testing.T) {
	for _, medium := range []link.Medium{link.Ethernet, link.IP} {
		t.Run(medium.String(), func(t *testing.T) {
			d := newTcpdump(t, medium, sampleFrames(medium))
			idle := 0
			for _, expr := range expressions {
				if n := d.same(t, expr); n == 0 || n == len(d.all) {
					idle++
				}
			}
			if medium == link.Ethernet && idle > len(expressions)/8 {
				t.Errorf("%d of %d expressions tell no frames apart", idle, len(expressions))
			}
			n := 200
			if testing.Short() {
				n = 30
			}
			r := rand.New(rand.NewPCG(1, uint64(medium)))
			for range n {
				d.same(t, randomExpression(r, 3))
				if t.Failed() {
					return
				}
			}
		})
	}
}

// Of what is wrong, both refuse each.
func TestRefusedAsByTcpdump(t *testing.T) {
	d := newTcpdump(t, link.Ethernet, nil)
	for _, row := range wrong {
		if len(row.expr) > 1000 {
			continue // it takes its time
		}
		if _, err := d.selects(row.expr); err == nil && !row.tcpdump {
			t.Errorf("%q: tcpdump takes it", row.expr)
		} else if err != nil && row.tcpdump {
			t.Errorf("%q: %v", row.expr, err)
		}
	}
}
