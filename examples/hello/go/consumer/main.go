// Consumer prints what it reads: consumer [LANE [FRAMES]].
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	framelane "github.com/framelane/framelane/go"
)

const patience = 10 * time.Second

func main() {
	lane, frames := "hello", uint64(30)
	if len(os.Args) > 1 {
		lane = os.Args[1]
	}
	if len(os.Args) > 2 {
		var err error
		if frames, err = strconv.ParseUint(os.Args[2], 10, 64); err != nil {
			log.Fatal(err)
		}
	}
	if err := consume(lane, frames); err != nil {
		log.Fatal(err)
	}
}

func consume(lane string, frames uint64) error {
	consumer, err := framelane.Open(context.Background(), lane, framelane.Ordered,
		framelane.WithWaitForLane(patience))
	if err != nil {
		return err
	}
	defer consumer.Close()
	for range frames {
		if err := show(consumer); err != nil {
			return err
		}
	}
	return nil
}

func show(consumer *framelane.Consumer) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	frame, err := consumer.Next(ctx)
	if err != nil {
		return fmt.Errorf("no frame for %v: %w", patience, err)
	}
	defer frame.Release()
	plane, err := frame.Plane(0)
	if err != nil {
		return err
	}
	what := frame.Descriptor()
	fmt.Printf("frame %d %dx%d first byte %d\n", frame.Sequence(), what.Width, what.Height, plane[0])
	return nil
}
