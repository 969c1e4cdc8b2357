package framelane

import (
	"bytes"
	"context"
	"testing"
	"time"
)

func TestOpenRecordsEndOnce(t *testing.T) {
	writer, reader := stream(t, nil)
	record, err := writer.TryBegin(8)
	must(t, err)
	_, err = writer.TryBegin(8)
	expect(t, err, ErrNoFreeSlot)
	_, err = writer.Begin(within(t, 30*time.Millisecond), 8)
	expect(t, err, ErrNoFreeSlot)
	expect(t, err, context.DeadlineExceeded)
	must(t, record.Append([]byte{1, 2, 3}))
	must(t, record.Append(nil))
	expect(t, record.Append(make([]byte, 6)), ErrRecordTooLarge)
	must(t, record.Append([]byte{4}))
	record.SetKey(false)
	record.SetKey(true)
	record.Info().CaptureID = 6
	sequence, err := record.Commit()
	must(t, err)
	_, err = record.Commit()
	expect(t, err, ErrInvalidArgument)
	expect(t, record.Append([]byte{5}), ErrInvalidArgument)
	record.Abandon()
	record.SetKey(false)
	var none RecordMut
	none.Abandon()
	if record.Info() != nil || none.Info() != nil {
		t.Fatal("a committed record can still be changed")
	}
	read := had(t, reader)
	if read.Sequence() != sequence || !bytes.Equal(read.Bytes(), []byte{1, 2, 3, 4}) ||
		!read.IsKey() || read.Info().CaptureID != 6 {
		t.Fatalf("record %d is %v", read.Sequence(), read.Bytes())
	}
	read.Release()
	record, err = writer.Begin(within(t, patience), writer.RecordLimit())
	must(t, err)
	record.Abandon()
	_, err = writer.TryBegin(writer.RecordLimit() + 1)
	expect(t, err, ErrRecordTooLarge)
	_, err = writer.TryBegin(-1)
	expect(t, err, ErrInvalidArgument)
	_, err = writer.TryWrite(nil, make([]byte, writer.RecordLimit()), []byte{1})
	expect(t, err, ErrRecordTooLarge)
	report, err := writer.Report()
	must(t, err)
	if report.Abandoned != 1 || report.Published != 1 || report.Stream.KeyRecords != 1 {
		t.Fatalf("%d abandoned, %d published", report.Abandoned, report.Published)
	}
}

func TestWrongStreamsAreRefused(t *testing.T) {
	at := place(t)
	ctx := context.Background()
	config := NewStreamConfig(CodecOpaque)
	writer, err := CreateStream("lane", config, at)
	must(t, err)
	defer writer.Close()
	_, err = CreateStream("lane", config, at)
	expect(t, err, ErrAlreadyExists)
	_, err = CreateStream("other", nil, at)
	expect(t, err, ErrInvalidArgument)
	_, err = CreateStream("other", config, at, WithTrust(9))
	expect(t, err, ErrInvalidArgument)
	_, err = CreateStream("zero\x00inside", config, at)
	expect(t, err, ErrInvalidName)
	_, err = CreateStream("other", config, WithDirectory("a\x00b"))
	expect(t, err, ErrInvalidArgument)
	_, err = OpenStream(ctx, "lane\x00", at)
	expect(t, err, ErrInvalidName)
	_, err = OpenStream(ctx, "lane", at, WithLossless())
	expect(t, err, ErrUnsupported)
	_, err = OpenStream(ctx, "lane", at, WithAfterLap(StartNext))
	expect(t, err, ErrInvalidArgument)
	_, err = OpenStream(ctx, "lane", at, WithStart(77))
	expect(t, err, ErrInvalidArgument)
	_, err = OpenStream(ctx, "late", at, WithWaitForLane(10*time.Millisecond))
	expect(t, err, ErrNotFound)
	_, err = OpenStream(within(t, 20*time.Millisecond), "late", at, WithWaitForLane(patience))
	expect(t, err, context.DeadlineExceeded)
	_, err = Open(ctx, "lane", Latest, at)
	expect(t, err, ErrUnsupported)
	frames, err := Create("frames", at, WithPicture(Grey, 16, 4))
	must(t, err)
	defer frames.Close()
	_, err = OpenStream(ctx, "frames", at)
	expect(t, err, ErrUnsupported)
}
