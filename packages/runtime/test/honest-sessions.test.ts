import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { loadConfig } from '@postern/config'
import { type RequestSource, VirtualClock } from '@postern/core'
import { buildEngine } from '../src/build-engine.ts'
import { memoryResources } from '../src/open-resources.ts'
import { HONEST_SESSIONS, type HonestRequest } from './honest-sessions.ts'

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

describe('honest sessions meet no refusal and no measure of the default configuration', () => {
  for (const [name, session] of Object.entries(HONEST_SESSIONS)) {
    for (const speed of [1, 4]) {
      test(`${name}, at ${speed} times its speed`, async () => {
        const { refused, measures } = await outcomeOf(session, speed)
        assert.deepEqual({ refused: refused.slice(0, 3), measures }, { refused: [], measures: [] })
      })
    }
  }

  test('there are at least twelve kinds of them', () => assert.ok(Object.keys(HONEST_SESSIONS).length >= 12))
})
