/**
 * A pool of answer buffers. Each is a kernel memory of its own with an instance of the walk over it:
 *
 *     64: elements of the request · columns, 16 bytes an item · 16 free · the answer · 64 free        (see UsualAnswer.wat)
 */
import {
  compileKernel,
  type KernelExports,
  type KernelMemory,
  kernelPageBytes,
  makeKernelMemory,
  startKernel
} from "@peerstrap/m3tsz"
import { usualAnswerModule } from "../codec/UsualAnswerModule.ts"
import type { AnswerBuffer, AnswerBuffers, AnswerNeed } from "../contract/AnswerBuffers.ts"

type Walk = (request: number, at: number, end: number, base: number, rows: number, items: number) => number

interface Slab {
  readonly bytes: number
  readonly memory: KernelMemory
  readonly walk: Walk
}

const elementsAt = 64
const bytesPerRow = 16
/** Where the kernel writes the position at which it stopped. */
const stoppedAt = 48
/** The kernel reads so far behind the answer. */
const slackBytes = 64

const aligned = (offset: number): number => (offset + 15) & ~15

const rowsAt = (need: AnswerNeed): number => aligned(elementsAt + need.elements.length)
const answerAt = (need: AnswerNeed): number => rowsAt(need) + need.items * bytesPerRow + 16

/** Sizes are cut to eighths of a power of two, so that a buffer fits requests that differ a little. */
const slabPages = (bytes: number): number => {
  const pages = Math.ceil(bytes / kernelPageBytes)
  const step = 2 ** Math.max(0, Math.floor(Math.log2(pages)) - 3)
  return Math.ceil(pages / step) * step
}

let compiled: { readonly module: object | undefined } | undefined

const makeSlab = (bytes: number): Slab | undefined => {
  compiled ??= { module: compileKernel(usualAnswerModule) }
  if (compiled.module === undefined) return undefined
  const pages = slabPages(bytes)
  const memory = makeKernelMemory(pages)
  if (memory === undefined) return undefined
  const kernel: KernelExports | undefined = startKernel(compiled.module, memory)
  return kernel === undefined ? undefined : { bytes: pages * kernelPageBytes, memory, walk: kernel["walk"] as Walk }
}

class Loan implements AnswerBuffer {
  readonly answer: Uint8Array
  readonly rows: Uint32Array
  private readonly slab: Slab
  private readonly need: AnswerNeed
  private onGivenBack: ((slab: Slab) => void) | undefined

  constructor(slab: Slab, need: AnswerNeed, onGivenBack: (slab: Slab) => void) {
    const { buffer } = slab.memory
    this.slab = slab
    this.need = need
    this.onGivenBack = onGivenBack
    this.answer = new Uint8Array(buffer, answerAt(need), need.maxAnswerBytes)
    this.rows = new Uint32Array(buffer, rowsAt(need), 4 * need.items)
  }

  walk(start: number, end: number): number {
    const { need } = this
    const { memory, walk } = this.slab
    new Uint8Array(memory.buffer, elementsAt, need.elements.length).set(need.elements)
    const base = answerAt(need)
    const count = walk(elementsAt, base + start, base + end, base, rowsAt(need), need.items)
    const stopped = new DataView(memory.buffer).getUint32(stoppedAt, true)
    return count === need.items && stopped !== base + end ? -1 : count
  }

  giveBack(): void {
    const { onGivenBack } = this
    this.onGivenBack = undefined
    onGivenBack?.(this.slab)
  }
}

class Pool implements AnswerBuffers {
  private readonly maxIdleBytes: number
  /** Least recently given back first. */
  private idle: Array<Slab> = []
  private bytes = 0
  private isRefused = false

  constructor(maxIdleBytes: number) {
    this.maxIdleBytes = maxIdleBytes
  }

  get idleBytes(): number {
    return this.bytes
  }

  take(need: AnswerNeed): AnswerBuffer | undefined {
    const bytes = answerAt(need) + need.maxAnswerBytes + slackBytes
    const slab = this.reuse(bytes) ?? this.make(bytes)
    return slab === undefined ? undefined : new Loan(slab, need, (free) => this.keep(free))
  }

  private make(bytes: number): Slab | undefined {
    if (this.isRefused) return undefined
    const slab = makeSlab(bytes)
    // Where address space is short the runtime collects all garbage before it refuses: once is enough.
    this.isRefused = slab === undefined
    return slab
  }

  /** The most recent that is large enough and at most twice as large: what is drawn from the ledger is what was asked for. */
  private reuse(bytes: number): Slab | undefined {
    const at = this.idle.findLastIndex((slab) =>
      slab.bytes >= bytes && slab.bytes <= 2 * Math.max(bytes, kernelPageBytes)
    )
    if (at < 0) return undefined
    const [slab] = this.idle.splice(at, 1)
    this.bytes -= slab!.bytes
    return slab
  }

  private keep(slab: Slab): void {
    // Whoever still looks at the buffer sees nothing from here on.
    slab.memory.grow(0)
    this.idle.push(slab)
    this.bytes += slab.bytes
    while (this.bytes > this.maxIdleBytes) this.bytes -= this.idle.shift()!.bytes
  }
}

/** An empty pool that keeps at most `maxIdleBytes` of buffers that nobody uses. */
export const makeAnswerBuffers = (maxIdleBytes: number): AnswerBuffers => new Pool(maxIdleBytes)
