// The serving side: methods of the service Node that give back what they are given, and methods whose answer the test sets.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/uber/tchannel-go"
)

// answer is what a method of M3DB's peer streaming answers with.
type answer struct {
	Arg3 []byte
	// The result carries a declared exception: code 1 on the wire.
	Declared bool
	// Name of an error code: an error frame with Message takes the place of the answer.
	Error   string
	Message string
	// Nothing is ever sent.
	Silent bool
	Cuts   cuts
}

type server struct {
	channel *tchannel.Channel
	mutex   sync.Mutex
	answers map[string]answer
}

// request is one call that has been read whole.
type request struct {
	call       *tchannel.InboundCall
	arg2, arg3 []byte
}

// method answers a request; undefined answers (nil) are an error frame of code "unexpected".
type method func(ctx context.Context, of request) (arg2 []byte, with answer)

func listen() (*server, error) {
	channel, err := tchannel.NewChannel(serviceName, &tchannel.ChannelOptions{
		ProcessName: "interop-peer",
		// What the library itself finds wrong goes where our own complaints go.
		Logger: tchannel.NewLevelLogger(tchannel.NewLogger(os.Stderr), tchannel.LogLevelError),
		DefaultConnectionOptions: tchannel.ConnectionOptions{
			// Pings in the direction of the caller. One that is not answered ends the connection.
			HealthChecks: tchannel.HealthCheckOptions{
				Interval:        20 * time.Millisecond,
				Timeout:         time.Minute,
				FailuresToClose: 1,
			},
		},
	})
	if err != nil {
		return nil, err
	}
	made := &server{channel: channel, answers: make(map[string]answer)}
	made.register("Node::echo", echo)
	made.register("Node::cut", cut)
	made.register("Node::size", size)
	made.register("Node::fail", fail)
	made.register("Node::ttl", ttl)
	made.register("Node::caller", caller)
	made.register("Node::pings", made.pings)
	for _, name := range []string{"Node::health", "Node::fetchBlocksRaw", "Node::fetchBlocksMetadataRawV2"} {
		made.register(name, made.asSet(name))
	}
	return made, channel.ListenAndServe("127.0.0.1:0")
}

func (s *server) address() string { return s.channel.PeerInfo().HostPort }

func (s *server) setAnswer(name string, to answer) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.answers[name] = to
}

func (s *server) register(name string, answers method) {
	s.channel.Register(tchannel.HandlerFunc(func(ctx context.Context, call *tchannel.InboundCall) {
		if err := respond(ctx, call, answers); err != nil {
			fmt.Fprintf(os.Stderr, "interop peer: %s: %v\n", name, err)
		}
	}), name)
}

func respond(ctx context.Context, call *tchannel.InboundCall, answers method) error {
	arg2, arg3, err := readArguments(call)
	if err != nil {
		return fmt.Errorf("reading the request: %w", err)
	}
	arg2, with := answers(ctx, request{call: call, arg2: arg2, arg3: arg3})
	response := call.Response()
	if with.Silent {
		return nil
	}
	if with.Error != "" {
		return response.SendSystemError(tchannel.NewSystemError(errorCodes[with.Error], "%s", with.Message))
	}
	if with.Declared {
		if err := response.SetApplicationError(); err != nil {
			return err
		}
	}
	return writeArguments(response, arg2, with.Arg3, with.Cuts)
}

func echo(_ context.Context, of request) ([]byte, answer) { return of.arg2, answer{Arg3: of.arg3} }

// cut echoes, and cuts the answer's fragments where the JSON in arg2 says.
func cut(_ context.Context, of request) ([]byte, answer) {
	var at cuts
	if err := json.Unmarshal(of.arg2, &at); err != nil {
		return nil, answer{Error: "bad-request", Message: err.Error()}
	}
	return of.arg2, answer{Arg3: of.arg3, Cuts: at}
}

// size answers with as many bytes as the big-endian uint32 at the end of arg3 asks for; byte i is 7i + i/256.
func size(_ context.Context, of request) ([]byte, answer) {
	if len(of.arg3) < 4 {
		return nil, answer{Error: "bad-request", Message: "arg3 must end with a uint32"}
	}
	bytes := make([]byte, binary.BigEndian.Uint32(of.arg3[len(of.arg3)-4:]))
	for i := range bytes {
		bytes[i] = byte(i*7 + i>>8)
	}
	return of.arg2, answer{Arg3: bytes}
}

// fail answers with the error whose name is in arg2 and whose text is in arg3; "declared" echoes arg3 with code 1.
func fail(_ context.Context, of request) ([]byte, answer) {
	name := string(of.arg2)
	if name == "declared" {
		return nil, answer{Arg3: of.arg3, Declared: true}
	}
	return nil, answer{Error: name, Message: string(of.arg3)}
}

// ttl answers with the milliseconds that the caller still waits, in decimal digits.
func ttl(ctx context.Context, _ request) ([]byte, answer) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil, answer{Error: "unexpected", Message: "a call without a deadline"}
	}
	return nil, answer{Arg3: []byte(strconv.FormatInt(time.Until(deadline).Milliseconds(), 10))}
}

// caller answers with what the library understood of the handshake and of the transport headers, as JSON.
func caller(_ context.Context, of request) ([]byte, answer) {
	peer := of.call.RemotePeer()
	text, _ := json.Marshal(map[string]interface{}{
		"caller":    of.call.CallerName(),
		"format":    of.call.Format().String(),
		"service":   of.call.ServiceName(),
		"process":   peer.ProcessName,
		"language":  peer.Version.Language,
		"ephemeral": peer.IsEphemeral,
	})
	return nil, answer{Arg3: text}
}

// pings waits until three pings to the caller have been answered on its connection, or one has not; answers with how many were.
func (s *server) pings(ctx context.Context, of request) ([]byte, answer) {
	remote := of.call.Connection().RemoteAddr().String()
	for ctx.Err() == nil {
		for _, peer := range s.channel.IntrospectState(nil).RootPeers {
			for _, connection := range peer.InboundConnections {
				if connection.RemoteHostPort == remote && len(connection.HealthChecks) >= 3 {
					return nil, answer{Arg3: []byte(strconv.Itoa(answered(connection.HealthChecks)))}
				}
			}
		}
		time.Sleep(time.Millisecond)
	}
	return nil, answer{Silent: true}
}

func answered(checks []bool) int {
	count := 0
	for _, one := range checks {
		if one {
			count++
		}
	}
	return count
}

func (s *server) asSet(name string) method {
	return func(context.Context, request) ([]byte, answer) {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		set, ok := s.answers[name]
		if !ok {
			return nil, answer{Error: "unexpected", Message: "no answer was set for " + name}
		}
		// The application headers of the Thrift arg scheme: none.
		return []byte{0, 0}, set
	}
}
