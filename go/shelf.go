package framelane

import "sync"

// Shelf keeps objects that are used again and again, so that a frame costs no garbage. What is in
// use it does not know, so that a forgotten object is found by the garbage collector.
type shelf[T any] struct {
	mu   sync.Mutex
	free []*T
}

func (s *shelf[T]) take() *T {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.free) - 1
	if last < 0 {
		return nil
	}
	found := s.free[last]
	s.free[last] = nil // or it would be reachable from here, and not be found when it is forgotten
	s.free = s.free[:last]
	return found
}

func (s *shelf[T]) put(object *T) {
	s.mu.Lock()
	s.free = append(s.free, object)
	s.mu.Unlock()
}
