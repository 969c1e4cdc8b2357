// Package framelane shares camera frames between processes without copying them.
//
// A Producer publishes frames into a lane; any number of Consumers, in this and other languages,
// read the same bytes in place. Neither side needs a daemon, and a crashed, stuck or hostile peer
// costs nobody else a frame.
//
// A Frame is a lease: its bytes stay as they are until Release. Frames and their planes are memory
// that other processes have too, mapped read-only: writing to them ends the program. Whoever
// forgets a frame is told, see OnLeak.
//
// A StreamWriter writes records of any size into a stream, encoded video for instance, for any
// number of StreamReaders, each with a place of its own.
//
// A Switch reads the active one of several lanes that stand behind one name; its SwitchController
// says which that is.
//
// Waiting for a frame or a record uses the runtime's poller: a goroutine in Next costs
// no thread.
//
// The package needs the C library, found by pkg-config. With the build tag framelane_static it is
// linked in; with framelane_workspace it is the one that cargo built in the checkout. The go
// command does not notice when pkg-config says something else than before: go build -a then.
package framelane
