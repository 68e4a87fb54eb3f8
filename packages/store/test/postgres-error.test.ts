import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StoreError } from '@postern/core'
import pg from 'pg'
import { postgresError } from '../src/postgres-error.ts'

/** What the server says, with a SQLSTATE. */
function said(state: string): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError('refused', 7, 'error'), { code: state })
}

describe('what PostgreSQL refuses', () => {
  for (const [state, name] of [
    ['25006', 'a failover to a read-only server'],
    ['53300', 'no connection left'],
    ['53100', 'a full disk'],
    ['57014', 'a statement timeout'],
    ['57P01', 'a restart'],
    ['57P03', 'a start'],
    ['57P05', 'an idle session that was ended'],
    ['08P01', 'a pooler without a server'],
  ] as const)
    test(`${name} passes, so what waits to be written is kept`, () => {
      const error = postgresError(said(state), 'postgres a:1')
      assert.ok(error instanceof StoreError && error.retryable)
      assert.doesNotMatch(error.message, /refused$/)
    })

  for (const [state, name] of [
    ['28P01', 'a password that is wrong or has expired'],
    ['42501', 'a missing right'],
    ['3D000', 'a missing database'],
  ] as const)
    test(`${name} does not pass by itself`, () => {
      const error = postgresError(said(state), 'postgres a:1')
      assert.ok(error instanceof StoreError && !error.retryable)
    })
})
