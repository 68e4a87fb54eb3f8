import { useEffect, useState } from 'react'
import { ask } from './api.ts'
import { checkConsistency, type Head, openHead } from './merkle.ts'
import { ownKey } from './own-key.ts'

/** How the log stands to what this browser saw of it before. */
export interface LogGrowth {
  readonly head: Head
  readonly before: { readonly size: number; readonly root: string }
  readonly isVerified: boolean
}

const KEY = ownKey('checkpoint')

function remembered(origin: string): LogGrowth['before'] | undefined {
  try {
    const value = JSON.parse(localStorage.getItem(KEY) ?? 'null') as Partial<Head> | null
    const isOne = value?.origin === origin && typeof value.size === 'number' && typeof value.root === 'string'
    return isOne ? { size: value.size as number, root: value.root as string } : undefined
  } catch {
    return undefined
  }
}

/**
 * Verifies that the log only grew since this browser last looked, and remembers the new head when it did: a
 * log that
 * was rolled back or rewritten meanwhile is noticed.
 */
export function useLogGrowth(): {
  readonly growth: LogGrowth | undefined
  readonly problem: string | undefined
} {
  const [state, setState] = useState<{ readonly growth?: LogGrowth; readonly problem?: string }>({})
  useEffect(() => {
    const controller = new AbortController()
    const { signal } = controller
    const check = async (): Promise<void> => {
      const { checkpoint, keys } = await ask<{
        readonly checkpoint: string
        readonly keys: readonly string[]
      }>('/audit/checkpoint', { signal })
      const head = await openHead(checkpoint, keys)
      const before = remembered(head.origin) ?? { size: head.size, root: head.root }
      const { hashes } =
        before.size < head.size
          ? await ask<{ readonly hashes: readonly string[] }>(
              `/audit/consistency?from=${before.size}&to=${head.size}`,
              { signal },
            )
          : { hashes: [] }
      const isVerified = head.signedBy !== undefined && (await checkConsistency(before, head, hashes))
      if (isVerified) localStorage.setItem(KEY, JSON.stringify(head))
      setState({ growth: { head, before, isVerified } })
    }
    check().catch((error: unknown) => {
      if (!signal.aborted)
        setState({ problem: error instanceof Error ? error.message : 'Something went wrong.' })
    })
    return () => controller.abort()
  }, [])
  return { growth: state.growth, problem: state.problem }
}
