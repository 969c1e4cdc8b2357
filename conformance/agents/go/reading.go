package main

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	framelane "github.com/framelane/framelane/go"
)

// Reading is the stream readers and the records they have read.
type reading struct {
	readers map[uint64]*framelane.StreamReader
	records map[uint64]framelane.Record
}

func newReading() reading {
	return reading{map[uint64]*framelane.StreamReader{}, map[uint64]framelane.Record{}}
}

func (r *reading) drop() error {
	for _, record := range r.records {
		record.Release()
	}
	var failed []error
	for _, reader := range r.readers {
		failed = append(failed, reader.Close())
	}
	return errors.Join(failed...)
}

// KeyBefore is no place of its own in Go: it has an age.
const keyBefore = framelane.StreamStart(0)

var places = map[string]framelane.StreamStart{
	"newest_key": framelane.StartNewestKey, "oldest_key": framelane.StartOldestKey,
	"key_before": keyBefore, "next": framelane.StartNext,
}

func placeOf(l line, key string) (place framelane.StreamStart, said bool, err error) {
	name, said := l.get(key)
	place, known := places[name]
	if said && !known {
		err = misunderstood("%s=%s", key, name)
	}
	return place, said, err
}

func ageOf(l line) (time.Duration, error) {
	age, err := l.number("age_ms", 0)
	return time.Duration(age) * time.Millisecond, err
}

func readerOptions(l line) (options []framelane.StreamReaderOption, err error) {
	age, err := ageOf(l)
	if err != nil {
		return nil, err
	}
	start, said, err := placeOf(l, "start")
	if err != nil {
		return nil, err
	}
	if said && start == keyBefore {
		options = append(options, framelane.WithStartAgo(age))
	} else if said {
		options = append(options, framelane.WithStart(start))
	}
	after, said, err := placeOf(l, "after_lap")
	if err != nil {
		return nil, err
	}
	if said {
		options = append(options, framelane.WithAfterLap(after))
	}
	if _, said := l.get("wait_ms"); said {
		wait, err := l.milliseconds("wait_ms")
		if err != nil {
			return nil, err
		}
		options = append(options, framelane.WithWaitForLane(wait))
	}
	if lossless, _ := l.get("lossless"); lossless == "1" {
		options = append(options, framelane.WithLossless())
	}
	if reattach, said := l.get("reattach"); said {
		options = append(options, framelane.WithReattach(reattach != "0"))
	}
	return options, nil
}

func (r *reading) open(l line) (string, error) {
	lane, err := l.need("lane")
	if err != nil {
		return "", err
	}
	number, err := l.number("reader", 0)
	if err != nil {
		return "", err
	}
	options, err := readerOptions(l)
	if err != nil {
		return "", err
	}
	reader, err := framelane.OpenStream(context.Background(), lane, options...)
	if err != nil {
		return "", err
	}
	if before := r.readers[number]; before != nil {
		_ = before.Close()
	}
	r.readers[number] = reader
	return fmt.Sprintf(" epoch=%d", reader.Epoch()), nil
}

func (r *reading) reader(l line) (*framelane.StreamReader, error) {
	reader, _, err := numbered(l, "reader", r.readers)
	return reader, err
}

func (r *reading) record(l line) (framelane.Record, uint64, error) {
	return numbered(l, "record", r.records)
}

func (r *reading) next(l line) (string, error) {
	reader, err := r.reader(l)
	if err != nil {
		return "", err
	}
	number, err := l.number("record", 0)
	if err != nil {
		return "", err
	}
	record, err := oneRecord(l, reader)
	var lapped *framelane.Lapped
	if errors.As(err, &lapped) {
		return fmt.Sprintf(" lapped=%d", lapped.Missed), nil
	}
	if err != nil {
		return "", err
	}
	r.records[number].Release() // the one that this replaces
	r.records[number] = record
	return fmt.Sprintf(" sequence=%d missed=%d new_epoch=%d key=%d config=%d new_config=%d",
		record.Sequence(), record.Missed(), number01(record.NewEpoch()), number01(record.IsKey()),
		record.Info().ConfigID, number01(record.NewConfig())), nil
}

// OneRecord is the next record, at once where the line gives no time.
func oneRecord(l line, reader *framelane.StreamReader) (framelane.Record, error) {
	ctx, cancel, err := timeOf(l)
	if err != nil {
		return framelane.Record{}, err
	}
	defer cancel()
	if ctx == nil {
		record, found, err := reader.TryNext()
		if err == nil && !found {
			err = errNothing
		}
		return record, err
	}
	record, err := reader.Next(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = errNothing
	}
	return record, err
}

func (r *reading) read(l line) (string, error) {
	record, _, err := r.record(l)
	if err != nil {
		return "", err
	}
	bytes, info, config := record.Bytes(), record.Info(), record.Config()
	parameters := config.ParameterSets()
	return fmt.Sprintf(" size=%d crc=%08x pts=%d dts=%d capture_id=%d codec=%d width=%d height=%d"+
		" parameters=%d parameters_crc=%08x", len(bytes), crc32.ChecksumIEEE(bytes), info.PtsNs,
		info.DtsNs, info.CaptureID, uint8(config.Codec), config.Width, config.Height,
		len(parameters), crc32.ChecksumIEEE(parameters)), nil
}

func (r *reading) release(l line) (string, error) {
	record, number, err := r.record(l)
	if err != nil {
		return "", err
	}
	delete(r.records, number)
	record.Release()
	return "", nil
}

func (r *reading) seek(l line) (string, error) {
	reader, err := r.reader(l)
	if err != nil {
		return "", err
	}
	if _, err := l.need("place"); err != nil {
		return "", err
	}
	place, _, err := placeOf(l, "place")
	if err != nil {
		return "", err
	}
	age, err := ageOf(l)
	if err != nil {
		return "", err
	}
	if place == keyBefore {
		return "", reader.SeekAgo(age)
	}
	return "", reader.Seek(place)
}

func (r *reading) requestKey(l line) (string, error) {
	reader, err := r.reader(l)
	if err != nil {
		return "", err
	}
	return "", reader.RequestKeyFrame()
}

func (r *reading) wait(l line) (string, error) {
	reader, err := r.reader(l)
	if err != nil {
		return "", err
	}
	return inTime(l, "ready", reader.Wait)
}

func (r *reading) poll(l line) (string, error) {
	reader, err := r.reader(l)
	if err != nil {
		return "", err
	}
	limit, err := l.milliseconds("timeout_ms")
	if err != nil {
		return "", err
	}
	ready, err := readable(reader.FD(), limit)
	return fmt.Sprintf(" ready=%d", ready), err
}

func (r *reading) count(l line) (string, error) {
	reader, err := r.reader(l)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(" received=%d missed=%d held=%d", reader.Received(), reader.Missed(),
		reader.Held()), nil
}

func (r *reading) close(l line) (string, error) {
	reader, err := r.reader(l)
	if err != nil {
		return "", err
	}
	number, _ := l.number("reader", 0)
	delete(r.readers, number)
	return "", reader.Close()
}
