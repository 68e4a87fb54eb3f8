import { formatSignatureLine } from '../format/note.ts'
import type { LogReader } from '../reader/log-reader.ts'
import type { WitnessClient } from './witness-client.ts'

/**
 * Has a checkpoint cosigned by every witness that answers, and keeps it with the
 * cosignatures beside the log's own. Never rejects.
 * @param onError called for every witness that does not answer, or contradicts the log
 */
export async function askWitnesses(
  clients: readonly WitnessClient[],
  reader: LogReader,
  checkpoint: string,
  onError: (error: unknown) => void,
): Promise<void> {
  const answers = await Promise.allSettled(clients.map(client => client.cosign(checkpoint, reader)))
  const lines: string[] = []
  for (const answer of answers) {
    if (answer.status === 'fulfilled') lines.push(formatSignatureLine(answer.value))
    else onError(answer.reason)
  }
  if (lines.length > 0) await reader.store.keepWitnessed(`${checkpoint}${lines.join('')}`).catch(onError)
}
