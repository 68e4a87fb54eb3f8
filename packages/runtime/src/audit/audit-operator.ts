import { userInfo } from 'node:os'
import { enterInPostgres } from '@postern/audit'
import type { LoadedConfig } from '@postern/config'
import type { Clock, Event, Json } from '@postern/core'
import { Connections } from '../stores/connections.ts'
import { isAuditInPostgres, requirePostgres } from './audit.ts'
import { AuditOutbox } from './audit-outbox.ts'

/** Something that an operator does to a running system, named as the command is. */
export interface OperatorAct {
  /** `limits.set`, `bouncers.add` */
  readonly action: string
  /** What it is done to; readable forever, so no person. */
  readonly resource: { readonly type: string; readonly id?: string }
  /** The rest, sealed under the operator's key. Never a secret. */
  readonly data?: { readonly [key: string]: Json }
}

/** An operator's act as an event. @param operator the account on this machine */
export function operatorEvent(act: OperatorAct, clock: Clock, operator: string = accountName()): Event {
  const { action, resource, data } = act
  return {
    type: 'operator',
    time: clock.now(),
    actor: { principal: `operator:${operator.slice(0, 100)}` },
    action,
    resource,
    ...(data !== undefined && { data }),
  }
}

/** The account that started this process, also where it acts for another one. */
export function accountName(): string {
  if (process.getuid?.() === 0 && process.geteuid?.() !== 0) return 'root'
  try {
    return userInfo().username
  } catch {
    // A container may run under a number that no account has.
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}

/**
 * The promise `before` for an act of the command line: that it is meant is durable before it is done, and
 * that it failed is said after it. In the data directory it waits in an outbox for the process that has the
 * log.
 * @param work receives what adds another event to the log, for what is only known once it is done
 * @throws StoreError when it cannot be made durable; then nothing was done. Else whatever the work throws
 */
export async function recordOperator<T>(
  place: LoadedConfig & { readonly dataDirectory: string },
  act: OperatorAct,
  clock: Clock,
  work: (enter: (event: Event) => Promise<void>) => Promise<T>,
): Promise<T> {
  if (place.config.audit === false) return await work(async () => {})
  const connections = new Connections(place.config, place.dataDirectory)
  try {
    const enter = async (event: Event): Promise<void> => {
      if (isAuditInPostgres(place)) await enterInPostgres(requirePostgres(connections), event)
      else new AuditOutbox(connections.sqlite).put(event)
    }
    await enter(operatorEvent(act, clock))
    try {
      return await work(enter)
    } catch (error) {
      // The name alone: messages may quote what was handled.
      const failed = error instanceof Error ? error.name : 'unknown'
      await enter(operatorEvent({ ...act, data: { ...act.data, failed } }, clock))
      throw error
    }
  } finally {
    await connections.close()
  }
}
