package main

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"

	framelane "github.com/framelane/framelane/go"
	"github.com/framelane/framelane/go/layout"
)

// Fill makes byte i of plane p (i + 31 p + seed) % 251.
func fill(bytes []byte, plane int, seed uint64) {
	value := (31*uint64(plane) + seed) % 251
	for i := range bytes {
		bytes[i] = byte(value)
		if value++; value == 251 {
			value = 0
		}
	}
}

// Numbers of the system that package syscall lacks.
var memfdCreate = map[string]uintptr{"amd64": 319, "arm64": 279}[runtime.GOARCH]

const (
	cloexec      = 1
	allowSealing = 2
	addSeals     = 1033
	shrink       = 2
	grow         = 4
	futureWrite  = 16
)

// DeviceBuffers makes the memfds that a line asks for, each filled with its number as seed.
func deviceBuffers(l line, picture framelane.FrameLayout) (files []*os.File,
	options []framelane.ProducerOption, err error) {
	count, _, err := l.small("buffers")
	if err != nil || count == 0 || picture.TotalBytes == 0 {
		return nil, nil, err
	}
	seals := uintptr(shrink | grow | futureWrite)
	if writable, _ := l.get("writable"); writable == "1" {
		seals &^= futureWrite
	}
	var descriptors []int
	for number := range count {
		file, err := buffer(picture, uint64(number), seals)
		if err != nil {
			return files, nil, misunderstood("a device buffer: %v", err)
		}
		files = append(files, file)
		descriptors = append(descriptors, int(file.Fd()))
	}
	return files, []framelane.ProducerOption{
		framelane.WithDeviceBuffers(layout.MemoryKindMemfd, descriptors...),
	}, nil
}

func buffer(picture framelane.FrameLayout, number uint64, seals uintptr) (*os.File, error) {
	name := []byte("conformance\x00")
	fd, _, errno := syscall.Syscall(memfdCreate, uintptr(unsafe.Pointer(&name[0])),
		cloexec|allowSealing, 0)
	if errno != 0 {
		return nil, errno
	}
	file := os.NewFile(fd, "buffer")
	err := file.Truncate(int64(picture.TotalBytes))
	for i, plane := range picture.Planes[:picture.PlaneCount] {
		bytes := make([]byte, plane.SizeBytes)
		fill(bytes, i, number)
		if err == nil {
			_, err = file.WriteAt(bytes, int64(plane.OffsetBytes))
		}
	}
	if err == nil {
		if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, addSeals, seals); errno != 0 {
			err = errno
		}
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

func closeAll(files []*os.File) {
	for _, file := range files {
		_ = file.Close()
	}
}
