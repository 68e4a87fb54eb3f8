// What `npm install postern` brings: packages and bytes on the disk, its own and those of others. Needs a
// build (npm run build): the packages are packed as npm would publish them.
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { layOutPacked } from '../scripts/packed-packages.ts'
import { packages, root } from '../scripts/workspace.ts'
import { report } from './support/harness.ts'

/** What issue 11 counted, and half of it. */
const BEFORE = { packages: 34, mb: 29 }

/** Bytes of a folder on the disk, in whole blocks as du(1) counts them. */
function bytesOf(folder: string): number {
  let bytes = 0
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    const found = lstatSync(path)
    bytes += found.blocks * 512
    if (found.isDirectory() && name !== 'node_modules') bytes += bytesOf(path)
  }
  return bytes
}

/** Every package that npm installs with one: what it depends on, and so on, without optional peers. */
function installedWith(
  name: string,
  modules: string,
  found: Map<string, number> = new Map(),
): Map<string, number> {
  if (found.has(name)) return found
  const home = realpathSync(join(modules, name))
  found.set(name, bytesOf(home))
  const { dependencies = {} } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as {
    readonly dependencies?: Readonly<Record<string, string>>
  }
  for (const other of Object.keys(dependencies))
    installedWith(other, existsSync(join(modules, other)) ? modules : join(root, 'node_modules'), found)
  return found
}

const all = packages()
if (!all.every(({ folder }) => existsSync(join(root, folder, 'dist', 'index.js')))) {
  console.error('There is no build to pack: npm run build')
  process.exit(2)
}
const project = mkdtempSync(join(tmpdir(), 'postern-install-'))
try {
  layOutPacked(all, project)
  const installed = [...installedWith('postern', join(project, 'node_modules'))]
  const isOurs = ([name]: readonly [string, number]): boolean => /^(?:@postern\/|postern$)/.test(name)
  const ours = installed.filter(isOurs)
  const others = installed.filter(each => !isOurs(each))
  const mb = (list: readonly (readonly [string, number])[]): number =>
    Number((list.reduce((sum, [, bytes]) => sum + bytes, 0) / 1_048_576).toFixed(1))
  for (const [name, bytes] of installed.toSorted((a, b) => b[1] - a[1]))
    console.log(`  ${(bytes / 1_048_576).toFixed(2).padStart(6)} MB  ${name}`)
  report({
    bench: 'install',
    ratios: {
      packages_vs_before: installed.length / BEFORE.packages,
      size_vs_before: mb(installed) / BEFORE.mb,
    },
    figures: {
      packages: installed.length,
      packages_of_others: others.length,
      mb: mb(installed),
      mb_of_ours: mb(ours),
      mb_of_others: mb(others),
    },
    unequal: [`before: ${BEFORE.packages} packages and ${BEFORE.mb} MB, the first version`],
  })
} finally {
  rmSync(project, { recursive: true, force: true })
}
