// Probe decodes golden images with the generated Go structs, prints every field as expected.json
// has it, and encodes each image again, field by field.
//
//	probe IMAGES OUT
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unsafe"
)

func main() {
	for _, zero := range structs {
		if err := roundTrip(reflect.TypeOf(zero), os.Args[1], os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	for _, number := range numbers {
		fmt.Printf("%q: %d\n", number.path, number.value)
	}
}

// number is a number of an enum, or a constant.
type number struct {
	path  string
	value uint64
}

func roundTrip(kind reflect.Type, images, out string) error {
	file := kind.Name() + ".bin"
	image, err := os.ReadFile(filepath.Join(images, file))
	if err != nil {
		return err
	}
	if uintptr(len(image)) != kind.Size() {
		return fmt.Errorf("%s is %d bytes, the struct %d", file, len(image), kind.Size())
	}
	decoded, fresh := reflect.New(kind), reflect.New(kind)
	copy(bytesOf(decoded), image)
	walk(kind.Name(), decoded.Elem(), fresh.Elem())
	return os.WriteFile(filepath.Join(out, file), bytesOf(fresh), 0o644)
}

func bytesOf(pointer reflect.Value) []byte {
	return unsafe.Slice((*byte)(pointer.UnsafePointer()), pointer.Type().Elem().Size())
}

// walk prints one value and copies it into the same place of another.
func walk(path string, from, to reflect.Value) {
	switch {
	case from.Kind() == reflect.Struct:
		for i := range from.NumField() {
			walk(path+"."+schemaName(from.Type().Field(i).Name), from.Field(i), to.Field(i))
		}
	case from.Kind() == reflect.Array && from.Type().Elem().Kind() == reflect.Struct:
		for i := range from.Len() {
			walk(fmt.Sprintf("%s[%d]", path, i), from.Index(i), to.Index(i))
		}
	case from.Kind() == reflect.Array:
		texts := make([]string, from.Len())
		for i := range texts {
			texts[i] = transfer(from.Index(i), to.Index(i))
		}
		fmt.Printf("%q: [%s]\n", path, strings.Join(texts, ", "))
	default:
		fmt.Printf("%q: %s\n", path, transfer(from, to))
	}
}

// transfer copies a number and returns its text.
func transfer(from, to reflect.Value) string {
	// Fields without an exported name can be written only behind reflect's back.
	to = reflect.NewAt(to.Type(), unsafe.Pointer(to.UnsafeAddr())).Elem()
	switch {
	case from.CanUint():
		to.SetUint(from.Uint())
		return strconv.FormatUint(from.Uint(), 10)
	case from.CanInt():
		to.SetInt(from.Int())
		return strconv.FormatInt(from.Int(), 10)
	default:
		to.SetFloat(from.Float())
		return strconv.FormatFloat(from.Float(), 'g', -1, from.Type().Bits())
	}
}

// schemaName turns CaptureID into capture_id.
func schemaName(name string) string {
	var out strings.Builder
	lower := false
	for _, letter := range name {
		if unicode.IsUpper(letter) && lower {
			out.WriteByte('_')
		}
		lower = !unicode.IsUpper(letter)
		out.WriteRune(unicode.ToLower(letter))
	}
	return out.String()
}
