import { relative } from 'node:path'
import type { FileResult } from './run-test-file.ts'
import { root } from './workspace.ts'

const SHOWN_SLOWEST = 15

/** Its file, or the first of those that ran together and how many were with it. */
function nameOf({ files: [first = '', ...others] }: FileResult): string {
  return others.length === 0 ? first : `${first} and ${others.length} more`
}

/** A line when all is well; else everything that the process printed. */
export function showResult(result: FileResult): void {
  const { seconds, ok, report, output } = result
  const count = report === undefined ? '' : `${report.passed} passed`
  if (!ok) console.log(output)
  const processor = report === undefined ? '' : `${report.processor.toFixed(1)} s`
  console.log(
    `${ok ? 'ok    ' : 'FAILED'} ${seconds.toFixed(1).padStart(6)} s ${processor.padStart(7)}  ${nameOf(result)}  ${count}`,
  )
}

function showMost(title: string, results: readonly FileResult[], of: (result: FileResult) => number): void {
  console.log(`\n${title}:`)
  for (const result of results.toSorted((a, b) => of(b) - of(a)).slice(0, SHOWN_SLOWEST))
    console.log(`${of(result).toFixed(1).padStart(7)}  ${nameOf(result)}`)
}

/**
 * What was skipped, what failed and what took longest; then the counts, as node's own runner words them.
 * @param results the last of each file
 * @param unsteady what failed and then passed when it was run again alone, a line each
 */
export function summarise(
  results: readonly FileResult[],
  unsteady: readonly string[],
  milliseconds: number,
): void {
  if (results.length > 1) {
    showMost('Slowest files, in seconds', results, ({ seconds }) => seconds)
    showMost('Most processor time, in seconds', results, ({ report }) => report?.processor ?? 0)
  }
  const skipped = results.flatMap(({ files: [first = '', ...others], report }) =>
    (report?.skipped ?? []).map(
      ({ file, name }) => `${others.length === 0 ? first : relative(root, file)}: ${name}`,
    ),
  )
  for (const name of skipped) console.log(`skipped: ${name}`)
  for (const line of unsteady) console.log(`unsteady: ${line}`)
  for (const result of results) if (!result.ok) console.log(`failed: ${nameOf(result)}`)
  const passed = results.reduce((total, { report }) => total + (report?.passed ?? 0), 0)
  // A file that was stopped, or that failed outside its tests, counts as one.
  const failed = results.reduce(
    (total, { ok, report }) => total + (ok ? 0 : Math.max(1, report?.failed ?? 0)),
    0,
  )
  const counts = {
    tests: passed + failed + skipped.length,
    pass: passed,
    fail: failed,
    skipped: skipped.length,
    duration_ms: Math.round(milliseconds),
  }
  console.log('')
  for (const [name, count] of Object.entries(counts)) console.log(`ℹ ${name} ${count}`)
}
