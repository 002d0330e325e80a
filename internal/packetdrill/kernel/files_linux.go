package kernel

import "golang.org/x/sys/unix"

// The calls about files are the kernel's own: a script may make and change files of the machine.

func (s *System) Open(path string, flags, mode int) (int, error) {
	return s.opened(unix.Open(path, flags|s.Opening, uint32(mode)))
}

func (s *System) Pipe(flags int) (r, w int, err error) {
	var p [2]int
	if err := unix.Pipe2(p[:], flags|s.Opening); err != nil {
		return -1, -1, err
	}
	if r, err = s.opened(p[0], nil); err == nil {
		w, err = s.opened(p[1], nil)
	}
	return r, w, err
}

func (s *System) Sendfile(out, in int, off *int64, n int) (int, error) {
	return unix.Sendfile(out, in, off, n)
}

func (s *System) Splice(in int, inOff *int64, out int, outOff *int64, n, flags int) (int, error) {
	k, err := unix.Splice(in, inOff, out, outOff, n, flags)
	return int(k), err
}
