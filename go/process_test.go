package framelane

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const producerVariable = "FRAMELANE_TEST_PRODUCER"

// Producing is what this test program does as the child of one of its tests: publish for ever.
func producing(directory string) {
	producer, err := Create("lane", WithDirectory(directory), WithPicture(Grey, 16, 4))
	for err == nil {
		var frame FrameMut
		if frame, err = producer.TryClaim(); err == nil {
			_, err = frame.Publish()
		}
		time.Sleep(5 * time.Millisecond)
	}
	println(err.Error())
	os.Exit(1)
}

func startProducer(t *testing.T, directory string) *exec.Cmd {
	t.Helper()
	return start(t, producerVariable, directory)
}

// Start runs this program with a variable that tells it what to do.
func start(t *testing.T, variable, directory string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	child := exec.Command(self)
	child.Env = append(os.Environ(), variable+"="+directory)
	child.Stderr = os.Stderr
	must(t, child.Start())
	t.Cleanup(func() { kill(child) })
	return child
}

func kill(child *exec.Cmd) {
	_ = child.Process.Kill()
	_ = child.Wait()
}

func TestAKilledProducerEndsAWait(t *testing.T) {
	directory := t.TempDir()
	child := startProducer(t, directory)
	ctx := within(t, patience)
	options := []ConsumerOption{WithDirectory(directory), WithWaitForLane(patience)}
	steady, err := Open(ctx, "lane", Ordered, options...)
	must(t, err)
	defer steady.Close()
	single, err := Open(ctx, "lane", Ordered, append(options, WithReattach(false), WithLeases(2))...)
	must(t, err)
	defer single.Close()
	frame, err := single.Next(ctx)
	must(t, err)
	go func() {
		time.Sleep(30 * time.Millisecond)
		_ = child.Process.Kill()
	}()
	must(t, read(ctx, single, func(Frame) bool { return false }, ErrDisconnected))
	if !frame.Check() || len(first16(t, frame)) != 64 {
		t.Fatal("a frame that is held went with its producer")
	}
	must(t, frame.Release())
	_ = child.Wait()
	again := startProducer(t, directory)
	must(t, read(ctx, steady, Frame.NewEpoch, nil))
	kill(again)
	expect(t, waitUntilIdle(steady), context.DeadlineExceeded)
}

func first16(t *testing.T, frame Frame) []byte {
	t.Helper()
	plane, err := frame.Plane(0)
	must(t, err)
	return plane
}

// Read reads frames until one is wanted, or the wanted error comes.
func read(ctx context.Context, c *Consumer, wanted func(Frame) bool, end error) error {
	for frame, err := range c.Frames(ctx) {
		if err != nil {
			if end != nil && err.(*Error).Is(end) {
				return nil
			}
			return err
		}
		found := wanted(frame)
		if err := frame.Release(); err != nil || found {
			return err
		}
	}
	return nil
}

// WaitUntilIdle reads what is left, and waits in vain for more.
func waitUntilIdle(c *Consumer) error {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	return read(ctx, c, func(Frame) bool { return false }, nil)
}

func TestSignalsHarmNothing(t *testing.T) {
	producer, consumer, picture := deviceLane(t)
	stop := make(chan struct{})
	var storm sync.WaitGroup
	storm.Add(1)
	go func() {
		defer storm.Done()
		for {
			select {
			case <-stop:
				return
			default:
				_ = syscall.Kill(os.Getpid(), syscall.SIGURG) // the runtime's own, for preemption
			}
		}
	}()
	ctx := within(t, patience)
	for number := range 300 {
		owner := make(chan Returned, 1)
		buffer := int32(number % 2)
		publishBuffer(t, producer, picture, buffer, func(r Returned) { owner <- r })
		frame, err := consumer.Next(ctx)
		must(t, err)
		if first(t, frame) != byte(10+buffer) || !frame.Check() {
			t.Fatal("a wrong frame")
		}
		must(t, frame.CopyTo(0, make([]byte, 4096)))
		must(t, frame.Release())
		must(t, producer.Recall())
		<-owner
	}
	close(stop)
	storm.Wait()
}

func TestSeveralGoroutinesShareTheHandles(t *testing.T) {
	const writers, readers, each = 3, 3, 200
	at := place(t)
	producer, err := Create("lane", at, WithPicture(Grey, 16, 4), WithClaims(writers),
		WithLossless(), WithLeaseBudget(readers), WithHistory(2))
	must(t, err)
	defer producer.Close()
	consumer, err := Open(context.Background(), "lane", Lossless, at, WithLeases(readers))
	must(t, err)
	defer consumer.Close()
	ctx := within(t, patience)
	var all sync.WaitGroup
	var seen [writers*each + 1]atomic.Bool
	for range writers {
		all.Add(1)
		go func() {
			defer all.Done()
			for range each {
				frame, err := producer.Claim(ctx)
				if err == nil {
					_, err = frame.Publish()
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	var left atomic.Int64
	left.Store(writers * each)
	for range readers {
		all.Add(1)
		go func() {
			defer all.Done()
			for left.Add(-1) >= 0 {
				frame, err := consumer.Next(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				if seen[frame.Sequence()].Swap(true) {
					t.Errorf("frame %d came twice", frame.Sequence())
				}
				_ = frame.Release()
			}
		}()
	}
	all.Wait()
	if !t.Failed() && (consumer.Received() != writers*each || consumer.Missed() != 0) {
		t.Fatalf("received %d, missed %d", consumer.Received(), consumer.Missed())
	}
}

func TestHandlesCanBeClosedWhileInUse(t *testing.T) {
	for range 20 {
		producer, consumer := pair(t, Latest)
		var all sync.WaitGroup
		for _, use := range []func() error{
			func() error { _, _, err := consumer.TryNext(); return err },
			func() error { return consumer.Wait(context.Background()) },
			func() error { consumer.FD(); _, found, err := consumer.Latest(); _ = found; return err },
			func() error {
				frame, err := producer.TryClaim()
				frame.Abandon()
				return err
			},
			func() error { _, err := producer.Report(); return err },
		} {
			all.Add(1)
			go func() {
				defer all.Done()
				for {
					if err := use(); err != nil {
						if !err.(*Error).Is(ErrClosed) {
							t.Error(err)
						}
						return
					}
				}
			}()
		}
		time.Sleep(time.Millisecond)
		must(t, consumer.Close())
		must(t, producer.Close())
		all.Wait()
	}
}
