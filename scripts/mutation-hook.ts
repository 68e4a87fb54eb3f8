// Loaded before a test file: gives it one source file with a mutant in it (see mutate.ts).
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { type Mutant, mutated } from './mutated-source.ts'

const { MUTANT_URL, MUTANT } = process.env
if (MUTANT_URL !== undefined && MUTANT !== undefined) {
  const mutant = JSON.parse(MUTANT) as Mutant
  registerHooks({
    load(url, context, next) {
      if (url !== MUTANT_URL) return next(url, context)
      const source = mutated(readFileSync(new URL(url), 'utf8'), mutant)
      return { format: 'module', source, shortCircuit: true }
    },
  })
}
