import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type BodyPrefix,
  CidrSet,
  type Decision,
  Exchange,
  type RouteSettings,
  RouteTable,
} from '@postern/core'
import { type InspectionOptions, inspectionGuard } from '../src/guard/inspection-guard.ts'
import { compileParameterTypes } from '../src/value/parameter-types.ts'

interface Sent {
  readonly method?: string
  readonly target?: string
  readonly headers?: readonly string[]
  readonly body?: string
  readonly complete?: boolean
  readonly peer?: string
  readonly localPort?: number
  readonly routes?: Readonly<Record<string, RouteSettings>>
}

function exchangeOf(sent: Sent): Exchange {
  const bytes = Buffer.from(sent.body ?? '')
  const prefix: BodyPrefix = { bytes, complete: sent.complete ?? true }
  return new Exchange(
    {
      method: sent.method ?? (sent.body === undefined ? 'GET' : 'POST'),
      target: sent.target ?? '/',
      headers: sent.headers ?? ['host', 'shop.example'],
      peer: sent.peer ?? '203.0.113.9',
      localPort: sent.localPort,
      secure: true,
      httpVersion: '1.1',
      body: sent.body === undefined ? undefined : { read: () => Promise.resolve(prefix) },
      native: undefined,
    },
    {
      trustedProxies: CidrSet.parse([], 'test'),
      routes: new RouteTable(sent.routes ?? {}),
      nextId: () => {
        throw new Error('no id is needed')
      },
      bodyLimit: 1_048_576,
    },
    0,
  )
}

async function decide(sent: Sent, options: InspectionOptions = {}): Promise<Decision> {
  return inspectionGuard(options).decide(exchangeOf(sent))
}

const FORM = ['content-type', 'application/x-www-form-urlencoded']
const JSON_TYPE = ['content-type', 'application/json']

describe('the inspection guard', () => {
  test('asks the configuration about a parameter first, then a description, then what was learned', async () => {
    const types = (type: 'number' | 'text'): ReturnType<typeof compileParameterTypes> =>
      compileParameterTypes({ 'query.a': type }, 'test')
    const routes = { '/items': {} }
    const asked = (options: InspectionOptions): Promise<Decision> =>
      decide({ target: '/items?a=word', routes }, options)
    const [number, text] = [() => types('number'), () => types('text')]
    assert.equal((await asked({ learned: number })).effect, 'deny')
    assert.equal((await asked({ learned: number, described: text })).effect, 'allow')
    assert.equal((await asked({ learned: text, described: number })).effect, 'deny')
    assert.equal((await asked({ described: number, parameters: { 'query.a': 'text' } })).effect, 'allow')
    assert.equal((await asked({ described: () => undefined, learned: number })).effect, 'deny')
  })

  test('answers a request without a body at once', () => {
    const guard = inspectionGuard()
    assert.ok(!(guard.decide(exchangeOf({ target: '/items?id=12' })) instanceof Promise))
    assert.ok(!(guard.decide(exchangeOf({ target: "/items?id=1'--" })) instanceof Promise))
  })

  test('refuses with 403, names the place, and says what would let the request pass', async () => {
    const decision = await decide({ target: "/items?id=1'%20or%20'1'='1" })
    if (decision.effect === 'allow') throw new Error('it should refuse')
    assert.equal(decision.status, 403)
    assert.equal(decision.reasons[0].rule, 'inspect/sqli/tautology')
    assert.equal(decision.reasons[0].evidence?.location, 'query.id')
    assert.deepEqual(decision.reasons[0].exception, {
      changes: [
        {
          at: ['inspect', 'except'],
          add: [{ rule: 'sqli/tautology', parameter: 'query.id', route: 'GET /items' }],
        },
      ],
    })
    assert.doesNotMatch(decision.reasons[0].message, /sql|id/i)
  })

  test('an exception from its own refusal lets exactly that parameter on that route pass', async () => {
    const attack = "1'%20or%20'1'='1"
    const refused = await decide({ target: `/items?id=${attack}` })
    if (refused.effect === 'allow') throw new Error('it should refuse')
    const [change] = refused.reasons[0].exception?.changes ?? []
    if (change === undefined || !('add' in change)) throw new Error('it should add an exception')
    const options: InspectionOptions = { except: change.add as NonNullable<InspectionOptions['except']> }
    assert.equal((await decide({ target: `/items?id=${attack}` }, options)).effect, 'allow')
    assert.equal((await decide({ target: `/items?other=${attack}` }, options)).effect, 'deny')
    assert.equal((await decide({ target: `/users?id=${attack}` }, options)).effect, 'deny')
    assert.equal((await decide({ target: '/items?id=<script>x</script>' }, options)).effect, 'deny')
  })

  test('an exception for the query of a page holds where the Referer of its pictures names it', async () => {
    const attack = '1%27%20or%20%271%27=%271'
    const options: InspectionOptions = {
      except: [{ rule: 'sqli/tautology', parameter: 'query.id', route: 'GET /items' }],
    }
    const picture = async (referer: string): Promise<string> =>
      (await decide({ target: '/a.png', headers: ['host', 'shop.example', 'referer', referer] }, options))
        .effect
    assert.equal(await picture(`https://shop.example/items?id=${attack}`), 'allow')
    assert.equal(await picture(`https://shop.example/items?other=${attack}`), 'deny')
    assert.equal(await picture(`https://shop.example/users?id=${attack}`), 'deny')
    assert.equal(await picture(`https://shop.example/items?id=1' or '1'='1`), 'deny')
    assert.equal(await picture('https://shop.example/items?id=%3Cscript%3Ex%3C/script%3E'), 'deny')
    assert.equal((await decide({ target: `/a.png?id=${attack}` }, options)).effect, 'deny')
  })

  test('a route can name exceptions of its own, raise its level, or switch inspection off', async () => {
    const body = JSON.stringify({ html: '<script>alert(1)</script>' })
    const sent: Sent = { target: '/pages', headers: JSON_TYPE, body }
    assert.equal((await decide(sent)).effect, 'deny')
    const narrow = { '/pages': { inspect: { except: [{ rule: 'xss/*', parameter: 'body.html' }] } } } as const
    assert.equal((await decide({ ...sent, routes: narrow })).effect, 'allow')
    assert.equal((await decide({ ...sent, routes: { '/pages': { inspect: false } } })).effect, 'allow')
  })

  test('an exception that names nothing is a configuration error', () => {
    assert.throws(() => inspectionGuard({ except: [{}] }), /names neither a rule nor a parameter/)
    assert.throws(() => inspectionGuard({ except: [{ rule: 'SQL injection' }] }), /is not a rule id/)
  })

  test('a body longer than guards may read is refused with 413, unless it is the rest of a file', async () => {
    const cut = { headers: JSON_TYPE, body: '{"a":"b', complete: false }
    const decision = await decide(cut)
    assert.equal(decision.effect === 'deny' && decision.status, 413)
    const image = { headers: ['content-type', 'image/png'], body: '\u0089PNG', complete: false }
    assert.equal((await decide(image)).effect, 'allow')
    const upload = ['--b', 'Content-Disposition: form-data; name="f"; filename="a.png"', '', 'PNG...'].join(
      '\r\n',
    )
    const multipart = {
      headers: ['content-type', 'multipart/form-data; boundary=b'],
      body: upload,
      complete: false,
    }
    assert.equal((await decide(multipart)).effect, 'allow')
    const routes = { '/': { inspect: { unread: 'pass' } } } as const
    assert.equal((await decide({ ...cut, routes })).effect, 'allow')
  })

  test('holds the parameters of a route to their types, declared there, everywhere, or learned', async () => {
    const routes = { '/items': { inspect: { parameters: { 'query.page': 'number' } } } } as const
    const target = '/items?page=two&size=ten'
    assert.equal((await decide({ target, routes })).effect, 'deny')
    assert.equal((await decide({ target, routes: { '/items': {} } })).effect, 'allow')
    const declared: InspectionOptions = { parameters: { 'query.size': 'number' } }
    assert.equal((await decide({ target, routes: { '/items': {} } }, declared)).effect, 'deny')
    const learned: InspectionOptions = {
      learned: route =>
        route === 'GET /items' ? compileParameterTypes({ 'query.size': 'number' }, 'learned') : undefined,
    }
    assert.equal((await decide({ target, routes: { '/items': {} } }, learned)).effect, 'deny')
    assert.equal((await decide({ target, routes: { '/other': {} } }, learned)).effect, 'allow')
  })

  test('gives way between slices, and says so when a request costs more than one may', async () => {
    const body = JSON.stringify({ text: "it's a | b & c; (d) <e f ".repeat(4_000) })
    let pauses = 0
    let clock = 0
    const options: InspectionOptions = {
      now: () => (clock += 3),
      pause: () => {
        pauses++
        return Promise.resolve()
      },
    }
    await decide({ headers: JSON_TYPE, body }, options)
    assert.ok(pauses > 2, `${pauses} pauses`)
    const tight: InspectionOptions = { ...options, bounds: { effort: 200_000 } }
    const refused = await decide({ headers: JSON_TYPE, body: body.replaceAll('|', '') }, tight)
    assert.equal(refused.effect === 'deny' && refused.status, 413)
    const found: string[] = []
    const passed = await decide(
      {
        headers: JSON_TYPE,
        body: body.replaceAll('|', ''),
        routes: { '/': { inspect: { overBudget: 'pass' } } },
      },
      { ...tight, onInspection: (_exchange, { matches }) => found.push(...matches.map(match => match.rule)) },
    )
    assert.equal(passed.effect, 'allow')
    assert.ok(found.includes('bounds/effort'))
  })

  test('a request may take so much CPU, however little its length says of that', async () => {
    const body = JSON.stringify({ text: "it's a | b & c; (d) <e f ".repeat(4_000) })
    let clock = 0
    const slow: InspectionOptions = {
      now: () => (clock += 3),
      cpu: () => clock,
      startUp: 0,
      bounds: { cpu: 1 },
      pause: () => Promise.resolve(),
    }
    const refused = await decide({ headers: JSON_TYPE, body }, slow)
    assert.equal(refused.effect === 'deny' && refused.status, 413)
    const routes = { '/': { inspect: { overBudget: 'pass' } } } as const
    assert.equal((await decide({ headers: JSON_TYPE, body, routes }, slow)).effect, 'allow')
    const patient: InspectionOptions = { ...slow, bounds: { cpu: 50 } }
    assert.equal((await decide({ headers: JSON_TYPE, body }, patient)).effect, 'allow')
  })

  test('the time in which rules are compiled is not held against the first requests, up to a sum', async () => {
    const body = JSON.stringify({ text: "it's a | b & c; (d) <e f ".repeat(4_000) })
    let clock = 0
    const guard = inspectionGuard({
      now: () => (clock += 3),
      cpu: () => clock,
      startUp: 20,
      bounds: { cpu: 1 },
      pause: () => Promise.resolve(),
    })
    const effects: string[] = []
    let before = 0
    let first = 0
    for (let i = 0; i < 200 && effects.at(-1) !== 'deny'; i++) {
      before = clock
      effects.push((await guard.decide(exchangeOf({ headers: JSON_TYPE, body }))).effect)
      first ||= clock - before
    }
    assert.equal(effects[0], 'allow')
    assert.equal(effects.at(-1), 'deny')
    assert.ok(effects.length > 2, `${effects.length} requests`)
    before = clock
    assert.equal((await guard.decide(exchangeOf({ headers: JSON_TYPE, body }))).effect, 'deny')
    assert.ok(clock - before < first)
  })

  test('takes one slice at a time, however many requests are inspected', async () => {
    const body = JSON.stringify({ text: "it's a | b & c; (d) <e f ".repeat(2_000) })
    let clock = 0
    let waiting = 0
    let most = 0
    const guard = inspectionGuard({
      now: () => (clock += 3),
      cpu: () => 0,
      pause: async () => {
        most = Math.max(most, ++waiting)
        await Promise.resolve()
        waiting--
      },
    })
    const sent: Sent = { headers: JSON_TYPE, body }
    await Promise.all(Array.from({ length: 4 }, () => guard.decide(exchangeOf(sent))))
    assert.equal(most, 1)
  })

  test('refuses a session handed over under the name of a cookie that the backend gave to several clients', async () => {
    const guard = inspectionGuard()
    const handed: Sent = {
      target: '/?shop_session=abc',
      headers: ['host', 'shop.example', 'referer', 'https://evil.example/'],
    }
    assert.equal((await guard.decide(exchangeOf(handed))).effect, 'allow')
    const answer = (client: string, cookies: readonly string[]): void =>
      guard.onAnswer?.(exchangeOf({ peer: client }), {
        status: 200,
        get: () => undefined,
        getAll: name => (name === 'set-cookie' ? [...cookies] : []),
        set: () => {},
        append: () => {},
        remove: () => {},
      })
    // One client that makes the backend answer with names of its own choice teaches nothing.
    for (let i = 0; i < 5; i++) answer('203.0.113.9', ['shop_session=1; HttpOnly', 'theme=dark'])
    assert.equal((await guard.decide(exchangeOf(handed))).effect, 'allow')
    answer('198.51.100.7', ['shop_session=2; HttpOnly', 'theme=dark'])
    assert.equal((await guard.decide(exchangeOf(handed))).effect, 'allow')
    answer('192.0.2.44', ['Shop_Session=3; HttpOnly', 'theme=dark'])
    assert.equal((await guard.decide(exchangeOf(handed))).effect, 'deny')
    const theme = { ...handed, target: '/?theme=dark' }
    assert.equal((await guard.decide(exchangeOf(theme))).effect, 'allow')
  })

  test('never quotes a secret in its evidence', async () => {
    const decision = await decide({ headers: FORM, body: "password=hunter2'%20or%20'1'='1" })
    assert.equal(decision.effect, 'deny')
    assert.doesNotMatch(JSON.stringify(decision), /hunter2/)
  })

  test('lets a client on this machine name the port it came in on, and nobody else', async () => {
    const tarball = 'url=http://127.0.0.1:4873/left-door-1.0.0.tgz'
    const sent: Sent = {
      target: `/fetch?${tarball}`,
      headers: ['host', '127.0.0.1:6379', ...JSON_TYPE],
      peer: '127.0.0.1',
      localPort: 4873,
    }
    assert.equal((await decide(sent)).effect, 'allow')
    assert.equal((await decide({ ...sent, localPort: 8080 })).effect, 'deny', 'another port of this machine')
    assert.equal(
      (await decide({ ...sent, localPort: 6379 })).effect,
      'deny',
      'what Host claims counts for nothing',
    )
    assert.equal((await decide({ ...sent, peer: '203.0.113.9' })).effect, 'deny', 'a client from elsewhere')
    const elsewhere = tarball.replace('127.0.0.1:4873', '127.0.0.1:4873@169.254.169.254')
    assert.equal(
      (await decide({ ...sent, target: `/fetch?${elsewhere}` })).effect,
      'deny',
      'a user name that looks like us',
    )
  })

  test('remembers parameters that were clean, and still reads every other value under the same name', async () => {
    for (let round = 0; round < 3; round++) {
      assert.equal((await decide({ target: '/list?sort=name&q=blue+shoes' })).effect, 'allow')
      assert.equal((await decide({ target: '/list?sort=name%27+or+1=1--+' })).effect, 'deny')
      assert.equal((await decide({ target: '/list?cmd=name;cat+/etc/passwd' })).effect, 'deny')
      assert.equal(
        (await decide({ target: '/list?q=%2BADw-script%2BAD4-alert(1)%2BADw-/script%2BAD4-' })).effect,
        'deny',
      )
    }
  })

  test('clears ordinary cookies at once, and reads each of the others', async () => {
    const cookie = (value: string): Promise<Decision> => decide({ headers: ['cookie', value] })
    assert.equal((await cookie('session=0123456789abcdef; theme=dark')).effect, 'allow')
    assert.equal((await cookie('theme=dark; x=memory_limit=512M')).effect, 'deny', 'a setting inside a value')
    assert.equal((await cookie("theme=dark; id=1' or '1'='1")).effect, 'deny')
    assert.equal((await cookie('theme=dark; c=$(cat /etc/passwd)')).effect, 'deny')
  })

  test('remembers nothing of a request so full of attacks that it was not read to its end', async () => {
    const hidden = Buffer.from('<svg onload=alert(1) >').toString('base64').replaceAll('=', '')
    const decoys = Array.from({ length: 40 }, (_, n) => `a${n}=%3Cscript%3Ealert(${n})%3C/script%3E`).join(
      '&',
    )
    assert.equal((await decide({ target: `/?${decoys}&${hidden}=1` })).effect, 'deny')
    assert.equal((await decide({ target: `/?${hidden}=1` })).effect, 'deny')
  })
})
