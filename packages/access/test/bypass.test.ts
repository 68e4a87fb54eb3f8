import { after, test } from 'node:test'
import { CATALOG_WAYS } from './bypass/catalog-ways.ts'
import { CLAIM_WAYS } from './bypass/claim-ways.ts'
import { SESSION_WAYS } from './bypass/session-ways.ts'
import { STATEMENT_WAYS } from './bypass/statement-ways.ts'
import { openTarget, tryWay } from './bypass/target.ts'

const target = await openTarget({ after })

for (const way of [...STATEMENT_WAYS, ...CLAIM_WAYS, ...SESSION_WAYS, ...CATALOG_WAYS]) {
  test(`does not bypass a budget: ${way.name}`, { timeout: 60_000 }, () => tryWay(target, way))
}
