// A reporter for node's test runner that scripts/mutate.ts gives to each test file: ends the process at the
// first test that fails. One is enough to have noticed.
import type { TestEvent } from 'node:test/reporters'

/** Yields nothing; exits with 1 when a test has failed. */
// biome-ignore lint/correctness/useYield: it only watches
export default async function* firstFailure(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type !== 'test:fail') continue
    process.stderr.write(`fails: ${data.name}\n`)
    process.exit(1)
  }
}
