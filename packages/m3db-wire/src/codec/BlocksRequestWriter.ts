/**
 * A `fetchBlocksRaw` request written item by item, straight from where the ids lie: no object an item, and what is written is what
 * is sent and what the answer is compared with. The layout is that of `encodeBlocksRequest`.
 */
import { Limits } from "../contract/Limits.ts"
import type { BlocksRequest } from "../contract/NodeClient.ts"
import { requestElementsAt } from "./BlocksCodec.ts"
import { decodeBlocksRequest } from "./BlocksRequestReader.ts"
import { ThriftType, ThriftWriter } from "./Thrift.ts"

/** Bytes of an item's element beside its id: two field heads, one start, end. */
const itemBytes = 24

/** Ids and starts are read from the bytes when somebody looks at them. */
class WrittenRequest implements BlocksRequest {
  readonly namespace: Uint8Array
  readonly shard: number
  readonly arg3: Uint8Array
  private columns: Pick<BlocksRequest, "ids" | "startHi" | "startLo"> | undefined

  constructor(namespace: Uint8Array, shard: number, arg3: Uint8Array) {
    this.namespace = namespace
    this.shard = shard
    this.arg3 = arg3
  }

  private get read(): Pick<BlocksRequest, "ids" | "startHi" | "startLo"> {
    if (this.columns !== undefined) return this.columns
    const decoded = decodeBlocksRequest(this.arg3)
    if (!("idOffset" in decoded)) throw new Error(`a request of ours cannot be read: ${decoded.message}`)
    const { idLength, idOffset, startHi, startLo } = decoded
    const ids = Array.from(idOffset, (offset, item) => this.arg3.subarray(offset, offset + idLength[item]!))
    return this.columns = { ids, startHi, startLo }
  }

  get ids(): ReadonlyArray<Uint8Array> {
    return this.read.ids
  }

  get startHi(): Int32Array {
    return this.read.startHi
  }

  get startLo(): Int32Array {
    return this.read.startLo
  }
}

/**
 * Writes a `fetchBlocksRaw` request into one buffer of known size, id by id and start by start; throws `RangeError`
 * when that would be more than `Limits.maxRequestBytes`.
 */
export class BlocksRequestWriter {
  /** Where ids are to be written. */
  readonly view: DataView
  private readonly namespace: Uint8Array
  private readonly shard: number
  private readonly arg3: Uint8Array
  private readonly items: number
  private written = 0
  private position: number

  /** For exactly `items` items whose ids have `idBytes` bytes together. Throws a RangeError above the largest request. */
  constructor(namespace: Uint8Array, shard: number, items: number, idBytes: number) {
    const bytes = requestElementsAt(namespace) + items * itemBytes + idBytes + 2
    if (bytes > Limits.maxRequestBytes) throw new RangeError(`request of ${bytes} bytes`)
    const head = new ThriftWriter(bytes)
    head.field(ThriftType.struct, 1)
    head.bytesField(1, namespace)
    head.i32Field(2, shard)
    head.listField(3, ThriftType.struct, items)
    this.namespace = namespace
    this.shard = shard
    this.items = items
    this.arg3 = new Uint8Array(bytes)
    this.arg3.set(head.finish())
    this.view = new DataView(this.arg3.buffer)
    this.position = requestElementsAt(namespace)
  }

  /** Writes the next item but for its id: the caller writes `idLength` bytes of `view` at the offset returned. */
  item(idLength: number, startHi: number, startLo: number): number {
    const { position: at, view } = this
    const list = at + 7 + idLength
    this.position = list + 17
    this.written++
    // 0b 0001 length id · 0f 0002 0a 00000001 start · 00
    view.setInt32(at, 0x0b00_0100)
    view.setInt32(at + 3, idLength)
    view.setInt32(list, 0x0f00_020a)
    view.setInt32(list + 4, 1)
    view.setInt32(list + 8, startHi)
    view.setInt32(list + 12, startLo)
    return at + 7
  }

  /** The request. Throws when items or ids are not as many as were announced. */
  finish(): BlocksRequest {
    if (this.written !== this.items || this.position !== this.arg3.length - 2) {
      throw new Error(
        `a request for ${this.items} items in ${this.arg3.length} bytes got ${this.written}, up to ${this.position}`
      )
    }
    return new WrittenRequest(this.namespace, this.shard, this.arg3)
  }
}
