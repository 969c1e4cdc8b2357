package framelane

import "sync/atomic"

// Gate lets calls into a handle until it is closed; whoever leaves last after that frees it. So
// closing never waits, also not for a call that it is made from.
type gate struct{ state atomic.Int64 }

const gateClosed = 1 << 62

func (g *gate) enter() bool {
	for {
		state := g.state.Load()
		if state >= gateClosed {
			return false
		}
		if g.state.CompareAndSwap(state, state+1) {
			return true
		}
	}
}

// Leave tells whether the handle is to be freed now.
func (g *gate) leave() bool { return g.state.Add(-1) == gateClosed }

// Close tells whether the handle is to be freed now.
func (g *gate) close() bool {
	for {
		state := g.state.Load()
		if state >= gateClosed {
			return false
		}
		if g.state.CompareAndSwap(state, state+gateClosed) {
			return state == 0
		}
	}
}
