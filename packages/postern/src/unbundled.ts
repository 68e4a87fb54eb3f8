// Imported early, so that a bundle says what is wrong with it and not which function got no address.
import { readFileSync } from 'node:fs'

/**
 * Stops where a bundler put this code into another file: Postern loads threads, scenarios and lists from
 * beside its own modules.
 * @param place `import.meta.url`, which a bundle in CommonJS does not have
 * @throws Error that says how to keep it outside
 */
export function requireUnbundled(place: string | undefined): void {
  if (place !== undefined && isBesideManifest(place)) return
  throw new Error(
    'Postern was bundled, and the files that it loads are not beside its code. Keep it external: ' +
      '--external:postern for esbuild, external: ["postern"] for Rollup and Vite, ' +
      'externals: { postern: "module postern" } for webpack (docs/adapters.md).',
  )
}

function isBesideManifest(place: string): boolean {
  try {
    const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', place), 'utf8'))
    return (
      typeof manifest === 'object' && manifest !== null && 'name' in manifest && manifest.name === 'postern'
    )
  } catch {
    return false
  }
}

// Whoever only takes `defineConfig` into a bundle needs none of those files.
const place: string | undefined = import.meta.url
if (place === undefined) requireUnbundled(place)
