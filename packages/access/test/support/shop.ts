import {
  all,
  allow,
  any,
  definePolicies,
  deny,
  eq,
  hasRole,
  type Membership,
  member,
  not,
  owns,
  type PolicySet,
  parent,
  principal,
  type ResourceType,
  resourceType,
} from '@postern/access'
import type { Principal } from '@postern/core'

/** A small shop: accounts own orders, teams look after them. */
export const account: ResourceType<'id' | 'tenant' | 'frozen'> = resourceType('account', {
  table: 'accounts',
  fields: { id: 'integer', tenant: 'text', frozen: 'boolean' },
})

export const order: ResourceType<'id' | 'customer' | 'account' | 'team' | 'status'> = resourceType('order', {
  table: 'orders',
  fields: {
    id: 'integer',
    customer: { type: 'text', column: 'customer_id' },
    account: { type: 'integer', column: 'account_id' },
    team: { type: 'text', column: 'team_id' },
    status: 'text',
  },
})

export const TEAM: Membership = { table: 'team_members', group: 'team_id', principal: 'user_id' }

export const shopPolicies: PolicySet = definePolicies([
  allow('customers read their own orders', {
    action: 'order.read',
    on: order,
    when: owns(order.fields.customer),
  }),
  allow('teams read and edit the orders they look after', {
    action: ['order.read', 'order.edit'],
    on: order,
    when: member(order.fields.team, TEAM),
  }),
  allow('support does everything with orders of its tenant', {
    action: 'order.*',
    on: order,
    when: all(
      hasRole('support'),
      parent(order.fields.account, account, eq(account.fields.tenant, principal.tenant)),
    ),
  }),
  allow('auditors read', { action: ['order.read', 'account.read'], when: hasRole('auditor') }),
  deny('nobody edits closed orders', {
    action: ['order.edit', 'order.delete'],
    on: order,
    when: any(eq(order.fields.status, 'closed'), not(eq(order.fields.status, order.fields.status))),
  }),
  deny('nothing is deleted while the account is frozen', {
    action: 'order.delete',
    on: order,
    when: parent(order.fields.account, account, eq(account.fields.frozen, true)),
  }),
])

export const ANN: Principal = { kind: 'user', id: 'ann', tenant: 'north' }
export const SUPPORT: Principal = { kind: 'user', id: 'sue', tenant: 'north', roles: ['support'] }
export const AUDITOR: Principal = { kind: 'user', id: 'aud', roles: ['auditor'] }
export const NOBODY: Principal = { kind: 'anonymous', id: '' }

/** Tables and rows, in SQL that both databases read. */
export const SHOP_SQL = `
  CREATE TABLE accounts (id INTEGER PRIMARY KEY, tenant TEXT, frozen BOOLEAN);
  CREATE TABLE team_members (team_id TEXT NOT NULL, user_id TEXT NOT NULL);
  CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id TEXT, account_id INTEGER, team_id TEXT, status TEXT);
  INSERT INTO accounts VALUES (1, 'north', FALSE), (2, 'south', FALSE), (3, 'north', TRUE), (4, NULL, NULL);
  INSERT INTO team_members VALUES ('red', 'ann'), ('blue', 'bob');
  INSERT INTO orders VALUES (1, 'ann', 1, NULL, 'open'), (2, 'bob', 1, 'red', 'closed'), (3, 'bob', 2, 'blue', 'open'),
    (4, NULL, 3, 'red', 'open'), (5, 'ann', NULL, NULL, NULL), (6, '', 4, '', 'open')`
