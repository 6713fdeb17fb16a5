module peerstrap.dev/interop

go 1.21

require github.com/uber/tchannel-go v1.31.1-0.20220504180658-be708aa1a97d

require (
	github.com/opentracing/opentracing-go v1.2.0 // indirect
	go.uber.org/atomic v1.9.0 // indirect
	go.uber.org/multierr v1.7.0 // indirect
	golang.org/x/net v0.1.0 // indirect
	golang.org/x/sys v0.1.0 // indirect
)
