import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Material that others made, or why the tests that need it cannot run. */
export interface TestMaterial {
  readonly path: string
  /** The reason, as node's test runner takes it; false when the material is there. */
  readonly skip: string | false
}

const SHARED = join(import.meta.dirname, '../../shared')

/**
 * Vectors, rule suites and corpora that others made: in `POSTERN_CONFORMANCE`, else in
 * `../shared/conformance` beside the checkout. docs/testing.md says where each set is from.
 * @param set its path there
 * @throws Error when it is absent and `POSTERN_REQUIRE_CONFORMANCE` is 1, which `.ci/run` sets
 */
export function conformance(set: string): TestMaterial {
  return material('POSTERN_CONFORMANCE', 'conformance', set)
}

/** Requests and logs that failed once: in `POSTERN_FAULTS`, else in `../shared/faults`; as `conformance`. */
export function faults(set: string): TestMaterial {
  return material('POSTERN_FAULTS', 'faults', set)
}

function material(variable: string, folder: string, set: string): TestMaterial {
  const path = join(process.env[variable] ?? join(SHARED, folder), set)
  if (existsSync(path)) return { path, skip: false }
  const problem = `${path} is absent; set ${variable}`
  if (process.env['POSTERN_REQUIRE_CONFORMANCE'] === '1') throw new Error(problem)
  return { path, skip: problem }
}
