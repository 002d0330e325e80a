package shard

// Mark returns what Left takes of all that is staged now. sh locked.
func (s *Shard) Mark() uint64 { return s.round + 1 }

// Left reports whether what was staged when Mark returned mark has left. sh locked.
func (s *Shard) Left(mark uint64) bool { return s.sent >= mark }

// After has f called once, by Runtime.Go, when all that is staged now has left; f instead of what a call since the shard was unlocked last
// has asked for. sh locked.
func (s *Shard) After(f func()) { s.after = f }

// takeAfter returns what After was told, once. sh locked.
func (s *Shard) takeAfter() (f func()) {
	f, s.after = s.after, nil
	return f
}

// spawn has f called, if it is not nil.
func (s *Shard) spawn(f func()) {
	if f != nil {
		s.rt.Go(f)
	}
}
