import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { startBackend } from '../../cli/test/backend.ts'
import { cli, startCli, startGatewayProcess } from '../../cli/test/cli.ts'
import { type Config, postern } from '../src/index.ts'

const folders: string[] = []
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-proxies-'))
  folders.push(folder)
  return folder
}
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** What the layer writes while requests of these peers arrive. */
async function linesFor(
  config: Config,
  requests: readonly { readonly peer: string; readonly headers?: Record<string, string> }[],
  log: 'none' | 'start' | 'refusals' = 'refusals',
): Promise<readonly string[]> {
  const lines: string[] = []
  const layer = await postern({
    folder: newFolder(),
    config: { audit: false, ...config },
    log,
    onLine: line => lines.push(line),
  })
  for (const { peer, headers = {} } of requests) {
    const answer = layer.fetch(() => new Response('hello'), { peer: () => peer })
    const response = await answer(
      new Request('http://shop.example/', { headers: { host: 'shop.example', ...headers } }),
    )
    await response.text()
  }
  await layer.close()
  return lines
}

const FORWARDED = { 'x-forwarded-for': '203.0.113.7' }

describe('a platform that says who sent a request', () => {
  const get = async (env: unknown, peer?: () => string): Promise<{ address: string; lines: string[] }> => {
    const lines: string[] = []
    const { promise, resolve } = Promise.withResolvers<string>()
    const layer = await postern({
      config: { dataDirectory: false, audit: false },
      onLine: line => lines.push(line),
      onEvent: ({ type, actor }) => {
        if (type === 'http') resolve(actor.address ?? '')
      },
    })
    const request = new Request('http://shop.example/', { headers: { ...FORWARDED, host: 'shop.example' } })
    const middleware = layer.hono(peer === undefined ? undefined : { peer })
    const context = { req: { raw: request }, env, res: new Response('hello') }
    await middleware(context, async () => undefined)
    await context.res.text()
    const address = await promise
    await layer.close()
    return { address, lines }
  }

  for (const [name, requestContext] of [
    ['an API Gateway or a function URL', { http: { sourceIp: '198.51.100.4' } }],
    ['an API Gateway with REST', { identity: { sourceIp: '198.51.100.4' } }],
  ] as const)
    test(`of AWS Lambda behind ${name} is used`, async () => {
      const { address } = await get({ event: {}, requestContext, lambdaContext: {} })
      assert.equal(address, '198.51.100.4')
    })

  test('may be read by the application', async () => {
    const { address } = await get({}, () => '198.51.100.5')
    assert.equal(address, '198.51.100.5')
  })

  test('and one that says nothing is warned about once, without trusting everybody', async () => {
    const { address, lines } = await get({ requestContext: { elb: {} } })
    assert.equal(address, '0.0.0.0')
    assert.equal(lines.filter(line => line.includes('all clients count as one')).length, 1, lines.join('\n'))
    assert.doesNotMatch(lines.join('\n'), /trustProxies: \['0\.0\.0\.0'\]/)
  })
})

describe('a proxy that is not trusted', () => {
  test('is warned about once, with the setting that is missing', async () => {
    const lines = await linesFor({}, [
      { peer: '10.0.0.3', headers: FORWARDED },
      { peer: '10.0.0.4', headers: FORWARDED },
    ])
    const warnings = lines.filter(line => line.includes('trustProxies'))
    assert.equal(warnings.length, 1)
    assert.match(warnings[0] ?? '', /all clients behind it count as one.*Set trustProxies: \['10\.0\.0\.3'\]/)
    assert.doesNotMatch(warnings[0] ?? '', /203\.0\.113\.7/)
  })

  for (const [peer, header, setting] of [
    ['127.0.0.1', undefined, "['loopback']"],
    ['10.0.0.3', 'x-amzn-trace-id', "'aws-alb'"],
    ['172.16.3.2', 'fly-request-id', "'fly'"],
    ['10.0.0.3', 'rndr-id', "'render'"],
    ['162.158.1.1', 'cf-ray', "'cloudflare'"],
  ] as const)
    test(`${peer} with ${header ?? 'no sign of a platform'}: trustProxies: ${setting}, which is enough`, async () => {
      const headers = { ...FORWARDED, ...(header !== undefined && { [header]: 'x' }) }
      const [, warning = ''] = await linesFor({}, [{ peer, headers }])
      assert.ok(warning.includes(`trustProxies: ${setting}`), warning)
      const trustProxies = setting.startsWith('[') ? ['loopback'] : setting.replaceAll("'", '')
      assert.equal((await linesFor({ trustProxies }, [{ peer, headers }])).length, 1)
    })

  test('a stranger who forges the header does not use the warning up, and is not recommended', async () => {
    const lines = await linesFor({}, [
      { peer: '198.51.100.9', headers: FORWARDED },
      { peer: '10.0.0.3', headers: FORWARDED },
    ])
    assert.match(lines[1] ?? '', /it was ignored; if that is a proxy of your own/)
    assert.match(lines[2] ?? '', /Set trustProxies: \['10\.0\.0\.3'\]/)
  })

  test('is warned about by the gateway too', async () => {
    const backend = await startBackend()
    const folder = newFolder()
    const gateway = await startGatewayProcess(['--to', backend.url], folder)
    try {
      const asked = request(gateway.url, { headers: FORWARDED }).end()
      const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage]
      response.resume()
      await assert.doesNotReject(gateway.says(/"proxy\.untrusted".*trustProxies: \['loopback'\]/))
    } finally {
      await gateway.stop()
      await backend.close()
    }
  })
})

describe('the layer says', () => {
  test('one line when it starts: mode, store and what protects', async () => {
    const [line = ''] = await linesFor({ mode: 'observe' }, [])
    assert.match(
      line,
      /^observing, nothing is blocked: HTTP checks, limits \(memory\), inspection, \d+ scenarios, bans; no audit log; configuration: in code$/,
    )
    const [other = ''] = await linesFor(
      { scenarios: false, inspect: false, remediations: false, protocol: false },
      [],
    )
    assert.match(other, /^enforcing: limits \(memory\); no audit log/)
  })

  test('one line for each refusal, without anything that a person sent', async () => {
    const lines = await linesFor({ limits: { address: '1/1m' } }, [
      { peer: '192.0.2.1' },
      { peer: '192.0.2.1' },
      { peer: '192.0.2.1' },
    ])
    const refusals = lines.filter(line =>
      /^throttle 429 GET \/ limit\/address \(not logged: [\w-]+\)$/.test(line),
    )
    assert.equal(refusals.length, 2, lines.join('\n'))
  })

  test('nothing, or only the start, when it is configured so', async () => {
    const requests = [{ peer: '192.0.2.1' }, { peer: '192.0.2.1' }]
    assert.deepEqual(await linesFor({ limits: { address: '1/1m' } }, requests, 'none'), [])
    assert.equal((await linesFor({ limits: { address: '1/1m' } }, requests, 'start')).length, 1)
  })
})

describe('postern doctor --request', () => {
  test('shows whom a described request counts against, and what to set', async () => {
    const folder = newFolder()
    const described = [
      'doctor',
      '--request',
      '/login',
      '--peer',
      '10.0.0.3',
      '--header',
      'X-Forwarded-For: 203.0.113.7',
    ]
    const before = await cli(described, folder)
    assert.equal(before.code, 1)
    assert.match(before.stdout, /client +10\.0\.0\.3: limits/)
    assert.match(before.stdout, /set trustProxies: \['10\.0\.0\.3'\]/)
    writeFileSync(
      join(folder, 'postern.config.yaml'),
      'trustProxies: aws-alb\nroutes: { POST /login: { throttle: 5/1m }, /login: { record: after } }\n',
    )
    const { code, stdout } = await cli(described, folder)
    assert.equal(code, 0)
    assert.match(stdout, /client +203\.0\.113\.7: limits/)
    assert.match(stdout, /route +\/login/)
  })

  test('waits for the next request that arrives', async () => {
    const child = startCli(['doctor', '--request', '--listen', '127.0.0.1:0'], newFolder())
    const exit = once(child, 'exit')
    let said = ''
    child.stderr.on('data', chunk => {
      said += String(chunk)
    })
    while (!/127\.0\.0\.1:\d+/.test(said)) await once(child.stderr, 'data')
    const place = /127\.0\.0\.1:\d+/.exec(said)?.[0] ?? ''
    const answer = (await (await fetch(`http://${place}/x`, { headers: FORWARDED })).json()) as {
      setting: string
    }
    assert.equal(answer.setting, "trustProxies: ['loopback']")
    assert.equal((await exit)[0], 1)
  })
})
