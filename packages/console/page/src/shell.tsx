import { type FormEvent, type ReactNode, useRef, useState } from 'react'
import { signOut } from './lib/api.ts'
import { PLACES } from './lib/places.ts'
import { go, to, useRoute } from './lib/route.ts'
import { useSession } from './lib/session.ts'
import { useKeys } from './lib/use-keys.ts'
import { HelpDialog } from './parts/help-dialog.tsx'
import { Key } from './parts/key.tsx'
import { ThemeButton } from './parts/theme-button.tsx'
import { ActorScreen } from './screens/actor.tsx'
import { ApprovalsScreen } from './screens/approvals.tsx'
import { AuditScreen } from './screens/audit.tsx'
import { BansScreen } from './screens/bans.tsx'
import { FindingsScreen } from './screens/findings.tsx'
import { LiveScreen } from './screens/live.tsx'
import { MapScreen } from './screens/map.tsx'
import { OverviewScreen } from './screens/overview.tsx'
import { SettingsScreen } from './screens/settings.tsx'
import { UndoScreen } from './screens/undo.tsx'
import { WhyScreen } from './screens/why.tsx'

function screenOf([place = 'overview', ...rest]: readonly string[]): ReactNode {
  const [first = '', second = ''] = rest
  if (place === 'live') return <LiveScreen />
  if (place === 'why') return <WhyScreen key={first} id={first} />
  if (place === 'findings') return <FindingsScreen />
  if (place === 'bans') return <BansScreen proposed={first} />
  if (place === 'undo') return <UndoScreen />
  if (place === 'map') return <MapScreen />
  if (place === 'settings') return <SettingsScreen />
  if (place === 'approvals') return <ApprovalsScreen />
  if (place === 'audit') return <AuditScreen selected={first} />
  if (place === 'actor') return <ActorScreen key={rest.join('/')} kind={first} value={second} />
  return <OverviewScreen />
}

/** Where a text leads: a request id, an address, or somebody's id. */
function search(text: string): void {
  const id = /(?:^|[^0-9a-z])([0-9a-z]{20})(?:$|[^0-9a-z])/i.exec(text)?.[1]
  if (id !== undefined) go('why', id.toLowerCase())
  else if (/^[\d.]+$|^[\da-f:]+:[\da-f:.]*$/i.test(text)) go('actor', 'address', text)
  else if (text !== '') go('actor', 'principal', text)
}

/** Everything around a screen: navigation, search, keys. */
export function Shell(): ReactNode {
  const route = useRoute()
  const [isHelpOpen, setHelpOpen] = useState(false)
  const box = useRef<HTMLInputElement>(null)
  const [place = 'overview'] = route
  useKeys({
    '/': () => box.current?.focus(),
    '?': () => setHelpOpen(true),
    ...Object.fromEntries(PLACES.map(({ id, key }) => [`g ${key}`, () => go(id)])),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    search(box.current?.value.trim() ?? '')
    box.current?.blur()
  }
  return (
    <div className="shell">
      <button type="button" className="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to the content
      </button>
      <header className="top">
        <a className="brand" href={to('overview')}>
          <Logo />
          Postern
        </a>
        <Mode />
        <search>
          <form onSubmit={submit}>
            <input
              ref={box}
              className="input"
              type="search"
              aria-label="Search: a request id, an address, or a user"
              placeholder="Request id, address or user"
              onKeyDown={event => {
                if (event.key === 'Escape') event.currentTarget.blur()
              }}
            />
            <Key>/</Key>
          </form>
        </search>
        <div className="row account">
          <ThemeButton />
          <button type="button" className="button quiet small" onClick={() => setHelpOpen(true)}>
            Keys <Key>?</Key>
          </button>
          <Account />
        </div>
      </header>
      <nav aria-label="Screens">
        <ul>
          {PLACES.map(({ id, title, key }) => (
            <li key={id}>
              <a href={to(id)} aria-current={id === place ? 'page' : undefined}>
                {title}
                <Key>g {key}</Key>
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <main id="main" tabIndex={-1}>
        {screenOf(route)}
      </main>
      {isHelpOpen && <HelpDialog onClose={() => setHelpOpen(false)} />}
    </div>
  )
}

function Logo(): ReactNode {
  return (
    <svg viewBox="0 0 32 32" width="18" height="18" aria-hidden="true">
      <path fill="currentColor" d="M4 30V14a12 12 0 0 1 24 0v16h-7V15a5 5 0 0 0-10 0v15z" />
    </svg>
  )
}

function Mode(): ReactNode {
  const { mode } = useSession()
  return mode === 'enforce' ? (
    <span className="badge allow">enforcing</span>
  ) : (
    <span className="badge observed">observing, nothing is blocked</span>
  )
}

function Account(): ReactNode {
  const { name, roles } = useSession()
  return (
    <button
      type="button"
      className="button quiet small"
      title={`Signed in as ${name} (${roles.join(', ')})`}
      onClick={() => void signOut().catch(() => undefined)}
    >
      Sign out
    </button>
  )
}
