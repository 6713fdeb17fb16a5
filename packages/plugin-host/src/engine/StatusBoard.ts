/** The status machine of every plugin of a composition. Illegal moves are refused: they would be a defect of the host. */
import { type PluginStatus, type ReportedStatus, reportedStatuses, type Status } from "../contract/Status.ts"

const edges: Readonly<Record<Status, ReadonlyArray<Status>>> = {
  starting: ["ok", "recoverable", "permanent", "fatal", "stopping"],
  ok: ["recoverable", "permanent", "fatal", "stopping"],
  recoverable: ["ok", "permanent", "fatal", "stopping"],
  permanent: ["fatal", "stopping"],
  fatal: ["stopping"],
  stopping: ["stopped"],
  stopped: []
}

export class StatusBoard {
  private readonly rows: Array<PluginStatus>
  private readonly listen: (status: PluginStatus) => void

  constructor(names: ReadonlyArray<string>, nowMillis: number, listen: (status: PluginStatus) => void) {
    this.rows = names.map((id) => ({ id, status: "starting", message: "waits for its turn", sinceMillis: nowMillis }))
    this.listen = listen
  }

  get all(): ReadonlyArray<PluginStatus> {
    return this.rows
  }

  get(node: number): PluginStatus {
    return this.rows[node]!
  }

  /** The host's own moves; throws on an edge that the machine does not have. */
  move(node: number, status: Status, message: string, nowMillis: number): void {
    const row = this.rows[node]!
    if (row.status === status && row.message === message) return
    if (row.status !== status && !edges[row.status].includes(status)) {
      throw new Error(`plugin ${row.id}: no edge ${row.status} → ${status}`)
    }
    const sinceMillis = row.status === status ? row.sinceMillis : nowMillis
    this.rows[node] = { id: row.id, status, message, sinceMillis }
    this.listen(this.rows[node])
  }

  /** What a plugin says of itself: ignored when it comes too late (stopping, given up), or is the host's to say. */
  report(node: number, status: ReportedStatus, message: string, nowMillis: number): boolean {
    const row = this.rows[node]!
    if (!reportedStatuses.includes(status)) return false
    if (row.status !== status && !edges[row.status].includes(status)) return false
    this.move(node, status, message, nowMillis)
    return true
  }
}
