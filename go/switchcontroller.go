package framelane

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// SwitchController owns a switch and says which of its lanes is active. It reads no frames and
// waits for nobody. All of its methods may be used by several goroutines at once.
type SwitchController struct {
	name    string
	lanes   []string
	handle  *controllerHandle
	turn    chan struct{} // of the one goroutine that waits for a switch
	epoch   uint64
	cleanup runtime.Cleanup
}

// ControllerHandle is what outlives a forgotten SwitchController.
type controllerHandle struct {
	gate   gate
	native *nativeController
	name   string
}

// SwitchControllerOption changes how CreateSwitch makes a switch.
type SwitchControllerOption interface {
	forSwitchController(*switchControllerSettings)
}

type switchControllerSettings struct {
	accessSettings
	active int
}

type switchControllerOption func(*switchControllerSettings)

func (set switchControllerOption) forSwitchController(s *switchControllerSettings) { set(s) }

// WithActive is the index of the lane that is active first (0).
func WithActive(index int) SwitchControllerOption {
	return switchControllerOption(func(s *switchControllerSettings) { s.active = index })
}

// CreateSwitch makes the switch, behind which these frame lanes stand, and starts to admit readers.
// The lanes need not be there yet. It fails with ErrInvalidArgument for no lanes, too many, or one
// that is named twice.
func CreateSwitch(name string, lanes []string, options ...SwitchControllerOption,
) (*SwitchController, error) {
	native, err := nativeCreateSwitch(name, lanes, options)
	if err != nil {
		return nil, err
	}
	c := &SwitchController{
		name: name, lanes: slices.Clone(lanes), turn: make(chan struct{}, 1),
		handle: &controllerHandle{native: native, name: name}, epoch: nativeControllerEpoch(native),
	}
	c.cleanup = runtime.AddCleanup(c, (*controllerHandle).forgotten, c.handle)
	return c, nil
}

func (h *controllerHandle) forgotten() {
	if h.gate.close() {
		nativeCloseController(h.native)
		tellLeak(Leak{What: "switch controller", Lane: h.name})
	}
}

// Close ends the switch, whoever waits in WaitSwitched. Readers go on with the lane that is active,
// and attach to the next controller of this name by themselves. Closing again does nothing.
func (c *SwitchController) Close() error {
	c.cleanup.Stop()
	native, err := c.enter()
	if err != nil {
		return nil
	}
	defer c.leave()
	c.handle.gate.close()
	nativeEndSwitch(native)
	return nil
}

func (c *SwitchController) enter() (*nativeController, error) {
	if !c.handle.gate.enter() {
		return nil, closed(fmt.Sprintf("this controller of switch %q is closed", c.name))
	}
	return c.handle.native, nil
}

func (c *SwitchController) leave() {
	if c.handle.gate.leave() {
		nativeCloseController(c.handle.native)
	}
}

// During calls with the controller, where it is not closed.
func during[T any](c *SwitchController, call func(*nativeController) (T, error),
) (none T, err error) {
	native, err := c.enter()
	if err != nil {
		return none, err
	}
	defer c.leave()
	return call(native)
}

// Select makes a lane active; the switch epoch. The choice stands against a policy until
// SetAutomatic. It fails with ErrInvalidArgument for a lane that the switch has not.
func (c *SwitchController) Select(index int) (switchEpoch uint64, err error) {
	return during(c, func(n *nativeController) (uint64, error) { return nativeSelect(n, index) })
}

// SelectLane is Select by the name of the lane.
func (c *SwitchController) SelectLane(lane string) (switchEpoch uint64, err error) {
	return during(c, func(n *nativeController) (uint64, error) { return nativeSelectLane(n, lane) })
}

// Propose is what a policy wants: it makes a lane active unless somebody has chosen. It tells
// whether that lane is active.
func (c *SwitchController) Propose(index int) (active bool, err error) {
	return during(c, func(n *nativeController) (bool, error) { return nativePropose(n, index) })
}

// SetAutomatic takes a choice back: from now on a policy chooses.
func (c *SwitchController) SetAutomatic() error {
	native, err := c.enter()
	if err != nil {
		return err
	}
	defer c.leave()
	return nativeSetAutomatic(native)
}

// WaitSwitched waits while the switch epoch is this one, until the context ends; it then fails with
// ctx.Err(). It gives the epoch of now. As in Producer.Claim one goroutine at a time waits inside
// the library.
func (c *SwitchController) WaitSwitched(ctx context.Context, switchEpoch uint64) (uint64, error) {
	for slice := time.Duration(0); ; slice = claimSlice {
		select {
		case c.turn <- struct{}{}:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		now, err := during(c, func(n *nativeController) (uint64, error) {
			return nativeWaitSwitched(n, switchEpoch, uint64(slice))
		})
		<-c.turn
		if err != nil || now != switchEpoch {
			return now, err
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
	}
}

// Held tells whether somebody has chosen and no policy is to choose otherwise; false once closed.
func (c *SwitchController) Held() bool {
	held, _ := during(c, func(n *nativeController) (bool, error) { return nativeIsHeld(n), nil })
	return held
}

// Active is the index of the active lane; 0 once closed.
func (c *SwitchController) Active() int {
	active, _ := during(c, func(n *nativeController) (int, error) { return nativeActive(n), nil })
	return active
}

// SwitchEpoch is how many-th selection this is, from 1; 0 once closed.
func (c *SwitchController) SwitchEpoch() uint64 {
	epoch, _ := during(c, func(n *nativeController) (uint64, error) {
		return nativeSwitchEpoch(n), nil
	})
	return epoch
}

// Readers is the number of readers attached now; 0 once closed.
func (c *SwitchController) Readers() int {
	count, _ := during(c, func(n *nativeController) (int, error) {
		return nativeSwitchReaders(n), nil
	})
	return count
}

// Epoch is the random id of this controller incarnation.
func (c *SwitchController) Epoch() uint64 { return c.epoch }

// Name is the name of the switch.
func (c *SwitchController) Name() string { return c.name }

// Lanes are the names of the lanes, by index.
func (c *SwitchController) Lanes() []string { return slices.Clone(c.lanes) }

// Report is how the switch is: lanes, selection, counts and readers.
func (c *SwitchController) Report() (*Report, error) {
	return during(c, func(n *nativeController) (*Report, error) {
		report := new(Report)
		return report, nativeSwitchReport(n, &report.Report)
	})
}

// Selection is what is selected.
type Selection struct {
	// Active is the index of the active lane.
	Active      int
	SwitchEpoch uint64
}

// SelectSwitch selects a lane, by its name, of a switch whose controller is another process. The
// choice stands until another is made or SetSwitchAutomatic. Without a directory it searches;
// without a deadline it waits a second. Where the context ends it, the choice may have been made.
//
// It fails with ErrPermissionDenied unless this process is of the controller's user or root, with
// ErrInvalidArgument for a lane that the switch has not, with ErrUnsupported when the name is not
// that of a switch, and as Query.
func SelectSwitch(ctx context.Context, name, lane, directory string) (Selection, error) {
	return asked(ctx, func(ns uint64) (Selection, error) {
		return nativeSelectFromOutside(name, &lane, directory, ns)
	})
}

// SelectSwitchIndex is SelectSwitch by the index of the lane.
func SelectSwitchIndex(ctx context.Context, name string, index int, directory string,
) (Selection, error) {
	return asked(ctx, func(ns uint64) (Selection, error) {
		return nativeSelectIndexFromOutside(name, index, directory, ns)
	})
}

// SetSwitchAutomatic takes an earlier choice back, as SwitchController.SetAutomatic, of a switch
// whose controller is another process. It fails as SelectSwitch.
func SetSwitchAutomatic(ctx context.Context, name, directory string) (Selection, error) {
	return asked(ctx, func(ns uint64) (Selection, error) {
		return nativeSelectFromOutside(name, nil, directory, ns)
	})
}
