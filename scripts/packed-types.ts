import { readFileSync } from 'node:fs'
import { checkPackage, createPackageFromTarballData, type Problem } from '@arethetypeswrong/core'

/**
 * What `@arethetypeswrong` finds in a packed package: entries whose types or code do not resolve, or do not
 * fit each other, in one of the module modes of TypeScript (node10, node16 from both kinds, bundler).
 * @param tarball file that npm packed
 * @returns a sentence for each problem
 */
export async function typeProblems(tarball: string): Promise<readonly string[]> {
  const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(tarball))))
  if (!analysis.types) return [`${analysis.packageName} has no types`]
  return analysis.problems.map(problem => `${analysis.packageName}: ${problemText(problem)}`)
}

function problemText(problem: Problem): string {
  // The trace lists every file that the compiler looked for.
  return JSON.stringify(problem, (key, value: unknown) => (key === 'trace' ? undefined : value))
}
