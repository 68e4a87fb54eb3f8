import { opendirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { errorCode, StoreError } from '@postern/core'

/**
 * Whether a directory of Postern's is there and this user may read it. It is closed to others, and "nothing
 * is there" would send an operator looking in the wrong place.
 * @param store what it is, for errors
 * @throws StoreError when it cannot be looked into
 */
export function isReadableDirectory(directory: string, store: string): boolean {
  try {
    opendirSync(directory).closeSync()
    return true
  } catch (cause) {
    if (isClosed(cause)) throw closedTo(directory, store, cause)
    return false
  }
}

/** Whether an error of the file system says that this user may not. */
export function isClosed(error: unknown): boolean {
  const code = errorCode(error)
  return code === 'EACCES' || code === 'EPERM'
}

/** Says whose a directory is that this user may not read. */
export function closedTo(directory: string, store: string, cause: unknown): StoreError {
  const owner = ownerOf(directory)
  const whose = owner === undefined ? '' : `; it belongs to user ${owner}`
  return new StoreError(`this user may not read it${whose}: run the command as the user that runs Postern`, {
    store,
    retryable: false,
    cause,
  })
}

/** The owner of a directory, or of the nearest one above that can be seen. */
function ownerOf(directory: string): number | undefined {
  for (let at = directory; ; at = dirname(at))
    try {
      return statSync(at).uid
    } catch {
      if (dirname(at) === at) return undefined
    }
}
