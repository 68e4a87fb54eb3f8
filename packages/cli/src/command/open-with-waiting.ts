import { type AuditPlace, type AuditSource, Connections, openAudit, openAuditSource } from '@postern/runtime'
import { ownerOf } from './act-as-owner.ts'
import { counted } from './counted.ts'
import type { Output } from './output.ts'

/**
 * Opens the log for a search, with what a process had written when it ended: entries can be found within a
 * second or two, and a server that is stopped right after a refusal leaves that to the next start. Whoever
 * asks in between would read that nothing was recorded. While a process has the log, or where this account
 * must not write it, a note says how many entries cannot be found yet.
 */
export async function openWithWaiting(place: AuditPlace, output: Output): Promise<AuditSource> {
  const log = await openAuditSource(place)
  const waiting = log.reader.waiting(Number((await log.reader.head()).size)) ?? 0
  if (waiting === 0) return log
  if (isOurs(place) && (await publish(place))) {
    await log.close()
    return openAuditSource(place)
  }
  output.note(
    `${counted(waiting, 'entry', 'entries')} cannot be searched yet: a running process sees to that within a second, after a crash the next start does`,
  )
  return log
}

/** Files that another account makes, the one that the service runs as could not open. */
function isOurs({ dataDirectory }: AuditPlace): boolean {
  return ownerOf(dataDirectory)?.uid === process.geteuid?.()
}

async function publish(place: AuditPlace): Promise<boolean> {
  const connections = new Connections(place.config, place.dataDirectory, 'existing')
  try {
    const opened = await openAudit(place, connections)
    await opened?.log.close()
    return opened !== undefined
  } catch {
    // A process has it, the disk is not to be written to, or the log is damaged, of which `audit verify` says
    // more: what is in the index can be read all the same.
    return false
  } finally {
    await connections.close()
  }
}
