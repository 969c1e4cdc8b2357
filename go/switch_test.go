package framelane

import (
	"context"
	"strings"
	"testing"
	"time"
)

// Switching is a switch before two lanes of small grey frames.
type switching struct {
	at         Option
	directory  string
	day, night *Producer
	controller *SwitchController
}

func startSwitch(t testing.TB) *switching {
	t.Helper()
	s := &switching{directory: t.TempDir()}
	s.at = WithDirectory(s.directory)
	s.day, s.night = s.lane(t, "day"), s.lane(t, "night")
	s.controller = s.control(t, []string{"day", "night"})
	return s
}

func (s *switching) lane(t testing.TB, name string) *Producer {
	t.Helper()
	producer, err := Create(name, s.at, WithPicture(Grey, 16, 4))
	must(t, err)
	t.Cleanup(func() { must(t, producer.Close()) })
	return producer
}

func (s *switching) control(t testing.TB, lanes []string, options ...SwitchControllerOption,
) *SwitchController {
	t.Helper()
	controller, err := CreateSwitch("switch", lanes, append(options, s.at)...)
	must(t, err)
	t.Cleanup(func() { must(t, controller.Close()) })
	return controller
}

func (s *switching) follow(t testing.TB, mode Mode) *Switch {
	t.Helper()
	reader, err := OpenSwitch(context.Background(), "switch", mode, s.at, WithLeases(2))
	must(t, err)
	t.Cleanup(func() { must(t, reader.Close()) })
	return reader
}

// Followed is the next frame of a switch, which must come.
func followed(t testing.TB, reader *Switch) Frame {
	t.Helper()
	frame, err := reader.Next(within(t, patience))
	must(t, err)
	return frame
}

// Nothing is what the active lane has.
func nothing(t testing.TB, reader *Switch) {
	t.Helper()
	frame, found, err := reader.TryNext()
	if must(t, err); found {
		t.Fatalf("a frame %d of lane %d out of nothing", frame.Sequence(), frame.LaneIndex())
	}
}

// Selected makes a lane active, and checks the switch epoch.
func selected(t testing.TB, controller *SwitchController, index int, wanted uint64) {
	t.Helper()
	epoch, err := controller.Select(index)
	must(t, err)
	if epoch != wanted {
		t.Fatalf("switch epoch %d instead of %d", epoch, wanted)
	}
}

func TestASwitchShowsOnTheVeryNextFrame(t *testing.T) {
	s := startSwitch(t)
	reader := s.follow(t, Latest)
	publish(t, s.day, 1)
	one := followed(t, reader)
	if one.LaneIndex() != 0 || one.SwitchEpoch() != 1 || one.Switched() {
		t.Fatal("the first frame is of another selection")
	}
	epoch, err := s.controller.SelectLane("night")
	must(t, err)
	publish(t, s.day, 2)
	publish(t, s.night, 3)
	two := followed(t, reader)
	if epoch != 2 || two.LaneIndex() != 1 || two.SwitchEpoch() != 2 || !two.Switched() {
		t.Fatal("the switch does not show")
	}
	if first(t, one) != 1 || first(t, two) != 3 {
		t.Fatal("wrong frames")
	}
	nothing(t, reader)
	must(t, one.Release())
	if one.Switched() || one.SwitchEpoch() != 0 || one.LaneIndex() != 0 {
		t.Fatal("a released frame says something")
	}
	newest, found, err := reader.Latest()
	must(t, err)
	if !found || newest.Sequence() != two.Sequence() || newest.Switched() {
		t.Fatal("the newest frame is not the one before")
	}
	must(t, newest.Release())
	must(t, two.Release())
	counts := switchCounts{received: 2, switches: 1}
	told := switchCounts{reader.Received(), reader.Missed(), reader.Dropped(), reader.Switches()}
	if told != counts {
		t.Fatalf("counts are %+v", told)
	}
	// Every frame is of the lane that was selected before it was published.
	for number := uint64(3); number < 40; number++ {
		index := int(number+1) % 2
		selected(t, s.controller, index, number)
		publish(t, s.day, 10)
		publish(t, s.night, 11)
		frame := followed(t, reader)
		if first(t, frame) != byte(10+index) || !frame.Switched() || frame.SwitchEpoch() != number {
			t.Fatalf("selection %d does not show", number)
		}
		must(t, frame.Release())
	}
}

func TestASwitchSaysHowItIs(t *testing.T) {
	s := startSwitch(t)
	reader := s.follow(t, Ordered)
	status, err := reader.Status()
	must(t, err)
	if !status.Controlled || status.ControllerEpoch != s.controller.Epoch() || status.Problem != 0 {
		t.Fatalf("the controller is not as it is: %+v", status)
	}
	if status.Active != 0 || status.SwitchEpoch != 1 || len(status.Lanes) != 2 {
		t.Fatalf("the selection is not as it is: %+v", status)
	}
	if (status.Lanes[1] != SwitchLane{"night", true, 0}) || reader.Name() != "switch" {
		t.Fatalf("the lane is %+v", status.Lanes[1])
	}
	if s.controller.Readers() != 1 || s.controller.Lanes()[1] != "night" {
		t.Fatal("the controller does not know its readers or lanes")
	}
	selected(t, s.controller, 1, 2)
	report, err := s.controller.Report()
	must(t, err)
	asked, err := Query(within(t, patience), "switch", s.directory)
	must(t, err)
	for _, report := range []*Report{report, asked} {
		about := report.SwitchReport
		if about.MemberCount != 2 || about.Switches != 1 || len(report.Attached()) != 1 {
			t.Fatalf("%d lanes, %d switches", about.MemberCount, about.Switches)
		}
	}
}

func TestASwitchReachesAWaitingReader(t *testing.T) {
	s := startSwitch(t)
	reader := s.follow(t, Latest)
	publish(t, s.day, 1)
	must(t, followed(t, reader).Release())
	for number := uint64(2); number < 22; number++ {
		index := int(number+1) % 2
		other := []*Producer{s.day, s.night}[index]
		publish(t, other, byte(number)) // not of the active lane
		got := make(chan Frame, 1)
		ctx := within(t, patience)
		go func() {
			frame, err := reader.Next(ctx)
			if err != nil {
				t.Error(err)
			}
			got <- frame
		}()
		time.Sleep(time.Millisecond)
		if len(got) != 0 {
			t.Fatal("a frame of a lane that is not active")
		}
		selected(t, s.controller, index, number)
		frame := <-got
		if first(t, frame) != byte(number) || frame.LaneIndex() != index || !frame.Switched() {
			t.Fatalf("frame %d of lane %d instead of %d", first(t, frame), frame.LaneIndex(), number)
		}
		must(t, frame.Release())
	}
	// And frames of the active lane do, too.
	publish(t, s.night, 1)
	time.AfterFunc(20*time.Millisecond, func() { publish(t, s.day, 99) })
	frame := followed(t, reader)
	if first(t, frame) != 99 || frame.Switched() {
		t.Fatal("not the frame of the active lane")
	}
	must(t, frame.Release())
}

func TestAContextEndsAWaitForASwitch(t *testing.T) {
	s := startSwitch(t)
	reader := s.follow(t, Ordered)
	_, err := reader.Next(within(t, 20*time.Millisecond))
	expect(t, err, context.DeadlineExceeded)
	expect(t, reader.Wait(within(t, 20*time.Millisecond)), context.DeadlineExceeded)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	var last error
	for frame, err := range reader.Frames(ended) {
		if frame.IsHeld() || last != nil {
			t.Fatal("something has come after the end")
		}
		last = err
	}
	expect(t, last, context.Canceled)
	publish(t, s.night, 7)
	time.AfterFunc(20*time.Millisecond, func() { _, _ = s.controller.Select(1) })
	must(t, reader.Wait(within(t, patience)))
	must(t, reader.Wait(ended))
	if reader.Received() != 0 {
		t.Fatal("waiting has taken a frame")
	}
	frame, err := reader.Next(ended)
	must(t, err)
	must(t, frame.Release())
}

func TestAChoiceStandsAgainstAPolicy(t *testing.T) {
	s := startSwitch(t)
	ctx := within(t, patience)
	proposed := func(index int, wanted bool) {
		t.Helper()
		active, err := s.controller.Propose(index)
		must(t, err)
		if active != wanted {
			t.Fatalf("a policy has lane %d active: %v", index, active)
		}
	}
	is := func(got Selection, err error) func(Selection) {
		return func(wanted Selection) {
			t.Helper()
			if must(t, err); got != wanted {
				t.Fatalf("selected is %+v instead of %+v", got, wanted)
			}
		}
	}
	proposed(1, true)
	if s.controller.Held() {
		t.Fatal("a policy is no choice")
	}
	is(SelectSwitch(ctx, "switch", "day", s.directory))(Selection{0, 3})
	proposed(1, false)
	if !s.controller.Held() || s.controller.Active() != 0 {
		t.Fatal("the choice does not stand")
	}
	is(SelectSwitchIndex(ctx, "switch", 1, s.directory))(Selection{1, 4})
	is(SetSwitchAutomatic(ctx, "switch", s.directory))(Selection{1, 4})
	proposed(0, true)
	now, err := s.controller.WaitSwitched(ctx, 4)
	must(t, err)
	if now != 5 || s.controller.SwitchEpoch() != 5 || s.controller.Active() != 0 {
		t.Fatalf("switch epoch %d", now)
	}
	_, err = s.controller.WaitSwitched(within(t, 20*time.Millisecond), 5)
	expect(t, err, context.DeadlineExceeded)
	time.AfterFunc(20*time.Millisecond, func() { _, _ = s.controller.Select(1) })
	now, err = s.controller.WaitSwitched(ctx, 5)
	must(t, err)
	if now != 6 || !s.controller.Held() {
		t.Fatalf("switch epoch %d", now)
	}
	must(t, s.controller.SetAutomatic())
	proposed(0, true)
}

func TestADeadControllerIsCarriedOnWithout(t *testing.T) {
	s := startSwitch(t)
	reader := s.follow(t, Latest)
	must(t, s.controller.Close())
	s.until(t, reader, false)
	publish(t, s.day, 1)
	frame := followed(t, reader)
	if first(t, frame) != 1 || frame.SwitchEpoch() != 1 {
		t.Fatal("the lane that was active is not so any more")
	}
	must(t, frame.Release())
	// Who sleeps until the next controller is woken by it.
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
	publish(t, s.night, 2)
	next := s.control(t, []string{"night", "day"})
	frame = <-got
	if first(t, frame) != 2 || frame.LaneIndex() != 0 || !frame.Switched() {
		t.Fatal("the next controller's lane does not show")
	}
	must(t, frame.Release())
	status, err := reader.Status()
	must(t, err)
	if !status.Controlled || status.ControllerEpoch != next.Epoch() {
		t.Fatalf("the next controller is not followed: %+v", status)
	}
}

// Until reads until there is a controller, or none.
func (s *switching) until(t *testing.T, reader *Switch, controlled bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		short, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		frame, err := reader.Next(short)
		cancel()
		if err == nil {
			must(t, frame.Release())
		} else {
			expect(t, err, context.DeadlineExceeded)
		}
		status, err := reader.Status()
		must(t, err)
		if status.Controlled == controlled {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the controller is there: %v", status.Controlled)
		}
	}
}

func TestWrongCallsOfASwitchSayWhatIsWrong(t *testing.T) {
	s := startSwitch(t)
	ctx := within(t, patience)
	one := []string{"day"}
	for _, call := range []func() error{
		func() error { _, err := s.controller.Select(2); return err },
		func() error { _, err := s.controller.Select(-1); return err },
		func() error { _, err := s.controller.Propose(-1); return err },
		func() error { _, err := s.controller.Propose(7); return err },
		func() error { _, err := s.controller.SelectLane("dusk"); return err },
		func() error { _, err := SelectSwitch(ctx, "switch", "dusk", s.directory); return err },
		func() error { _, err := SelectSwitchIndex(ctx, "switch", 2, s.directory); return err },
		func() error { _, err := SelectSwitchIndex(ctx, "switch", -1, s.directory); return err },
		func() error { _, err := CreateSwitch("other", nil, s.at); return err },
		func() error { _, err := CreateSwitch("other", []string{"day", "day"}, s.at); return err },
		func() error { _, err := CreateSwitch("other", one, s.at, WithActive(1)); return err },
		func() error { _, err := CreateSwitch("other", one, s.at, WithActive(-1)); return err },
	} {
		expect(t, call(), ErrInvalidArgument)
	}
	_, err := s.controller.SelectLane("dusk")
	if !strings.Contains(err.Error(), "day, night") {
		t.Fatalf("it does not say which lanes there are: %v", err)
	}
	_, err = s.controller.SelectLane("da\x00y")
	expect(t, err, ErrInvalidName)
	_, err = CreateSwitch("other", []string{"day", "\x00"}, s.at)
	expect(t, err, ErrInvalidName)
	_, err = CreateSwitch("switch", []string{"day"}, s.at)
	expect(t, err, ErrAlreadyExists)
	_, err = SelectSwitch(ctx, "day", "day", s.directory)
	expect(t, err, ErrUnsupported)
	_, err = SelectSwitch(ctx, "nobody", "day", s.directory)
	expect(t, err, ErrNotFound)
	_, err = OpenSwitch(ctx, "nobody", Latest, s.at)
	expect(t, err, ErrNotFound)
	_, err = OpenSwitch(ctx, "day", Latest, s.at)
	expect(t, err, ErrUnsupported)
	_, err = OpenSwitch(ctx, "switch", Lossless, s.at)
	expect(t, err, ErrUnsupported)
	_, err = Open(ctx, "switch", Latest, s.at)
	expect(t, err, ErrUnsupported)
	if s.controller.SwitchEpoch() != 1 {
		t.Fatal("a wrong call has selected")
	}
}
