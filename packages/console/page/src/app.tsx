import { type ReactNode, useCallback, useEffect, useState } from 'react'
import { ApiError, ask, signIn, whenSignedOut } from './lib/api.ts'
import { SessionContext } from './lib/session.ts'
import type { Session } from './lib/types.ts'
import { Shell } from './shell.tsx'

type State =
  | { readonly kind: 'starting' }
  | { readonly kind: 'signed-out'; readonly problem: string | undefined }
  | { readonly kind: 'signed-in'; readonly session: Session }

const LINK = /^#link=([\w-]+)$/

/** Signs in with the link that was opened, or with the session that is there. */
export function App(): ReactNode {
  const [state, setState] = useState<State>({ kind: 'starting' })
  const start = useCallback(async (): Promise<void> => {
    const link = LINK.exec(location.hash)?.[1]
    try {
      if (link !== undefined) {
        // Out of the address before anything else: it is a secret.
        history.replaceState(undefined, '', `${location.pathname}${location.search}#/`)
        dispatchEvent(new HashChangeEvent('hashchange'))
        await signIn(link)
      }
      setState({ kind: 'signed-in', session: await ask<Session>('/session') })
    } catch (error) {
      const isPlain = link === undefined && error instanceof ApiError && error.status === 401
      const problem = error instanceof Error ? error.message : 'This failed.'
      setState({ kind: 'signed-out', problem: isPlain ? undefined : problem })
    }
  }, [])
  useEffect(() => {
    whenSignedOut(() => setState({ kind: 'signed-out', problem: undefined }))
    void start()
    const followLink = (): void => {
      if (LINK.test(location.hash)) void start()
    }
    addEventListener('hashchange', followLink)
    return () => removeEventListener('hashchange', followLink)
  }, [start])
  if (state.kind === 'starting')
    return (
      <div className="state" role="status">
        Loading…
      </div>
    )
  if (state.kind === 'signed-out') return <SignedOut problem={state.problem} />
  return (
    <SessionContext value={state.session}>
      <Shell />
    </SessionContext>
  )
}

function SignedOut({ problem }: { readonly problem: string | undefined }): ReactNode {
  return (
    <main className="signed-out">
      <div className="card stack">
        <h1>Sign in to Postern</h1>
        {problem !== undefined && (
          <p className="notice bad" role="alert">
            {problem}
          </p>
        )}
        <p>Where the gateway runs, make a link that signs in once:</p>
        <pre className="command">npx postern console link</pre>
        <p className="muted small">
          The gateway also prints one when it starts. A link is good for 15 minutes, a session for 12 hours or
          until the gateway restarts.
        </p>
      </div>
    </main>
  )
}
