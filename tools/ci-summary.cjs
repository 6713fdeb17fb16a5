"use strict"
// Reads what the CI run left behind and says it in one plain line each. ci-summary.cjs tests|count|json-lines FILE
const fs = require("node:fs")

const [kind, file] = process.argv.slice(2)
const text = fs.readFileSync(file, "utf8")

if (kind === "json-lines") {
  const lines = text.split("\n").filter((line) => line !== "")
  for (const [index, line] of lines.entries()) {
    try {
      JSON.parse(line)
    } catch (error) {
      console.error(`${file}:${index + 1}: not JSON: ${error.message}`)
      process.exit(1)
    }
  }
  if (lines.length === 0) {
    console.error(`${file}: the demonstration printed nothing`)
    process.exit(1)
  }
  console.log(`the demonstration printed ${lines.length} JSON lines`)
} else {
  const result = JSON.parse(text)
  // A file that cannot be loaded has no tests to fail, but the run did fail.
  const brokenFiles = result.testResults.filter((each) =>
    each.status === "failed" && each.assertionResults.length === 0
  ).length
  const failed = result.numFailedTests + brokenFiles
  if (kind === "count") console.log(result.numPassedTests)
  else {
    const skipped = result.numPendingTests + result.numTodoTests
    if (skipped > 0) console.log(`${skipped} skipped`)
    console.log(`tests: ${result.numPassedTests} passed, ${failed} failed`)
    process.exitCode = failed > 0 || result.numPassedTests === 0 ? 1 : 0
  }
}
