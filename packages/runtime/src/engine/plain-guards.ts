import type { LoadedConfig } from '@postern/config'
import type { Clock, Guard } from '@postern/core'
import { clientGuard, protocolGuard } from '@postern/protocol'
import { accessGuards } from '../guards/access-guards.ts'
import { contentGuard } from '../guards/content-guard.ts'
import { parameterGuards } from '../guards/parameter-guards.ts'
import { replayResources } from './replay-engine.ts'

/** What a configuration says about a request by itself, whatever came before it, in the order of asking. */
export const PLAIN_PARTS = ['clients', 'protocol', 'access', 'parameters', 'inspect'] as const

/** One of `PLAIN_PARTS`. */
export type PlainPart = (typeof PLAIN_PARTS)[number]

/**
 * The guards of one configuration whose answers depend on nothing but the request, in the order in which they
 * are asked: two configurations are compared by them without deciding everything.
 * @throws ConfigError for what only shows when it is put together
 */
export async function plainGuards(
  loaded: LoadedConfig,
  parts: ReadonlySet<PlainPart>,
  clock: Clock,
): Promise<readonly Guard[]> {
  const { config } = loaded
  const guards: Guard[] = []
  if (parts.has('clients') && (!config.block.isEmpty || config.routes.haveClients))
    guards.push(clientGuard(config))
  if (parts.has('protocol') && config.protocol !== false)
    guards.push(protocolGuard({ ...config.protocol, routes: config.routes.table, readForms: false }))
  if (parts.has('access')) {
    const { identify: _, ...rest } = config
    guards.push(...accessGuards(rest, await replayResources(loaded, clock)).guards)
  }
  if (parts.has('parameters')) guards.push(...parameterGuards(loaded, undefined))
  const inspection = parts.has('inspect')
    ? contentGuard(config, loaded, { parameterTypes: undefined }).guard
    : undefined
  if (inspection !== undefined) guards.push(inspection)
  return guards
}
