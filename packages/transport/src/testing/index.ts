/** The kit of `Transport`, its mutants, and observers of connections. */
export { collect, type Collected, connectedPair, pattern } from "./Probes.ts"
export { transportKit, transportSuite } from "./TransportKit.ts"
