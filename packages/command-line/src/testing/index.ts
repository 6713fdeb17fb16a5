/** For tests of programs: run one here or as a process of its own, and check its help. */
export * from "./ChildProgram.ts"
export * from "./HelpChecks.ts"
export * from "./InProcess.ts"
