import type { FileLayer } from '../../src/files/file-layer.ts'

/** An error of the system, as Node gives it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: not possible`), { code })
}

/** The files of a test, with some calls replaced. */
export function withFaults(files: FileLayer, faults: Partial<FileLayer>): FileLayer {
  return {
    openDurable: path => files.openDurable(path),
    syncLater: path => files.syncLater(path),
    read: (path, offset, length) => files.read(path, offset, length),
    write: (path, bytes) => files.write(path, bytes),
    sync: path => files.sync(path),
    rename: (from, to) => files.rename(from, to),
    remove: path => files.remove(path),
    removeDirectory: path => files.removeDirectory(path),
    list: path => files.list(path),
    makeDirectory: path => files.makeDirectory(path),
    alone: (directory, name, work) => files.alone(directory, name, work),
    ...faults,
  }
}
