// The peer is a TChannel node made of the module github.com/uber/tchannel-go, the library that real M3DB nodes use. Tests of
// packages/m3db-wire start it to hold Peerstrap's frames, fragments and checksums against an implementation of another make.
//
//	ready     one line of JSON on standard output: {"address":"127.0.0.1:PORT"}
//	orders    one line of JSON each on standard input (see order); each is answered with one line, in the order of the input
//	the end   standard input ends
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/uber/tchannel-go"
)

// The service of M3DB's nodes.
const serviceName = "Node"

// order is what the test wants done.
type order struct {
	// "call": make Calls, all at once · "ping": ping To · "answer": from now on, answer Method with Answer
	Do string
	// Address of the server that is called or pinged.
	To string
	// Checksum of our requests: "crc32" or "crc32c". The library replaces "none" by "crc32".
	Checksum string
	Calls    []outgoing
	Method   string
	Answer   answer
}

// reply is what became of an order.
type reply struct {
	Results []result `json:"results,omitempty"`
	// What the server told of itself in the handshake, after a ping.
	Remote *remote `json:"remote,omitempty"`
	Failed string  `json:"failed,omitempty"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "interop peer:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	server, err := listen()
	if err != nil {
		return err
	}
	lines := json.NewEncoder(out)
	ready := map[string]string{"address": server.address(), "library": tchannel.VersionInfo}
	if err := lines.Encode(ready); err != nil {
		return err
	}
	callers := newCallers()
	// A decoder on a large buffer: payloads of megabytes come as base64 in one line.
	orders := json.NewDecoder(bufio.NewReaderSize(in, 1<<20))
	for {
		var next order
		if err := orders.Decode(&next); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading an order: %w", err)
		}
		if err := lines.Encode(carryOut(next, server, callers)); err != nil {
			return err
		}
	}
}

func carryOut(next order, server *server, callers *callers) reply {
	switch next.Do {
	case "call":
		return callers.call(next)
	case "ping":
		return callers.ping(next)
	case "answer":
		server.setAnswer(next.Method, next.Answer)
		return reply{}
	}
	return reply{Failed: fmt.Sprintf("unknown order %q", next.Do)}
}
