package framelane

import (
	"os"
	"testing"
	"time"
)

const controllerVariable = "FRAMELANE_TEST_CONTROLLER"

// Controlling is what this test program does as the child of one of its tests: own a switch.
func controlling(directory string) {
	controller, err := CreateSwitch("switch", []string{"day", "night"}, WithDirectory(directory))
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	time.Sleep(10 * patience)
	_ = controller.Close()
	os.Exit(1)
}

func TestAKilledControllerIsCarriedOnWithout(t *testing.T) {
	s := &switching{directory: t.TempDir()}
	s.at = WithDirectory(s.directory)
	s.day, s.night = s.lane(t, "day"), s.lane(t, "night")
	child := start(t, controllerVariable, s.directory)
	ctx := within(t, patience)
	reader, err := OpenSwitch(ctx, "switch", Latest, s.at, WithWaitForLane(patience))
	must(t, err)
	defer reader.Close()
	got := make(chan Frame, 1)
	go func() {
		frame, err := reader.Next(ctx)
		if err != nil {
			t.Error(err)
		}
		got <- frame
	}()
	publish(t, s.night, 2)
	made, err := SelectSwitch(ctx, "switch", "night", s.directory)
	must(t, err)
	if (made != Selection{1, 2}) {
		t.Fatalf("selected is %+v", made)
	}
	frame := <-got
	if first(t, frame) != 2 || frame.SwitchEpoch() != 2 || !frame.IsHeld() {
		t.Fatal("the selection of another process does not show")
	}
	kill(child)
	s.until(t, reader, false)
	must(t, frame.Release())
	publish(t, s.day, 3)
	publish(t, s.night, 4)
	frame = followed(t, reader)
	if first(t, frame) != 4 || frame.LaneIndex() != 1 || frame.Switched() {
		t.Fatal("the lane that was active is not so any more")
	}
	must(t, frame.Release())
	again := start(t, controllerVariable, s.directory)
	s.until(t, reader, true)
	publish(t, s.day, 5)
	publish(t, s.night, 6)
	frame = followed(t, reader)
	if first(t, frame) != 5 || frame.LaneIndex() != 0 || !frame.Switched() {
		t.Fatal("the next controller's lane does not show")
	}
	must(t, frame.Release())
	kill(again)
}
