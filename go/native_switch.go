package framelane

/*
#cgo noescape framelane_switch_ready
#cgo nocallback framelane_switch_ready
#include "framelane.h"
*/
import "C"

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/framelane/framelane/go/layout"
)

// This file is to switches what native.go is to lanes.

type (
	nativeSwitch     = C.framelane_switch
	nativeController = C.framelane_switch_controller
)

func nativeOpenSwitch(name string, settings *consumerSettings) (*nativeSwitch, error) {
	if err := checkTexts(name, settings.directory); err != nil {
		return nil, err
	}
	o := settings.native()
	defer freeText(o.directory)
	text := C.CString(name)
	defer freeText(text)
	var problem nativeProblem
	var reader *nativeSwitch
	code := C.framelane_switch_open(text, &o, &problem, &reader)
	return reader, failure(code, &problem)
}

func nativeSwitchReady(reader *nativeSwitch, problem *nativeProblem) (bool, error) {
	var ready C.int32_t
	code := C.framelane_switch_ready(reader, problem, &ready)
	return ready != 0, failure(code, problem)
}

func nativeSwitchFd(reader *nativeSwitch) int { return int(C.framelane_switch_fd(reader)) }

func nativeSwitchCounts(reader *nativeSwitch) switchCounts {
	return switchCounts{
		received: uint64(C.framelane_switch_received(reader)),
		missed:   uint64(C.framelane_switch_missed(reader)),
		dropped:  uint64(C.framelane_switch_dropped(reader)),
		switches: uint64(C.framelane_switch_switches(reader)),
	}
}

func nativeSwitchStatus(reader *nativeSwitch) (SwitchStatus, error) {
	var problem nativeProblem
	var now C.framelane_switch_status
	code := C.framelane_switch_get_status(reader, &problem, &now)
	if code != statusOk {
		return SwitchStatus{}, failure(code, &problem)
	}
	status := SwitchStatus{
		Controlled: now.controlled != 0, ControllerEpoch: uint64(now.controller_epoch),
		SwitchEpoch: uint64(now.switch_epoch), Active: int(now.active),
		Problem: ErrorKind(now.problem),
	}
	for index := range now.lane_count {
		var lane C.framelane_switch_lane
		code := C.framelane_switch_get_lane(reader, index, &problem, &lane)
		if code != statusOk {
			return SwitchStatus{}, failure(code, &problem)
		}
		status.Lanes = append(status.Lanes, SwitchLane{
			Name: C.GoString(&lane.name[0]), Attached: lane.attached != 0,
			Problem: ErrorKind(lane.problem),
		})
	}
	return status, nil
}

func nativeCloseSwitch(reader *nativeSwitch) { C.framelane_switch_close(reader) }

func nativeCreateSwitch(name string, lanes []string, from []SwitchControllerOption,
) (*nativeController, error) {
	var o C.framelane_switch_controller_options
	C.framelane_switch_controller_options_init(&o)
	settings := switchControllerSettings{active: int(o.active)}
	for _, option := range from {
		option.forSwitchController(&settings)
	}
	if err := checkTexts(name, settings.directory); err != nil {
		return nil, err
	}
	active, err := nativeIndex(settings.active)
	if err != nil {
		return nil, err
	}
	o.active = active
	o.access = C.uint32_t(settings.access)
	o.access_group = C.uint32_t(settings.group)
	o.trust = C.uint32_t(settings.trust)
	// Memory of Go's, but all that it points to is C's. C refuses NULL.
	texts := make([]*C.char, 0, len(lanes)+1)
	defer func() {
		for _, text := range texts {
			freeText(text)
		}
	}()
	for _, lane := range lanes {
		if err := checkTexts(lane, ""); err != nil {
			return nil, err
		}
		texts = append(texts, C.CString(lane))
	}
	o.directory = optionalText(settings.directory)
	defer freeText(o.directory)
	text := C.CString(name)
	defer freeText(text)
	var problem nativeProblem
	var controller *nativeController
	code := C.framelane_switch_controller_create(text, unsafe.SliceData(texts),
		C.size_t(len(lanes)), &o, &problem, &controller)
	return controller, failure(code, &problem)
}

func nativeIndex(index int) (C.uint32_t, error) {
	if index < 0 || index > math.MaxUint32 {
		return 0, invalid(fmt.Sprintf("no switch has a lane %d", index))
	}
	return C.uint32_t(index), nil
}

func nativeSelect(controller *nativeController, index int) (uint64, error) {
	lane, err := nativeIndex(index)
	if err != nil {
		return 0, err
	}
	var problem nativeProblem
	var epoch C.uint64_t
	code := C.framelane_switch_controller_select(controller, lane, &problem, &epoch)
	return uint64(epoch), failure(code, &problem)
}

func nativeSelectLane(controller *nativeController, lane string) (uint64, error) {
	if err := checkTexts(lane, ""); err != nil {
		return 0, err
	}
	text := C.CString(lane)
	defer freeText(text)
	var problem nativeProblem
	var epoch C.uint64_t
	code := C.framelane_switch_controller_select_lane(controller, text, &problem, &epoch)
	return uint64(epoch), failure(code, &problem)
}

func nativePropose(controller *nativeController, index int) (bool, error) {
	lane, err := nativeIndex(index)
	if err != nil {
		return false, err
	}
	var problem nativeProblem
	var active C.int32_t
	code := C.framelane_switch_controller_propose(controller, lane, &problem, &active)
	return active != 0, failure(code, &problem)
}

func nativeSetAutomatic(controller *nativeController) error {
	var problem nativeProblem
	return failure(C.framelane_switch_controller_set_automatic(controller, &problem), &problem)
}

func nativeIsHeld(controller *nativeController) bool {
	return C.framelane_switch_controller_is_held(controller) != 0
}

func nativeActive(controller *nativeController) int {
	return int(C.framelane_switch_controller_active(controller))
}

func nativeSwitchEpoch(controller *nativeController) uint64 {
	return uint64(C.framelane_switch_controller_switch_epoch(controller))
}

func nativeWaitSwitched(controller *nativeController, epoch, ns uint64) (uint64, error) {
	var problem nativeProblem
	var now C.uint64_t
	code := C.framelane_switch_controller_wait_switched(controller, C.uint64_t(epoch),
		C.uint64_t(ns), &problem, &now)
	return uint64(now), failure(code, &problem)
}

func nativeSwitchReaders(controller *nativeController) int {
	return int(C.framelane_switch_controller_readers(controller))
}

func nativeControllerEpoch(controller *nativeController) uint64 {
	return uint64(C.framelane_switch_controller_epoch(controller))
}

func nativeSwitchReport(controller *nativeController, into *layout.Report) error {
	var problem nativeProblem
	report := (*C.struct_framelane_report)(unsafe.Pointer(into))
	return failure(C.framelane_switch_controller_report(controller, &problem, report), &problem)
}

func nativeEndSwitch(controller *nativeController) {
	C.framelane_switch_controller_end(controller)
}

func nativeCloseController(controller *nativeController) {
	C.framelane_switch_controller_close(controller)
}

// Without a lane it takes an earlier choice back.
func nativeSelectFromOutside(name string, lane *string, directory string, ns uint64,
) (Selection, error) {
	if err := checkTexts(name, directory); err != nil {
		return Selection{}, err
	}
	var wanted *C.char
	if lane != nil {
		if err := checkTexts(*lane, ""); err != nil {
			return Selection{}, err
		}
		wanted = C.CString(*lane)
		defer freeText(wanted)
	}
	text, place := C.CString(name), optionalText(directory)
	defer freeText(text)
	defer freeText(place)
	var problem nativeProblem
	var active C.uint32_t
	var epoch C.uint64_t
	code := C.framelane_select(text, wanted, place, C.uint64_t(ns), &problem, &active, &epoch)
	return Selection{int(active), uint64(epoch)}, failure(code, &problem)
}

func nativeSelectIndexFromOutside(name string, index int, directory string, ns uint64,
) (Selection, error) {
	if err := checkTexts(name, directory); err != nil {
		return Selection{}, err
	}
	lane, err := nativeIndex(index)
	if err != nil {
		return Selection{}, err
	}
	text, place := C.CString(name), optionalText(directory)
	defer freeText(text)
	defer freeText(place)
	var problem nativeProblem
	var active C.uint32_t
	var epoch C.uint64_t
	code := C.framelane_select_index(text, lane, place, C.uint64_t(ns), &problem, &active, &epoch)
	return Selection{int(active), uint64(epoch)}, failure(code, &problem)
}
