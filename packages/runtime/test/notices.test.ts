import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { loadConfig } from '@postern/config'
import type { Event, Json } from '@postern/core'
import { noticeEvents, startLine, type Verbosity } from '../src/events/notices.ts'

function said(
  type: string,
  data?: Readonly<Record<string, Json>>,
  verbosity: Verbosity = 'refusals',
): readonly string[] {
  const lines: string[] = []
  const event: Event = { type, time: 0, actor: { address: '192.0.2.1' }, ...(data !== undefined && { data }) }
  noticeEvents(verbosity, line => lines.push(line), { audit: false, dataDirectory: '.postern' })(event)
  return lines
}

describe('what a layer prints about events that are not requests', () => {
  test('is a sentence, never the bare type of an event', () => {
    assert.deepEqual(said('config.refused', { issues: 1 }), ['a new configuration was refused: 1 mistake'])
    assert.deepEqual(said('config.refused', { issues: 2 }), ['a new configuration was refused: 2 mistakes'])
    assert.deepEqual(said('audit.lost', { count: 3 }), ['3 events could not be taken into the log'])
    assert.deepEqual(said('nftables.failed', { problem: 'nft is missing' }), ['nftables: nft is missing'])
  })

  test('a wrong password of somebody is not printed', () => {
    assert.deepEqual(said('login.failed', { method: 'password' }), [])
    assert.deepEqual(said('login.failed'), [])
  })

  test('a store that goes away and comes back is printed', () => {
    assert.match(
      said('store.away', { problem: 'redis is not reachable' })[0] ?? '',
      /^redis is not reachable; /,
    )
    assert.match(said('store.back', { store: 'redis' })[0] ?? '', /^redis answers/)
  })

  test('nothing of it is printed with less verbosity', () => {
    for (const verbosity of ['start', 'none'] as const)
      assert.deepEqual(said('audit.lost', { count: 3 }, verbosity), [])
  })
})

describe('the line at the start', () => {
  for (const [written, place] of [
    [{}, /; audit log in \/\S+\.postern;/],
    [{ dataDirectory: false }, /; no audit log \(dataDirectory: false\);/],
    [{ audit: false }, /; no audit log;/],
  ] as const)
    test(`says where the log is: ${JSON.stringify(written)}`, async () => {
      const loaded = await loadConfig({ config: written, folder: import.meta.dirname, environment: {} })
      const line = startLine(loaded, 0)
      assert.match(line, place)
      assert.doesNotMatch(line, /\p{Cc}/u)
    })
})

describe('the line of a refused request', () => {
  for (const [written, more] of [
    [{}, 'npx postern explain 1m8ffekzpmq5g1h00003'],
    [{ dataDirectory: false }, 'not logged: 1m8ffekzpmq5g1h00003'],
    [{ audit: false }, 'not logged: 1m8ffekzpmq5g1h00003'],
  ] as const)
    test(`names explain where it finds something: ${JSON.stringify(written)}`, async () => {
      const { config } = await loadConfig({ config: written, folder: import.meta.dirname, environment: {} })
      const lines: string[] = []
      noticeEvents(
        'refusals',
        line => lines.push(line),
        config,
      )({
        ...{ type: 'http', time: 0, actor: { address: '192.0.2.1' }, decision: 'deny', guard: 'inspect' },
        request: { id: '1m8ffekzpmq5g1h00003', method: 'GET', host: 'a', path: '/', query: '' },
      })
      assert.deepEqual(lines, [`deny  GET / inspect (${more})`])
    })
})
