package framelane

import (
	"bytes"
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/framelane/framelane/go/layout"
)

// Stream is a writer of H.264 and a reader of its lane from the oldest key record on.
func stream(t testing.TB, writes []StreamWriterOption, reads ...StreamReaderOption,
) (*StreamWriter, *StreamReader) {
	t.Helper()
	at := place(t)
	writer, err := CreateStream("lane", VideoConfig(CodecH264, 640, 480), append(writes, at)...)
	must(t, err)
	t.Cleanup(func() { must(t, writer.Close()) })
	reads = append([]StreamReaderOption{at, WithStart(StartOldestKey)}, reads...)
	reader, err := OpenStream(context.Background(), "lane", reads...)
	must(t, err)
	t.Cleanup(func() { must(t, reader.Close()) })
	return writer, reader
}

// Put writes a record of one byte.
func put(t testing.TB, writer *StreamWriter, first byte, key bool) uint64 {
	t.Helper()
	info := NewRecordInfo()
	if key {
		info = KeyInfo(int64(first))
	}
	sequence, err := writer.TryWrite(&info, []byte{first})
	must(t, err)
	return sequence
}

// Had is the next record, which must be there.
func had(t testing.TB, reader *StreamReader) Record {
	t.Helper()
	record, found, err := reader.TryNext()
	must(t, err)
	if !found {
		t.Fatal("there is no record")
	}
	return record
}

// Comes reads and releases the next record, which must have this sequence.
func comes(t testing.TB, reader *StreamReader, sequence uint64) {
	t.Helper()
	record := had(t, reader)
	defer record.Release()
	if record.Sequence() != sequence || len(record.Bytes()) != 1 || record.Missed() != 0 {
		t.Fatalf("record %d of %d bytes came after %d instead of %d", record.Sequence(),
			len(record.Bytes()), record.Missed(), sequence)
	}
}

func TestRecordsAreHandedOver(t *testing.T) {
	writer, reader := stream(t, nil)
	info := RecordInfo{PtsNs: 40, DtsNs: -2, CaptureID: 9, Flags: layout.RecordFlagKey}
	long := bytes.Repeat([]byte{7}, 30000)
	sequence, err := writer.TryWrite(&info, long[:1], nil, long[1:20000], long[20000:])
	must(t, err)
	record := had(t, reader)
	if record.Sequence() != sequence || !bytes.Equal(record.Bytes(), long) || !record.IsKey() {
		t.Fatalf("record %d has %d bytes", record.Sequence(), len(record.Bytes()))
	}
	pts, known := record.Pts()
	if dts, too := record.Dts(); pts != 40 || dts != -2 || !known || !too {
		t.Fatalf("it is shown at %d and decoded at %d", pts, dts)
	}
	if config := record.Config(); config.Codec != CodecH264 || config.Width != 640 {
		t.Fatalf("it is %v of width %d", config.Codec, config.Width)
	}
	if record.Epoch() != writer.Epoch() || record.NewEpoch() || !record.NewConfig() {
		t.Fatal("it is of another writer, or of an old config")
	}
	if record.Info().CaptureID != 9 || record.Info().PublishNs == 0 {
		t.Fatalf("it says %+v", record.Info())
	}
	record.Release()
	_, err = writer.TryWrite(nil)
	must(t, err)
	record = had(t, reader)
	if record.Bytes() == nil || len(record.Bytes()) != 0 || record.IsKey() || record.NewConfig() {
		t.Fatal("a record without bytes is another")
	}
	if _, known := record.Pts(); known || record.Info().PtsNs != math.MinInt64 {
		t.Fatal("a time that nobody gave is known")
	}
	record.Release()
	if _, found, err := reader.TryNext(); found || err != nil {
		t.Fatalf("a record out of nothing, or %v", err)
	}
	if reader.Received() != 2 || reader.Missed() != 0 || reader.Epoch() != writer.Epoch() {
		t.Fatalf("received %d, missed %d", reader.Received(), reader.Missed())
	}
}

func TestReleasedRecordsAreNoRecordsAnyMore(t *testing.T) {
	writer, reader := stream(t, nil)
	put(t, writer, 1, true)
	put(t, writer, 2, false)
	old := had(t, reader)
	old.Release()
	record := had(t, reader) // in the same memory
	if record.held != old.held {
		t.Fatal("the memory of a released record is not used again")
	}
	old.Release()
	if !record.IsHeld() || record.Bytes()[0] != 2 {
		t.Fatal("releasing an old record again has released another one")
	}
	var none Record
	for _, gone := range []Record{old, none} {
		_, known := gone.Pts()
		if gone.IsHeld() || gone.Bytes() != nil || gone.Info() != nil || gone.Config() != nil ||
			gone.Sequence() != 0 || gone.IsKey() || known || gone.Epoch() != 0 ||
			gone.Missed() != 0 || gone.NewEpoch() || gone.NewConfig() {
			t.Fatal("a released record still tells something")
		}
	}
	none.Release()
	record.Release()
}

func TestAnOvertakenReaderIsTold(t *testing.T) {
	writer, reader := stream(t, []StreamWriterOption{WithIndexCapacity(8)})
	for number := byte(1); number <= 20; number++ {
		put(t, writer, number, number%8 == 1)
	}
	// It stood at record 1, and goes on at the newest key record, 17.
	_, found, err := reader.TryNext()
	expect(t, err, ErrLapped)
	var lapped *Lapped
	var failed *Error
	if found || !errors.As(err, &lapped) || lapped.Missed != 16 || !errors.As(err, &failed) {
		t.Fatalf("it is told %v", err)
	}
	if errors.Is(err, ErrClosed) || failed.Kind != layout.ErrorKindLapped {
		t.Fatal("being overtaken is something else too")
	}
	comes(t, reader, 17)
	if reader.Missed() != 16 {
		t.Fatalf("missed %d", reader.Missed())
	}
	// A loop over records goes on where the program does.
	for number := byte(21); number <= 40; number++ {
		put(t, writer, number, number%8 == 1)
	}
	var laps, seen int
	for record, err := range reader.Records(within(t, patience)) {
		if errors.As(err, &lapped) {
			laps++
			continue
		}
		must(t, err)
		seen++
		sequence := record.Sequence()
		record.Release()
		if sequence == 40 {
			break
		}
	}
	if laps != 1 || seen != 8 {
		t.Fatalf("overtaken %d times, %d records", laps, seen)
	}
}

func TestReadersSeekAndAskForKeyRecords(t *testing.T) {
	writer, reader := stream(t, []StreamWriterOption{WithKeyRequestInterval(0)}, WithStart(StartNext))
	put(t, writer, 1, false)
	if writer.KeyFrameWanted() {
		t.Fatal("nobody has asked for a key record")
	}
	expect(t, writer.WaitKeyFrameWanted(within(t, 5*time.Millisecond)), context.DeadlineExceeded)
	expect(t, reader.Seek(StartNewestKey), ErrNoKeyFrame)
	must(t, writer.WaitKeyFrameWanted(within(t, patience)))
	comes(t, reader, 1) // it has stayed
	put(t, writer, 2, true)
	if writer.KeyFrameWanted() {
		t.Fatal("a key record has come and is still wanted")
	}
	put(t, writer, 3, false)
	put(t, writer, 4, true)
	put(t, writer, 5, false)
	for _, step := range []struct {
		seek     func() error
		sequence uint64
	}{
		{func() error { return reader.Seek(StartOldestKey) }, 2},
		{func() error { return reader.Seek(StartNewestKey) }, 4},
		{func() error { return reader.SeekAgo(time.Hour) }, 2},
		{func() error { return reader.SeekAgo(0) }, 4},
	} {
		must(t, step.seek())
		comes(t, reader, step.sequence)
	}
	must(t, reader.Seek(StartNext))
	if _, found, err := reader.TryNext(); found || err != nil {
		t.Fatalf("something has come before it was written, or %v", err)
	}
	expect(t, reader.Seek(77), ErrInvalidArgument)
	time.AfterFunc(20*time.Millisecond, func() {
		if err := reader.RequestKeyFrame(); err != nil {
			t.Error(err)
		}
	})
	must(t, writer.WaitKeyFrameWanted(within(t, patience)))
}

func TestConfigsComeWithTheirRecords(t *testing.T) {
	writer, reader := stream(t, nil)
	put(t, writer, 1, true)
	config := VideoConfig(CodecH265, 1920, 1080)
	must(t, config.SetParameterSets(bytes.Repeat([]byte{3}, 200)))
	must(t, config.SetParameterSets([]byte{1, 2, 3}))
	expect(t, config.SetParameterSets(make([]byte, 5000)), ErrInvalidArgument)
	for range 2 { // saying the same again changes nothing
		id, err := writer.SetConfig(within(t, patience), config)
		must(t, err)
		if id != 2 {
			t.Fatalf("it is config %d", id)
		}
	}
	put(t, writer, 2, true)
	first := had(t, reader)
	second := had(t, reader)
	if first.Config().Codec != CodecH264 || !first.NewConfig() || first.Info().ConfigID != 1 {
		t.Fatalf("the first is %v", first.Config().Codec)
	}
	got := second.Config()
	if got.Codec != CodecH265 || got.Height != 1080 || !second.NewConfig() || got.ID != 2 {
		t.Fatalf("the second is %v", got.Codec)
	}
	if !bytes.Equal(got.ParameterSets(), []byte{1, 2, 3}) || got.Parameters[3] != 0 {
		t.Fatalf("its parameters are %v", got.ParameterSets())
	}
	first.Release()
	second.Release()
	config.ParameterBytes = math.MaxUint32
	if len(config.ParameterSets()) != len(config.Parameters) {
		t.Fatal("a config has more parameters than room")
	}
	_, err := writer.TrySetConfig(config)
	expect(t, err, ErrInvalidArgument)
	_, err = writer.TrySetConfig(nil)
	expect(t, err, ErrInvalidArgument)
}
