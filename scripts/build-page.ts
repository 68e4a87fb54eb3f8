// Builds the console's page into packages/console/dist/page, where the engine serves it from.
import { existsSync, globSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './workspace.ts'

const FOLDER = join(root, 'packages/console')
const PAGE = join(FOLDER, 'dist/page')

/** Builds the page. It takes the old one's place at once: whoever serves it never sees half of it. */
export async function buildPage(): Promise<void> {
  const { build } = await import('vite')
  const draft = join(FOLDER, `dist/page-${process.pid}`)
  await build({
    configFile: join(FOLDER, 'page/vite.config.ts'),
    logLevel: 'warn',
    build: { outDir: draft },
  })
  rmSync(PAGE, { recursive: true, force: true })
  try {
    renameSync(draft, PAGE)
  } catch {
    // Another process has just put its own there, of the same sources.
    rmSync(draft, { recursive: true, force: true })
  }
}

/** Builds the page when there is none, or its sources are newer. */
export async function ensurePage(): Promise<void> {
  const built = join(PAGE, 'index.html')
  const builtAt = existsSync(built) ? statSync(built).mtimeMs : 0
  const sources = globSync('page/**/*', { cwd: FOLDER })
  if (sources.some(file => statSync(join(FOLDER, file)).mtimeMs > builtAt)) await buildPage()
}

if (import.meta.main) await buildPage()
