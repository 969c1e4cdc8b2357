package framelane

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/framelane/framelane/go/layout"
)

// Declared are the names that a file declares with this beginning, without it.
func declared(t *testing.T, file, beginning string) map[string]bool {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	must(t, err)
	names := map[string]bool{}
	ast.Inspect(parsed, func(node ast.Node) bool {
		if value, ok := node.(*ast.ValueSpec); ok {
			for _, name := range value.Names {
				if end, found := strings.CutPrefix(name.Name, beginning); found {
					names[end] = true
				}
			}
		}
		return true
	})
	return names
}

func TestEveryKindHasAValue(t *testing.T) {
	kinds := declared(t, "layout/layout.go", "ErrorKind")
	values := declared(t, "errors.go", "Err")
	delete(kinds, "Ok")
	if len(kinds) < 25 {
		t.Fatalf("only %d kinds", len(kinds))
	}
	for kind := range kinds {
		if !values[kind] {
			t.Errorf("there is no Err%s", kind)
		}
	}
	if len(values) != len(kinds) {
		t.Errorf("%d values for %d kinds", len(values), len(kinds))
	}
}

func TestEveryFormatIsKnown(t *testing.T) {
	if all := declared(t, "layout/layout.go", "PixelFormat"); len(all) != len(formats) {
		t.Fatalf("the schema has %d formats, this package %d", len(all), len(formats))
	}
	for _, format := range formats {
		parsed, err := ParsePixelFormat(strings.ToUpper(format.String()))
		must(t, err)
		if parsed != format {
			t.Fatalf("%v is read as %v", format, parsed)
		}
		_ = picture(t, format, 64, 32)
	}
	_, err := ParsePixelFormat("sepia")
	expect(t, err, ErrInvalidArgument)
}

func TestErrorsAreCompared(t *testing.T) {
	err := error(&Error{Kind: layout.ErrorKindNotFound, Text: "no lane"})
	expect(t, err, ErrNotFound)
	expect(t, err, fs.ErrNotExist)
	if errors.Is(err, ErrClosed) || errors.Is(err, fs.ErrClosed) || errors.Is(ErrNotFound, err) {
		t.Fatal("errors of different kinds are the same")
	}
	if err.Error() != "framelane: no lane" || ErrNoLeases.Error() != "framelane: no_leases" {
		t.Fatalf("they say %q and %q", err, ErrNoLeases)
	}
}

func TestNativeFilesAloneImportC(t *testing.T) {
	files, err := filepath.Glob("*.go")
	must(t, err)
	var importers []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		if strings.Contains(string(text), "\nimport \"C"+"\"\n") {
			importers = append(importers, file)
		}
	}
	if !slices.Equal(importers, []string{"native.go", "native_frame.go", "native_shmbuf.go",
		"native_stream.go", "native_switch.go"}) {
		t.Fatalf("these import C: %v", importers)
	}
}

func TestTheLibraryHasThisLayout(t *testing.T) {
	if nativeLayoutHash() != layout.Hash {
		t.Fatalf("the library has layout %#x, this package %#x", nativeLayoutHash(), layout.Hash)
	}
}

func TestWrongCallsAreRefused(t *testing.T) {
	at := place(t)
	grey := WithLayout(picture(t, Grey, 16, 4))
	for _, wrong := range []struct {
		name    string
		options []ProducerOption
		err     error
	}{
		{"Bad/Name", []ProducerOption{grey}, ErrInvalidName},
		{"zero\x00inside", []ProducerOption{grey}, ErrInvalidName},
		{"\xff\xfe", []ProducerOption{grey}, ErrInvalidArgument},
		{"", []ProducerOption{grey}, ErrInvalidName},
		{"lane", nil, ErrInvalidArgument},
		{"lane", []ProducerOption{grey, WithLeaseBudget(64)}, ErrInvalidArgument},
		{"lane", []ProducerOption{grey, WithClaims(0)}, ErrInvalidArgument},
		{"lane", []ProducerOption{grey, WithPayloadBytes(1)}, ErrTooLarge},
		{"lane", []ProducerOption{WithPicture(YUYV, 5, 2)}, ErrInvalidArgument},
		{"lane", []ProducerOption{WithPicture(NV12, 1<<31, 1<<31)}, ErrTooLarge},
		{"lane", []ProducerOption{grey, WithTrust(9)}, ErrInvalidArgument},
		{"lane", []ProducerOption{grey, WithHugePages(9)}, ErrInvalidArgument},
		{"lane", []ProducerOption{grey, WithDeviceBuffers(200, 0)}, ErrInvalidArgument},
		{"lane", []ProducerOption{grey, WithDeviceBuffers(layout.MemoryKindMemfd, -1)},
			ErrInvalidArgument},
	} {
		producer, err := Create(wrong.name, append(wrong.options, at)...)
		if !errors.Is(err, wrong.err) || producer != nil {
			t.Errorf("%q: the error is %v and should be %v", wrong.name, err, wrong.err)
		}
	}
	producer, err := Create("lane", at, grey)
	must(t, err)
	defer producer.Close()
	_, err = Create("lane", at, grey)
	expect(t, err, ErrAlreadyExists)
	ctx := context.Background()
	zero := WithDirectory("a\x00b")
	_, err = Create("lane", zero, grey)
	expect(t, err, ErrInvalidArgument)
	_, err = Open(ctx, "lane", Latest, zero)
	expect(t, err, ErrInvalidArgument)
	_, err = Open(ctx, "lane\x00", Latest, at)
	expect(t, err, ErrInvalidName)
	_, err = Query(ctx, "lane\x00", "")
	expect(t, err, ErrInvalidName)
	_, err = List("a\x00b")
	expect(t, err, ErrInvalidArgument)
	_, err = Open(ctx, "lane", 77, at)
	expect(t, err, ErrInvalidArgument)
	_, err = Open(ctx, "lane", Latest, at, WithLeases(0))
	expect(t, err, ErrInvalidArgument)
	_, err = Open(ctx, "lane", Latest, at, WithLeases(60))
	expect(t, err, ErrNoLeases)
	_, err = Open(ctx, "lane", Lossless, at)
	expect(t, err, ErrUnsupported)
	_, err = producer.PublishExternal(&FrameDescriptor{}, nil)
	expect(t, err, ErrUnsupported)
	_, err = producer.PublishExternal(nil, nil)
	expect(t, err, ErrInvalidArgument)
}

func TestWrongPlanesAreRefused(t *testing.T) {
	producer, consumer := pair(t, Latest)
	frame, err := producer.TryClaim()
	must(t, err)
	for _, index := range []int{-1, 1, 4, 1 << 40} {
		_, err = frame.Plane(index)
		expect(t, err, ErrInvalidArgument)
	}
	plane := &frame.Descriptor().Planes[0]
	right := *plane
	for _, wrong := range [][2]uint64{{1, right.SizeBytes}, {1 << 63, 1 << 63}, {0, 1 << 62}} {
		plane.OffsetBytes, plane.SizeBytes = wrong[0], wrong[1]
		_, err = frame.Plane(0)
		expect(t, err, ErrProtocol)
	}
	// Anybody may publish such a frame: whoever reads it is told.
	frame.Descriptor().PlaneCount = 200
	_, err = frame.Publish()
	must(t, err)
	read := taken(t, consumer)
	defer read.Release()
	if read.PlaneCount() != 4 {
		t.Fatalf("it has %d planes", read.PlaneCount())
	}
	_, err = read.Plane(0)
	expect(t, err, ErrProtocol)
	_, err = read.Image()
	expect(t, err, ErrProtocol)
	for _, index := range []int{-1, 4, 1 << 40} {
		_, err = read.Plane(index)
		expect(t, err, ErrInvalidArgument)
		expect(t, read.CopyTo(index, nil), ErrInvalidArgument)
	}
}
