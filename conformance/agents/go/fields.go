package main

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode"

	framelane "github.com/framelane/framelane/go"
)

// SchemaName is the name that the schema has for a field of Go's.
func schemaName(name string) string {
	var out strings.Builder
	letters := []rune(name)
	for i, letter := range letters {
		if i > 0 && unicode.IsUpper(letter) && unicode.IsLower(letters[i-1]) {
			out.WriteByte('_')
		}
		out.WriteRune(unicode.ToLower(letter))
	}
	return out.String()
}

// FieldText is all fields but the reserved ones.
func fieldText(descriptor *framelane.FrameDescriptor) string {
	var out strings.Builder
	put(reflect.ValueOf(descriptor).Elem(), "", &out)
	return out.String()
}

func put(from reflect.Value, prefix string, out *strings.Builder) {
	for i := range from.NumField() {
		field, kind := from.Field(i), from.Type().Field(i)
		name := prefix + schemaName(kind.Name)
		switch {
		case !kind.IsExported():
		case field.Kind() != reflect.Array:
			fmt.Fprintf(out, " d.%s=%s", name, scalar(field))
		case field.Type().Elem().Kind() == reflect.Struct:
			for n := range field.Len() {
				put(field.Index(n), fmt.Sprintf("%s.%d.", name, n), out)
			}
		default:
			fmt.Fprintf(out, " d.%s=%s", name, hex.EncodeToString(field.Slice(0, field.Len()).Bytes()))
		}
	}
}

func scalar(field reflect.Value) string {
	switch {
	case field.CanUint():
		return strconv.FormatUint(field.Uint(), 10)
	case field.CanInt():
		return strconv.FormatInt(field.Int(), 10)
	default:
		return strconv.FormatFloat(field.Float(), 'g', -1, 32)
	}
}

// Apply sets the fields that a line names.
func apply(l line, descriptor *framelane.FrameDescriptor) error {
	for _, pair := range l.pairs {
		path, isField := strings.CutPrefix(pair[0], "d.")
		if isField && !set(reflect.ValueOf(descriptor).Elem(), path, pair[1]) {
			return misunderstood("%s=%s has no meaning", pair[0], pair[1])
		}
	}
	return nil
}

func set(into reflect.Value, path, value string) bool {
	name, rest, _ := strings.Cut(path, ".")
	field := into.FieldByNameFunc(func(is string) bool { return schemaName(is) == name })
	switch {
	case !field.IsValid() || !field.CanSet():
		return false
	case field.Kind() != reflect.Array:
		return setScalar(field, value)
	case field.Type().Elem().Kind() == reflect.Struct:
		number, rest, _ := strings.Cut(rest, ".")
		index, err := strconv.Atoi(number)
		return err == nil && index >= 0 && index < field.Len() && set(field.Index(index), rest, value)
	default:
		bytes, err := hex.DecodeString(value)
		if err != nil || len(bytes) != field.Len() {
			return false
		}
		reflect.Copy(field, reflect.ValueOf(bytes))
		return true
	}
}

func setScalar(field reflect.Value, value string) bool {
	bits := field.Type().Bits()
	switch {
	case field.CanUint():
		number, err := strconv.ParseUint(value, 10, bits)
		field.SetUint(number)
		return err == nil
	case field.CanInt():
		number, err := strconv.ParseInt(value, 10, bits)
		field.SetInt(number)
		return err == nil
	default:
		number, err := strconv.ParseFloat(value, bits)
		field.SetFloat(number)
		return err == nil
	}
}
