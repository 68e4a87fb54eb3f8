import { formatActor, parseActor } from '@postern/remediate'
import { BAN_SHAPE } from './answer-shapes.ts'
import { type ApiCall, ApiProblem, type ApiRoute } from './api-route.ts'
import { bodyText } from './call-values.ts'

const MEASURES = ['block', 'throttle', 'challenge'] as const

/** Bans, throttles and challenges: what `postern ban` and `unban` do. */
export const banRoutes: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/bans',
    role: 'viewer',
    summary: 'Active remediations, and the bouncers that may read them.',
    answer:
      '`bans`, those that expire last first; `bouncers`; `instances` on which the bans hold: all that share the store, else this one.',
    shape: { instances: ['string'], now: 'time', bans: [BAN_SHAPE], bouncers: ['string'] },
    handle: async ({ parts }) => ({
      instances: await heldOn(parts),
      now: parts.clock.now(),
      bans: parts.remediations.list().map(ban => ({ ...ban, actor: formatActor(ban.actor) })),
      bouncers: await parts.bouncers(),
    }),
  },
  {
    method: 'POST',
    path: '/bans',
    role: 'operator',
    summary: 'Sets a remediation that every instance on the same store obeys within a second.',
    body: {
      actor: {
        type: 'string',
        required: true,
        description: '`192.0.2.7`, `10.1.0.0/16`, `principal:alice`, `tenant:acme`.',
      },
      measure: { type: 'string', values: MEASURES, description: 'Default: block.' },
      for: { type: 'string', description: 'How long: `4h`. Default: 4h.' },
      reason: { type: 'string', description: 'Why, for other operators.' },
    },
    answer: 'The measure.',
    shape: BAN_SHAPE,
    handle: ban,
  },
  {
    method: 'DELETE',
    path: '/bans/{id}',
    role: 'operator',
    summary: 'Ends one measure.',
    answer: '`ended`: how many were ended.',
    shape: { ended: 'integer' },
    handle: async ({ parts, path, session }) => {
      const { id = '' } = path
      const standing = parts.remediations.list(100_000).find(ban => ban.id === id)
      if (standing === undefined) throw new ApiProblem(404, 'there is no such measure, or it ended by itself')
      await parts.record(
        { action: 'unban', resource: { type: 'actor' }, data: { actor: formatActor(standing.actor) } },
        session.name,
      )
      return { ended: (await parts.remediations.remove(id)).length }
    },
  },
]

/** Names of the instances on which bans hold. */
async function heldOn(parts: ApiCall['parts']): Promise<readonly string[]> {
  const instances = await parts.instances()
  return (parts.sharesBans ? instances : instances.slice(0, 1)).map(({ name }) => name)
}

async function ban(call: ApiCall): Promise<unknown> {
  const { parts, session } = call
  const measure = MEASURES.find(known => known === bodyText(call, 'measure', 'block'))
  if (measure === undefined) throw new ApiProblem(400, `measure: must be one of ${MEASURES.join(', ')}`)
  const request = {
    actor: parseActor(bodyText(call, 'actor').trim()),
    measure,
    for: bodyText(call, 'for', '4h'),
    reason: bodyText(call, 'reason', '') || 'set by hand',
  }
  const actor = formatActor(request.actor)
  await parts.record(
    {
      action: 'ban',
      resource: { type: 'actor' },
      data: { actor, measure, for: request.for, reason: request.reason },
    },
    session.name,
  )
  return { ...(await parts.remediations.add(request)), actor }
}
