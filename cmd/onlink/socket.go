package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// soon is a deadline for those who are to be done anyway.
func soon() time.Time { return time.Now().Add(patience) }

// controlSocket is the socket that a running host is controlled by: a file that only its owner may use.
type controlSocket struct {
	*net.UnixListener
	path string
	file fs.FileInfo
}

// controlDirs are the folders where hosts have their control sockets: those of this user go into the first that can be had.
func controlDirs() (dirs []string) {
	if run := os.Getenv("XDG_RUNTIME_DIR"); run != "" {
		dirs = append(dirs, filepath.Join(run, "onlink"))
	}
	uid := os.Getuid()
	if uid != 0 {
		dirs = append(dirs, filepath.Join(os.TempDir(), fmt.Sprintf("onlink-%d", uid)))
	}
	return append(dirs, "/run/onlink")
}

// listenControl makes the control socket of the host on the given device where clients look for it. If another one is there, of a
// host in another network namespace, the name gets this process's number.
func listenControl(device string) (*controlSocket, error) {
	var why error
	for _, dir := range controlDirs() {
		if err := privateDir(dir); err != nil {
			why = errors.Join(why, err)
			continue
		}
		sweep(dir)
		s, err := listenControlAt(filepath.Join(dir, device+".sock"))
		if errors.Is(err, syscall.EADDRINUSE) {
			s, err = listenControlAt(filepath.Join(dir, fmt.Sprintf("%s:%d.sock", device, os.Getpid())))
		}
		return s, err
	}
	return nil, why
}

// sweep removes the control sockets that hosts have left behind which were killed.
func sweep(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // who makes a socket there is told
	}
	for _, e := range entries {
		if path := filepath.Join(dir, e.Name()); deviceOf(path) != "" {
			removeStale(path) // what cannot be removed, or is no socket, is in nobody's way
		}
	}
}

// privateDir makes the folder dir, or looks whether the one that is there is ours alone.
func privateDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	fi, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !fi.IsDir() || fi.Mode().Perm()&0o077 != 0 || !ownFile(fi) {
		return fmt.Errorf("%s is not a folder that only its owner may use (mode 0700)", dir)
	}
	return nil
}

// maxSocketPath is how many octets the path of a UNIX socket may have.
const maxSocketPath = len(syscall.RawSockaddrUnix{}.Path) - 1

// listenControlAt makes a control socket at path. One that is there and nobody listens to is replaced. Errors: EADDRINUSE if
// somebody does.
func listenControlAt(path string) (*controlSocket, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// It is made in a folder of its own and then linked, so that nobody else can ever open it, and two who want the same path do not
	// take each other's away.
	dir, err := os.MkdirTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return nil, fmt.Errorf("control socket %s: %w", path, errors.Unwrap(err))
	}
	defer os.RemoveAll(dir)
	hidden := filepath.Join(dir, "s")
	if max(len(hidden), len(path)) > maxSocketPath {
		return nil, fmt.Errorf("control socket %s: the path is too long", path)
	}
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: hidden, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("control socket %s: %w", path, err)
	}
	ln.SetUnlinkOnClose(false)
	s := &controlSocket{UnixListener: ln, path: path}
	if err = os.Chmod(hidden, 0o600); err == nil {
		err = s.publish(hidden)
	}
	if err != nil {
		ln.Close()
		return nil, fmt.Errorf("control socket %s: %w", path, err)
	}
	return s, nil
}

// publish gives the socket hidden its name.
func (s *controlSocket) publish(hidden string) (err error) {
	if s.file, err = os.Lstat(hidden); err != nil {
		return err
	}
	for {
		err := os.Link(hidden, s.path)
		if !errors.Is(err, syscall.EEXIST) {
			if e, ok := errors.AsType[*os.LinkError](err); ok {
				return e.Err
			}
			return err
		}
		if err := removeStale(s.path); err != nil {
			return err
		}
	}
}

// removeStale removes a socket that nobody listens to.
func removeStale(path string) error {
	fi, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case fi.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("there is something else, which is not a socket: %w", syscall.EEXIST)
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		conn.Close()
		return fmt.Errorf("another onlink listens there: %w", syscall.EADDRINUSE)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}

// close ends the socket and removes its file, unless that is somebody else's by now.
func (s *controlSocket) close() error {
	err := s.UnixListener.Close()
	if fi, statErr := os.Lstat(s.path); statErr == nil && os.SameFile(fi, s.file) && fi.ModTime().Equal(s.file.ModTime()) {
		err = errors.Join(err, os.Remove(s.path))
	}
	return err
}

// searchedDirs are the folders where clients look: also where a host is whose environment says where to, and the client's does not.
func searchedDirs() []string {
	dirs := controlDirs()
	if session := fmt.Sprintf("/run/user/%d/onlink", os.Getuid()); !slices.Contains(dirs, session) {
		dirs = append(dirs, session)
	}
	return dirs
}

// findControl returns the path of the control socket that is meant by name: a path, the name of a device, or empty, for the
// only host that runs. Where several would do, those in this network namespace are meant.
func findControl(name string) (string, error) {
	if strings.ContainsRune(name, filepath.Separator) {
		return name, nil
	}
	var found, closed []string
	for _, dir := range searchedDirs() {
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrPermission) {
			closed = append(closed, dir)
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if deviceOf(path) != "" && (name == "" || deviceOf(path) == name) && answers(path) {
				found = append(found, path)
			}
		}
	}
	if len(found) > 1 {
		if near := inNamespace(found); len(near) > 0 {
			found = near
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return "", usagef("several hosts are running: say which, with --socket %s", strings.Join(found, " or --socket "))
	}
	where := fmt.Sprintf("there is no control socket in %s", strings.Join(searchedDirs(), ", "))
	if len(closed) > 0 {
		where = fmt.Sprintf("no permission for the control sockets in %s: be the user who ran onlink up, or root", strings.Join(closed, ", "))
	}
	if name != "" {
		return "", fmt.Errorf("no onlink up on %s found: %s", name, where)
	}
	return "", fmt.Errorf("no running onlink up found: %s; --node client is a host of the built-in lab", where)
}

// deviceOf returns the name of the device of whose host path is the socket: tap0 of tap0.sock and tap0:1234.sock; empty if it is
// none. No device has a colon in its name.
func deviceOf(path string) string {
	name, ok := strings.CutSuffix(filepath.Base(path), ".sock")
	if !ok {
		return ""
	}
	device, _, _ := strings.Cut(name, ":")
	return device
}

// answers reports whether somebody listens to the socket, or may do so: a fault other than that nobody does is told later.
func answers(path string) bool {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return !errors.Is(err, syscall.ECONNREFUSED)
	}
	conn.Close()
	return true
}

// inNamespace returns those of the sockets whose hosts are in this process's network namespace.
func inNamespace(paths []string) (near []string) {
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return nil
	}
	for _, path := range paths {
		if pid := owner(path); pid != 0 {
			if ns, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid)); err == nil && ns == own {
				near = append(near, path)
			}
		}
	}
	return near
}

// dialError says why the control socket at path does not answer.
func dialError(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("no permission for the control socket %s: be the user who ran onlink up, or root", path)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("no onlink up is running there: there is no control socket %s", path)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no onlink up is running there any more: nobody listens to the control socket %s", path)
	case errors.Is(err, syscall.ENOTSOCK):
		return fmt.Errorf("%s is not a socket", path)
	}
	return fmt.Errorf("control socket %s: %w", path, errors.Unwrap(err))
}
