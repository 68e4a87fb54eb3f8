import { type ApiCall, ApiProblem, type ApiRoute } from './api-route.ts'
import type { ConsoleAct } from './console-parts.ts'

/**
 * Answers a call. What an operator does is in the log before it is done; where it then fails or is refused,
 * that is in the log, too, as a second entry with `failed`.
 * @throws whatever the operation throws
 */
export async function recordedCall(route: ApiRoute, call: ApiCall): Promise<unknown> {
  const { parts, session } = call
  let last: ConsoleAct | undefined
  const record: ApiCall['parts']['record'] = async (act, operator) => {
    await parts.record(act, operator)
    last = act
  }
  try {
    return await route.handle({ ...call, parts: { ...parts, record } })
  } catch (error) {
    const act: ConsoleAct | undefined = last
    if (act !== undefined) {
      const failed = { ...act, data: { ...act.data, failed: nameOf(error) } }
      // What went wrong first is what the caller must read.
      await parts.record(failed, session.name).catch(() => undefined)
    }
    throw error
  }
}

/** The name or the status alone: messages may quote what was handled. */
function nameOf(error: unknown): string {
  if (error instanceof ApiProblem) return `refused with ${error.status}`
  return error instanceof Error ? error.name : 'unknown'
}
