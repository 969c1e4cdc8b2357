// The Go agent of the conformance runs: does line by line what conformance/README.md says.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"unsafe"

	framelane "github.com/framelane/framelane/go"
	"github.com/framelane/framelane/go/layout"
)

type agent struct {
	consuming consuming
	producing producing
	reading   reading
	writing   writing
	messages  messages
	switching switching
}

// errNothing is the answer of a read that found nothing.
var errNothing = errors.New("nothing")

func (a *agent) obey(l line) (string, error) {
	switch l.word {
	case "create":
		return a.producing.create(l)
	case "publish":
		return a.producing.publish(l)
	case "claim":
		return a.producing.claim(l)
	case "fill":
		return a.producing.fill(l)
	case "commit":
		return a.producing.commit(l)
	case "abandon":
		return a.producing.abandon(l)
	case "publish_external":
		return a.producing.publishExternal(l)
	case "returned":
		return a.producing.returned()
	case "recall":
		return a.producing.recall()
	case "report":
		return a.producing.report()
	case "close_producer":
		return a.producing.close()
	case "open":
		return a.consuming.open(l)
	case "next", "try", "latest":
		return a.consuming.ask(l)
	case "wait":
		return a.consuming.wait(l)
	case "poll":
		return a.consuming.poll(l)
	case "read":
		return a.consuming.read(l)
	case "in_place":
		return a.consuming.inPlace(l)
	case "describe":
		return a.consuming.describe(l)
	case "check":
		return a.consuming.check(l)
	case "release":
		return a.consuming.release(l)
	case "count":
		return a.consuming.count(l)
	case "close":
		return a.consuming.close(l)
	case "close_later":
		return a.consuming.closeLater(l)
	case "decode":
		return decode(l)
	case "reset":
		return "", a.reset()
	}
	return a.obeyOfStreams(l)
}

func (a *agent) obeyOfStreams(l line) (string, error) {
	switch l.word {
	case "create_stream":
		return a.writing.create(l)
	case "write":
		return a.writing.write(l)
	case "begin_record":
		return a.writing.begin(l)
	case "append":
		return a.writing.append(l)
	case "commit_record":
		return a.writing.commit(l)
	case "abandon_record":
		return a.writing.abandon()
	case "set_config":
		return a.writing.setConfig(l)
	case "key_wanted":
		return a.writing.keyWanted(l)
	case "stream_report":
		return a.writing.report()
	case "close_writer":
		return a.writing.close()
	case "open_stream":
		return a.reading.open(l)
	case "next_record":
		return a.reading.next(l)
	case "read_record":
		return a.reading.read(l)
	case "release_record":
		return a.reading.release(l)
	case "seek":
		return a.reading.seek(l)
	case "request_key":
		return a.reading.requestKey(l)
	case "wait_stream":
		return a.reading.wait(l)
	case "poll_stream":
		return a.reading.poll(l)
	case "count_stream":
		return a.reading.count(l)
	case "close_stream":
		return a.reading.close(l)
	}
	return a.obeyOfRings(l)
}

func (a *agent) obeyOfRings(l line) (string, error) {
	switch l.word {
	case "create_ring":
		return a.messages.create(l)
	case "send":
		return a.messages.send(l)
	case "drain":
		return a.messages.drain(l)
	case "count_ring":
		return a.messages.countSent()
	case "close_ring":
		return a.messages.closeSender()
	case "open_ring":
		return a.messages.open(l)
	case "receive":
		return a.messages.receive(l)
	case "skip":
		return a.messages.skip()
	case "count_received":
		return a.messages.countReceived()
	case "close_receiver":
		return a.messages.closeReceiver()
	}
	if said, known, err := a.switching.obey(l); known {
		return said, err
	}
	return "", misunderstood("there is no command %q", l.word)
}

func decode(l line) (string, error) {
	file, err := l.need("file")
	if err != nil {
		return "", err
	}
	bytes, err := os.ReadFile(file)
	if err != nil {
		return "", misunderstood("%v", err)
	}
	if len(bytes) != int(unsafe.Sizeof(framelane.FrameDescriptor{})) {
		return "", misunderstood("%d bytes are no descriptor", len(bytes))
	}
	var descriptor framelane.FrameDescriptor
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&descriptor)), len(bytes)), bytes)
	return fieldText(&descriptor), nil
}

// Reset gives everything back; what is held goes before what it is held from.
func (a *agent) reset() error {
	err := errors.Join(a.consuming.drop(), a.producing.drop(), a.reading.drop(), a.writing.drop(),
		a.messages.drop(), a.switching.drop())
	*a = newAgent()
	return err
}

func newAgent() agent {
	return agent{consuming: newConsuming(), producing: newProducing(), reading: newReading()}
}

// Told is an answer as one line.
func told(values string, err error) string {
	var failed *framelane.Error
	switch {
	case err == nil:
		return "ok" + values
	case err == errNothing:
		return "none"
	case errors.As(err, &failed):
		return fmt.Sprintf("error kind=%v text=%v", failed.Kind, err)
	default:
		return fmt.Sprintf("error kind=%v text=%v", layout.ErrorKindInternal, err)
	}
}

func main() {
	a := newAgent()
	fmt.Println("ready language=go")
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<20)
	for input.Scan() && input.Text() != "quit" {
		command, err := parse(input.Text())
		values := ""
		if err == nil {
			values, err = a.obey(command)
		}
		fmt.Println(told(values, err))
	}
	if err := a.reset(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
