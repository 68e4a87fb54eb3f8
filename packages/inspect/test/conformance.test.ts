import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { conformance } from '../../../test/conformance.ts'
import { inspectRecord, type RequestRecord } from '../src/inspect-record.ts'

const { path: folder, skip } = conformance('detect')

interface Labelled extends RequestRecord {
  readonly category: string
  readonly paranoia?: number
  readonly expect: 'block' | 'pass'
}

/** Least share found, largest share of false alarms. */
const GOALS = {
  gotestwaf: [0.9, 0.014],
  crs: [0.8, 1],
  httpparams: [0.99, 0.0001],
  libinjection: [0.98, 0.01],
} as const

function counts(set: string, line: Labelled): boolean {
  if (set !== 'crs') return true
  const family = Number(/REQUEST-(\d+)/.exec(line.category)?.[1] ?? 0)
  return line.expect === 'block' && line.paranoia === 1 && family >= 930 && family <= 944
}

describe('attack sets that others made', () => {
  if (skip !== false) {
    test('are on this machine', context => context.skip(skip))
    return
  }
  for (const [set, [found, alarms]] of Object.entries(GOALS)) {
    test(`${set}: finds at least ${found} of the attacks, alarms on at most ${alarms} of the rest`, () => {
      const tally = { block: [0, 0], pass: [0, 0] }
      for (const text of readFileSync(join(folder, `${set}.jsonl`), 'utf8').split('\n')) {
        if (text === '') continue
        const line = JSON.parse(text) as Labelled
        if (!counts(set, line)) continue
        const counter = tally[line.expect]
        counter[1] = (counter[1] ?? 0) + 1
        if (inspectRecord(line).verdict !== 'pass') counter[0] = (counter[0] ?? 0) + 1
      }
      const share = ([part = 0, whole = 0]: number[]): number => (whole === 0 ? 0 : part / whole)
      assert.ok(share(tally.block) >= found, `found ${share(tally.block)}`)
      assert.ok(share(tally.pass) <= alarms, `alarms ${share(tally.pass)}`)
    })
  }
})
