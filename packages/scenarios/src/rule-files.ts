import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import { ConfigError } from '@postern/core'

/**
 * The `.yml` and `.yaml` files of a folder and its subfolders, sorted, as paths relative to it. A file that
 * links lead to is read once, under its first name: folders mounted from a ConfigMap have three for each.
 * @throws ConfigError for a link to a folder elsewhere: rules must not be left out silently
 */
export function ruleFilesIn(folder: string): readonly string[] {
  const root = realpathSync(folder)
  const seen = new Set<string>()
  return namesUnder(folder, '', root)
    .filter(name => /\.ya?ml$/.test(name))
    .sort()
    .filter(name => {
      const real = realPath(join(folder, name))
      if (real === undefined) return true
      const isFirst = !seen.has(real)
      seen.add(real)
      return isFirst
    })
}

function namesUnder(folder: string, within: string, root: string): readonly string[] {
  return readdirSync(join(folder, within), { withFileTypes: true }).flatMap(entry => {
    const name = join(within, entry.name)
    if (entry.isDirectory()) return namesUnder(folder, name, root)
    if (isLinkToFolder(join(folder, name), entry, root)) return []
    return [name]
  })
}

/** Whether an entry is a link to a folder within the root, which is read under its own name. */
function isLinkToFolder(path: string, entry: Dirent, root: string): boolean {
  if (!entry.isSymbolicLink()) return false
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return false
  const real = realpathSync(path)
  if (`${real}${sep}`.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)) return true
  throw new ConfigError({
    place: path,
    problem: 'is a link to a folder outside of the folder of rules',
    hint: 'name the folder that it leads to as a folder of rules of its own',
  })
}

/** Undefined for a link that leads nowhere; who reads the file says so. */
function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}
