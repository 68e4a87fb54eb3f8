import { useEffect, useState } from 'react'
import type { PreviewState } from '../../../src/api/console-parts.ts'
import { ApiError, ask } from './api.ts'

const EVERY_MS = 300

/** A preview of a text, and how far it is. */
export interface Preview {
  /** The text that it is about; undefined before the first. */
  readonly text: string | undefined
  readonly state: PreviewState
  start(text: string, hours: number): void
  cancel(): void
}

function failed(error: unknown): PreviewState {
  return { state: 'failed', problem: error instanceof ApiError ? error.message : 'Something went wrong.' }
}

export function usePreview(): Preview {
  const [text, setText] = useState<string>()
  const [state, setState] = useState<PreviewState>({ state: 'none' })
  const isRunning = state.state === 'running'
  useEffect(() => {
    if (!isRunning) return
    const timer = setInterval(() => {
      ask<PreviewState>('/settings/preview').then(setState, error => setState(failed(error)))
    }, EVERY_MS)
    return () => clearInterval(timer)
  }, [isRunning])
  return {
    text,
    state,
    start: (next, hours) => {
      setText(next)
      setState({ state: 'running', done: 0, total: 0 })
      ask<PreviewState>('/settings/preview', { method: 'POST', body: { text: next, hours } }).then(
        setState,
        error => setState(failed(error)),
      )
    },
    cancel: () => {
      ask<PreviewState>('/settings/preview', { method: 'DELETE' }).then(setState, () => undefined)
    },
  }
}
