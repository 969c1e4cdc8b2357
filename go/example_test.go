package framelane_test

import (
	"context"
	"fmt"
	"log"
	"os"

	framelane "github.com/framelane/framelane/go"
)

func Example() {
	directory, err := os.MkdirTemp("", "lanes")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(directory)
	at := framelane.WithDirectory(directory) // usually left out
	producer, err := framelane.Create("camera", at,
		framelane.WithPicture(framelane.NV12, 640, 480), framelane.WithHistory(3))
	if err != nil {
		log.Fatal(err)
	}
	defer producer.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	consumer, err := framelane.Open(ctx, "camera", framelane.Ordered, at)
	if err != nil {
		log.Fatal(err)
	}
	defer consumer.Close()
	for _, first := range []byte{10, 20, 30} {
		if err := publish(producer, first); err != nil {
			log.Fatal(err)
		}
	}
	for frame, err := range consumer.Frames(ctx) {
		if err != nil {
			fmt.Println(err)
			break
		}
		plane, err := frame.Plane(0)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("frame", frame.Sequence(), "begins with", plane[0])
		if frame.Sequence() == 3 {
			cancel()
		}
		if err := frame.Release(); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// frame 1 begins with 10
	// frame 2 begins with 20
	// frame 3 begins with 30
	// context canceled
}

func publish(producer *framelane.Producer, first byte) error {
	frame, err := producer.TryClaim()
	if err != nil {
		return err
	}
	plane, err := frame.Plane(0)
	if err != nil {
		return err
	}
	plane[0] = first
	_, err = frame.Publish()
	return err
}
