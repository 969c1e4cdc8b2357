package main

import (
	"context"
	"errors"
	"strconv"

	framelane "github.com/framelane/framelane/go"
	"github.com/framelane/framelane/go/layout"
)

// TimeOf is a context that ends as the line says; nil where it says nothing.
func timeOf(l line) (context.Context, context.CancelFunc, error) {
	if _, waits := l.get("timeout_ms"); !waits {
		return nil, func() {}, nil
	}
	limit, err := l.milliseconds("timeout_ms")
	if err != nil {
		return nil, func() {}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	return ctx, cancel, nil
}

func filled(l line) ([]byte, error) {
	size, _, err := l.small("size")
	if err != nil {
		return nil, err
	}
	seed, err := l.number("seed", 0)
	bytes := make([]byte, size)
	fill(bytes, 0, seed)
	return bytes, err
}

func infoOf(l line) (info framelane.RecordInfo, err error) {
	info = framelane.NewRecordInfo()
	if key, _ := l.get("key"); key == "1" {
		info.Flags |= layout.RecordFlagKey
	}
	for key, into := range map[string]*int64{"pts": &info.PtsNs, "dts": &info.DtsNs} {
		word, said := l.get(key)
		if !said {
			continue
		}
		if *into, err = strconv.ParseInt(word, 10, 64); err != nil {
			return info, misunderstood("%s=%s has no meaning", key, word)
		}
	}
	info.CaptureID, err = l.number("capture_id", 0)
	return info, err
}

var codecs = map[string]framelane.Codec{
	"opaque": framelane.CodecOpaque, "h264": framelane.CodecH264, "h265": framelane.CodecH265,
	"jpeg": framelane.CodecJPEG, "aac": framelane.CodecAAC, "opus": framelane.CodecOpus,
	"json": framelane.CodecJSON,
}

func configOf(l line) (*framelane.StreamConfig, error) {
	codec := framelane.CodecOpaque
	if name, said := l.get("codec"); said {
		var known bool
		if codec, known = codecs[name]; !known {
			return nil, misunderstood("codec=%s", name)
		}
	}
	width, _, err1 := l.small("width")
	height, _, err2 := l.small("height")
	size, _, err3 := l.small("parameters")
	seed, err4 := l.number("parameters_seed", 0)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	parameters := make([]byte, size)
	fill(parameters, 0, seed)
	config := framelane.VideoConfig(codec, width, height)
	return config, config.SetParameterSets(parameters)
}
