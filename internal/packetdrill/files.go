package packetdrill

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

// Files makes the system calls about ordinary files and pipes, and those that move data between them and sockets.
type Files interface {
	Open(path string, flags, mode int) (int, error)
	Pipe(flags int) (r, w int, err error)
	// Sendfile and Splice move up to n octets. off is where they are read from in a file, and where they end
	// afterwards; nil: the file's own position.
	Sendfile(out, in int, off *int64, n int) (int, error)
	Splice(in int, inOff *int64, out int, outOff *int64, n, flags int) (int, error)
}

// memoryFiles adds files and pipes in memory to the system calls of a stack. They are the script's own: it cannot touch
// those of the machine. Their descriptors are beyond those of sockets.
type memoryFiles struct {
	System
	disk map[string]*memoryFile
	open map[int]*openFile
	next int
}

// memoryFile is a file, or a pipe between two descriptors.
type memoryFile struct {
	data []byte
	pipe bool
}

// openFile is what a descriptor is.
type openFile struct {
	file        *memoryFile
	at          int64
	read, write bool
}

const (
	firstFile = 1 << 20
	pipeRoom  = 1 << 16 // octets a pipe holds

	// Flags of open and splice, Linux's numbers.
	openAccess, openWrite, openReadWrite = 3, 1, 2
	openCreate, openTruncate, openAppend = 0o100, 0o1000, 0o2000
	spliceMore, msgMore                  = 4, 0x8000
)

func newMemoryFiles(s System) *memoryFiles {
	return &memoryFiles{System: s, disk: map[string]*memoryFile{}, open: map[int]*openFile{}, next: firstFile}
}

func (m *memoryFiles) add(f *openFile) int {
	m.open[m.next] = f
	m.next++
	return m.next - 1
}

func (m *memoryFiles) Open(path string, flags, mode int) (int, error) {
	f := m.disk[path]
	switch {
	case f == nil && flags&openCreate == 0:
		return -1, syscall.ENOENT
	case f == nil:
		f = &memoryFile{}
		m.disk[path] = f
	case flags&openTruncate != 0:
		f.data = nil
	}
	o := &openFile{file: f, read: flags&openAccess != openWrite, write: flags&openAccess != 0}
	if flags&openAppend != 0 {
		o.at = int64(len(f.data))
	}
	return m.add(o), nil
}

func (m *memoryFiles) Pipe(flags int) (r, w int, err error) {
	p := &memoryFile{pipe: true}
	return m.add(&openFile{file: p, read: true}), m.add(&openFile{file: p, write: true}), nil
}

// take reads up to n octets: from a pipe, which loses them, or from a file at off, which moves.
func (o *openFile) take(n int, off *int64) []byte {
	f := o.file
	if f.pipe {
		b := f.data[:min(n, len(f.data))]
		f.data = f.data[len(b):]
		return b
	}
	if off == nil {
		off = &o.at
	}
	from := min(*off, int64(len(f.data)))
	b := f.data[from:min(from+int64(n), int64(len(f.data)))]
	*off = from + int64(len(b))
	return b
}

// giveBack undoes take for the last n octets of b, which nobody wanted.
func (o *openFile) giveBack(b []byte, n int, off *int64) {
	switch f := o.file; {
	case f.pipe:
		f.data = append(append([]byte(nil), b[len(b)-n:]...), f.data...)
	case off != nil:
		*off -= int64(n)
	default:
		o.at -= int64(n)
	}
}

// room returns how many octets can be written.
func (o *openFile) room() int {
	if o.file.pipe {
		return max(0, pipeRoom-len(o.file.data))
	}
	return maxBuffer - len(o.file.data)
}

// put writes b.
func (o *openFile) put(b []byte) int {
	f := o.file
	b = b[:min(len(b), o.room())]
	if f.pipe {
		f.data = append(f.data, b...)
		return len(b)
	}
	if end := int(o.at) + len(b); end > len(f.data) {
		f.data = append(f.data, make([]byte, end-len(f.data))...)
	}
	copy(f.data[o.at:], b)
	o.at += int64(len(b))
	return len(b)
}

// Recvmsg is read where the descriptor is a file's.
func (m *memoryFiles) Recvmsg(fd int, msg *Msg, flags int) (int, error) {
	o := m.open[fd]
	switch {
	case o == nil:
		return m.System.Recvmsg(fd, msg, flags)
	case !o.read:
		return -1, syscall.EBADF
	case o.file.pipe && len(o.file.data) == 0:
		return -1, syscall.EAGAIN
	}
	n := 0
	for _, b := range msg.Buf {
		n += copy(b, o.take(len(b), nil))
	}
	return n, nil
}

// Sendmsg is write where the descriptor is a file's.
func (m *memoryFiles) Sendmsg(fd int, msg *Msg, flags int) (int, error) {
	o := m.open[fd]
	switch {
	case o == nil:
		return m.System.Sendmsg(fd, msg, flags)
	case !o.write:
		return -1, syscall.EBADF
	}
	n := 0
	for _, b := range msg.Buf {
		n += o.put(b)
	}
	return n, nil
}

// Close closes a socket or file.
func (m *memoryFiles) Close(fd int) error {
	if m.open[fd] == nil {
		return m.System.Close(fd)
	}
	delete(m.open, fd)
	return nil
}

// chunk is how much sendfile moves at once: as with Linux, a pipe full.
const chunk = pipeRoom

// Sendfile sends from a file.
func (m *memoryFiles) Sendfile(out, in int, off *int64, n int) (int, error) {
	return m.fromFile(out, in, off, n, 0)
}

// fromFile moves up to n octets of a file or pipe to a socket, in chunks, each but the last with MSG_MORE.
func (m *memoryFiles) fromFile(out, in int, off *int64, n, flags int) (int, error) {
	o := m.open[in]
	if o == nil || !o.read {
		return -1, syscall.EBADF
	}
	done := 0
	for done < n {
		b := o.take(min(n-done, chunk), off)
		if len(b) == 0 {
			break
		}
		more := flags
		if !o.file.pipe && done+len(b) < n { // though the file may end here
			more |= msgMore
		}
		k, err := m.Sendmsg(out, &Msg{Buf: [][]byte{b}}, more)
		o.giveBack(b, len(b)-max(k, 0), off)
		done += max(k, 0)
		if err != nil && done == 0 {
			return -1, err
		}
		if err != nil || k < len(b) {
			break
		}
	}
	return done, nil
}

// Splice moves data between a pipe and a socket or file.
func (m *memoryFiles) Splice(in int, inOff *int64, out int, outOff *int64, n, flags int) (int, error) {
	from, to := m.open[in], m.open[out]
	sendFlags := 0 // SPLICE_F_NONBLOCK is about pipes; whether a socket waits is its own affair
	switch {
	case from != nil && from.file.pipe && inOff != nil, to != nil && to.file.pipe && outOff != nil:
		return -1, syscall.ESPIPE
	case from != nil && from.file.pipe && to == nil:
		if flags&spliceMore != 0 {
			sendFlags |= msgMore
		}
		if len(from.file.data) == 0 {
			return -1, syscall.EAGAIN
		}
		return m.fromFile(out, in, nil, n, sendFlags)
	case to != nil && to.file.pipe && from == nil:
		if to.room() == 0 {
			return -1, syscall.EAGAIN
		}
		b := make([]byte, min(n, to.room()))
		k, err := m.System.Recvmsg(in, &Msg{Buf: [][]byte{b}}, 0)
		if err != nil {
			return -1, err
		}
		return to.put(b[:k]), nil
	case from != nil && to != nil && (from.file.pipe || to.file.pipe):
		return to.put(from.take(min(n, to.room()), inOff)), nil
	}
	return -1, syscall.EINVAL
}

// Fcntl and the others that follow are of sockets only; of a file they say what Linux says of one.
func (m *memoryFiles) Fcntl(fd, cmd, arg int) (int, error) {
	if m.open[fd] != nil {
		return 0, nil
	}
	return m.System.Fcntl(fd, cmd, arg)
}

var _ interface {
	System
	Files
} = (*memoryFiles)(nil)

// Files returns what makes the world's calls about files.
func (w *simWorld) Files() Files { return w.System.(*memoryFiles) }

// files returns what makes the calls about files.
func (r *runner) files() (Files, error) {
	switch w := r.world.(type) {
	case Files:
		return w, nil
	case interface{ Files() Files }:
		return w.Files(), nil
	}
	return nil, errors.New("there are no files here")
}

func callOpen(r *runner, c *call, a args) error {
	if len(a.list) != 2 && len(a.list) != 3 {
		return fmt.Errorf("%d arguments, expected 2 or 3", len(a.list))
	}
	path, ok := a.list[0].(*script.Str)
	if !ok {
		return fmt.Errorf("argument 1: %s is no path", a.list[0])
	}
	flags, err := a.int(1)
	mode := 0o600
	if err == nil && len(a.list) == 3 {
		mode, err = a.int(2)
	}
	if err != nil {
		return err
	}
	f, err := r.files()
	c.run = func() (int, error) { return f.Open(path.Value, flags, mode) }
	c.opens(func(fd int) error {
		_, err := r.newFD(c, fd, nil)
		return err
	})
	return err
}

// callPipe is pipe([5, 6]) and pipe2([5, 6], flags).
func callPipe(r *runner, c *call, a args) error {
	if len(a.list) != 1 && len(a.list) != 2 {
		return fmt.Errorf("%d arguments, expected 1 or 2", len(a.list))
	}
	l, ok := a.list[0].(*script.List)
	if !ok || len(l.Elems) != 2 {
		return fmt.Errorf("argument 1: %s is not [descriptor, descriptor]", a.list[0])
	}
	var ends [2]int
	for i, e := range l.Elems {
		n, err := r.eval().int32(e)
		if err != nil {
			return err
		}
		if ends[i] = n; r.descriptor(n) != nil {
			return fmt.Errorf("the script has a descriptor %d already", n)
		}
	}
	flags := 0
	if len(a.list) == 2 {
		n, err := a.int(1)
		if err != nil {
			return err
		}
		flags = n
	}
	f, err := r.files()
	var in, out int
	c.run = func() (_ int, err error) {
		in, out, err = f.Pipe(flags)
		return 0, err
	}
	c.after = func(result int) error {
		if result == 0 {
			r.addFD(ends[0], in, nil)
			r.addFD(ends[1], out, nil)
		}
		return nil
	}
	return err
}

// offset reads an offset: NULL or [n].
func (a args) offset(i int) (*int64, error) {
	if _, any := a.list[i].(*script.List); !any && a.isNull(i) {
		return nil, nil
	}
	n, err := a.bracketed(i)
	at := int64(n)
	return &at, err
}

// callSendfile is sendfile(out, in, [offset], n).
func callSendfile(r *runner, c *call, a args) error {
	n, err := a.ints(4, 0, 1, 3)
	if err != nil {
		return err
	}
	off, err := a.offset(2)
	if err != nil {
		return err
	}
	f, err := r.files()
	c.run = func() (int, error) { return f.Sendfile(r.liveFD(n[0]), r.liveFD(n[1]), off, n[2]) }
	return err
}

// callSplice is splice(in, NULL, out, NULL, n, flags).
func callSplice(r *runner, c *call, a args) error {
	n, err := a.ints(6, 0, 2, 4, 5)
	if err != nil {
		return err
	}
	inOff, err := a.offset(1)
	if err != nil {
		return err
	}
	outOff, err := a.offset(3)
	if err != nil {
		return err
	}
	f, err := r.files()
	c.run = func() (int, error) { return f.Splice(r.liveFD(n[0]), inOff, r.liveFD(n[1]), outOff, n[2], n[3]) }
	return err
}
