import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkConfig, configOfText, type LoadedConfig } from '@postern/config'
import { weakenedApprovals } from '../src/console/weakened-approvals.ts'

const ROUTES = {
  'DELETE /api/orders/:id': { approve: { by: 'role:owner', ttl: '1h' } },
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

describe('a change of the settings in the console', () => {
  for (const [what, next, places] of [
    ['removes a consent', { ...BASE, routes: {} }, [`routes["${DELETE}"].approve`]],
    ['removes all routes', { budgets: BUDGETS, identify: BASE.identify }, [`routes["${DELETE}"].approve`]],
    [
      'lets others consent',
      withRoutes({ [DELETE]: { approve: { by: ['role:owner', 'role:clerk'] } } }),
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
      'changes a budget that refuses',
      { ...BASE, budgets: { ...BUDGETS, 'notes.delete': { rows: 5, window: '1h' } } },
    ],
  ] as const)
    test(`is free where it ${what}`, () => assert.deepEqual(touched(next), []))

  test('is free where no consent is asked for', () =>
    assert.deepEqual(touched({ mode: 'observe' }, { routes: { '/api/**': { throttle: '5/1m' } } }), []))
})
