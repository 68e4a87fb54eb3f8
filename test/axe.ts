import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** Details of what passes are most of the work, and nobody reads them. */
const OPTIONS = JSON.stringify({ resultTypes: ['violations'] })

/** What axe finds, with the places. The page's context must bypass the content policy. */
export function violations(page: Page): Promise<unknown> {
  return page.evaluate(
    `${AXE};axe.run(${OPTIONS}).then(found => found.violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.slice(0, 3).map(node => node.target.join(' ') + ': ' + node.failureSummary) })))`,
  )
}
