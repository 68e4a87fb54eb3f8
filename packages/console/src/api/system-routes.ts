import { ABOUT_SHAPE, HEALTH_SHAPE, SIZE_SHAPE } from './answer-shapes.ts'
import { type ApiCall, ApiProblem, type ApiRoute } from './api-route.ts'
import type { AttackName } from './console-parts.ts'
import { ROLES } from './console-session.ts'
import { openApiDocument } from './open-api.ts'
import { signInOperations } from './sign-in-operations.ts'

const ATTACKS: readonly AttackName[] = ['sql-injection', 'path-traversal', 'password-guessing']

/** Who is signed in, what runs here, and the attacks of the first minute. */
export const systemRoutes = (all: () => readonly ApiRoute[]): readonly ApiRoute[] => [
  {
    method: 'GET',
    path: '/session',
    role: 'viewer',
    summary: 'Who is signed in.',
    answer: '`name`, `roles`, and what the console belongs to.',
    shape: { name: 'string', roles: [ROLES.join('|')], ...ABOUT_SHAPE },
    handle: ({ session, parts }) => ({ name: session.name, roles: [...session.roles], ...parts.about() }),
  },
  {
    method: 'GET',
    path: '/openapi.json',
    role: 'viewer',
    summary: 'This document.',
    answer: 'OpenAPI 3.1.',
    shape: {
      openapi: 'string',
      info: 'map',
      servers: ['map'],
      security: ['map'],
      paths: 'map',
      components: 'map',
    },
    handle: () => openApiDocument(all(), signInOperations),
  },
  {
    method: 'GET',
    path: '/health',
    role: 'viewer',
    summary: 'The health of every part, as `/readyz` of the admin listener.',
    answer: '`parts`.',
    shape: { parts: [HEALTH_SHAPE] },
    handle: ({ parts }) => ({ parts: parts.health() }),
  },
  {
    method: 'GET',
    path: '/system',
    role: 'viewer',
    summary:
      'The process: versions, memory, delay of the event loop, workers, stores, lost events, health of every part.',
    answer: 'The reading, and `parts` as `/readyz` has them.',
    shape: {
      instance: 'string',
      versions: 'map',
      uptime: 'number',
      memory: { resident: 'integer', heapUsed: 'integer', heapTotal: 'integer' },
      eventLoopDelay: { mean: 'number', p99: 'number', max: 'number' },
      workers: 'integer',
      stores: [{ name: 'string', kind: 'string' }],
      lost: 'map',
      parts: [HEALTH_SHAPE],
      traffic: SIZE_SHAPE,
    },
    handle: async ({ parts }) => ({
      ...parts.system(),
      parts: parts.health(),
      traffic: await parts.traffic.size(),
    }),
  },
  {
    method: 'GET',
    path: '/instances',
    role: 'viewer',
    summary: 'The gateways that share this traffic, this one first.',
    answer:
      '`instances`; `isSame`: whether the configuration in force there is the one here. Without PostgreSQL there is one.',
    shape: {
      instances: [
        {
          name: 'string',
          gateway: 'string',
          version: 'string',
          startedAt: 'time',
          seenAt: 'time',
          isSame: 'boolean',
        },
      ],
    },
    handle: async ({ parts }) => {
      const all = await parts.instances()
      const own = all[0]?.configuration
      return {
        instances: all.map(({ configuration, ...instance }) => ({
          ...instance,
          isSame: configuration === own,
        })),
      }
    },
  },
  {
    method: 'GET',
    path: '/system/doctor',
    role: 'operator',
    summary:
      'Every check of `postern doctor`, with how to fix what is wrong. It asks every store, and takes some seconds.',
    answer: '`findings`, and `ok`: whether none is bad.',
    shape: {
      ok: 'boolean',
      findings: [{ check: 'string', state: 'ok|warn|bad', detail: 'string', hint: 'string?' }],
    },
    handle: async ({ parts }) => {
      const findings = await parts.diagnose()
      return { ok: findings.every(({ state }) => state !== 'bad'), findings }
    },
  },
  {
    method: 'POST',
    path: '/alerts/test',
    role: 'operator',
    summary: 'Sends a test alert to every service of `alerts`.',
    answer: '`problems`, a sentence each; none when it arrived everywhere.',
    shape: { problems: ['string'] },
    handle: async ({ parts, session }) => {
      if (parts.testAlerts === undefined)
        throw new ApiProblem(404, 'no alerts are configured: set alerts in the configuration')
      await parts.record({ action: 'alerts.test', resource: { type: 'alerts' } }, session.name)
      return { problems: await parts.testAlerts() }
    },
  },
  {
    method: 'POST',
    path: '/attacks/{name}',
    role: 'operator',
    summary:
      'Sends a well-known attack through the gateway, to see that it is refused: sql-injection, path-traversal or password-guessing.',
    answer: '`statuses` that came back, and the `requests` ids to look up.',
    shape: { sent: 'integer', statuses: ['integer'], requests: ['string'] },
    handle: attack,
  },
]

async function attack({ parts, path, session }: ApiCall): Promise<unknown> {
  const name = ATTACKS.find(known => known === path['name'])
  if (name === undefined)
    throw new ApiProblem(404, `there is no such attack; there are ${ATTACKS.join(', ')}`)
  await parts.record({ action: 'attack.try', resource: { type: 'gateway' }, data: { name } }, session.name)
  return parts.attack(name)
}
