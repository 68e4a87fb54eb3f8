import { makersOf } from '@postern/access/start'
import type { CompiledConfig } from '@postern/config'
import { type Principal, StoreError } from '@postern/core'
import type { BuiltInIdentity } from '@postern/identity/built-in'
import { asksForConsent } from './open-access.ts'

const MOST_NAMED = 10

/**
 * What an operator should know of who may approve: machines of which nobody is the maker, so that whoever
 * holds their credential may approve what they ask for, and those whose makers are the only approvers.
 * Nothing where no route asks for consent.
 */
export async function makerNotes(
  config: CompiledConfig,
  identity: Pick<BuiltInIdentity, 'apiKeys'> | undefined,
): Promise<readonly string[]> {
  if (!asksForConsent(config)) return []
  const { makers = {} } = config.approvals
  const isOwned = makersOf(makers)
  // A start does not wait for a store that is away; the next one finds what is in it.
  const keys = (await identity?.apiKeys.listAll().catch(noneWhereAway)) ?? []
  const keysOfNobody = keys
    .filter(key => key.owner.kind === 'service' && key.createdBy === undefined && key.revokedAt === undefined)
    .map(key => service(key.owner.id))
  const clients = (config.identity?.oauth?.clients ?? [])
    .filter(({ grants }) => grants.includes('credentials'))
    .map(({ id }) => service(id))
  const named = [...keysOfNobody, ...clients].filter(machine => isOwned(machine).length === 0)
  const without = [...new Set(named.map(({ id }) => `service:${id}`)), ...unnamedMachines(config, isOwned)]
  const vain = Object.entries(makers).flatMap(([machine, given]) =>
    soleApprovers(config, machine, [given].flat()),
  )
  const more = vain.length - MOST_NAMED
  return [
    ...(without.length === 0 ? [] : [sentenceOf(without)]),
    ...vain.slice(0, MOST_NAMED),
    ...(more > 0 ? [`approvals: ${more} more routes that nobody can approve for a machine`] : []),
  ]
}

function noneWhereAway(error: unknown): readonly [] {
  if (error instanceof StoreError) return []
  throw error
}

function service(id: string): Principal {
  return { kind: 'service', id }
}

/** Machines that only their credential names, so that none is known before it comes. */
function unnamedMachines(
  { identify }: CompiledConfig,
  isOwned: (principal: Principal) => readonly string[],
): readonly string[] {
  if (isOwned(service('*')).length > 0 || identify === undefined) return []
  const { by } = identify
  if (typeof by === 'string' || typeof by === 'function') return []
  return by.methods.some(({ mtls }) => mtls !== undefined) ? ['client certificates with another name'] : []
}

function sentenceOf(machines: readonly string[]): string {
  const more = machines.length > MOST_NAMED ? ` and ${machines.length - MOST_NAMED} more` : ''
  return `approvals: whoever holds the credential of ${machines.slice(0, MOST_NAMED).join(', ')}${more} may approve what it asks for; name whose they are in approvals.makers`
}

/** Routes for which a machine gets no consent, because all who may approve are its makers. */
function soleApprovers(
  { routes }: CompiledConfig,
  machine: string,
  makers: readonly string[],
): readonly string[] {
  return [...routes.guarded].flatMap(([pattern, { approve }]) => {
    const by = approve === undefined ? [] : [approve.by].flat()
    return by.length > 0 && by.every(rule => makers.includes(rule))
      ? [`approvals: nobody can approve "${pattern}" for ${machine}: all who may are its makers`]
      : []
  })
}
