// A reporter for node's test runner that scripts/run-test-file.ts gives to each process: what it counted,
// as one JSON object. A process that is stopped on the way has written nothing.
import type { TestEvent } from 'node:test/reporters'
import { processorSeconds } from './processor-time.ts'

/** What the test files of one process did. */
export interface TestReport {
  readonly passed: number
  readonly failed: number
  /** Each skipped test with its reason, and the file that declares it. */
  readonly skipped: readonly { readonly file: string; readonly name: string }[]
  /** Processor time of the process and of what it started, in seconds. */
  readonly processor: number
}

/** Yields a `TestReport` as JSON when the process ends. */
export default async function* testReport(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let passed = 0
  let failed = 0
  const skipped: TestReport['skipped'][number][] = []
  for await (const event of events) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue
    const { name, skip, details, file = '' } = event.data
    if (details.type === 'suite') continue
    if (skip !== undefined) skipped.push({ file, name: typeof skip === 'string' ? `${name}: ${skip}` : name })
    else if (event.type === 'test:pass') passed++
    else failed++
  }
  yield JSON.stringify({ passed, failed, skipped, processor: processorSeconds() } satisfies TestReport)
}
