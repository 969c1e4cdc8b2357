package framelane_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	framelane "github.com/framelane/framelane/go"
)

func Example_stream() {
	directory, err := os.MkdirTemp("", "lanes")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(directory)
	at := framelane.WithDirectory(directory) // usually left out
	config := framelane.VideoConfig(framelane.CodecH264, 640, 480)
	writer, err := framelane.CreateStream("encoded", config, at)
	if err != nil {
		log.Fatal(err)
	}
	defer writer.Close()
	key := framelane.KeyInfo(0)
	for _, unit := range []string{"first", "second", "last"} {
		if _, err := writer.TryWrite(&key, []byte("the "), []byte(unit)); err != nil {
			log.Fatal(err)
		}
	}
	ctx := context.Background()
	reader, err := framelane.OpenStream(ctx, "encoded", at,
		framelane.WithStart(framelane.StartOldestKey))
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()
	for record, err := range reader.Records(ctx) {
		if errors.Is(err, framelane.ErrLapped) {
			continue // overtaken: it goes on at a key record
		}
		if err != nil {
			log.Fatal(err)
		}
		sequence, codec := record.Sequence(), record.Config().Codec
		fmt.Printf("record %d of %v is %s\n", sequence, codec, record.Bytes())
		record.Release()
		if sequence == 3 {
			break
		}
	}
	// Output:
	// record 1 of h264 is the first
	// record 2 of h264 is the second
	// record 3 of h264 is the last
}
