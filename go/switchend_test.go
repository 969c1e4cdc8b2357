package framelane

import (
	"context"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"
)

func TestCloseEndsAWaitForASwitch(t *testing.T) {
	s := startSwitch(t)
	before := runtime.NumGoroutine()
	reader := s.follow(t, Latest)
	publish(t, s.day, 1)
	held := followed(t, reader)
	failed := make(chan error, 4)
	long, cancel := context.WithCancel(context.Background())
	defer cancel()
	for range 2 {
		go func() { _, err := reader.Next(long); failed <- err }()
	}
	go func() { failed <- reader.Wait(long) }()
	go func() { _, err := s.controller.WaitSwitched(long, 1); failed <- err }()
	time.Sleep(20 * time.Millisecond)
	must(t, reader.Close())
	must(t, reader.Close())
	for range 3 {
		expect(t, <-failed, ErrClosed)
	}
	if first(t, held) != 1 {
		t.Fatal("closing a reader took its frame")
	}
	must(t, held.Release())
	_, _, err := reader.TryNext()
	expect(t, err, os.ErrClosed)
	_, err = reader.Status()
	expect(t, err, ErrClosed)
	if reader.FD() != -1 || reader.Received() != 1 {
		t.Fatal("a closed reader has a descriptor, or has forgotten its counts")
	}
	must(t, s.controller.Close())
	must(t, s.controller.Close())
	expect(t, <-failed, ErrClosed)
	_, err = s.controller.Select(1)
	expect(t, err, ErrClosed)
	_, err = s.controller.Propose(1)
	expect(t, err, ErrClosed)
	expect(t, s.controller.SetAutomatic(), ErrClosed)
	_, err = s.controller.Report()
	expect(t, err, ErrClosed)
	if s.controller.Held() || s.controller.SwitchEpoch() != 0 || s.controller.Readers() != 0 {
		t.Fatal("a closed controller has something")
	}
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before; {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, and before %d", runtime.NumGoroutine(), before)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestANameIsFreeWhenItsControllerIsClosed(t *testing.T) {
	s := startSwitch(t)
	failed := make(chan error, 1)
	controller := s.controller
	for range 20 {
		go func(waits *SwitchController) {
			_, err := waits.WaitSwitched(context.Background(), 1)
			failed <- err
		}(controller)
		time.Sleep(2 * time.Millisecond)
		must(t, controller.Close())
		controller = s.control(t, []string{"day"}) // though somebody waits for the one before
		expect(t, <-failed, ErrClosed)
	}
}

func TestForgottenSwitchesAreToldAndClosed(t *testing.T) {
	at := place(t)
	told := leaks(t)
	ctx := within(t, patience)
	func() {
		_, err := CreateSwitch("switch", []string{"day"}, at)
		must(t, err)
		reader, err := OpenSwitch(ctx, "switch", Latest, at)
		must(t, err)
		// It waits once, so that the poller and the context know of it.
		short, cancel := context.WithCancel(ctx)
		time.AfterFunc(5*time.Millisecond, cancel)
		expect(t, reader.Wait(short), context.Canceled)
	}()
	seen := map[string]string{}
	for range 2 {
		leak := collected(t, told)
		seen[leak.What] = leak.Lane
	}
	if seen["switch"] != "switch" || seen["switch controller"] != "switch" {
		t.Fatalf("told is %v", seen)
	}
	again, err := CreateSwitch("switch", []string{"day"}, at)
	must(t, err)
	must(t, again.Close())
}

func TestAForgottenFrameOfASwitchIsTold(t *testing.T) {
	s := startSwitch(t)
	reader := s.follow(t, Ordered)
	told := leaks(t)
	publish(t, s.day, 1)
	func() {
		if frame := followed(t, reader); first(t, frame) != 1 {
			t.Fatal("the wrong frame")
		}
		publish(t, s.day, 2)
		must(t, followed(t, reader).Release())
	}()
	leak := collected(t, told)
	if leak.What != "frame" || leak.Lane != "switch" || leak.Sequence != 1 || leak.Stack == "" {
		t.Fatalf("told is %+v", leak)
	}
}

func TestSwitchesCanBeClosedWhileInUse(t *testing.T) {
	s := startSwitch(t)
	must(t, s.controller.Close())
	for range 10 {
		controller := s.control(t, []string{"day", "night"})
		reader := s.follow(t, Latest)
		var all sync.WaitGroup
		for _, use := range []func() error{
			func() error { frame, _, err := reader.TryNext(); _ = frame.Release(); return err },
			func() error { frame, _, err := reader.Latest(); _ = frame.Release(); return err },
			func() error { return reader.Wait(context.Background()) },
			func() error { reader.FD(); reader.Switches(); _, err := reader.Status(); return err },
			func() error { _, err := controller.Select(int(controller.SwitchEpoch() % 2)); return err },
			func() error { _, err := controller.WaitSwitched(context.Background(), 1); return err },
			func() error { _, err := controller.Report(); return err },
		} {
			all.Add(1)
			go func() {
				defer all.Done()
				for {
					if err := use(); err != nil {
						if !err.(*Error).Is(ErrClosed) && !err.(*Error).Is(ErrNoLeases) {
							t.Error(err)
							return
						}
						if err.(*Error).Is(ErrClosed) {
							return
						}
					}
				}
			}()
		}
		for range 5 {
			publish(t, s.day, 1)
			publish(t, s.night, 2)
			time.Sleep(time.Millisecond)
		}
		must(t, reader.Close())
		must(t, controller.Close())
		all.Wait()
	}
}

func TestARestartedLaneIsFoundBehindASwitch(t *testing.T) {
	s := startSwitch(t)
	reader := s.follow(t, Latest)
	must(t, s.day.Close())
	got := make(chan Frame, 1)
	ctx := within(t, patience)
	go func() {
		frame, err := reader.Next(ctx)
		if err != nil {
			t.Error(err)
		}
		got <- frame
	}()
	time.Sleep(20 * time.Millisecond)
	again := s.lane(t, "day")
	for again.Consumers() == 0 && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	publish(t, again, 5)
	frame := <-got
	if first(t, frame) != 5 || frame.Epoch() != again.Epoch() || frame.Switched() {
		t.Fatal("the frame is not of the new producer")
	}
	must(t, frame.Release())
}
