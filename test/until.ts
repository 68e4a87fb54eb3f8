import assert from 'node:assert/strict'

/** How long a test waits for something that takes milliseconds on an idle machine. */
const PATIENCE = 60_000

/** Waits until `holds` returns true. After a minute it fails and shows the condition: a wait names itself. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + PATIENCE; !(await holds()); ) {
    assert.ok(performance.now() < end, `still not true after a minute: ${holds}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}
