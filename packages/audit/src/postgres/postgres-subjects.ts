import { createHmac } from 'node:crypto'
import type { RandomSource } from '@postern/core'
import type { SqlClient } from '@postern/store'
import { type Subject, subjectName } from '../entry/entry.ts'
import type { SubjectKey } from '../entry/seal.ts'
import { INSERT_SUBJECTS } from './audit.sql.ts'

/** Tokens under the log's search key: names and addresses are in the database only in this form. */
export function searchToken(searchKey: Uint8Array, kind: 'subject' | 'address', text: string): Buffer {
  return createHmac('sha256', searchKey).update(`${kind}\n${text}`).digest()
}

interface KeyRow {
  readonly id: string
  readonly key: Buffer
}

/**
 * Keys of the given subjects, by subject name; missing ones are created. Call it under the sequencer's lock.
 */
export async function obtainKeys(
  client: SqlClient,
  subjects: readonly Subject[],
  searchKey: Uint8Array,
  random: RandomSource,
): Promise<ReadonlyMap<string, SubjectKey>> {
  const wanted = new Map(subjects.map(subject => [subjectName(subject), subject]))
  const tokens = new Map(
    [...wanted.keys()].map(name => [searchToken(searchKey, 'subject', name).toString('hex'), name]),
  )
  const { rows } = await client.query<KeyRow & { readonly name: Buffer }>(
    'SELECT id, name, key FROM audit_subjects WHERE name = ANY($1::bytea[])',
    [[...tokens.keys()].map(token => Buffer.from(token, 'hex'))],
  )
  const keys = new Map<string, SubjectKey>()
  for (const row of rows) keys.set(tokens.get(row.name.toString('hex')) ?? '', { id: row.id, key: row.key })
  const missing = [...wanted].filter(([name]) => !keys.has(name))
  if (missing.length > 0) {
    const made = missing.map(([name, subject]) => ({
      name,
      day: subject.day ?? null,
      id: Buffer.from(random.bytes(16)).toString('hex'),
      key: Buffer.from(random.bytes(32)),
    }))
    await client.query(INSERT_SUBJECTS, [
      made.map(({ id }) => id),
      made.map(({ name }) => searchToken(searchKey, 'subject', name)),
      made.map(({ key }) => key),
      made.map(({ day }) => day),
    ])
    for (const { name, id, key } of made) keys.set(name, { id, key })
  }
  return keys
}

/** Keys by their ids, those that were not destroyed. */
export async function keysById(
  client: SqlClient,
  ids: readonly string[],
): Promise<ReadonlyMap<string, SubjectKey>> {
  if (ids.length === 0) return new Map()
  const { rows } = await client.query<KeyRow>('SELECT id, key FROM audit_subjects WHERE id = ANY($1)', [ids])
  return new Map(rows.map(({ id, key }) => [id, { id, key }]))
}
