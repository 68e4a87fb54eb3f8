import { useCallback, useEffect, useState } from 'react'
import { ApiError, ask } from './api.ts'

/** What was asked of the API, as far as it came. */
export interface Asked<Answer> {
  readonly value: Answer | undefined
  readonly error: ApiError | undefined
  /** Asks again now. */
  readonly again: () => void
}

/**
 * Asks when it is first shown, when the path changes, and every so often. The last answer stays while the
 * next one is
 * under way.
 * @param every milliseconds; never again without
 */
export function useAsked<Answer>(path: string, every?: number): Asked<Answer> {
  const [state, setState] = useState<{
    readonly path: string
    readonly value: Answer | undefined
    readonly error: ApiError | undefined
  }>({ path, value: undefined, error: undefined })
  const [turn, setTurn] = useState(0)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another turn asks again.
  useEffect(() => {
    const controller = new AbortController()
    const load = async (): Promise<void> => {
      try {
        const value = await ask<Answer>(path, { signal: controller.signal })
        setState({ path, value, error: undefined })
      } catch (error) {
        if (controller.signal.aborted) return
        const problem = error instanceof ApiError ? error : new ApiError(0, 'Something went wrong.')
        setState(before => ({ path, value: before.path === path ? before.value : undefined, error: problem }))
      }
    }
    void load()
    const timer = every === undefined ? undefined : setInterval(() => void load(), every)
    return () => {
      controller.abort()
      clearInterval(timer)
    }
  }, [path, every, turn])
  const again = useCallback(() => setTurn(before => before + 1), [])
  const isCurrent = state.path === path
  return { value: isCurrent ? state.value : undefined, error: isCurrent ? state.error : undefined, again }
}
