// A reporter for node's test runner: after the run, the files that took longest. Test time is everybody's.
import { relative } from 'node:path'
import type { TestEvent } from 'node:test/reporters'

const SHOWN = 15

/** Yields one line for each of the slowest files, slowest first, in seconds. */
export default async function* slowestFiles(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const seconds = new Map<string, number>()
  for await (const event of events) {
    if (event.type !== 'test:summary' || event.data.file === undefined) continue
    seconds.set(relative(process.cwd(), event.data.file), event.data.duration_ms / 1000)
  }
  const slowest = [...seconds].sort(([, a], [, b]) => b - a).slice(0, SHOWN)
  if (seconds.size > 1) yield '\nSlowest files, in seconds:\n'
  if (seconds.size > 1) for (const [file, took] of slowest) yield `${took.toFixed(1).padStart(7)}  ${file}\n`
}
