import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ApprovalRefused } from '@postern/access'
import { loadConfig } from '@postern/config'
import type { Act, Principal } from '@postern/core'
import { type ApproverAccounts, openAccess } from '../src/access/open-access.ts'
import { Connections } from '../src/stores/connections.ts'

const ALICE: Principal = { kind: 'user', id: 'alice' }

const CASES: readonly (readonly [
  name: string,
  by: string,
  account: Awaited<ReturnType<ApproverAccounts['byId']>>,
  used: boolean,
])[] = [
  ['still has the role', 'role:owner', { roles: ['owner'], disabledAt: undefined }, true],
  ['lost the role', 'role:owner', { roles: ['support'], disabledAt: undefined }, false],
  ['was disabled', 'role:owner', { roles: ['owner'], disabledAt: 1 }, false],
  ['was disabled, and was named', 'user:olga', { roles: [], disabledAt: 1 }, false],
  ['was named', 'user:olga', { roles: [], disabledAt: undefined }, true],
  ['has a role in an organisation', 'role:tenant:owner', { roles: [], disabledAt: undefined }, true],
  ['has an account elsewhere', 'role:owner', undefined, true],
]
const OWNER = { roles: ['owner'], disabledAt: undefined }
const CHANGED: typeof CASES = [
  ['lost the role and has it again', 'role:owner', OWNER, false],
  ['was disabled and is enabled again, and was named', 'user:olga', OWNER, false],
  ['was deleted', 'role:owner', undefined, false],
]
const ALL = [
  ...CASES.map(given => [...given, 'never'] as const),
  ...CASES.map(given => [...given, 'before'] as const),
  ...CHANGED.map(given => [...given, 'after'] as const),
]
for (const [name, by, account, isUsed, changed] of ALL)
  test(`the consent of somebody who ${name} is ${isUsed ? '' : 'not '}used, rights changed: ${changed}`, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-standing-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const loaded = await loadConfig({
      config: { identify: () => ALICE, routes: { 'DELETE /orders': { approve: { by } } } },
      folder,
      environment: {},
    })
    const connections = new Connections(loaded.config, folder)
    t.after(() => connections.close())
    const began = Date.now()
    const opened = await openAccess({
      loaded,
      connections,
      notices: 'leave',
      approvers: {
        byId: async id => (id === 'olga' ? account : undefined),
        rightsChangedAt: async () =>
          changed === 'never' ? undefined : changed === 'before' ? began - 1 : Date.now(),
      },
    })
    t.after(() => opened.close())
    const { approvals = assert.fail('there are no approvals') } = opened
    const act: Act = { actor: 'user:alice', action: 'DELETE /orders', resource: '', arguments: null }
    const { id } = await approvals.request({ act, principal: ALICE, by })
    await approvals.decide(id, { kind: 'user', id: 'olga', roles: [by.slice('role:'.length)] }, 'approve')
    const using = approvals.redeem(id, act, ALICE)
    if (isUsed) assert.equal((await using).approvedBy, 'user:olga')
    else await assert.rejects(using, ApprovalRefused)
  })
