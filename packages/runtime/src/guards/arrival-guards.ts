import type { CompiledConfig } from '@postern/config'
import type { Guard } from '@postern/core'
import { clientGuard, protocolGuard } from '@postern/protocol'
import { honeyGuard, type RemediationGuardOptions, remediationGuard } from '@postern/remediate'
import type { Resources } from '../resources/resources.ts'

/** Methods of ordinary applications. */
export const PLAIN_METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/**
 * The guards that know nothing but a request's address and head: clients refused by name, remediations, HTTP
 * itself, traps.
 */
export function arrivalGuards(
  config: CompiledConfig,
  { remediations }: Resources,
  remediationOptions: RemediationGuardOptions,
): readonly Guard[] {
  const guards: Guard[] = []
  if (!config.block.isEmpty || config.routes.haveClients) guards.push(clientGuard(config))
  if (config.remediations !== false) guards.push(remediationGuard(remediations, remediationOptions))
  if (config.protocol !== false)
    guards.push(
      protocolGuard({
        ...config.protocol,
        routes: config.routes.table,
        readForms: dependsOnMethod(config),
        readBatches: true,
      }),
    )
  if (hasTraps(config))
    guards.push(honeyGuard({ ...config.honey, routes: config.routes.traps, remediations }))
  return guards
}

/**
 * Whether it makes a difference which method a posted form asks to be treated as: else its body need not be
 * waited for.
 */
function dependsOnMethod({ protocol, routes, limits, schema }: CompiledConfig): boolean {
  if (routes.dependOnMethod || schema.enforce !== undefined) return true
  if (limits.some(limit => limit.routes?.some(pattern => !/^(?:POST )?\//.test(pattern)))) return true
  if (protocol === false) return false
  return (
    protocol.methodOverride !== undefined || PLAIN_METHODS.some(method => !protocol.methods.includes(method))
  )
}

function hasTraps(config: CompiledConfig): boolean {
  const { fields, records } = config.honey
  return fields.length + records.length + config.routes.traps.length > 0
}
