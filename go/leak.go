package framelane

import (
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
)

// Leak is something that was forgotten: the garbage collector found it unreleased or unclosed. By
// the time it is told it has been released.
type Leak struct {
	// What it is: "frame", "claimed frame", "consumer" or "producer"; of a stream "record", "open
	// record", "stream reader" or "stream writer"; "switch" or "switch controller"; "shmbuf sender"
	// or "shmbuf receiver".
	What string
	// Lane is its name, or that of the switch.
	Lane string
	// Sequence of a frame or record, 0 for everything else.
	Sequence uint64
	// Stack of the call it came from, where TraceLeaks is on.
	Stack string
}

var (
	leakHandler atomic.Pointer[func(Leak)]
	leakTracing atomic.Bool
)

// OnLeak has leaks told to a function of the program's, which runs on a goroutine of the runtime
// and must not block. Without one, and after nil, they are warnings of the default slog logger.
func OnLeak(tell func(Leak)) {
	if tell == nil {
		leakHandler.Store(nil)
		return
	}
	leakHandler.Store(&tell)
}

// TraceLeaks has frames and records remember where they were borrowed and claimed, for the Stack of
// a Leak. It costs about a microsecond each.
func TraceLeaks(on bool) { leakTracing.Store(on) }

func tellLeak(leak Leak) {
	if tell := leakHandler.Load(); tell != nil {
		(*tell)(leak)
		return
	}
	slog.Warn("framelane: forgotten, and released by the garbage collector only",
		"what", leak.What, "lane", leak.Lane, "sequence", leak.Sequence, "stack", leak.Stack)
}

// Origin is where a frame came from.
type origin struct {
	callers [12]uintptr
	depth   int
}

func (o *origin) note() {
	o.depth = 0
	if leakTracing.Load() {
		o.depth = runtime.Callers(3, o.callers[:])
	}
}

func (o *origin) String() string {
	var text strings.Builder
	frames := runtime.CallersFrames(o.callers[:o.depth])
	for more := o.depth > 0; more; {
		var frame runtime.Frame
		frame, more = frames.Next()
		text.WriteString(frame.Function + "\n")
	}
	return text.String()
}
