package framelane

import (
	"bytes"
	"context"
	"os"
	"sync"
	"testing"
	"time"
)

func TestNextWaitsForARecord(t *testing.T) {
	writer, reader := stream(t, nil)
	ctx := within(t, patience)
	for number := uint64(1); number <= 20; number++ {
		got := make(chan uint64)
		go func() {
			record, err := reader.Next(ctx)
			if err != nil {
				t.Error(err)
			}
			sequence := record.Sequence()
			record.Release()
			got <- sequence
		}()
		time.Sleep(time.Millisecond)
		put(t, writer, byte(number), true)
		if sequence := <-got; sequence != number {
			t.Fatalf("record %d instead of %d", sequence, number)
		}
	}
}

func TestAContextEndsAWaitForRecords(t *testing.T) {
	writer, reader := stream(t, nil)
	_, err := reader.Next(within(t, 20*time.Millisecond))
	expect(t, err, context.DeadlineExceeded)
	expect(t, reader.Wait(within(t, 20*time.Millisecond)), context.DeadlineExceeded)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	var last error
	for record, err := range reader.Records(ended) {
		if record.IsHeld() || last != nil {
			t.Fatal("something has come after the end")
		}
		last = err
	}
	expect(t, last, context.Canceled)
	// What is there is had, whatever the context says.
	put(t, writer, 1, true)
	must(t, reader.Wait(ended))
	if reader.Received() != 0 {
		t.Fatal("waiting has taken a record")
	}
	record, err := reader.Next(ended)
	must(t, err)
	record.Release()
	time.AfterFunc(20*time.Millisecond, func() { put(t, writer, 2, true) })
	must(t, reader.Wait(within(t, patience)))
	comes(t, reader, 2)
}

func TestCloseEndsAWaitForRecords(t *testing.T) {
	writer, reader := stream(t, nil, WithStart(StartNext)) // which asks for no key record
	put(t, writer, 1, true)
	held := had(t, reader)
	failed := make(chan error, 3)
	for range 2 {
		go func() { _, err := reader.Next(context.Background()); failed <- err }()
	}
	go func() { failed <- reader.Wait(context.Background()) }()
	time.Sleep(20 * time.Millisecond)
	must(t, reader.Close())
	must(t, reader.Close())
	for range 3 {
		expect(t, <-failed, ErrClosed)
	}
	if held.Bytes()[0] != 1 {
		t.Fatal("closing a reader took its record")
	}
	held.Release()
	_, _, err := reader.TryNext()
	expect(t, err, os.ErrClosed)
	expect(t, reader.Seek(StartNext), ErrClosed)
	expect(t, reader.RequestKeyFrame(), ErrClosed)
	if reader.FD() != -1 || reader.Received() != 1 || reader.Held() != 0 {
		t.Fatal("a closed reader has a descriptor, or has forgotten its counts")
	}
	open, err := writer.TryBegin(4)
	must(t, err)
	ended := make(chan error)
	go func() { ended <- writer.WaitKeyFrameWanted(context.Background()) }()
	must(t, writer.Close())
	must(t, writer.Close())
	expect(t, <-ended, ErrClosed)
	_, err = open.Commit()
	expect(t, err, ErrClosed)
	_, err = writer.TryBegin(4)
	expect(t, err, ErrClosed)
	_, err = writer.Write(context.Background(), nil, []byte{1})
	expect(t, err, ErrClosed)
	_, err = writer.TrySetConfig(NewStreamConfig(CodecJSON))
	expect(t, err, ErrClosed)
	_, err = writer.Report()
	expect(t, err, ErrClosed)
	if writer.KeyFrameWanted() || writer.Readers() != 0 {
		t.Fatal("a closed writer has readers")
	}
}

func TestALosslessReaderHoldsTheWriterBack(t *testing.T) {
	writer, reader := stream(t, []StreamWriterOption{WithDataBytes(65536), WithLossless()},
		WithLossless())
	ctx := within(t, patience)
	key := KeyInfo(0)
	half := bytes.Repeat([]byte{1}, writer.RecordLimit())
	for range 2 {
		_, err := writer.TryWrite(&key, half)
		must(t, err)
	}
	_, err := writer.TryWrite(nil, []byte{2})
	expect(t, err, ErrNoFreeSlot)
	_, err = writer.Write(within(t, 30*time.Millisecond), nil, []byte{2})
	expect(t, err, ErrNoFreeSlot)
	expect(t, err, context.DeadlineExceeded)
	record, err := reader.Next(ctx)
	must(t, err)
	if reader.Held() != 1 || !bytes.Equal(record.Bytes(), half) {
		t.Fatalf("%d records are held", reader.Held())
	}
	time.AfterFunc(20*time.Millisecond, record.Release)
	sequence, err := writer.Write(ctx, nil, []byte{2}, []byte{3})
	must(t, err)
	if sequence != 3 || reader.Held() != 0 {
		t.Fatalf("record %d, %d held", sequence, reader.Held())
	}
	record, err = reader.Next(ctx)
	must(t, err)
	record.Release()
	expect(t, reader.Seek(StartOldestKey), ErrUnsupported) // it would go back to record 2
}

func TestEveryRecordReachesALosslessReader(t *testing.T) {
	const records = 500
	writer, reader := stream(t, []StreamWriterOption{WithDataBytes(65536), WithLossless()},
		WithLossless(), WithStart(StartNext))
	ctx := within(t, patience)
	var writing sync.WaitGroup
	defer writing.Wait()
	writing.Add(1)
	go func() {
		defer writing.Done()
		for number := range records {
			info := KeyInfo(int64(number))
			piece := bytes.Repeat([]byte{byte(number)}, number*37%9000)
			if _, err := writer.Write(ctx, &info, piece, piece); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	var number int
	for record, err := range reader.Records(ctx) {
		must(t, err)
		wanted := bytes.Repeat([]byte{byte(number)}, 2*(number*37%9000))
		if pts, _ := record.Pts(); pts != int64(number) || !bytes.Equal(record.Bytes(), wanted) {
			t.Fatalf("record %d is not what was written as %d", pts, number)
		}
		record.Release()
		if number++; number == records {
			break
		}
	}
	if reader.Missed() != 0 || reader.Received() != records {
		t.Fatalf("%d received, %d missed", reader.Received(), reader.Missed())
	}
}

func TestARestartedWriterIsFound(t *testing.T) {
	at := place(t)
	create := func(width uint32) *StreamWriter {
		writer, err := CreateStream("lane", VideoConfig(CodecH264, width, 1), at)
		must(t, err)
		return writer
	}
	writer := create(1)
	reader, err := OpenStream(context.Background(), "lane", at)
	must(t, err)
	defer reader.Close()
	single, err := OpenStream(context.Background(), "lane", at, WithReattach(false))
	must(t, err)
	defer single.Close()
	must(t, writer.Close())
	_, err = single.Next(within(t, patience))
	expect(t, err, ErrDisconnected)
	got := nextOf(t, reader)
	time.Sleep(20 * time.Millisecond)
	writer = create(2)
	defer writer.Close()
	put(t, writer, 9, true)
	record := <-got
	if !record.NewEpoch() || record.Epoch() != writer.Epoch() || record.Config().Width != 2 {
		t.Fatal("the record is not of the new writer")
	}
	record.Release()
}

// NextOf has the next record come from a goroutine.
func nextOf(t *testing.T, reader *StreamReader) <-chan Record {
	got := make(chan Record, 1)
	ctx := within(t, patience)
	go func() {
		record, err := reader.Next(ctx)
		if err != nil {
			t.Error(err)
		}
		got <- record
	}()
	return got
}

func TestForgottenRecordsAreToldAndReleased(t *testing.T) {
	writer, reader := stream(t, []StreamWriterOption{WithLossless()}, WithLossless())
	told := leaks(t)
	put(t, writer, 1, true)
	func() {
		if record := had(t, reader); record.Bytes()[0] != 1 {
			t.Fatal("the wrong record")
		}
		put(t, writer, 2, true)
		comes(t, reader, 2)
	}()
	leak := collected(t, told)
	if leak.What != "record" || leak.Lane != "lane" || leak.Sequence != 1 || leak.Stack == "" {
		t.Fatalf("told is %+v", leak)
	}
	if reader.Held() != 0 {
		t.Fatal("the record is still held")
	}
	func() {
		_, err := writer.TryBegin(4)
		must(t, err)
	}()
	if leak := collected(t, told); leak.What != "open record" || leak.Stack == "" {
		t.Fatalf("told is %+v", leak)
	}
	put(t, writer, 3, true)
}

func TestForgottenStreamsAreToldAndClosed(t *testing.T) {
	at := place(t)
	told := leaks(t)
	ctx := within(t, patience)
	func() {
		_, err := CreateStream("lane", NewStreamConfig(CodecJSON), at)
		must(t, err)
		reader, err := OpenStream(ctx, "lane", at)
		must(t, err)
		// It waits once, so that the poller and the context know of it.
		short, cancel := context.WithCancel(ctx)
		time.AfterFunc(5*time.Millisecond, cancel)
		expect(t, reader.Wait(short), context.Canceled)
	}()
	seen := map[string]bool{collected(t, told).What: true}
	seen[collected(t, told).What] = true
	if !seen["stream writer"] || !seen["stream reader"] {
		t.Fatalf("told is %v", seen)
	}
}
