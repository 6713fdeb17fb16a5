// The calling side: calls of any method, many at once over one connection, with fragments cut where the test wants them.
package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/uber/tchannel-go"
)

// outgoing is one call to make.
type outgoing struct {
	Method string
	// Default "Node".
	Service    string
	Arg2, Arg3 []byte
	Cuts       cuts
	// Time for the whole call and TTL on the wire.
	TimeoutMillis int
}

// result is what the library made of the answer.
type result struct {
	Arg2     []byte `json:"arg2"`
	Arg3     []byte `json:"arg3"`
	Declared bool   `json:"declared"`
	Format   string `json:"format"`
	// Name of the error's code, empty when an answer came.
	Error   string `json:"error"`
	Message string `json:"message"`
}

type remote struct {
	HostPort    string `json:"hostPort"`
	ProcessName string `json:"processName"`
}

// callers holds one channel for each checksum type; each keeps its connection between orders.
type callers struct {
	channels map[string]*tchannel.Channel
}

func newCallers() *callers { return &callers{channels: make(map[string]*tchannel.Channel)} }

var checksumTypes = map[string]tchannel.ChecksumType{
	"crc32":  tchannel.ChecksumTypeCrc32,
	"crc32c": tchannel.ChecksumTypeCrc32C,
}

func (c *callers) channel(checksum string) (*tchannel.Channel, error) {
	if made, ok := c.channels[checksum]; ok {
		return made, nil
	}
	kind, ok := checksumTypes[checksum]
	if !ok {
		return nil, fmt.Errorf("checksum %q cannot be chosen", checksum)
	}
	// M3DB's own client has this name.
	made, err := tchannel.NewChannel("Client", &tchannel.ChannelOptions{
		DefaultConnectionOptions: tchannel.ConnectionOptions{ChecksumType: kind},
	})
	if err == nil {
		c.channels[checksum] = made
	}
	return made, err
}

func (c *callers) call(ordered order) reply {
	channel, err := c.channel(ordered.Checksum)
	if err != nil {
		return reply{Failed: err.Error()}
	}
	// A first call dials; the others must find its connection.
	if err := ping(channel, ordered.To); err != nil {
		return reply{Failed: err.Error()}
	}
	results := make([]result, len(ordered.Calls))
	var all sync.WaitGroup
	for i, one := range ordered.Calls {
		all.Add(1)
		go func(i int, one outgoing) {
			defer all.Done()
			results[i] = callOnce(channel, ordered.To, one)
		}(i, one)
	}
	all.Wait()
	return reply{Results: results}
}

func callOnce(channel *tchannel.Channel, to string, one outgoing) result {
	ctx, cancel := tchannel.NewContext(time.Duration(one.TimeoutMillis) * time.Millisecond)
	defer cancel()
	made, err := exchange(ctx, channel, to, one)
	if err != nil {
		return result{Error: errorName(err), Message: err.Error()}
	}
	return made
}

func exchange(ctx context.Context, channel *tchannel.Channel, to string, one outgoing) (result, error) {
	service := one.Service
	if service == "" {
		service = serviceName
	}
	call, err := channel.BeginCall(ctx, to, service, one.Method, &tchannel.CallOptions{Format: tchannel.Thrift})
	if err != nil {
		return result{}, err
	}
	if err := writeArguments(call, one.Arg2, one.Arg3, one.Cuts); err != nil {
		return result{}, err
	}
	response := call.Response()
	arg2, arg3, err := readArguments(response)
	if err != nil {
		return result{}, err
	}
	return result{
		Arg2:     arg2,
		Arg3:     arg3,
		Declared: response.ApplicationError(),
		Format:   response.Format().String(),
	}, nil
}

func ping(channel *tchannel.Channel, to string) error {
	ctx, cancel := tchannel.NewContext(10 * time.Second)
	defer cancel()
	return channel.Ping(ctx, to)
}

func (c *callers) ping(ordered order) reply {
	channel, err := c.channel(ordered.Checksum)
	if err == nil {
		err = ping(channel, ordered.To)
	}
	if err != nil {
		return reply{Failed: err.Error()}
	}
	ctx, cancel := tchannel.NewContext(10 * time.Second)
	defer cancel()
	connection, err := channel.RootPeers().GetOrAdd(ordered.To).GetConnection(ctx)
	if err != nil {
		return reply{Failed: err.Error()}
	}
	told := connection.RemotePeerInfo()
	return reply{Remote: &remote{HostPort: told.HostPort, ProcessName: told.ProcessName}}
}
