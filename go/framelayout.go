package framelane

import (
	"fmt"
	"strings"

	"github.com/framelane/framelane/go/layout"
)

type (
	// FrameDescriptor is what a frame says about itself.
	FrameDescriptor = layout.FrameDescriptor
	// Plane is where one plane of a frame lies.
	Plane = layout.Plane
	// PixelFormat is a DRM four-character code.
	PixelFormat = layout.PixelFormat
)

// Formats that NewFrameLayout lays out. Frames of others pass through by number.
const (
	Grey  = layout.PixelFormatGrey
	I420  = layout.PixelFormatI420
	NV12  = layout.PixelFormatNv12
	RGB24 = layout.PixelFormatRgb24
	BGR24 = layout.PixelFormatBgr24
	YUYV  = layout.PixelFormatYuyv
)

var formats = []PixelFormat{Grey, I420, NV12, RGB24, BGR24, YUYV}

// ParsePixelFormat reads a name as people write it, in either case.
func ParsePixelFormat(name string) (PixelFormat, error) {
	for _, format := range formats {
		if strings.EqualFold(format.String(), name) {
			return format, nil
		}
	}
	return 0, invalid(fmt.Sprintf("pixel format %q; known are %v", name, formats))
}

// FrameLayout says where the planes of a picture lie in one block of memory.
type FrameLayout struct {
	Fourcc        PixelFormat
	Width, Height uint32
	PlaneCount    int
	Planes        [4]Plane
	TotalBytes    uint64
}

// NewFrameLayout lays out a picture without padding.
func NewFrameLayout(format PixelFormat, width, height uint32) (FrameLayout, error) {
	return NewAlignedFrameLayout(format, width, height, 1)
}

// NewAlignedFrameLayout lays out a picture whose rows begin at multiples of align, a power of two.
func NewAlignedFrameLayout(format PixelFormat, width, height, align uint32) (FrameLayout, error) {
	return nativeFrameLayout(uint32(format), width, height, align)
}

// Apply sets the geometry of a descriptor.
func (l *FrameLayout) Apply(descriptor *FrameDescriptor) {
	descriptor.Fourcc = uint32(l.Fourcc)
	descriptor.Width, descriptor.Height = l.Width, l.Height
	descriptor.PlaneCount = uint8(l.PlaneCount)
	descriptor.Planes = l.Planes
}
