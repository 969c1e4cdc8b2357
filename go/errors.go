package framelane

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/framelane/framelane/go/layout"
)

// ErrorKind says what went wrong and so what to do next; the same numbers in every language.
type ErrorKind = layout.ErrorKind

// Error is what every call of this package fails with. Compare it with errors.Is and one of the
// Err values, or take the kind with errors.As.
type Error struct {
	Kind ErrorKind
	// Text says what failed and why.
	Text string
	// what else it is, a context's error for instance
	cause error
}

func (e *Error) Error() string {
	if e.Text == "" {
		return "framelane: " + e.Kind.String()
	}
	return "framelane: " + e.Text
}

// Unwrap gives the error of the context that ended a wait, where one did.
func (e *Error) Unwrap() error { return e.cause }

// Is tells whether target is the value of this kind, or what the standard library has for it.
func (e *Error) Is(target error) bool {
	if other, ok := target.(*Error); ok {
		return other.Kind == e.Kind && other.Text == "" && other.cause == nil
	}
	standard, ok := inStandard[e.Kind]
	return ok && standard == target
}

var inStandard = map[ErrorKind]error{
	layout.ErrorKindInvalidArgument:  fs.ErrInvalid,
	layout.ErrorKindNotFound:         fs.ErrNotExist,
	layout.ErrorKindAlreadyExists:    fs.ErrExist,
	layout.ErrorKindPermissionDenied: fs.ErrPermission,
	layout.ErrorKindClosed:           fs.ErrClosed,
}

// One value for each kind, for errors.Is.
var (
	ErrInvalidArgument  error = &Error{Kind: layout.ErrorKindInvalidArgument}
	ErrInvalidName      error = &Error{Kind: layout.ErrorKindInvalidName}
	ErrNotFound         error = &Error{Kind: layout.ErrorKindNotFound}
	ErrAlreadyExists    error = &Error{Kind: layout.ErrorKindAlreadyExists}
	ErrPermissionDenied error = &Error{Kind: layout.ErrorKindPermissionDenied}
	ErrLayoutMismatch   error = &Error{Kind: layout.ErrorKindLayoutMismatch}
	ErrTooMany          error = &Error{Kind: layout.ErrorKindTooMany}
	ErrNoLeases         error = &Error{Kind: layout.ErrorKindNoLeases}
	ErrNoFreeSlot       error = &Error{Kind: layout.ErrorKindNoFreeSlot}
	ErrTimedOut         error = &Error{Kind: layout.ErrorKindTimedOut}
	ErrClosed           error = &Error{Kind: layout.ErrorKindClosed}
	ErrDisconnected     error = &Error{Kind: layout.ErrorKindDisconnected}
	ErrRevoked          error = &Error{Kind: layout.ErrorKindRevoked}
	ErrOutOfMemory      error = &Error{Kind: layout.ErrorKindOutOfMemory}
	ErrUnsupported      error = &Error{Kind: layout.ErrorKindUnsupported}
	ErrProtocol         error = &Error{Kind: layout.ErrorKindProtocol}
	ErrTooLarge         error = &Error{Kind: layout.ErrorKindTooLarge}
	ErrSystem           error = &Error{Kind: layout.ErrorKindSystem}
	ErrForked           error = &Error{Kind: layout.ErrorKindForked}
	ErrLeasesInUse      error = &Error{Kind: layout.ErrorKindLeasesInUse}
	ErrOldEpochsHeld    error = &Error{Kind: layout.ErrorKindOldEpochsHeld}
	ErrLapped           error = &Error{Kind: layout.ErrorKindLapped}
	ErrNoKeyFrame       error = &Error{Kind: layout.ErrorKindNoKeyFrame}
	ErrRecordTooLarge   error = &Error{Kind: layout.ErrorKindRecordTooLarge}
	ErrInternal         error = &Error{Kind: layout.ErrorKindInternal}
)

// Lapped is what reading a stream fails with when records were overwritten before they were read.
// Take it with errors.As; it is ErrLapped for errors.Is.
type Lapped struct {
	// Missed is how many records that were.
	Missed uint64
	err    error
}

func (l *Lapped) Error() string { return l.err.Error() }

// Unwrap gives the Error, of kind Lapped.
func (l *Lapped) Unwrap() error { return l.err }

// What a status of the library means; nil for success.
func failure(code status, problem *nativeProblem) error {
	if code == statusOk {
		return nil
	}
	return &Error{Kind: ErrorKind(code), Text: problemText(problem)}
}

func plain(code status, text string) error { return &Error{Kind: ErrorKind(code), Text: text} }

func invalid(text string) error {
	return &Error{Kind: layout.ErrorKindInvalidArgument, Text: text}
}

// Texts of C end at the first zero: one that has it inside would become another.
func checkTexts(name, directory string) error {
	if strings.IndexByte(name, 0) >= 0 {
		text := fmt.Sprintf("the lane name %q has a zero in it", name)
		return &Error{Kind: layout.ErrorKindInvalidName, Text: text}
	}
	if strings.IndexByte(directory, 0) >= 0 {
		return invalid(fmt.Sprintf("the directory %q has a zero in it", directory))
	}
	return nil
}

func closed(what string) error { return &Error{Kind: layout.ErrorKindClosed, Text: what} }
