package main

import (
	"context"
	"errors"
	"fmt"

	framelane "github.com/framelane/framelane/go"
)

// Writing is one stream writer and its open record.
type writing struct {
	writer *framelane.StreamWriter
	record framelane.RecordMut
}

func (w *writing) drop() error {
	w.record.Abandon()
	if w.writer == nil {
		return nil
	}
	return w.writer.Close()
}

func (w *writing) there() (*framelane.StreamWriter, error) {
	if w.writer == nil {
		return nil, misunderstood("there is no stream writer")
	}
	return w.writer, nil
}

// Begun tells whether a record is open.
func (w *writing) begun() error {
	if w.record.Info() == nil {
		return misunderstood("no record is begun")
	}
	return nil
}

func (w *writing) create(l line) (string, error) {
	lane, err := l.need("lane")
	if err != nil {
		return "", err
	}
	config, err := configOf(l)
	if err != nil {
		return "", err
	}
	options, err := writerOptions(l)
	if err != nil {
		return "", err
	}
	made, err := framelane.CreateStream(lane, config, options...)
	if err != nil {
		return "", err
	}
	err = w.drop()
	*w = writing{writer: made}
	return fmt.Sprintf(" epoch=%d limit=%d", made.Epoch(), made.RecordLimit()), err
}

func writerOptions(l line) (options []framelane.StreamWriterOption, err error) {
	if bytes, err := l.number("data_bytes", 0); err != nil {
		return nil, err
	} else if bytes > 0 {
		options = append(options, framelane.WithDataBytes(bytes))
	}
	if records, said, err := l.small("index_capacity"); err != nil {
		return nil, err
	} else if said {
		options = append(options, framelane.WithIndexCapacity(records))
	}
	if _, said := l.get("key_interval_ms"); said {
		interval, err := l.milliseconds("key_interval_ms")
		if err != nil {
			return nil, err
		}
		options = append(options, framelane.WithKeyRequestInterval(interval))
	}
	if lossless, _ := l.get("lossless"); lossless == "1" {
		options = append(options, framelane.WithLossless())
	}
	if trust, _ := l.get("trust"); trust == "untrusted" {
		options = append(options, framelane.WithTrust(framelane.Untrusted))
	}
	return options, nil
}

func (w *writing) write(l line) (string, error) {
	writer, err := w.there()
	if err != nil {
		return "", err
	}
	bytes, err := filled(l)
	if err != nil {
		return "", err
	}
	count, err := l.number("pieces", 1)
	if err != nil {
		return "", err
	}
	info, err := infoOf(l)
	if err != nil {
		return "", err
	}
	var pieces [][]byte
	for left := int(max(count, 1)); left > 0; left-- {
		size := len(bytes) / left
		pieces = append(pieces, bytes[:size])
		bytes = bytes[size:]
	}
	ctx, cancel, err := timeOf(l)
	if err != nil {
		return "", err
	}
	defer cancel()
	if ctx == nil {
		return published(writer.TryWrite(&info, pieces...))
	}
	return published(writer.Write(ctx, &info, pieces...))
}

func (w *writing) begin(l line) (string, error) {
	writer, err := w.there()
	if err != nil {
		return "", err
	}
	if _, err := l.need("room"); err != nil {
		return "", err
	}
	room, err := l.number("room", 0)
	if err != nil {
		return "", err
	}
	ctx, cancel, err := timeOf(l)
	if err != nil {
		return "", err
	}
	defer cancel()
	var record framelane.RecordMut
	if ctx == nil {
		record, err = writer.TryBegin(int(room))
	} else {
		record, err = writer.Begin(ctx, int(room))
	}
	if err == nil {
		w.record = record
	}
	return "", err
}

func (w *writing) append(l line) (string, error) {
	if err := w.begun(); err != nil {
		return "", err
	}
	bytes, err := filled(l)
	if err != nil {
		return "", err
	}
	return "", w.record.Append(bytes)
}

func (w *writing) commit(l line) (string, error) {
	if err := w.begun(); err != nil {
		return "", err
	}
	info, err := infoOf(l)
	if err != nil {
		return "", err
	}
	*w.record.Info() = info
	return published(w.record.Commit())
}

func (w *writing) abandon() (string, error) {
	if err := w.begun(); err != nil {
		return "", err
	}
	w.record.Abandon()
	return "", nil
}

func (w *writing) setConfig(l line) (string, error) {
	writer, err := w.there()
	if err != nil {
		return "", err
	}
	config, err := configOf(l)
	if err != nil {
		return "", err
	}
	ctx, cancel, err := timeOf(l)
	if err != nil {
		return "", err
	}
	defer cancel()
	var id uint32
	if ctx == nil {
		id, err = writer.TrySetConfig(config)
	} else {
		id, err = writer.SetConfig(ctx, config)
	}
	return fmt.Sprintf(" config=%d", id), err
}

func (w *writing) keyWanted(l line) (string, error) {
	writer, err := w.there()
	if err != nil {
		return "", err
	}
	limit, err := l.number("timeout_ms", 0)
	if err != nil {
		return "", err
	}
	if limit == 0 {
		return fmt.Sprintf(" wanted=%d", number01(writer.KeyFrameWanted())), nil
	}
	ctx, cancel, err := timeOf(l)
	if err != nil {
		return "", err
	}
	defer cancel()
	switch err := writer.WaitKeyFrameWanted(ctx); {
	case err == nil:
		return " wanted=1", nil
	case errors.Is(err, context.DeadlineExceeded):
		return " wanted=0", nil
	default:
		return "", err
	}
}

func (w *writing) report() (string, error) {
	writer, err := w.there()
	if err != nil {
		return "", err
	}
	r, err := writer.Report()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(" consumers=%d published=%d abandoned=%d no_free_slot=%d oldest=%d keys=%d",
		r.ConsumerCount, r.Published, r.Abandoned, r.NoFreeSlot, r.Stream.Oldest,
		r.Stream.KeyRecords), nil
}

func (w *writing) close() (string, error) {
	writer, err := w.there()
	if err != nil {
		return "", err
	}
	w.writer = nil
	return "", writer.Close()
}
