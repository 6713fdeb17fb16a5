/** What this machine grants to a process: the other side of the sum of budgets. */
import { readFileSync } from "node:fs"
import { totalmem } from "node:os"
import type { Budgets } from "../contract/Budgets.ts"

const limitRow = /^Max open files\s+(\d+)/m

/** The soft limit of open files; undefined where the system does not say (no Linux). */
const openFiles = (): number | undefined => {
  try {
    const found = limitRow.exec(readFileSync("/proc/self/limits", "utf8"))
    return found === null ? undefined : Number(found[1])
  } catch {
    return undefined
  }
}

/** Memory of the machine, or of its control group when that is less; descriptors as far as the system tells them. */
export const machineBudgets = (): Budgets => {
  const constrained = process.constrainedMemory()
  const descriptors = openFiles()
  return {
    memoryBytes: constrained > 0 ? Math.min(totalmem(), constrained) : totalmem(),
    ...(descriptors === undefined ? {} : { descriptors })
  }
}
