// What npm would publish is complete and loads: publint over every built package,
// bounds on install scripts and versions.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { isBuilt, packages, root } from './workspace.ts'

const problems: string[] = []
for (const { folder, manifest } of packages()) {
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
    if (!/^(?:npm:[\w@/-]+@)?\d+\.\d+\.\d+$/.test(version))
      problems.push(`${folder}/package.json: pin "${name}" to one version, not "${version}"`)
  }
  if (
    manifest.scripts !== undefined &&
    Object.keys(manifest.scripts).some(name => name.includes('install'))
  ) {
    problems.push(`${folder}/package.json: a package of ours has no install script`)
  }
  for (const field of [
    'repository',
    'homepage',
    'bugs',
    'keywords',
    'publishConfig',
    'description',
    'license',
  ] as const) {
    if (manifest[field] === undefined) problems.push(`${folder}/package.json: has no "${field}"`)
  }
  // npm shows the README without the repository around it.
  for (const [link] of readFileSync(join(root, folder, 'README.md'), 'utf8').matchAll(
    /\]\((?!https:|#)[^)]*\)/g,
  ))
    problems.push(
      `${folder}/README.md: the link ${link.slice(1)} does not work on npm; write the whole address`,
    )
  if (!isBuilt({ folder })) continue
  const { messages } = await publint({ pkgDir: join(root, folder), level: 'warning', pack: false })
  for (const message of messages)
    problems.push(`${folder}: ${formatMessage(message, { ...manifest }) ?? message.code}`)
}
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exit(1)
