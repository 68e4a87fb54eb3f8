import { type ReactNode, useState } from 'react'
import { ApiError, ask } from '../lib/api.ts'
import { to } from '../lib/route.ts'
import { useMay } from '../lib/session.ts'
import type { DiffLine, WhyReason } from '../lib/types.ts'
import { DiffView } from './diff-view.tsx'

interface Preview {
  readonly path?: string
  readonly diff?: readonly DiffLine[]
}

interface Applied {
  readonly path: string
  readonly notes: readonly string[]
  readonly command?: string
}

type State =
  | { readonly kind: 'closed' }
  | { readonly kind: 'busy' }
  | { readonly kind: 'preview'; readonly preview: Preview }
  | { readonly kind: 'applied'; readonly applied: Applied }
  | { readonly kind: 'failed'; readonly message: string }

/** The narrowest change that would let the request pass; to be read as a diff before it is written. */
export function ExceptionPanel({
  id,
  reasons,
}: {
  readonly id: string
  readonly reasons: readonly WhyReason[]
}): ReactNode {
  const may = useMay('operator')
  const [state, setState] = useState<State>({ kind: 'closed' })
  const exceptions = reasons.flatMap(({ exception }) => (exception === undefined ? [] : [exception]))
  const path = `/requests/${id}/exception`
  const attempt = async (work: () => Promise<State>): Promise<void> => {
    setState({ kind: 'busy' })
    setState(
      await work().catch(
        (error: unknown): State => ({
          kind: 'failed',
          message: error instanceof ApiError ? error.message : 'Something went wrong.',
        }),
      ),
    )
  }
  const open = (): Promise<void> =>
    attempt(async () => ({ kind: 'preview', preview: await ask<Preview>(path) }))
  const apply = (): Promise<void> =>
    attempt(async () => ({ kind: 'applied', applied: await ask<Applied>(path, { method: 'POST' }) }))
  if (exceptions.length === 0)
    return <p className="muted small">No single change to the configuration lets this request pass.</p>
  return (
    <div className="stack">
      <ul className="stack">
        {exceptions.flatMap(({ lines }) =>
          lines.map(line => (
            <li key={line}>
              <pre className="command wrap">{line}</pre>
            </li>
          )),
        )}
      </ul>
      {state.kind === 'failed' && (
        <p className="notice bad" role="alert">
          {state.message}
        </p>
      )}
      {state.kind === 'preview' && <Diff {...state.preview} />}
      {state.kind === 'applied' ? (
        <p className="notice" role="status">
          Saved in <code>{state.applied.path}</code> and in force. {state.applied.notes.join('; ')}
          {state.applied.command !== undefined && (
            <>
              {' '}
              Now run <code>{state.applied.command}</code>.
            </>
          )}{' '}
          <a href={to('overview')}>Back to the overview</a>
        </p>
      ) : (
        exceptions.some(({ isChange }) => isChange) &&
        may && (
          <div className="row">
            {state.kind === 'preview' && state.preview.path !== undefined ? (
              <>
                <button type="button" className="button primary" onClick={() => void apply()}>
                  Save and apply
                </button>
                <button type="button" className="button" onClick={() => setState({ kind: 'closed' })}>
                  Cancel
                </button>
              </>
            ) : (
              state.kind !== 'preview' && (
                <button
                  type="button"
                  className="button primary"
                  disabled={state.kind === 'busy'}
                  onClick={() => void open()}
                >
                  Let it pass…
                </button>
              )
            )}
          </div>
        )
      )}
    </div>
  )
}

function Diff({ path, diff = [] }: Preview): ReactNode {
  if (path === undefined)
    return <p className="notice">The configuration is code: make this change in it yourself.</p>
  return <DiffView title={path} diff={diff} />
}
