import { isMemoryOnly } from '@postern/config'
import { boundedText, ConfigError, type Json, StoreError } from '@postern/core'
import { readRunFile } from './run-file.ts'

/** Bytes of an answer; the longest, of a thousand marks, has less than one megabyte. */
const MAX_ANSWER = 16_777_216

/**
 * Asks the gateway that runs on a data directory. The caller names the shape of the answer.
 * @throws StoreError when none runs there, or it refuses; ConfigError where there is no data directory
 */
export async function askGateway<Answer extends Json = Json>(
  dataDirectory: string,
  command: string,
  input: Readonly<Record<string, Json>>,
): Promise<Answer> {
  if (isMemoryOnly(dataDirectory))
    throw new ConfigError({
      place: 'dataDirectory',
      problem: 'is false, and commands find a running gateway by a file in it',
      hint: 'name a directory; of a gateway without one, /readyz and /metrics of its admin listener can be read',
    })
  const running = readRunFile(dataDirectory)
  if (running === undefined)
    throw new StoreError(
      'no gateway is running on this data directory; start one with: postern gateway --to URL',
      {
        store: dataDirectory,
        retryable: true,
      },
    )
  const response = await fetch(`${running.admin}/${command}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${running.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(input),
    signal: AbortSignal.timeout(5_000),
  }).catch((cause: unknown) => {
    throw new StoreError('the running gateway does not answer', {
      store: running.admin,
      retryable: true,
      cause,
    })
  })
  // Another program may have the port by now, or a proxy answers in the gateway's place.
  const answer = await boundedText(response, MAX_ANSWER)
    .then(text => JSON.parse(text) as Answer)
    .catch((cause: unknown) => {
      throw new StoreError(`what listens there is not a Postern gateway (status ${response.status})`, {
        store: running.admin,
        retryable: false,
        cause,
      })
    })
  if (!response.ok) {
    const problem =
      typeof answer === 'object' && answer !== null && 'error' in answer
        ? String(answer['error'])
        : `status ${response.status}`
    throw new StoreError(problem, { store: running.admin, retryable: response.status >= 500 })
  }
  return answer
}
