import { useState } from 'react'
import { ApiError } from './api.ts'

/** Something that is done by a press, and how it went. */
export interface Act {
  readonly isBusy: boolean
  readonly problem: string | undefined
  /** Does it; a failure becomes `problem`. */
  run(work: () => Promise<unknown>): Promise<void>
}

export function useAct(): Act {
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string>()
  return {
    isBusy,
    problem,
    run: async work => {
      setBusy(true)
      setProblem(undefined)
      try {
        await work()
      } catch (error) {
        setProblem(error instanceof ApiError ? error.message : 'Something went wrong.')
      }
      setBusy(false)
    },
  }
}
