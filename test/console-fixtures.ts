// What the API answers about policies, a vault and a week of attempts, made up: the tests of the API hold
// such answers against its schema.

export const POLICIES: object = {
  engine: 'postern',
  acts: [
    { action: 'order.read', type: 'order', needs: ['own orders', 'clerks'], unless: [] },
    { action: 'order.delete', type: 'order', needs: ['clerks'], unless: ['frozen'] },
    { action: 'refund', type: 'payment', needs: ['support leads'], unless: [] },
    { action: 'report.export', type: '', needs: ['analysts'], unless: [] },
  ],
  callers: [
    { caller: 'anonymous', answers: ['never', 'never', 'never', 'never'] },
    { caller: 'any user', answers: ['sometimes', 'never', 'never', 'never'] },
    { caller: 'role clerk', answers: ['always', 'always', 'never', 'never'] },
    { caller: 'role support-lead', answers: ['always', 'sometimes', 'always', 'never'] },
    { caller: 'scope reports', answers: ['never', 'never', 'never', 'always'] },
  ],
  routes: [
    { route: 'DELETE /orders/:id', needs: ['role support'] },
    { route: '/admin/**', needs: ['role admin', 'a sign-in of the last 10 minutes'] },
  ],
}

export const VAULT: object = {
  kept: true,
  columns: [
    { column: 'customers.iban', mode: 'sealed', state: 'complete', epoch: 3 },
    { column: 'customers.notes', mode: 'searchable', state: 'migrating', epoch: 2 },
  ],
  holders: [
    { id: 1, isUp: true, administrator: 'ann' },
    { id: 2, isUp: true, administrator: 'bob' },
    { id: 3, isUp: false },
  ],
  trustDomains: { count: 2, reasons: ['holders 1 and 3 run under one account'] },
  readings: [
    {
      path: '/srv/holder-1/holder.json',
      id: 1,
      frozen: { 'service:reports': 'opened a canary' },
      opened: 412,
      limit: 1_000,
      canaries: 12,
    },
    { path: '/srv/holder-2/holder.json', problem: 'its operator socket belongs to another account' },
  ],
}

/** Noon of the last day that the pictures show. */
const NOON = Date.UTC(2026, 10, 26, 12)

export const OPENINGS: object = {
  openers: [
    { who: 'support:maria', records: 182, requests: 90, tables: ['customers'], lastAt: NOON },
    { who: 'service:billing', records: 120, requests: 12, tables: ['customers', 'invoices'], lastAt: NOON },
  ],
  refusals: [{ time: NOON, who: 'service:reports', refused: 'budget of 1,000 records an hour' }],
  freezes: [{ time: NOON, who: 'service:reports', reason: 'opened a canary' }],
}

const HOURS = 168

/** More at night, a flood on one of them, and every country at hours of its own. */
function attempts(hour: number, country = 0): number {
  const ofDay = (hour + 13 + country * 5) % 24
  const wave = Math.max(0, Math.round(14 + 12 * Math.cos((ofDay / 24) * 2 * Math.PI) - ((hour * 7) % 11)))
  return wave + (hour === 98 && country === 0 ? 1_400 : 0)
}

export const ACTIVITY: object = {
  from: NOON - (HOURS - 1) * 3_600_000,
  hours: Array.from({ length: HOURS }, (_, i) => ({
    time: NOON - (HOURS - 1 - i) * 3_600_000,
    requests: 900 + attempts(i) * 30,
    refused: attempts(i),
  })),
  known: true,
  countries: ['NL', 'US', 'BR', 'VN', 'DE'].map((country, i) => ({
    country,
    requests: 1_000 * (9 - i),
    refused: 900 - i * 150,
    hours: Array.from({ length: HOURS }, (_, hour) => Math.round(attempts(hour, i) / (i + 1))),
  })),
}

export const APPROVALS: object = {
  kept: true,
  now: NOON,
  names: { 'user:maria': 'maria@shop.example (Maria)' },
  approvals: [
    {
      id: '0'.repeat(32),
      state: 'pending',
      act: { action: 'orders.purge', resource: 'orders', arguments: { before: '2026-01-01' } },
      digest: '00',
      tenant: 'shop',
      behind: ['user:maria'],
      owner: 'user:maria',
      by: ['role:support-lead'],
      rows: 120,
      budgets: ['orders'],
      preview: { summary: 'deletes 120 orders', rows: { orders: 120 }, body: 'DELETE /orders' },
      reason: 'spring cleaning',
      requestedAt: NOON - 60_000,
      expiresAt: NOON + 60_000,
      note: '',
    },
  ],
}

export const CHANGES: object = {
  kept: true,
  changes: [
    {
      id: 'c1',
      at: new Date(NOON).toISOString(),
      actor: 'user:maria',
      tenant: 'shop',
      tables: [{ table: 'orders', action: 'delete', rows: 120, undone: 0 }],
    },
  ],
}

export const FINDINGS: object = {
  events: [
    {
      id: 1,
      time: NOON,
      type: 'finding',
      verdict: 'allow',
      weight: 1,
      data: {
        scenario: 'guessing',
        title: 'Password guessing',
        severity: 'high',
        actorKind: 'address',
        actorValue: '203.0.113.7',
        count: 30,
        requests: ['b'.repeat(20)],
        measure: 'block',
      },
    },
  ],
}

export const OPERATORS: object = {
  operators: [
    {
      id: 'o1',
      name: 'opal@shop.example',
      roles: ['viewer', 'operator'],
      createdAt: NOON,
      isInvited: false,
      passkeys: [{ id: 'p1', name: 'laptop', createdAt: NOON }],
    },
  ],
}
