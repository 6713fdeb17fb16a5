/** Every bound of this package, in one place, with its reason. */

export const Limits = {
  /** A peer that does not answer a SYN within this time is not worth a slot; M3 and Octez use 5 to 30 s. */
  dialTimeoutMillis: 10_000,
  /** Bytes one read of a dialled connection may deliver: beyond 256 KiB loopback throughput no longer grows. */
  readBufferBytes: 256 * 1024,
  /** Connections one listener holds at a time; the kernel refuses or queues the rest. Below common descriptor limits. */
  acceptedConnections: 512,
  /** Idle time before TCP keep-alive probes start, so that a vanished peer is noticed without traffic. */
  keepAliveDelayMillis: 30_000,
  /** Bytes in flight per direction of a `Memory` connection: a writer waits beyond that, as with a kernel's buffers. */
  memoryWindowBytes: 256 * 1024,
  /** Bytes a delayed direction of a `Faulty` connection holds before it pushes back. */
  faultyWindowBytes: 256 * 1024
} as const
