package packetdrill

// descriptor is a file descriptor of the script and the one it is in the system under test.
type descriptor struct {
	script, live int
	sock         *sock // nil: no socket
}

// badFD is a descriptor that no system has: what the script's unknown ones are.
const badFD = 1 << 30

// What sockets without a descriptor have in its place.
const (
	noFD     = -1 // not accepted yet
	closedFD = -2
)

// descriptor finds a descriptor of the script; nil: there is none.
func (r *runner) descriptor(script int) *descriptor {
	for _, d := range r.fds {
		if d.script == script {
			return d
		}
	}
	return nil
}

// liveFD is the descriptor of the system for one of the script.
func (r *runner) liveFD(script int) int {
	if d := r.descriptor(script); d != nil {
		return d.live
	}
	if script < 0 {
		return script
	}
	return badFD
}

func (r *runner) addFD(script, live int, s *sock) {
	r.fds = append(r.fds, &descriptor{script, live, s})
}

func (r *runner) removeFD(script int) {
	for i, d := range r.fds {
		if d.script == script {
			r.fds = append(r.fds[:i], r.fds[i+1:]...)
			return
		}
	}
}
