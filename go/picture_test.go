package framelane

import (
	"image"
	"image/color"
	"testing"
)

// Shown is the image of a frame whose planes are filled by a function, and what gives it back.
func shown(t *testing.T, format PixelFormat, width, height, align uint32,
	fill func(plane, row, column int) byte) image.Image {
	t.Helper()
	picture, err := NewAlignedFrameLayout(format, width, height, align)
	must(t, err)
	return shownAs(t, picture, fill)
}

func shownAs(t *testing.T, picture FrameLayout,
	fill func(plane, row, column int) byte) image.Image {
	t.Helper()
	frame := filled(t, picture, fill)
	made, err := frame.Image()
	must(t, err)
	if made.Bounds() != image.Rect(0, 0, int(picture.Width), int(picture.Height)) {
		t.Fatalf("the image is %v", made.Bounds())
	}
	if made.At(-1, 0) == nil || made.At(0, int(picture.Height)) == nil {
		t.Fatal("there is no colour outside")
	}
	return made
}

func filled(t *testing.T, picture FrameLayout, fill func(plane, row, column int) byte) Frame {
	t.Helper()
	at := place(t)
	producer, err := Create("lane", at, WithLayout(picture))
	must(t, err)
	t.Cleanup(func() { must(t, producer.Close()) })
	consumer, err := Open(within(t, patience), "lane", Latest, at)
	must(t, err)
	t.Cleanup(func() { must(t, consumer.Close()) })
	claimed, err := producer.TryClaim()
	must(t, err)
	for index := range picture.PlaneCount {
		bytes, err := claimed.Plane(index)
		must(t, err)
		stride := int(picture.Planes[index].StrideBytes)
		for i := range bytes {
			bytes[i] = fill(index, i/stride, i%stride)
		}
	}
	_, err = claimed.Publish()
	must(t, err)
	frame := taken(t, consumer)
	t.Cleanup(func() { must(t, frame.Release()) })
	return frame
}

func shows(t *testing.T, made image.Image, x, y int, want color.Color) {
	t.Helper()
	if got := made.At(x, y); got != want {
		t.Fatalf("at %d,%d there is %v instead of %v", x, y, got, want)
	}
	if deep, ok := made.(image.RGBA64Image); ok {
		r, g, b, a := want.RGBA()
		full := color.RGBA64{R: uint16(r), G: uint16(g), B: uint16(b), A: uint16(a)}
		if got := deep.RGBA64At(x, y); got != full {
			t.Fatalf("at %d,%d there is %v instead of %v", x, y, got, full)
		}
	}
}

func TestGreyIsGray(t *testing.T) {
	made := shown(t, Grey, 5, 3, 16, func(_, row, column int) byte { return byte(10*row + column) })
	if made := made.(*image.Gray); made.Stride != 16 {
		t.Fatalf("the stride is %d", made.Stride)
	}
	shows(t, made, 4, 2, color.Gray{Y: 24})
}

// Planes say where they are: 100 * plane + 10 * row + column.
func located(plane, row, column int) byte { return byte(100*plane + 10*row + column) }

func TestI420IsYCbCr(t *testing.T) {
	made := shown(t, I420, 5, 3, 8, func(plane, row, column int) byte {
		return located(min(plane, 2), row, column) // 2xx may pass 255, which is fine
	})
	shows(t, made, 4, 2, color.YCbCr{Y: located(0, 2, 4), Cb: located(1, 1, 2), Cr: located(2, 1, 2)})
	shows(t, made, 1, 1, color.YCbCr{Y: located(0, 1, 1), Cb: located(1, 0, 0), Cr: located(2, 0, 0)})
	picture := picture(t, I420, 8, 4)
	picture.Planes[2].StrideBytes++ // what it says; its last row then lies outside
	_, err := filled(t, picture, located).Image()
	if err == nil {
		t.Fatal("an image of planes that do not fit it")
	}
}

func TestNV12IsSemiPlanar(t *testing.T) {
	made := shown(t, NV12, 5, 3, 8, located)
	shows(t, made, 4, 2, color.YCbCr{Y: located(0, 2, 4), Cb: located(1, 1, 4), Cr: located(1, 1, 5)})
	shows(t, made, 3, 0, color.YCbCr{Y: located(0, 0, 3), Cb: located(1, 0, 2), Cr: located(1, 0, 3)})
	if made.ColorModel() != color.YCbCrModel {
		t.Fatal("NV12 is no YCbCr")
	}
}

func TestYUYVIsInterleaved(t *testing.T) {
	made := shown(t, YUYV, 4, 2, 1, located)
	shows(t, made, 2, 1, color.YCbCr{Y: located(0, 1, 4), Cb: located(0, 1, 5), Cr: located(0, 1, 7)})
	shows(t, made, 3, 1, color.YCbCr{Y: located(0, 1, 6), Cb: located(0, 1, 5), Cr: located(0, 1, 7)})
}

func TestRGBIsPacked(t *testing.T) {
	three := func(r, g, b int) color.RGBA {
		return color.RGBA{located(0, 1, r), located(0, 1, g), located(0, 1, b), 255}
	}
	shows(t, shown(t, RGB24, 3, 2, 4, located), 2, 1, three(6, 7, 8))
	shows(t, shown(t, BGR24, 3, 2, 4, located), 2, 1, three(8, 7, 6))
	for format, want := range map[PixelFormat]color.RGBA{
		xbgr8888: three(8, 9, 10),
		xrgb8888: three(10, 9, 8),
		argb8888: {located(0, 1, 10), located(0, 1, 9), located(0, 1, 8), located(0, 1, 11)},
		abgr8888: {located(0, 1, 8), located(0, 1, 9), located(0, 1, 10), located(0, 1, 11)},
	} {
		picture := FrameLayout{Fourcc: format, Width: 3, Height: 2, PlaneCount: 1, TotalBytes: 24}
		picture.Planes[0] = Plane{SizeBytes: 24, StrideBytes: 12, Rows: 2, BufferIndex: -1}
		shows(t, shownAs(t, picture, located), 2, 1, want)
	}
}

func TestUnknownFormatsHaveNoImage(t *testing.T) {
	picture := picture(t, Grey, 8, 4)
	picture.Fourcc = 0x31313131
	_, err := filled(t, picture, located).Image()
	expect(t, err, ErrUnsupported)
	picture.Fourcc = Grey
	picture.Width = 9
	_, err = filled(t, picture, located).Image()
	expect(t, err, ErrProtocol)
}
