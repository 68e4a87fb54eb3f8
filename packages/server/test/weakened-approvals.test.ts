import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkConfig, configOfText, type LoadedConfig } from '@postern/config'
import { weakenedApprovals } from '../src/console/weakened-approvals.ts'

const ROUTES = {
  'DELETE /api/orders/:id': { approve: { by: 'role:owner', ttl: '1h' }, require: { role: 'support' } },
  '/admin/**': { require: { role: 'admin' } },
  '/api/**': { throttle: '100/1m' },
}
const BUDGETS = {
  'orders.delete': { rows: 50, window: '1h', over: 'approval' },
  'notes.delete': { rows: 50, window: '1h' },
}
const BASE = {
  routes: ROUTES,
  budgets: BUDGETS,
  identify: [{ proxy: { from: ['10.0.0.1'], user: 'x-user' } }],
}

function configured(value: object): LoadedConfig {
  return checkConfig(configOfText('/srv/postern.config.json', JSON.stringify(value)), {})
}
const touched = (next: object, before: object = BASE): readonly string[] =>
  weakenedApprovals(configured(before), configured(next))
const withRoutes = (routes: object): object => ({ ...BASE, routes: { ...ROUTES, ...routes } })
const DELETE = 'DELETE /api/orders/:id'
const ALL_ROUTES = [
  `routes["${DELETE}"].approve`,
  `routes["${DELETE}"].require`,
  'routes["/admin/**"].require',
]

describe('a change of the settings in the console', () => {
  for (const [what, next, places] of [
    ['removes a consent', { ...BASE, routes: {} }, ALL_ROUTES],
    ['removes all routes', { budgets: BUDGETS, identify: BASE.identify }, ALL_ROUTES],
    [
      'lets others consent',
      withRoutes({ [DELETE]: { ...ROUTES[DELETE], approve: { by: ['role:owner', 'role:clerk'] } } }),
      [`routes["${DELETE}"].approve`],
    ],
    [
      'has a narrower pattern with easier consent',
      withRoutes({ 'DELETE /api/orders/1': { approve: { by: 'role:clerk' } } }),
      ['routes["DELETE /api/orders/1"].approve'],
    ],
    [
      'says of any method',
      withRoutes({ '/api/orders/1': { approve: { by: 'role:clerk' } } }),
      ['routes["/api/orders/1"].approve'],
    ],
    ['watches only', { ...BASE, mode: 'observe' }, ['mode']],
    [
      'watches only where consent is needed',
      withRoutes({ [DELETE]: { ...ROUTES[DELETE], mode: 'observe' } }),
      [`routes["${DELETE}"].mode`],
    ],
    [
      'lets a header say who somebody is',
      { ...BASE, identify: [{ proxy: { from: ['10.0.0.0/8'], user: 'x-user' } }] },
      ['identify'],
    ],
    [
      'raises a budget that asks for consent',
      { ...BASE, budgets: { ...BUDGETS, 'orders.delete': { rows: 5_000, window: '1h', over: 'approval' } } },
      ['budgets["orders.delete"]'],
    ],
    [
      'takes a budget that asks for consent away',
      { ...BASE, budgets: { 'notes.delete': BUDGETS['notes.delete'] } },
      ['budgets["orders.delete"]'],
    ],
    [
      'lets anybody ask for consent',
      withRoutes({ [DELETE]: { approve: ROUTES[DELETE].approve } }),
      [`routes["${DELETE}"].require`],
    ],
    [
      'drops a role from a route that needs no consent',
      withRoutes({ '/admin/**': {} }),
      ['routes["/admin/**"].require'],
    ],
    [
      'has a narrower pattern with an easier demand',
      withRoutes({ 'GET /admin/keys': { require: { kind: 'user' } } }),
      ['routes["GET /admin/keys"].require'],
    ],
    ['decides by other policies', { ...BASE, policies: './others.ts' }, ['policies']],
    ['keeps no log', { ...BASE, audit: false }, ['audit']],
    ['sends notices elsewhere', { ...BASE, approvals: { path: '/elsewhere' } }, ['approvals']],
  ] as const)
    test(`attack: it ${what}`, () => assert.deepEqual(touched(next), places))

  for (const [what, next] of [
    ['changes a limit', withRoutes({ '/api/**': { throttle: '5/1m' } })],
    ['blocks a client', { ...BASE, block: ['192.0.2.77'] }],
    [
      'asks for consent where none was needed',
      withRoutes({ 'POST /refunds': { approve: { by: 'role:owner' } } }),
    ],
    [
      'asks for a role where none was needed',
      withRoutes({ 'POST /refunds': { require: { role: 'clerk' } } }),
    ],
    [
      'changes a budget that refuses',
      { ...BASE, budgets: { ...BUDGETS, 'notes.delete': { rows: 5, window: '1h' } } },
    ],
  ] as const)
    test(`is free where it ${what}`, () => assert.deepEqual(touched(next), []))

  test('is free where no consent is asked for', () =>
    assert.deepEqual(touched({ mode: 'observe' }, { routes: { '/api/**': { throttle: '5/1m' } } }), []))
})
