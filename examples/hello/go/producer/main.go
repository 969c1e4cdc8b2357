// Producer publishes numbered frames: producer [LANE [FRAMES]].
package main

import (
	"context"
	"log"
	"os"
	"strconv"
	"time"

	framelane "github.com/framelane/framelane/go"
)

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
	if err := produce(lane, frames); err != nil {
		log.Fatal(err)
	}
}

func produce(lane string, frames uint64) error {
	producer, err := framelane.Create(lane, framelane.WithPicture(framelane.NV12, 640, 480))
	if err != nil {
		return err
	}
	defer producer.Close()
	for number := uint64(1); number <= frames; number++ {
		frame, err := producer.Claim(context.Background())
		if err != nil {
			return err
		}
		for index := range 2 {
			plane, err := frame.Plane(index)
			if err != nil {
				return err
			}
			plane[0] = byte(number)
		}
		if _, err := frame.Publish(); err != nil {
			return err
		}
		time.Sleep(time.Second / 30)
	}
	return nil
}
