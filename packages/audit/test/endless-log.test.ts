import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemRandom } from '@postern/core'
import { signCheckpoint } from '../src/format/checkpoint.ts'
import { generateNoteKey, parseSignerKey } from '../src/format/note-key.ts'
import { verifyLog } from '../src/verifier.ts'

const origin = 'example.com/endless'
const pair = generateNoteKey(origin, 1, systemRandom)
const signer = parseSignerKey(pair.signerKey, 'key')

/** Files of a log that says it is of so many entries, as they are asked for. */
async function verify(size: bigint, answer: (path: string) => Uint8Array | undefined, minimumIndex = 0) {
  const checkpoint = signCheckpoint({ origin, size, root: new Uint8Array(32) }, [signer])
  let reads = 0
  const report = await verifyLog({
    verifierKeys: [pair.verifierKey],
    minimumIndex,
    leaves: 'opaque',
    read: async path => {
      if (path === 'checkpoint') return Buffer.from(checkpoint)
      if (++reads > 1_000) throw new Error('it goes on and on')
      return answer(path)
    },
  })
  return { report, reads }
}

for (const [name, size, minimumIndex] of [
  ['has nothing of it', 999_999_999_999_999n, 0],
  ['says that retention removed it, and has no hashes', 999_999_999_999_999n, 999_999_999_488],
] as const)
  test(`attack: a log is signed to be of ${size} entries, and ${name}`, async () => {
    const { report, reads } = await verify(size, () => undefined, minimumIndex)
    assert.equal(report.ok, false)
    assert.equal(report.problems.length, 100)
    assert.equal(report.problems[0]?.message, 'is missing')
    assert.ok(reads < 500, `${reads} files were asked for`)
  })
