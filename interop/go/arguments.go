// Writing arguments with fragments that end where the test wants them to end, and reading them whole.
package main

import (
	"fmt"

	"github.com/uber/tchannel-go"
)

// cuts are offsets in an argument after which the fragment is sent although it has room left. An offset of 0 or of the
// argument's length makes a fragment that ends with an empty chunk, or the next one begin with one.
type cuts struct {
	Arg2 []int
	Arg3 []int
}

// writeArguments writes both arguments; the library also cuts where a frame is full.
func writeArguments(to tchannel.ArgWritable, arg2, arg3 []byte, at cuts) error {
	writer, err := to.Arg2Writer()
	if err == nil {
		err = writeArgument(writer, arg2, at.Arg2)
	}
	if err != nil {
		return fmt.Errorf("writing arg2: %w", err)
	}
	writer, err = to.Arg3Writer()
	if err == nil {
		err = writeArgument(writer, arg3, at.Arg3)
	}
	if err != nil {
		return fmt.Errorf("writing arg3: %w", err)
	}
	return nil
}

func writeArgument(writer tchannel.ArgWriter, bytes []byte, at []int) error {
	from := 0
	for _, cut := range at {
		if cut < from || cut > len(bytes) {
			return fmt.Errorf("cut %d is not between %d and %d", cut, from, len(bytes))
		}
		if _, err := writer.Write(bytes[from:cut]); err != nil {
			return err
		}
		if err := writer.Flush(); err != nil {
			return err
		}
		from = cut
	}
	if _, err := writer.Write(bytes[from:]); err != nil {
		return err
	}
	return writer.Close()
}

// readArguments reads both whole. The library verifies the checksum of each fragment on the way.
func readArguments(from tchannel.ArgReadable) (arg2, arg3 []byte, err error) {
	if err = tchannel.NewArgReader(from.Arg2Reader()).Read(&arg2); err != nil {
		return nil, nil, err
	}
	if err = tchannel.NewArgReader(from.Arg3Reader()).Read(&arg3); err != nil {
		return nil, nil, err
	}
	return arg2, arg3, nil
}
