import type { SqlClient } from '@postern/store'
import { subjectName } from '../entry/entry.ts'
import type { AuditQuery } from '../reader/audit-query.ts'
import { columnText } from './column-text.ts'
import { searchToken } from './postgres-subjects.ts'

/** Conditions on `audit_entries` with the values of their parameters. */
export interface EntryConditions {
  readonly where: readonly string[]
  readonly values: readonly unknown[]
}

/** A query (except its text) in SQL; undefined when nothing can match. */
export async function entryConditions(
  client: SqlClient,
  searchKey: Uint8Array,
  query: AuditQuery,
): Promise<EntryConditions | undefined> {
  const where: string[] = ['true']
  const values: unknown[] = []
  const add = (condition: string, value: unknown): void => {
    if (value === undefined) return
    values.push(value)
    where.push(condition.replace('?', `$${values.length}`))
  }
  const addText = (column: string, text: string | undefined): void =>
    add(`${column} = ?`, text === undefined ? undefined : columnText(text))
  addText('tenant', query.tenant)
  addText('type', query.type)
  addText('action', query.action)
  addText('resource', query.resource?.type)
  addText('resource_id', query.resource?.id)
  addText('decision', query.decision)
  addText('request', query.request)
  add('time >= ?', query.from)
  add('time < ?', query.to)
  if (query.address !== undefined) {
    add(
      '(subject, address) IN (SELECT subject, address FROM audit_addresses WHERE token = ?)',
      searchToken(searchKey, 'address', query.address),
    )
  }
  if (query.principal !== undefined) {
    const subjects = await subjectsOf(client, searchKey, query.principal, query.tenant)
    if (subjects.length === 0) return undefined
    add('subject = ANY(?)', subjects)
  }
  return { where, values }
}

async function subjectsOf(
  client: SqlClient,
  searchKey: Uint8Array,
  principal: string,
  tenant: string | undefined,
): Promise<readonly string[]> {
  const tenants =
    tenant === undefined
      ? (await client.query<{ tenant: string }>('SELECT tenant FROM audit_tenants')).rows.map(
          row => row.tenant,
        )
      : [tenant]
  const names = tenants.map(name =>
    searchToken(searchKey, 'subject', subjectName({ tenant: name, principal })),
  )
  const { rows } = await client.query<{ id: string }>(
    'SELECT id FROM audit_subjects WHERE name = ANY($1::bytea[])',
    [names],
  )
  return rows.map(({ id }) => id)
}
