import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type PreviewState, SqliteTraffic } from '@postern/console'
import { systemClock } from '@postern/core'
import { until } from '../../../test/until.ts'
import { PreviewInThread } from '../src/preview/preview-in-thread.ts'

/** As long as the console takes a text. */
const MOST = 199_000

const bomb = Array.from(
  { length: 30 },
  (_, i) => `a${i}: &a${i} [${Array.from({ length: 9 }, () => (i === 0 ? 'x' : `*a${i - 1}`)).join(', ')}]`,
).join('\n')
const networks = Array.from({ length: 10_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`).join(', ')
const routes = Array.from({ length: 2_000 }, (_, i) => `  '/:a/:b/x${i}/**': { methods: [GET] }`).join('\n')

/** Texts that somebody who may try a configuration sends, and whether each is one. */
const TEXTS: Readonly<Record<string, readonly [text: string, state: 'done' | 'failed']>> = {
  'names that stand for nine times nine others': [bomb, 'failed'],
  'a name that every object has': ['__proto__: { polluted: 1 }\nmode: enforce\n', 'failed'],
  'brackets in brackets': ['['.repeat(20_000), 'failed'],
  'ten thousand networks': [`block: [${networks}]\n`, 'done'],
  'two thousand routes that begin alike': [`routes:\n${routes}\n`, 'done'],
  'an expression that takes indefinitely, as an agent': [
    'block: [{ network: all, userAgent: "(a+)+$" }]\n',
    'done',
  ],
}

describe('a preview of a hostile configuration', () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-preview-'))
  const place = { file: undefined, folder, overrides: {}, traffic: { directory: folder } }
  const plan = (): typeof place & { path: string } => ({
    ...place,
    path: join(folder, 'postern.config.yaml'),
  })
  const ended = async (job: PreviewInThread): Promise<PreviewState> => {
    await until(() => job.state().state !== 'running')
    return job.state()
  }
  before(async () => {
    const store = SqliteTraffic.open({ directory: folder, keep: 1e15, maxSize: 1e15 })
    await store.write(
      Array.from({ length: 50 }, (_, i) => ({
        event: {
          type: 'http',
          time: Date.UTC(2026, 0, 1) + i,
          actor: { address: `192.0.2.${i}`, agent: 'a'.repeat(200) },
          request: {
            id: `b${String(i).padStart(19, '0')}`,
            method: 'GET',
            host: 'shop.example',
            path: '/a/b/x1/c',
            query: '',
          },
          decision: 'allow' as const,
          outcome: { status: 200, duration: 1, bytes: 1, aborted: false },
        },
        weight: 1,
        guardTimes: undefined,
      })),
      [],
    )
    await store.close()
  })
  after(() => rmSync(folder, { recursive: true }))

  for (const [what, [text, state]] of Object.entries(TEXTS))
    test(`ends, and changes nothing here: ${what}`, async t => {
      assert.ok(text.length <= MOST, String(text.length))
      const job = new PreviewInThread(plan, systemClock, 1)
      t.after(() => job.cancel())
      job.start(text, 0)
      const said = await ended(job)
      assert.equal(said.state, state, JSON.stringify(said).slice(0, 400))
      assert.equal(({} as Readonly<Record<string, unknown>>)['polluted'], undefined)
      assert.ok(JSON.stringify(said).length < 8_000, 'what is said of it is bounded')
    })

  test('one that takes too long is ended, and says so', async t => {
    const job = new PreviewInThread(plan, systemClock, 1, 1)
    t.after(() => job.cancel())
    job.start('mode: enforce\n', 0)
    const said = await ended(job)
    assert.match(said.state === 'failed' ? said.problem : '', /took longer than 1 min and was ended/)
  })
})
