/** What a plugin may use at most; the host sums it over all parts before anything starts. */
export interface Budgets {
  /** Bytes of large buffers. */
  readonly memoryBytes?: number
  /** Sockets, in and out. */
  readonly connections?: number
  /** Files, sockets included. */
  readonly descriptors?: number
  /** Worker threads. */
  readonly threads?: number
}

/** What a budget may name: bytes of memory, connections, file descriptors, threads. */
export const budgetNames = ["memoryBytes", "connections", "descriptors", "threads"] as const
/** One resource that is budgeted. */
export type BudgetName = (typeof budgetNames)[number]
