import { type ReactNode, useCallback, useEffect, useState } from 'react'
import { ApiError, ask, hasToken, signIn, whenOtherTabSignsIn, whenSignedOut } from './lib/api.ts'
import { SessionContext } from './lib/session.ts'
import type { Session } from './lib/types.ts'
import { Invited, OtherLink, SignedOut } from './screens/signed-out.tsx'
import { Shell } from './shell.tsx'

type State =
  | { readonly kind: 'starting' }
  | { readonly kind: 'signed-out'; readonly problem: string | undefined }
  | { readonly kind: 'invited'; readonly secret: string }
  | { readonly kind: 'other-link'; readonly link: string; readonly session: Session }
  | { readonly kind: 'signed-in'; readonly session: Session }

const LINK = /^#(link|invitation)=([\w-]+)$/

/** Takes the secret of a link or an invitation out of the address, before anything else. */
function takeSecret(): { readonly link?: string; readonly invitation?: string } {
  const [, kind = '', secret] = LINK.exec(location.hash) ?? []
  if (secret === undefined) return {}
  history.replaceState(undefined, '', `${location.pathname}${location.search}#/`)
  dispatchEvent(new HashChangeEvent('hashchange'))
  return { [kind]: secret }
}

/** Who is signed in already; undefined for nobody. @throws ApiError when that cannot be asked */
async function sessionNow(): Promise<Session | undefined> {
  if (!hasToken()) return undefined
  return ask<Session>('/session').catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 401) return undefined
    throw error
  })
}

/** Signs in with the link that was opened, follows an invitation, or goes on with the session that is there. */
export function App(): ReactNode {
  const [state, setState] = useState<State>({ kind: 'starting' })
  const start = useCallback(async (): Promise<void> => {
    const { link, invitation } = takeSecret()
    if (invitation !== undefined) return setState({ kind: 'invited', secret: invitation })
    try {
      if (link !== undefined) {
        // Any page can lead here with a link of its own: whoever is signed in would act as somebody else.
        const session = await sessionNow()
        if (session !== undefined) return setState({ kind: 'other-link', link, session })
        await signIn(link)
      }
      setState({ kind: 'signed-in', session: await ask<Session>('/session') })
    } catch (error) {
      const isPlain = link === undefined && error instanceof ApiError && error.status === 401
      const problem = error instanceof Error ? error.message : 'Something went wrong.'
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
    const forget = whenOtherTabSignsIn(() => void start())
    return () => {
      removeEventListener('hashchange', followLink)
      forget()
    }
  }, [start])
  if (state.kind === 'starting')
    return (
      <div className="state" role="status">
        Loading…
      </div>
    )
  if (state.kind === 'invited') return <Invited secret={state.secret} onSignedIn={() => void start()} />
  if (state.kind === 'other-link')
    return <OtherLink link={state.link} session={state.session} onDone={() => void start()} />
  if (state.kind === 'signed-out')
    return <SignedOut problem={state.problem} onSignedIn={() => void start()} />
  return (
    <SessionContext value={state.session}>
      <Shell key={state.session.name} />
    </SessionContext>
  )
}
