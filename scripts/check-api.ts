// The library reference in docs/api says what the docstrings of the source say.
import { staleApiPages } from './api-pages.ts'

const stale = staleApiPages()
for (const file of stale) console.error(`${file} differs from the docstrings: npm run docs`)
process.exit(stale.length > 0 ? 1 : 0)
