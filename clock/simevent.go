package clock

// event is something that happens at an instant. Its owner keeps it and schedules it again; the heap holds
// it at most once, so that moving or cancelling it leaves nothing behind.
type event struct {
	at    Instant
	seq   uint64 // orders events of one instant by when they were scheduled
	index int    // in the heap, plus one; 0: not in it
	f     func(now Instant)
}

// schedule puts e into the heap, or moves it there, for the instant at or, if that is past, for this one.
func (s *Sim) schedule(e *event, at Instant) {
	if at == Never {
		s.cancel(e)
		return
	}
	s.seq++
	e.at, e.seq = max(at, s.now), s.seq
	if e.index == 0 {
		s.heap = append(s.heap, e)
		e.index = len(s.heap)
	}
	s.fix(e.index - 1)
}

// cancel takes e out of the heap if it is in it.
func (s *Sim) cancel(e *event) {
	i := e.index - 1
	if i < 0 {
		return
	}
	e.index = 0
	n := len(s.heap) - 1
	last := s.heap[n]
	s.heap[n] = nil
	s.heap = s.heap[:n]
	if i < n {
		s.heap[i] = last
		last.index = i + 1
		s.fix(i)
	}
}

// fix moves the event at i to its place.
func (s *Sim) fix(i int) {
	h := s.heap
	e := h[i]
	moved := false
	for i > 0 {
		parent := (i - 1) / 2
		if !e.before(h[parent]) {
			break
		}
		h[i] = h[parent]
		h[i].index = i + 1
		i, moved = parent, true
	}
	for !moved {
		c := 2*i + 1
		if c >= len(h) {
			break
		}
		if c+1 < len(h) && h[c+1].before(h[c]) {
			c++
		}
		if !h[c].before(e) {
			break
		}
		h[i] = h[c]
		h[i].index = i + 1
		i = c
	}
	h[i] = e
	e.index = i + 1
}

func (e *event) before(f *event) bool { return e.at < f.at || e.at == f.at && e.seq < f.seq }

// simTimer is the simulation's Timer.
type simTimer struct {
	s *Sim
	event
}

func (s *Sim) newTimer(f func(now Instant)) *simTimer {
	return &simTimer{s: s, event: event{f: f}}
}

func (t *simTimer) Reset(at Instant) { t.s.schedule(&t.event, at) }
func (t *simTimer) Stop()            { t.s.cancel(&t.event) }

// job is something ready to run: a function, or a coroutine.
type job struct {
	seq uint64
	f   func()
	co  *coroutine
}

// queue is a first-in, first-out list of jobs that keeps its memory.
type queue struct {
	jobs []job
	head int
}

func (q *queue) len() int    { return len(q.jobs) - q.head }
func (q *queue) front() *job { return &q.jobs[q.head] }

func (q *queue) push(j job) {
	if q.head > 0 && len(q.jobs) == cap(q.jobs) {
		n := copy(q.jobs, q.jobs[q.head:])
		clear(q.jobs[n:])
		q.jobs, q.head = q.jobs[:n], 0
	}
	q.jobs = append(q.jobs, j)
}

func (q *queue) pop() job {
	j := q.jobs[q.head]
	q.jobs[q.head] = job{}
	q.head++
	if q.head == len(q.jobs) {
		q.jobs, q.head = q.jobs[:0], 0
	}
	return j
}
