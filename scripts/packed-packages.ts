import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Manifest, pathsIn, stagePackage } from './publishable.ts'
import { type Package, root } from './workspace.ts'

/**
 * Packs every package as npm would publish it and lays it out in the `node_modules` of a folder, beside links
 * to what the workspace installed of others. Needs a build.
 * @throws Error when a package lacks its licence, its README, or a file that its manifest names
 */
export function layOutPacked(list: readonly Package[], folder: string): void {
  const tarballs = join(folder, 'tarballs')
  const modules = join(folder, 'node_modules')
  mkdirSync(tarballs)
  const staged = list.map(one => stagePackage(one, join(folder, 'staged')))
  execFileSync('npm', ['pack', '--silent', '--pack-destination', tarballs, ...staged], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  for (const { manifest } of list) {
    const target = join(modules, manifest.name)
    mkdirSync(target, { recursive: true })
    const tarball = `${manifest.name.replace('@', '').replace('/', '-')}-`
    const file = readdirSync(tarballs).find(
      name => name.startsWith(tarball) && /^\d/.test(name.slice(tarball.length)),
    )
    if (file === undefined) throw new Error(`npm packed nothing for ${manifest.name}`)
    execFileSync('tar', ['-xzf', join(tarballs, file), '-C', target, '--strip-components=1'])
    const packed = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8')) as Manifest
    for (const part of ['LICENSE', 'README.md', ...pathsIn(packed)])
      if (globSync(part, { cwd: target }).length === 0) throw new Error(`${file} has no ${part}`)
  }
  for (const { manifest } of list) {
    const installed = JSON.parse(
      readFileSync(join(modules, manifest.name, 'package.json'), 'utf8'),
    ) as typeof manifest
    for (const name of Object.keys({ ...installed.dependencies, ...installed.optionalDependencies })) {
      if (existsSync(join(modules, name))) continue
      mkdirSync(dirname(join(modules, name)), { recursive: true })
      symlinkSync(join(root, 'node_modules', name), join(modules, name))
    }
  }
}
