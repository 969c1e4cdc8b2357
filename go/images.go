package framelane

import (
	"image"
	"image/color"
)

// SemiPlanar is an image of a luma plane and a plane of U and V in turn, both halved: NV12.
type SemiPlanar struct {
	Y, UV             []byte
	YStride, UVStride int
	Rect              image.Rectangle
}

var (
	_ image.RGBA64Image = (*SemiPlanar)(nil)
	_ image.RGBA64Image = (*Interleaved)(nil)
	_ image.RGBA64Image = (*Packed)(nil)
)

// ColorModel is YCbCr.
func (p *SemiPlanar) ColorModel() color.Model { return color.YCbCrModel }

// Bounds is the whole image.
func (p *SemiPlanar) Bounds() image.Rectangle { return p.Rect }

// At is the colour of a pixel.
func (p *SemiPlanar) At(x, y int) color.Color { return p.YCbCrAt(x, y) }

// RGBA64At is the colour of a pixel, without garbage.
func (p *SemiPlanar) RGBA64At(x, y int) color.RGBA64 { return wide(p.YCbCrAt(x, y)) }

// YCbCrAt is the colour of a pixel as it is stored.
func (p *SemiPlanar) YCbCrAt(x, y int) color.YCbCr {
	if !(image.Point{X: x, Y: y}).In(p.Rect) {
		return color.YCbCr{}
	}
	uv := p.UV[y/2*p.UVStride+x/2*2:]
	return color.YCbCr{Y: p.Y[y*p.YStride+x], Cb: uv[0], Cr: uv[1]}
}

// Interleaved is an image of one plane of Y0 U Y1 V: YUYV.
type Interleaved struct {
	Pix    []byte
	Stride int
	Rect   image.Rectangle
}

// ColorModel is YCbCr.
func (p *Interleaved) ColorModel() color.Model { return color.YCbCrModel }

// Bounds is the whole image.
func (p *Interleaved) Bounds() image.Rectangle { return p.Rect }

// At is the colour of a pixel.
func (p *Interleaved) At(x, y int) color.Color { return p.YCbCrAt(x, y) }

// RGBA64At is the colour of a pixel, without garbage.
func (p *Interleaved) RGBA64At(x, y int) color.RGBA64 { return wide(p.YCbCrAt(x, y)) }

// YCbCrAt is the colour of a pixel as it is stored.
func (p *Interleaved) YCbCrAt(x, y int) color.YCbCr {
	if !(image.Point{X: x, Y: y}).In(p.Rect) {
		return color.YCbCr{}
	}
	pair := p.Pix[y*p.Stride+x/2*4:]
	return color.YCbCr{Y: pair[x%2*2], Cb: pair[1], Cr: pair[3]}
}

// Packed is an image of one plane whose pixels are red, green and blue in some order.
type Packed struct {
	Pix    []byte
	Stride int
	Rect   image.Rectangle
	order  packedOrder
}

// PackedOrder says which byte of a pixel is what; alpha is negative where there is none.
type packedOrder struct{ bytes, red, green, blue, alpha int }

var packedOrders = map[PixelFormat]packedOrder{
	RGB24:    {3, 0, 1, 2, -1},
	BGR24:    {3, 2, 1, 0, -1},
	xbgr8888: {4, 0, 1, 2, -1},
	xrgb8888: {4, 2, 1, 0, -1},
	argb8888: {4, 2, 1, 0, 3},
}

// ColorModel is RGBA.
func (p *Packed) ColorModel() color.Model { return color.RGBAModel }

// Bounds is the whole image.
func (p *Packed) Bounds() image.Rectangle { return p.Rect }

// At is the colour of a pixel.
func (p *Packed) At(x, y int) color.Color { return p.RGBAAt(x, y) }

// RGBA64At is the colour of a pixel, without garbage.
func (p *Packed) RGBA64At(x, y int) color.RGBA64 {
	r, g, b, a := p.RGBAAt(x, y).RGBA()
	return color.RGBA64{R: uint16(r), G: uint16(g), B: uint16(b), A: uint16(a)}
}

// RGBAAt is the colour of a pixel as it is stored.
func (p *Packed) RGBAAt(x, y int) color.RGBA {
	if !(image.Point{X: x, Y: y}).In(p.Rect) {
		return color.RGBA{}
	}
	pixel, o := p.Pix[y*p.Stride+x*p.order.bytes:], p.order
	out := color.RGBA{R: pixel[o.red], G: pixel[o.green], B: pixel[o.blue], A: 255}
	if o.alpha >= 0 {
		out.A = pixel[o.alpha]
	}
	return out
}

func wide(c color.YCbCr) color.RGBA64 {
	r, g, b, a := c.RGBA()
	return color.RGBA64{R: uint16(r), G: uint16(g), B: uint16(b), A: uint16(a)}
}
