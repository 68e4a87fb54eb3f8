import { join } from 'node:path'
import { IntegrityError } from '@postern/core'
import type { FileLayer } from '../files/file-layer.ts'
import { WAL } from '../files/log-files.ts'
import { SegmentScan } from './segment-scan.ts'

/**
 * How many entries of a log in a directory are written and not in its tree yet; reads those only. Undefined
 * where the segments do not say it: the next start finds out what is wrong with them.
 * @param size of the tree
 */
export function entriesWaiting(files: FileLayer, directory: string, size: number): number | undefined {
  const scan = new SegmentScan(files, join(directory, WAL), size)
  try {
    while (scan.read() !== undefined);
  } catch (error) {
    if (error instanceof IntegrityError) return undefined
    throw error
  }
  return scan.next - size
}
