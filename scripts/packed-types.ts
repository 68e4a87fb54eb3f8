import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
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

/** Typed arrays with a parameter, which only TypeScript from 5.7 on knows. */
const GENERIC_BYTES = /\b(?:Uint8|Int32|Float64)Array</

/** @returns a sentence for each declaration below a folder that TypeScript 5.4 does not read */
export function newerDeclarations(folder: string): readonly string[] {
  return globSync('**/*.d.ts', { cwd: folder })
    .filter(file => GENERIC_BYTES.test(readFileSync(join(folder, file), 'utf8')))
    .map(file => `${join(folder, file)} has a generic typed array: TypeScript before 5.7 does not read it`)
}
