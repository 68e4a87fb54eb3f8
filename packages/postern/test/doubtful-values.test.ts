import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import type { Event } from '@postern/core'
import { until } from '../../../test/until.ts'
import { type Config, postern } from '../src/index.ts'

/** A text about code: six lines and more than 300 characters. */
const TEXT = [
  'How we found out what the old report does, for whoever comes after us and has to keep it running.',
  'It is one query, and it is made like this, which took us most of a rainy afternoon:',
  "SELECT name FROM goods WHERE id = '' UNION SELECT password FROM users --",
  'The second half is what the auditors asked about. We have moved it to a view of its own since then,',
  'and nobody but the owner of that view may read it. The report itself has not changed in any other way.',
  'Ask in the channel of the team when something is not clear.',
].join('\n')

test('a value that passes in doubt is recorded once, with the setting that ends the doubt', async t => {
  const events: Event[] = []
  const layer = await postern({
    config: { audit: false, dataDirectory: false, routes: { 'POST /posts': {} } },
    log: 'none',
    onEvent: event => void (event.type === 'inspection.doubt' && events.push(event)),
  })
  t.after(() => layer.close())
  const handler = layer.fetch(() => new Response('kept'), { peer: () => '192.0.2.7' })
  const send = async (text: string): Promise<number> => {
    const request = new Request('http://shop.example/posts', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text }),
    })
    const response = await handler(request)
    await response.text()
    return response.status
  }
  assert.equal(await send('Nothing to see here.'), 200)
  assert.deepEqual(events, [])
  for (let i = 0; i < 3; i++) assert.equal(await send(TEXT), 200)
  await until(() => events.length > 0)
  assert.deepEqual(
    events.map(({ data }) => [data?.['location'], data?.['setting']]),
    [['body.text', "routes: { 'POST /posts': { inspect: { parameters: { 'body.text': 'text' } } } }"]],
  )
})

describe('a value that looks like an attack', () => {
  const attack = "lamp' union select password from users --"
  const place = 'http://shop.example/posts'

  /** An application that stores what it receives, and the events of one request to it. */
  async function store(
    t: TestContext,
    how: 'bound' | 'joined' | 'not at all',
    text: string,
    config: Config,
  ): Promise<readonly unknown[]> {
    const events: Event[] = []
    const settled = Promise.withResolvers<Event>()
    const layer = await postern({
      config: { audit: false, dataDirectory: false, routes: { 'POST /posts': {} }, ...config },
      log: 'none',
      onEvent: event => {
        if (/^(?:inspection|sink)\./.test(event.type)) events.push(event)
        if (event.type === 'http') settled.resolve(event)
      },
    })
    const database = new DatabaseSync(':memory:')
    database.exec('create table posts (text text)')
    t.after(async () => {
      database.close()
      await layer.close()
    })
    const handler = layer.fetch(
      async request => {
        const { text: sent } = (await request.json()) as { text: string }
        if (how === 'bound') database.prepare('insert into posts values (?)').run(sent)
        if (how === 'joined') database.exec(`insert into posts values ('${sent}')`)
        return new Response('kept')
      },
      { peer: () => '192.0.2.7' },
    )
    const headers = { 'content-type': 'application/json' }
    try {
      const request = new Request(place, { method: 'POST', headers, body: JSON.stringify({ text }) })
      await (await handler(request)).text()
    } catch {
      // The joined statement has a syntax error.
    }
    const { observed } = await settled.promise
    return [
      ...events.map(({ type, data }) => [type, data?.['rule'] ?? data?.['kind'], data?.['location']]),
      observed,
    ]
  }

  test('is recorded as harmless once a statement took it as a parameter, and as a doubt where none did', async t => {
    assert.deepEqual(await store(t, 'bound', TEXT, {}), [
      ['inspection.harmless', 'sqli/union', 'body.text'],
      undefined,
    ])
    assert.deepEqual(await store(t, 'not at all', TEXT, {}), [
      ['inspection.doubt', 'sqli/union', 'body.text'],
      undefined,
    ])
    const sinks = { inspect: { sinks: false } } as const
    assert.deepEqual(await store(t, 'bound', TEXT, sinks), [
      ['inspection.doubt', 'sqli/union', 'body.text'],
      undefined,
    ])
  })

  test('does not count as a refusal in observe mode where it was bound, and does where it was not', async t => {
    const observe = { mode: 'observe' } as const
    const [harmless, ...rest] = await store(t, 'bound', attack, observe)
    assert.equal((harmless as string[])[0], 'inspection.harmless')
    assert.deepEqual(rest, [undefined])
    assert.equal((await store(t, 'not at all', attack, observe)).at(-1), 'deny')
    const joined = await store(t, 'joined', attack, observe)
    assert.deepEqual(joined, [['sink.reported', 'sql', 'body.text'], 'deny'])
  })
})
