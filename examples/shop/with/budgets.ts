// npm start -- --with budgets: the shop with Postern in its process. Nobody deletes many orders at once;
// more takes the consent of whoever runs the shop, and what was deleted can be put back.
import { join } from 'node:path'
import type { Budgets } from '@postern/access'
import { type Config, defineConfig } from 'postern'

const { OWNER_URL, SHOP_DATA } = process.env

export const budgets: Budgets = {
  'purchase.delete': { rows: 50, window: '1h', over: 'approval' },
  'purchase_line.delete': { rows: 200, window: '1h', over: 'approval' },
}

const config: Config = defineConfig({
  dataDirectory: SHOP_DATA === undefined ? '.postern' : join(SHOP_DATA, 'postern'),
  budgets,
  // Only PostgreSQL counts under roles of its own, and keeps what was deleted.
  ...(OWNER_URL !== undefined && {
    budgetDatabase: {
      url: '${OWNER_URL}',
      claimKeys: ['${CLAIM_KEY}'],
      grantKeys: ['${GRANT_KEY}'],
      journalKeys: ['${JOURNAL_KEY}'],
    },
  }),
  routes: {
    'DELETE /api/orders/:id': { budget: 'purchase.delete' },
    'POST /api/orders/delete': {
      budget: ['purchase.delete', 'purchase_line.delete'],
      approve: { by: 'role:admin', rows: 5_000, when: 'over' },
    },
    'POST /admin/orders/delete': {
      budget: ['purchase.delete', 'purchase_line.delete'],
      approve: { by: 'role:admin', rows: 5_000, when: 'over' },
    },
  },
})

export default config
