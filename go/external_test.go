package framelane

import (
	"context"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/framelane/framelane/go/layout"
)

// Memfd is a sealed memfd full of one byte.
func memfd(t *testing.T, size int, content byte) *os.File {
	t.Helper()
	create := map[string]uintptr{"amd64": 319, "arm64": 279}[runtime.GOARCH]
	name := []byte("test\x00")
	const cloexec, allowSealing = 1, 2
	fd, _, errno := syscall.Syscall(create, uintptr(unsafe.Pointer(&name[0])),
		cloexec|allowSealing, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	file := os.NewFile(fd, "memfd")
	t.Cleanup(func() { _ = file.Close() })
	bytes := make([]byte, size)
	for i := range bytes {
		bytes[i] = content
	}
	_, err := file.WriteAt(bytes, 0)
	must(t, err)
	const addSeals, shrink, grow, futureWrite = 1033, 2, 4, 16
	_, _, errno = syscall.Syscall(syscall.SYS_FCNTL, fd, addSeals, shrink|grow|futureWrite)
	if errno != 0 {
		t.Fatal(errno)
	}
	return file
}

// DeviceLane is a lane of two buffers, which hold 10 and 11.
func deviceLane(t *testing.T, options ...ProducerOption) (*Producer, *Consumer, FrameLayout) {
	t.Helper()
	at := place(t)
	picture := picture(t, Grey, 64, 64)
	files := []*os.File{memfd(t, 4096, 10), memfd(t, 4096, 11)}
	buffers := WithDeviceBuffers(layout.MemoryKindMemfd, int(files[0].Fd()), int(files[1].Fd()))
	options = append(options, at, WithLayout(picture), WithHistory(0), buffers)
	producer, err := Create("lane", options...)
	must(t, err)
	t.Cleanup(func() { must(t, producer.Close()) })
	consumer, err := Open(context.Background(), "lane", Latest, at)
	must(t, err)
	t.Cleanup(func() { must(t, consumer.Close()) })
	return producer, consumer, picture
}

func publishBuffer(t *testing.T, producer *Producer, picture FrameLayout, buffer int32,
	owner func(Returned)) uint64 {
	t.Helper()
	// Beside Go pointers, as a program keeps it with the buffer it describes.
	kept := &struct {
		FrameDescriptor
		picture *FrameLayout
	}{picture: &picture}
	picture.Apply(&kept.FrameDescriptor)
	kept.Planes[0].BufferIndex = buffer
	sequence, err := producer.PublishExternal(&kept.FrameDescriptor, owner)
	must(t, err)
	return sequence
}

func TestExternalBuffersComeBackToTheirOwners(t *testing.T) {
	producer, consumer, picture := deviceLane(t)
	returned := make(chan Returned, 2)
	owner := func(r Returned) { returned <- r }
	publishBuffer(t, producer, picture, 0, owner)
	frame := taken(t, consumer)
	if !frame.IsRevocable() || first(t, frame) != 10 || !frame.Check() {
		t.Fatal("it is not the device frame that was published")
	}
	fd, err := frame.PlaneFd(0)
	must(t, err)
	byteAt := make([]byte, 1)
	if n, err := syscall.Pread(fd, byteAt, 4095); n != 1 || err != nil || byteAt[0] != 10 {
		t.Fatalf("the descriptor reads %d, %v, %v", n, err, byteAt)
	}
	must(t, syscall.Close(fd))
	copied := make([]byte, 4096)
	must(t, frame.CopyTo(0, copied))
	expect(t, frame.CopyTo(0, copied[1:]), ErrInvalidArgument)
	if copied[4095] != 10 {
		t.Fatalf("the copy has %d", copied[4095])
	}
	publishBuffer(t, producer, picture, 1, owner)
	select {
	case r := <-returned:
		t.Fatalf("%+v came back while it was held", r)
	case <-time.After(20 * time.Millisecond):
	}
	must(t, frame.Release())
	if r := <-returned; r.Sequence != 1 || r.Revoked {
		t.Fatalf("%+v came back", r)
	}
	must(t, producer.Recall())
	if r := <-returned; r.Sequence != 2 {
		t.Fatalf("%+v came back", r)
	}
}

func TestOverstayedFramesAreTakenBack(t *testing.T) {
	producer, consumer, picture := deviceLane(t, WithLease(100*time.Millisecond))
	returned := make(chan Returned, 2)
	publishBuffer(t, producer, picture, 0, func(r Returned) { returned <- r })
	frame := taken(t, consumer)
	publishBuffer(t, producer, picture, 1, nil)
	if r := <-returned; r.Sequence != 1 || !r.Revoked {
		t.Fatalf("%+v came back", r)
	}
	if frame.Check() {
		t.Fatal("a frame that was taken back counts")
	}
	expect(t, frame.CopyTo(0, make([]byte, 4096)), ErrRevoked)
	expect(t, frame.Release(), ErrRevoked)
	must(t, frame.Release())
}

func TestOwnersRunWhereTheProgramWants(t *testing.T) {
	producer, consumer, picture := deviceLane(t, WithReclaim())
	var ran int
	owner := func(Returned) {
		ran++
		_, err := producer.Report() // an owner may use its producer, also while that is closed
		if ran == 1 {
			must(t, err)
		} else {
			expect(t, err, ErrClosed)
		}
	}
	publishBuffer(t, producer, picture, 0, owner)
	must(t, taken(t, consumer).Release())
	publishBuffer(t, producer, picture, 1, owner)
	if ran != 0 {
		t.Fatal("an owner has run by itself")
	}
	for deadline := time.Now().Add(patience); ran == 0 && time.Now().Before(deadline); {
		_, err := producer.Reclaim()
		must(t, err)
	}
	if ran != 1 {
		t.Fatalf("%d owners have run", ran)
	}
	must(t, producer.Close())
	if ran != 2 {
		t.Fatal("the end of the lane has run no owner")
	}
	_, err := producer.Reclaim()
	expect(t, err, ErrClosed)
	expect(t, producer.Recall(), ErrClosed)
}

func TestTheEndOfALaneReturnsItsBuffers(t *testing.T) {
	producer, _, picture := deviceLane(t)
	returned := make(chan Returned, 1)
	publishBuffer(t, producer, picture, 0, func(r Returned) {
		_ = producer.Close() // also from here
		returned <- r
	})
	must(t, producer.Close())
	select {
	case <-returned:
	case <-time.After(patience):
		t.Fatal("the buffer did not come back")
	}
}

func TestALeaseShorterThanTwoFramesIsRefused(t *testing.T) {
	_, err := Create("lane", place(t), WithMemory(layout.MemoryKindMemfd),
		WithLease(50*time.Millisecond), WithFramePeriod(33*time.Millisecond))
	expect(t, err, ErrInvalidArgument)
	if !strings.Contains(err.Error(), "two frame periods") {
		t.Fatal(err)
	}
}
