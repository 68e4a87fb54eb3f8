// A reporter for node's test runner that scripts/run-test-file.ts gives to each test file: what it counted,
// as one JSON object. A file that is stopped on the way has written nothing.
import type { TestEvent } from 'node:test/reporters'
import { processorSeconds } from './processor-time.ts'

/** What one test file did. */
export interface TestReport {
  readonly passed: number
  readonly failed: number
  /** Each skipped test with its reason. */
  readonly skipped: readonly string[]
  /** Processor time of the file and of what it started, in seconds. */
  readonly processor: number
}

/** Yields a `TestReport` as JSON when the file has ended. */
export default async function* testReport(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let passed = 0
  let failed = 0
  const skipped: string[] = []
  for await (const event of events) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue
    const { name, skip, details } = event.data
    if (details.type === 'suite') continue
    if (skip !== undefined) skipped.push(typeof skip === 'string' ? `${name}: ${skip}` : name)
    else if (event.type === 'test:pass') passed++
    else failed++
  }
  yield JSON.stringify({ passed, failed, skipped, processor: processorSeconds() } satisfies TestReport)
}
