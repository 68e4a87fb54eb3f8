import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from '../../workspace.ts'

/** Packages of the workspace, which a clone links to its own folders. */
const OWN = /^(?:postern$|@postern$)/

/**
 * A copy of what is checked out, as a clone has it after `npm ci`: every file that git knows or would add, no
 * data, no build. Only the packages of others are linked instead of installed.
 */
export class FreshClone {
  readonly folder: string = realpathSync(mkdtempSync(join(tmpdir(), 'postern-clone-')))

  constructor() {
    const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: root,
      encoding: 'utf8',
    })
    const isNeeded = (file: string): boolean =>
      /^(?:package(?:-lock)?\.json|tsconfig|scripts\/|examples\/|packages\/)/.test(file) &&
      !file.includes('/test/')
    for (const file of new Set(listed.split('\0').filter(isNeeded))) {
      mkdirSync(join(this.folder, dirname(file)), { recursive: true })
      // A file that was removed and not yet committed is listed too.
      cpSync(join(root, file), join(this.folder, file), { preserveTimestamps: true, errorOnExist: false })
    }
    this.#link()
  }

  #link(): void {
    const installed = join(root, 'node_modules')
    const own = join(this.folder, 'node_modules')
    mkdirSync(join(own, '@postern'), { recursive: true })
    for (const name of readdirSync(installed))
      if (!OWN.test(name)) symlinkSync(join(installed, name), join(own, name))
    for (const name of readdirSync(join(this.folder, 'packages')))
      symlinkSync(
        join(this.folder, 'packages', name),
        name === 'postern' ? join(own, name) : join(own, '@postern', name),
      )
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
