import { spawnSync } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'

const APPLICATION = `import { postern } from 'postern'
postern({ config: { dataDirectory: false, audit: false } }).catch(error => console.log(error.message))
`
const VAULT = `import { openVault } from '@postern/vault'
import { HolderCore } from '@postern/vault/holder'
console.log(typeof openVault, typeof HolderCore)
`

/**
 * A bundle of the packed packages says that Postern must stay outside it, also where nothing optional is
 * installed, and one of the vault alone works.
 * @throws Error that shows what it printed instead
 */
export async function tryBundles(project: string, env: Record<string, string>): Promise<void> {
  for (const format of ['esm', 'cjs'] as const) {
    const said = await withoutVault(project, () =>
      run(project, env, { format, name: 'application', text: APPLICATION }),
    )
    if (!said.includes('Postern was bundled')) throw new Error(`a bundle (${format}) said: ${said}`)
    const opened = await run(project, env, { format, name: 'vault', text: VAULT })
    if (opened !== 'function function\n') throw new Error(`a bundle of the vault (${format}) said: ${opened}`)
  }
}

/** As most who install Postern have it. */
async function withoutVault(project: string, work: () => Promise<string>): Promise<string> {
  const [there, away] = [join(project, 'node_modules/@postern/vault'), join(project, 'vault-away')]
  renameSync(there, away)
  try {
    return await work()
  } finally {
    renameSync(away, there)
  }
}

async function run(
  project: string,
  env: Record<string, string>,
  { format, name, text }: { readonly format: 'esm' | 'cjs'; readonly name: string; readonly text: string },
): Promise<string> {
  const entry = join(project, `${name}.js`)
  const outfile = join(project, 'bundles', `${name}.${format === 'esm' ? 'mjs' : 'cjs'}`)
  writeFileSync(entry, text)
  const require =
    "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);"
  const options: BuildOptions = {
    entryPoints: [entry],
    outfile,
    format,
    bundle: true,
    platform: 'node',
    target: 'node24',
    logLevel: 'silent',
    banner: format === 'esm' ? { js: require } : {},
  }
  await build(options)
  const { stdout, stderr } = spawnSync(process.execPath, [outfile], { cwd: project, env, encoding: 'utf8' })
  return stdout + stderr
}
