package main

import (
	"bytes"
	"io"
	"testing"

	framelane "github.com/framelane/framelane/go"
)

func TestBoxesAreReadWholeAndGarbageIsRefused(t *testing.T) {
	kind, whole, err := nextBox(bytes.NewReader([]byte("\x00\x00\x00\x0amdatxy\x00")))
	if kind != "mdat" || string(whole) != "\x00\x00\x00\x0amdatxy" || err != nil {
		t.Errorf("%s %q %v", kind, whole, err)
	}
	for _, garbage := range []string{"", "\x00\x00", "\x00\x00\x00\x02free", "\xff\xff\xff\xffmdat",
		"\x00\x00\x00\x0amdatx"} {
		if _, _, err := nextBox(bytes.NewReader([]byte(garbage))); err == nil {
			t.Errorf("%q is taken for a box", garbage)
		}
	}
}

func TestOnlyWhatComesWhileAllWatchCounts(t *testing.T) {
	watching := false
	books := []*book{
		{first: make(chan struct{}), counting: func() bool { return watching }},
		{first: make(chan struct{}), counting: func() bool { return watching }},
	}
	ticks := uint32(framelane.MonotonicNs() / 1000 * 9 / 100)
	books[0].picture(ticks, 100)
	books[0].gap()
	watching = true
	books[0].picture(ticks, 10)
	books[0].picture(ticks-clockRate, 10)
	books[1].gap()
	told := sum("mp4", books)
	if told.Pictures != 2 || told.Least != 0 || told.Most != 2 || told.Gaps != 1 || told.Bytes != 20 {
		t.Errorf("%+v", told)
	}
	if told.MaxMs < 1000 || told.P50Ms < 0 {
		t.Errorf("a picture of a second ago: %+v", told)
	}
}

func TestAViewerOfNobodyFails(t *testing.T) {
	if _, err := run(t.Context(), watchMP4, "http://127.0.0.1:1", 2, 0); err == nil || err == io.EOF {
		t.Errorf("%v", err)
	}
}
