import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Backend, startBackend } from './backend.ts'
import { cli, type GatewayProcess, startGatewayProcess } from './cli.ts'

const CONFIG = `
limits:
  exports: { limit: 3/1m, routes: [/export/**] }
  removals: { limit: 5/1m, routes: [DELETE /orders/**] }
routes:
  /admin/**: { block: [all] }
`
const folder = mkdtempSync(join(tmpdir(), 'postern-front-door-'))
const received: string[] = []
let backend: Backend
let gateway: GatewayProcess

before(async () => {
  writeFileSync(join(folder, 'postern.config.yaml'), CONFIG)
  backend = await startBackend((request, response) => {
    received.push(`${request.method} ${request.url} ${request.rawHeaders.join('\n')}`)
    response.end('hello')
  })
  gateway = await startGatewayProcess(['--to', backend.url], folder)
})
after(async () => {
  await gateway.stop()
  await backend.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Sends bytes as they are, and gives back all that is answered until the connection is closed. */
function sent(bytes: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(gateway.url)
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    socket.setTimeout(20_000, () => socket.destroy(new Error(`no end of the answer: ${answer}`)))
    socket.on('data', chunk => {
      answer += chunk.toString('latin1')
    })
    socket.on('error', error => (answer === '' ? reject(error) : resolve(answer)))
    socket.on('close', () => resolve(answer))
  })
}

function head(method: string, target: string, headers: readonly string[] = []): string {
  return `${[`${method} ${target} HTTP/1.1`, 'Host: shop.example', 'Connection: close', ...headers].join('\r\n')}\r\n\r\n`
}

function post(target: string, type: string, body: string | Buffer, more: readonly string[] = []): Buffer {
  const bytes = Buffer.from(body)
  const headers = [`Content-Type: ${type}`, `Content-Length: ${bytes.length}`, ...more]
  return Buffer.concat([Buffer.from(head('POST', target, headers)), bytes])
}

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])
const EVIL = 'DELETE /evil HTTP/1.1\r\nHost: shop.example\r\n\r\n'

describe('a request hidden in another never reaches the backend', () => {
  const hidden: Readonly<Record<string, string>> = {
    'a length and chunks': `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${EVIL}`,
    'two lengths': `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: ${EVIL.length}\r\n\r\n${EVIL}`,
    'a list of lengths': `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0, ${EVIL.length}\r\n\r\n${EVIL}`,
    'a length with a sign': `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n${EVIL}`,
    'an encoding that is nearly chunked': `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n${EVIL}`,
    'a space before the colon': `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n${EVIL}`,
    'a folded header': `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${EVIL}`,
    'two hosts': `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${EVIL}`,
    'a chunk whose size overflows': `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n${EVIL}`,
    'a bare line feed as the end of a line': `POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\n\n${EVIL}`,
  }
  for (const [name, bytes] of Object.entries(hidden))
    test(name, async () => {
      assert.match(await sent(bytes), /^HTTP\/1\.1 400 /)
      assert.equal(backend.seen.filter(line => line.includes('/evil')).length, 0)
    })
})

describe('no spelling and no header opens a path that is barred', () => {
  const spellings = [
    '/admin/users',
    '//admin/users',
    '/./admin/users',
    '/shop/../admin/users',
    '/shop/%2e%2e/admin/users',
    '/shop/..%2fadmin/users',
    '/%61dmin/users',
    '/%2561dmin/users',
    '/admin;a=b/users',
    '/admin%2fusers',
    '/\\admin/users',
    '/admin%00/users',
    '/admin/users?x=/public',
    'http://shop.example/admin/users',
  ]
  for (const target of spellings)
    test(target, async () => {
      const before = received.length
      assert.ok([400, 403].includes(statusOf(await sent(head('GET', target)))))
      assert.equal(received.length, before)
    })

  for (const name of [
    'X-Original-URL',
    'X-Rewrite-URL',
    'X_Original_URL',
    'SCRIPT_NAME',
    'X-Forwarded-Prefix',
  ])
    test(`${name}: /admin/users`, async () => {
      await sent(head('GET', '/', [`${name}: /admin/users`]))
      assert.doesNotMatch(received.at(-1) ?? '', /admin/)
    })
})

describe('a limit admits what it says', () => {
  test('to forty requests at once, however the path is written and whoever they say they are', async () => {
    const targets = [
      '/export/a',
      '//export/b',
      '/EXPORT/f%20g',
      '/x/../export/c',
      '/export/d?n=1',
      '/export/e;v=1',
    ]
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        sent(head(i % 2 === 0 ? 'GET' : 'HEAD', targets[i % 6] ?? '', [`X-Forwarded-For: 203.0.113.${i}`])),
      ),
    )
    const statuses = answers.map(statusOf)
    assert.equal(statuses.filter(status => status === 200).length, 3)
    assert.ok(statuses.includes(429))
  })

  test('to deletes one by one, also where they are asked for by a header or a field', async () => {
    let deleted = 0
    for (let i = 0; i < 4; i++) {
      if (statusOf(await sent(head('DELETE', `/orders/${i}`))) === 200) deleted++
      const override = [`X-HTTP-Method-Override: DELETE`, 'Content-Length: 0']
      if (statusOf(await sent(head('POST', `/orders/1${i}`, override))) === 200) deleted++
      const form = 'application/x-www-form-urlencoded'
      for (const request of [
        post(`/orders/2${i}`, form, '_method=delete'),
        post(`/orders/3${i}`, form, 'a=1;_METHOD=delete'),
        post(`/orders/4${i}`, form, '.method=delete'),
        post(`/orders/5${i}`, form, gzipSync('_method=delete'), ['Content-Encoding: gzip']),
        post(`/orders/6${i}`, 'application/json', '{"_method":"DELETE"}'),
      ])
        if (statusOf(await sent(request)) === 200) deleted++
    }
    assert.equal(deleted, 5)
  })
})

describe('an attack is found wherever a backend would find it', () => {
  const SQL = "x' UNION SELECT password FROM users--"
  const form = encodeURIComponent(SQL)
  const carried: Readonly<Record<string, string | Buffer>> = {
    'in the second of two parameters of one name': head('GET', `/?q=1&q=${form}`),
    'in the first of two parameters of one name': head('GET', `/?q=${form}&q=1`),
    'in a parameter with brackets': head('GET', `/?q[]=1&q[]=${form}`),
    'in the first of two equal keys of JSON': post('/', 'application/json', `{"q":"${SQL}","q":"1"}`),
    'in the last of two equal keys of JSON': post('/', 'application/json', `{"q":"1","q":"${SQL}"}`),
    'in JSON of another type': post('/', 'application/vnd.shop+json', `{"q":"${SQL}"}`),
    'in JSON that says it is text': post('/', 'text/plain', `{"q":"${SQL}"}`),
    'in escapes of JSON': post(
      '/',
      'application/json',
      `{"q":"x\\u0027 UNION SELECT password FROM users--"}`,
    ),
    'in UTF-16': post('/', 'application/json; charset=utf-16le', Buffer.from(`{"q":"${SQL}"}`, 'utf16le')),
    'in a body that is compressed': post('/', 'application/json', gzipSync(`{"q":"${SQL}"}`), [
      'Content-Encoding: gzip',
    ]),
    'in the name of a parameter': head('GET', `/?${form}=1`),
    'in a cookie': head('GET', '/', [`Cookie: theme=${form}`]),
  }
  for (const [name, bytes] of Object.entries(carried))
    test(name, async () => {
      const before = received.length
      assert.ok([400, 403, 415].includes(statusOf(await sent(bytes))))
      assert.equal(received.length, before)
    })

  test('a body that unpacks to a thousand times its size is not unpacked whole', async () => {
    const bomb = gzipSync(Buffer.alloc(64_000_000, 0x20))
    const began = process.hrtime.bigint()
    await sent(post('/', 'application/json', bomb, ['Content-Encoding: gzip']))
    assert.ok(process.hrtime.bigint() - began < 20_000_000_000n)
    assert.equal(statusOf(await sent(head('GET', '/after'))), 200)
  })
})

describe('a refusal repeats nothing that a caller could abuse', () => {
  const script = '"><script>alert(1)</script>'
  const attack = '/?q=%3Cscript%3Ealert(1)%3C/script%3E'

  test('in its page: no markup, no header, no script, and no cache keeps it', async () => {
    const answer = await sent(
      head('GET', attack, [
        'Accept: text/html',
        `Accept-Language: ${script}`,
        `X-Request-Id: a${script}`,
        `Referer: ${script}`,
      ]),
    )
    assert.equal(statusOf(answer), 403)
    assert.doesNotMatch(answer, /alert\(1\)/)
    assert.match(answer, /^cache-control: no-store/im)
    assert.match(answer, /^content-security-policy: [^\r]*default-src 'none'/im)
  })

  test('in its headers: no line that a caller wrote', async () => {
    const answer = await sent(
      head('GET', `/%0d%0aSet-Cookie:%20a=b?q=%0d%0aSet-Cookie:a=b${attack.slice(2)}`),
    )
    assert.doesNotMatch(answer, /^set-cookie/im)
  })

  test('in what is printed and searched: no line and no control character of a caller', async () => {
    const forged = `/%0a%7B%22event%22:%22forged%22%7D%1b%5B31m?q=%3Cscript%3Ealert(1)%3C/script%3E`
    const agent = `User-Agent: evil\u0009\u009b31m{"event":"forged"}`
    await sent(head('GET', forged, [agent]))
    const { stdout } = await cli(['audit', 'search', '--limit', '50'], folder)
    for (const text of [gateway.output(), stdout]) {
      assert.doesNotMatch(text, /^\{"event":"forged"/m)
      assert.deepEqual(text.match(/[^\n]*[\u0000-\u0008\u000b-\u001f\u007f-\u009f][^\n]*/g) ?? [], [])
    }
  })
})

describe('the admin listener', () => {
  const cases: readonly (readonly [string, RequestInit & { path: string }])[] = [
    [
      'refuses a name that a page could have rebound',
      { path: '/metrics', headers: { host: 'evil.example' } },
    ],
    ['refuses a command without the token', { path: '/bans', method: 'POST', body: '{}' }],
    [
      'refuses a command with a wrong token',
      { path: '/bans', method: 'POST', headers: { authorization: 'Bearer x' } },
    ],
  ]
  for (const [name, { path, ...init }] of cases)
    test(name, async () => {
      const { hostname, port } = new URL(gateway.admin)
      const host = new Headers(init.headers).get('host') ?? `${hostname}:${port}`
      const authorization = new Headers(init.headers).get('authorization')
      const status = await adminStatus(Number(port), init.method ?? 'GET', path, host, authorization)
      assert.ok([401, 403, 404].includes(status), String(status))
    })
})

function adminStatus(
  port: number,
  method: string,
  path: string,
  host: string,
  authorization: string | null,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, 'Connection: close', 'Content-Length: 0']
    if (authorization !== null) lines.push(`Authorization: ${authorization}`)
    const socket = connect(port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`))
    let answer = ''
    socket.setTimeout(20_000, () => socket.destroy(new Error('no answer')))
    socket.on('data', chunk => {
      answer += chunk.toString()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(statusOf(answer)))
  })
}
