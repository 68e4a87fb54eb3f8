import assert from 'node:assert/strict'

/** How long a test waits for something that takes milliseconds on an idle machine. */
const PATIENCE = 60_000

/** Waits until `holds` returns true. After a minute it fails and shows the condition: a wait names itself. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE
  let isTrue = await holds()
  while (!isTrue && performance.now() < end) {
    await new Promise(resolve => setTimeout(resolve, 10))
    isTrue = await holds()
  }
  assert.ok(isTrue, `still not true after a minute: ${holds}`)
}
