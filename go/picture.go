package framelane

import (
	"fmt"
	"image"

	"github.com/framelane/framelane/go/layout"
)

// Four-character codes of formats that pass through by number and still have a view.
const (
	abgr8888 PixelFormat = 'A' | 'B'<<8 | '2'<<16 | '4'<<24
	xbgr8888 PixelFormat = 'X' | 'B'<<8 | '2'<<16 | '4'<<24
	argb8888 PixelFormat = 'A' | 'R'<<8 | '2'<<16 | '4'<<24
	xrgb8888 PixelFormat = 'X' | 'R'<<8 | '2'<<16 | '4'<<24
)

// Image is the frame as an image, without a copy: an *image.Gray, *image.YCbCr (I420),
// *image.RGBA, *SemiPlanar (NV12), *Packed (RGB in any order) or *Interleaved (YUYV). It is valid
// until Release, and not to be drawn on. Formats that no view fits fail with ErrUnsupported.
//
// Colours of YUV frames are converted as those of JPEG are, with all 256 values in use, whatever
// the descriptor says.
func (f Frame) Image() (image.Image, error) {
	d := f.Descriptor()
	if d == nil {
		return nil, f.none()
	}
	v := view{frame: f, rectangle: image.Rect(0, 0, int(d.Width), int(d.Height))}
	wide, high := uint64(d.Width), uint64(d.Height)
	halfWide, halfHigh := (wide+1)/2, (high+1)/2
	switch PixelFormat(d.Fourcc) {
	case Grey:
		pix, stride := v.plane(0, wide, high)
		return v.done(&image.Gray{Pix: pix, Stride: stride, Rect: v.rectangle})
	case I420:
		y, yStride := v.plane(0, wide, high)
		cb, stride := v.plane(1, halfWide, halfHigh)
		cr, other := v.plane(2, halfWide, halfHigh)
		if v.err == nil && stride != other {
			text := fmt.Sprintf("no image has strides of %d for U and %d for V", stride, other)
			return nil, &Error{Kind: layout.ErrorKindUnsupported, Text: text}
		}
		return v.done(&image.YCbCr{Y: y, Cb: cb, Cr: cr, YStride: yStride, CStride: stride,
			SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: v.rectangle})
	case NV12:
		y, yStride := v.plane(0, wide, high)
		uv, uvStride := v.plane(1, 2*halfWide, halfHigh)
		return v.done(&SemiPlanar{Y: y, UV: uv, YStride: yStride, UVStride: uvStride,
			Rect: v.rectangle})
	case YUYV:
		pix, stride := v.plane(0, 4*halfWide, high)
		return v.done(&Interleaved{Pix: pix, Stride: stride, Rect: v.rectangle})
	case abgr8888:
		pix, stride := v.plane(0, 4*wide, high)
		return v.done(&image.RGBA{Pix: pix, Stride: stride, Rect: v.rectangle})
	}
	if order, known := packedOrders[PixelFormat(d.Fourcc)]; known {
		pix, stride := v.plane(0, uint64(order.bytes)*wide, high)
		return v.done(&Packed{Pix: pix, Stride: stride, Rect: v.rectangle, order: order})
	}
	text := fmt.Sprintf("no image fits format %#010x", d.Fourcc)
	return nil, &Error{Kind: layout.ErrorKindUnsupported, Text: text}
}

// View collects the planes of an image, and the first error.
type view struct {
	frame     Frame
	rectangle image.Rectangle
	err       error
}

// Plane checks that all rows lie in the plane: the descriptor may be anybody's.
func (v *view) plane(index int, rowBytes, rows uint64) ([]byte, int) {
	if v.err != nil {
		return nil, 0
	}
	bytes, err := v.frame.Plane(index)
	if err != nil {
		v.err = err
		return nil, 0
	}
	stride := uint64(v.frame.Descriptor().Planes[index].StrideBytes)
	// Both factors have 32 bits: nothing overflows.
	if rows > 0 && (stride < rowBytes || stride*(rows-1)+rowBytes > uint64(len(bytes))) {
		text := fmt.Sprintf("plane %d of %d bytes has no room for %d rows of %d bytes, %d apart",
			index, len(bytes), rows, rowBytes, stride)
		v.err = &Error{Kind: layout.ErrorKindProtocol, Text: text}
	}
	return bytes, int(stride)
}

func (v *view) done(made image.Image) (image.Image, error) {
	if v.err != nil {
		return nil, v.err
	}
	return made, nil
}
