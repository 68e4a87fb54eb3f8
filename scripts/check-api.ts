// The library reference in docs/api says what the docstrings of the source say; every public name has one.
import { apiEntries } from './api-exports.ts'
import { staleApiPages } from './api-pages.ts'
import { undescribedExports } from './api-reference.ts'

const entries = apiEntries()
const stale = staleApiPages(entries)
for (const file of stale) console.error(`${file} differs from the docstrings: npm run docs`)
const undescribed = undescribedExports(entries)
for (const name of undescribed) console.error(`${name}: has no docstring that says what it is`)
process.exit(stale.length + undescribed.length > 0 ? 1 : 0)
