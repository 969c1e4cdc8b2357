package framelane

import (
	"io/fs"
	"time"
)

// ShmbufSenderOption changes how CreateShmbuf makes a segment.
type ShmbufSenderOption interface{ forShmbufSender(*shmbufSenderSettings) }

// ShmbufReceiverOption changes how OpenShmbuf attaches to a segment.
type ShmbufReceiverOption interface {
	forShmbufReceiver(*shmbufReceiverSettings)
}

// ShmbufOption is one for both sides of a ring.
type ShmbufOption interface {
	ShmbufSenderOption
	ShmbufReceiverOption
}

// ShmbufSettings are common to both sides.
type shmbufSettings struct {
	bell bool
	poll time.Duration
}

type shmbufSenderSettings struct {
	shmbufSettings
	mode                 uint32
	keep, pythonReceiver bool
	directory            string
}

type shmbufReceiverSettings struct {
	shmbufSettings
	attachSettings
}

type shmbufSenderOption func(*shmbufSenderSettings)

func (set shmbufSenderOption) forShmbufSender(s *shmbufSenderSettings) { set(s) }

type shmbufOption func(*shmbufSettings)

func (set shmbufOption) forShmbufSender(s *shmbufSenderSettings)     { set(&s.shmbufSettings) }
func (set shmbufOption) forShmbufReceiver(s *shmbufReceiverSettings) { set(&s.shmbufSettings) }

// WithBell wakes the other side and is woken, where that is ours, too, and asks for the same; it
// uses a word of the header that upstream programs leave alone.
func WithBell() ShmbufOption { return shmbufOption(func(s *shmbufSettings) { s.bell = true }) }

// WithPollInterval is how long to sleep between two looks at a peer that rings no bell (1 ms), at
// most 50 ms.
func WithPollInterval(interval time.Duration) ShmbufOption {
	return shmbufOption(func(s *shmbufSettings) { s.poll = interval })
}

// WithMode gives the segment these permissions (0600), whatever the umask. A receiver needs to read
// and write.
func WithMode(mode fs.FileMode) ShmbufSenderOption {
	return shmbufSenderOption(func(s *shmbufSenderSettings) { s.mode = uint32(mode.Perm()) })
}

// WithKeep leaves the name when the sender goes, for receivers that come later.
func WithKeep() ShmbufSenderOption {
	return shmbufSenderOption(func(s *shmbufSenderSettings) { s.keep = true })
}

// WithPythonReceiver is for upstream's Python receiver, which goes deaf after 4 GiB: the counters
// are set back in time. Never with a C++ receiver, which would read far outside its memory.
func WithPythonReceiver() ShmbufSenderOption {
	return shmbufSenderOption(func(s *shmbufSenderSettings) { s.pythonReceiver = true })
}
