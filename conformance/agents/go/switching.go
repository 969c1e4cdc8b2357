package main

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"

	framelane "github.com/framelane/framelane/go"
)

// Switching is both sides of a switch.
type switching struct {
	reader     *framelane.Switch
	controller *framelane.SwitchController
}

func (s *switching) drop() error {
	var failed []error
	if s.reader != nil {
		failed = append(failed, s.reader.Close())
	}
	if s.controller != nil {
		failed = append(failed, s.controller.Close())
	}
	return errors.Join(failed...)
}

// Obey does what the line says, where it is one of switches.
func (s *switching) obey(l line) (said string, known bool, err error) {
	known = true
	switch l.word {
	case "create_switch":
		said, err = s.create(l)
	case "open_switch":
		said, err = s.open(l)
	case "ask_switch":
		said, err = s.ask(l)
	case "select_lane", "propose", "set_automatic", "switch_report", "close_switch":
		if s.controller == nil {
			return "", true, misunderstood("there is no controller")
		}
		said, err = s.control(l)
	case "next_of_switch", "switch_status", "leave_switch":
		if s.reader == nil {
			return "", true, misunderstood("there is no reader of a switch")
		}
		said, err = s.read(l)
	default:
		known = false
	}
	return said, known, err
}

func (s *switching) create(l line) (string, error) {
	name, err := l.need("switch")
	if err != nil {
		return "", err
	}
	lanes, err := l.need("lanes")
	if err != nil {
		return "", err
	}
	active, err := l.number("active", 0)
	if err != nil {
		return "", err
	}
	made, err := framelane.CreateSwitch(name, strings.Split(lanes, ","),
		framelane.WithActive(int(active)))
	if err != nil {
		return "", err
	}
	if s.controller != nil {
		_ = s.controller.Close()
	}
	s.controller = made
	return fmt.Sprintf(" epoch=%d", made.Epoch()), nil
}

func (s *switching) control(l line) (string, error) {
	c := s.controller
	switch l.word {
	case "select_lane":
		return s.choose(l)
	case "propose":
		index, err := l.number("index", 0)
		if err != nil {
			return "", err
		}
		active, err := c.Propose(int(index))
		return fmt.Sprintf(" active=%d", number01(active)), err
	case "set_automatic":
		return "", c.SetAutomatic()
	case "switch_report":
		return fmt.Sprintf(" active=%d switch_epoch=%d held=%d readers=%d", c.Active(),
			c.SwitchEpoch(), number01(c.Held()), c.Readers()), nil
	default:
		s.controller = nil
		return "", c.Close()
	}
}

func (s *switching) choose(l line) (string, error) {
	if lane, said := l.get("lane"); said {
		epoch, err := s.controller.SelectLane(lane)
		return fmt.Sprintf(" switch_epoch=%d", epoch), err
	}
	if _, err := l.need("index"); err != nil {
		return "", err
	}
	index, err := l.number("index", 0)
	if err != nil {
		return "", err
	}
	epoch, err := s.controller.Select(int(index))
	return fmt.Sprintf(" switch_epoch=%d", epoch), err
}

func (s *switching) open(l line) (string, error) {
	word, _ := l.get("mode")
	mode, known := modes[word]
	if !known {
		return "", misunderstood("mode=%s", word)
	}
	name, err := l.need("switch")
	if err != nil {
		return "", err
	}
	var options []framelane.ConsumerOption
	if _, said := l.get("wait_ms"); said {
		time, err := l.milliseconds("wait_ms")
		if err != nil {
			return "", err
		}
		options = append(options, framelane.WithWaitForLane(time))
	}
	reader, err := framelane.OpenSwitch(context.Background(), name, mode, options...)
	if err != nil {
		return "", err
	}
	if s.reader != nil {
		_ = s.reader.Close()
	}
	s.reader = reader
	return "", nil
}

func (s *switching) read(l line) (string, error) {
	switch l.word {
	case "next_of_switch":
		return s.next(l)
	case "switch_status":
		return s.status()
	default:
		reader := s.reader
		s.reader = nil
		return "", reader.Close()
	}
}

func (s *switching) next(l line) (string, error) {
	limit, err := l.milliseconds("timeout_ms")
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	frame, err := s.reader.Next(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = errNothing
	}
	if err != nil {
		return "", err
	}
	plane, err := frame.Plane(0)
	said := fmt.Sprintf(" sequence=%d lane=%d switch_epoch=%d switched=%d crc=%08x",
		frame.Sequence(), frame.LaneIndex(), frame.SwitchEpoch(), number01(frame.Switched()),
		crc32.ChecksumIEEE(plane))
	return said, errors.Join(err, frame.Release())
}

func (s *switching) status() (string, error) {
	ended, cancel := context.WithCancel(context.Background())
	cancel() // it only looks
	if err := s.reader.Wait(ended); err != nil && !errors.Is(err, context.Canceled) {
		return "", err
	}
	status, err := s.reader.Status()
	return fmt.Sprintf(" active=%d switch_epoch=%d controlled=%d received=%d switches=%d",
		status.Active, status.SwitchEpoch, number01(status.Controlled), s.reader.Received(),
		s.reader.Switches()), err
}

// Ask selects from outside; without a lane it takes an earlier choice back.
func (s *switching) ask(l line) (string, error) {
	name, err := l.need("switch")
	if err != nil {
		return "", err
	}
	limit, err := l.milliseconds("timeout_ms")
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var made framelane.Selection
	if lane, said := l.get("lane"); said {
		made, err = framelane.SelectSwitch(ctx, name, lane, "")
	} else {
		made, err = framelane.SetSwitchAutomatic(ctx, name, "")
	}
	return fmt.Sprintf(" active=%d switch_epoch=%d", made.Active, made.SwitchEpoch), err
}
