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

export const budgetNames = ["memoryBytes", "connections", "descriptors", "threads"] as const
export type BudgetName = (typeof budgetNames)[number]
