import { type ReactNode, useEffect, useState } from 'react'
import { ask, keepToken, signIn } from '../lib/api.ts'
import { askPasskey, hasPasskeys, makePasskey } from '../lib/passkey.ts'
import type { Session } from '../lib/types.ts'
import { useAct } from '../lib/use-act.ts'
import { Problem } from '../parts/problem.tsx'

interface SignedIn {
  readonly token: string
}

/** How to sign in: by a passkey, or by a link that is made where the gateway runs. */
export function SignedOut({
  problem,
  onSignedIn,
}: {
  readonly problem: string | undefined
  readonly onSignedIn: () => void
}): ReactNode {
  const act = useAct()
  const signIn = (): Promise<void> =>
    act.run(async () => {
      const { options } = await ask<{ readonly options: PublicKeyCredentialRequestOptionsJSON }>(
        '/session/passkey/options',
        { method: 'POST' },
      )
      const answer = await askPasskey(options)
      keepToken((await ask<SignedIn>('/session/passkey', { method: 'POST', body: { answer } })).token)
      onSignedIn()
    })
  return (
    <main className="signed-out">
      <div className="card stack">
        <h1>Sign in to Postern</h1>
        <Problem text={act.problem ?? problem} />
        {hasPasskeys() ? (
          <button
            type="button"
            className="button primary"
            disabled={act.isBusy}
            onClick={() => void signIn()}
          >
            Sign in with a passkey
          </button>
        ) : (
          <p className="small">
            Have a passkey? It is for a name: open{' '}
            <a href={`http://localhost:${location.port}${location.pathname}`}>localhost</a> or the address of
            your proxy.
          </p>
        )}
        <p>Without one, create a one-time sign-in link on the machine that runs the gateway:</p>
        <pre className="command">npx postern console link</pre>
        <p className="muted small">
          A link is good for 15 minutes, a session for 12 hours or until the gateway restarts.
        </p>
      </div>
    </main>
  )
}

/** Asks somebody who is signed in whether a link that was opened is to sign them in as somebody else. */
export function OtherLink({
  link,
  session,
  onDone,
}: {
  readonly link: string
  readonly session: Session
  readonly onDone: () => void
}): ReactNode {
  const { isBusy, problem, run } = useAct()
  const follow = (): Promise<void> =>
    run(async () => {
      await signIn(link)
      onDone()
    })
  return (
    <main className="signed-out">
      <div className="card stack">
        <h1>Sign in as someone else?</h1>
        <Problem text={problem} />
        <p>
          You are signed in as {session.name}. The link that was opened signs in whom it was made for. If you
          did not make it or ask for it, do not use it.
        </p>
        <button type="button" className="button primary" onClick={onDone}>
          Stay signed in as {session.name}
        </button>
        <button type="button" className="button" disabled={isBusy} onClick={() => void follow()}>
          Use the link
        </button>
      </div>
    </main>
  )
}

interface Invitation {
  readonly name: string
  readonly roles: readonly string[]
  readonly options: PublicKeyCredentialCreationOptionsJSON
}

/** Makes a passkey for somebody who was invited, and signs in. @param secret of the invitation */
export function Invited({
  secret,
  onSignedIn,
}: {
  readonly secret: string
  readonly onSignedIn: () => void
}): ReactNode {
  const [invitation, setInvitation] = useState<Invitation>()
  const { isBusy, problem, run } = useAct()
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked once for each invitation.
  useEffect(() => {
    void run(async () =>
      setInvitation(
        await ask<Invitation>('/invitation/options', { method: 'POST', body: { invitation: secret } }),
      ),
    )
  }, [secret])
  const accept = ({ options }: Invitation): Promise<void> =>
    run(async () => {
      const answer = await makePasskey(options)
      const { token } = await ask<SignedIn>('/invitation', {
        method: 'POST',
        body: { invitation: secret, answer },
      })
      keepToken(token)
      onSignedIn()
    })
  return (
    <main className="signed-out">
      <div className="card stack">
        <h1>Welcome to Postern</h1>
        <Problem text={problem} />
        {invitation !== undefined && (
          <>
            <p className="wrap">
              You are <b>{invitation.name}</b> here: {invitation.roles.join(', ')}.
            </p>
            <button
              type="button"
              className="button primary"
              disabled={isBusy}
              onClick={() => void accept(invitation)}
            >
              Make a passkey and sign in
            </button>
            <p className="muted small">
              This device keeps the passkey; you sign in with it from now on. What you do is in the audit log
              under this name.
            </p>
          </>
        )}
        {invitation === undefined && problem === undefined && <p role="status">Loading…</p>}
      </div>
    </main>
  )
}
