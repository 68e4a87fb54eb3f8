import type { FileResult } from './run-test-file.ts'

const SHOWN_SLOWEST = 15

/** A line when all is well; else everything that the file printed. */
export function showResult({ file, seconds, ok, report, output }: FileResult): void {
  const count = report === undefined ? '' : `${report.passed} passed`
  if (!ok) console.log(output)
  const processor = report === undefined ? '' : `${report.processor.toFixed(1)} s`
  console.log(
    `${ok ? 'ok    ' : 'FAILED'} ${seconds.toFixed(1).padStart(6)} s ${processor.padStart(7)}  ${file}  ${count}`,
  )
}

function showMost(title: string, results: readonly FileResult[], of: (result: FileResult) => number): void {
  console.log(`\n${title}:`)
  for (const result of results.toSorted((a, b) => of(b) - of(a)).slice(0, SHOWN_SLOWEST))
    console.log(`${of(result).toFixed(1).padStart(7)}  ${result.file}`)
}

/**
 * What was skipped, what failed and what took longest; then the counts, as node's own runner words them.
 * @param results the last of each file
 * @param unsteady files that failed and then passed when they were run again alone
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
  const skipped = results.flatMap(({ file, report }) => report?.skipped.map(name => `${file}: ${name}`) ?? [])
  for (const name of skipped) console.log(`skipped: ${name}`)
  for (const file of unsteady) console.log(`unsteady: ${file} failed, and passed when it was run again alone`)
  for (const { file, ok } of results) if (!ok) console.log(`failed: ${file}`)
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
