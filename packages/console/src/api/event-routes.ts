import { formatActor } from '@postern/remediate'
import type { Verdict } from '../traffic/traffic-event.ts'
import type { TrafficQuery } from '../traffic/traffic-store.ts'
import { BAN_SHAPE, EVENT_SHAPE } from './answer-shapes.ts'
import { type ApiCall, ApiProblem, type ApiRoute } from './api-route.ts'
import { MOST_OF_ID, queryNumber, queryText } from './call-values.ts'
import { eventRow } from './event-row.ts'

const VERDICTS: readonly Verdict[] = ['allow', 'observed', 'throttle', 'challenge', 'deny']
const PAGE = 200

/** Lists of what happened: requests, findings, one actor. */
export const eventRoutes: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/events',
    role: 'viewer',
    summary: 'Kept events, newest first; all conditions must match.',
    query: {
      verdict: {
        type: 'string',
        description: 'One or several, separated by commas.',
        values: VERDICTS,
      },
      type: { type: 'string', description: '`http`, `finding`, ...' },
      rule: { type: 'string', description: 'The decisive rule.' },
      route: { type: 'string', description: 'Pattern of the route.' },
      address: { type: 'string', description: 'Client address.' },
      principal: { type: 'string', description: 'Id of who acted.' },
      instance: { type: 'string', description: 'Name of the instance that kept them.' },
      from: { type: 'integer', description: 'Epoch milliseconds of the oldest.' },
      before: { type: 'integer', description: '`id` of the last event of the page before.' },
      limit: { type: 'integer', description: '1 to 1000. Default: 200.' },
    },
    answer: '`events`: rows; further pages with `before`.',
    shape: { events: [EVENT_SHAPE] },
    handle: async call => {
      await call.parts.flush()
      const events = await call.parts.traffic.find(trafficQuery(call))
      return { events: events.map(eventRow) }
    },
  },
  {
    method: 'GET',
    // Not in the path: a browser takes away `.` and `..`, and proxies decode a slash.
    path: '/actor',
    role: 'viewer',
    summary: 'One actor: what it did, where it stands in limits, and the bans that apply to it.',
    query: {
      kind: { type: 'string', required: true, description: 'What it is.', values: ['address', 'principal'] },
      value: { type: 'string', required: true, description: 'The address, or the id of the principal.' },
    },
    answer: '`events` newest first, `findings`, `limits`, `bans`.',
    shape: {
      now: 'time',
      kind: 'address|principal',
      value: 'string',
      events: [EVENT_SHAPE],
      findings: [EVENT_SHAPE],
      limits: [
        {
          name: 'string',
          kind: 'window|gcra|concurrency',
          limit: 'number',
          window: 'string',
          remaining: 'number',
          retryAfter: 'number',
        },
      ],
      bans: [BAN_SHAPE],
    },
    handle: actor,
  },
]

function trafficQuery(call: ApiCall): TrafficQuery {
  const verdicts = queryText(call, 'verdict')?.split(',')
  if (verdicts?.some(text => !VERDICTS.includes(text as Verdict)) === true)
    throw new ApiProblem(400, `verdict: must be of ${VERDICTS.join(', ')}`)
  const optional = Object.fromEntries(
    (['type', 'rule', 'route', 'address', 'principal', 'instance'] as const)
      .map(name => [name, queryText(call, name)] as const)
      .filter(([, value]) => value !== undefined),
  )
  return {
    ...optional,
    ...(verdicts !== undefined && { verdicts: verdicts as readonly Verdict[] }),
    from: queryNumber(call, 'from', { fallback: 0, least: 0, most: Number.MAX_SAFE_INTEGER }),
    before: queryNumber(call, 'before', {
      fallback: Number.MAX_SAFE_INTEGER,
      least: 0,
      most: Number.MAX_SAFE_INTEGER,
    }),
    limit: queryNumber(call, 'limit', { fallback: PAGE, least: 1, most: 1_000 }),
  }
}

async function actor(call: ApiCall): Promise<unknown> {
  const { parts } = call
  const kind = queryText(call, 'kind')
  const value = queryText(call, 'value', MOST_OF_ID)
  if (kind !== 'address' && kind !== 'principal')
    throw new ApiProblem(400, 'kind: must be address or principal')
  if (value === undefined) throw new ApiProblem(400, 'value: must name an address or a principal')
  const who = kind === 'address' ? { address: value } : { principal: value }
  await parts.flush()
  const events = await parts.traffic.find({ ...who, limit: PAGE })
  const findings = await parts.traffic.find({ ...who, type: 'finding', limit: 50 })
  return {
    now: parts.clock.now(),
    kind,
    value,
    events: events.map(eventRow),
    findings: findings.map(eventRow),
    limits: await parts.limits(value).catch(() => []),
    bans: parts.remediations.why(who).map(ban => ({ ...ban, actor: formatActor(ban.actor) })),
  }
}
