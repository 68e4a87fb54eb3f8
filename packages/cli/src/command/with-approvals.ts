import { type Approval, type Approvals, calledBy, peopleIn } from '@postern/access'
import { systemClock } from '@postern/core'
import { approvalsOf, Connections, type OperatorAct, openIdentity, recordOperator } from '@postern/runtime'
import type { CommandContext, CommandOptions } from './command.ts'
import { safe } from './output.ts'
import { loadSetup } from './setup.ts'

/** Accounts of built-in identity, where the configuration has them. */
export interface People {
  /** What those are called who stand in requests as `user:ID`. */
  namesIn(approvals: readonly Approval[]): Promise<Readonly<Record<string, string>>>
}

/**
 * Opens the approvals of the configuration for one piece of work and closes them after it.
 * @param act what the work changes, for the log; absent when it only reads
 * @throws ConfigError for a bad configuration; StoreError when they cannot be read
 */
export async function withApprovals<T>(
  options: CommandOptions,
  context: CommandContext,
  work: (approvals: Approvals, people: People) => Promise<T>,
  act?: OperatorAct,
): Promise<T> {
  const setup = await loadSetup(options, context)
  const connections = new Connections(setup.config, setup.dataDirectory, 'existing')
  const identity = await openIdentity(setup, connections, () => {})
  try {
    // Who runs the machine is in the log as an operator, so approvals record nothing here by themselves.
    const approvals = approvalsOf(setup.config.approvals, connections, {
      namesOf: identity === undefined ? undefined : name => identity.accounts.namesOf(name),
    })
    const people: People = {
      namesIn: async list => (await identity?.accounts.callNames(peopleIn(list))) ?? {},
    }
    if (act === undefined) return await work(approvals, people)
    return await recordOperator(setup, act, systemClock, () => work(approvals, people))
  } finally {
    await identity?.close()
    await connections.close()
  }
}

/** One request as lines for people. @param sample whether the rows it shows are shown here */
export function approvalLines(
  approval: Approval,
  sample: 'with-sample' | 'without-sample',
  names: Readonly<Record<string, string>>,
): readonly string[] {
  const { act, preview } = approval
  const called = (actor: string): string => calledBy(actor, names)
  const lines = [
    `${approval.id}  ${approval.state}  ${act.action} ${act.resource}`,
    ...approval.behind.map(actor => `  asked by   ${called(actor)}`),
    ...(approval.owner === '' ? [] : [`  asked by   an agent of ${called(approval.owner)}`]),
    `  decides    ${approval.by.map(called).join(' or ')}${approval.tenant === '' ? '' : ` of tenant ${approval.tenant}`}`,
    `  until      ${new Date(approval.expiresAt).toISOString()}`,
  ]
  if (approval.reason !== '') lines.push(`  why        ${approval.reason}`)
  if (preview.summary !== undefined) lines.push(`  effect     ${preview.summary}`)
  for (const [table, count] of Object.entries(preview.rows ?? {}))
    lines.push(`  rows       ${table}: ${count}`)
  if (approval.decidedBy !== undefined) lines.push(`  decided by ${approval.decidedBy} ${approval.note}`)
  if (sample === 'with-sample') {
    lines.push(`  arguments  ${JSON.stringify(act.arguments)}`)
    for (const line of preview.body?.split('\n') ?? []) lines.push(`  body       ${line}`)
    for (const row of preview.sample ?? []) lines.push(`  sample     ${JSON.stringify(row)}`)
  }
  return lines.map(safe)
}
