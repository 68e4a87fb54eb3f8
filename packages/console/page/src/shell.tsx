import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { signOut } from './lib/api.ts'
import { PHONE_PLACES, PLACES } from './lib/places.ts'
import { go, to, useRoute } from './lib/route.ts'
import { useSession } from './lib/session.ts'
import { useKeys } from './lib/use-keys.ts'
import { HelpDialog } from './parts/help-dialog.tsx'
import { Key } from './parts/key.tsx'
import { MoreDialog } from './parts/more-dialog.tsx'
import { ThemeButton } from './parts/theme-button.tsx'
import { ActivityScreen } from './screens/activity.tsx'
import { ActorScreen } from './screens/actor.tsx'
import { ApprovalsScreen } from './screens/approvals.tsx'
import { AuditScreen } from './screens/audit.tsx'
import { BansScreen } from './screens/bans.tsx'
import { FindingsScreen } from './screens/findings.tsx'
import { GraphScreen } from './screens/graph.tsx'
import { KeysScreen } from './screens/keys.tsx'
import { LiveScreen } from './screens/live.tsx'
import { MapScreen } from './screens/map.tsx'
import { OperatorsScreen } from './screens/operators.tsx'
import { OverviewScreen } from './screens/overview.tsx'
import { PoliciesScreen } from './screens/policies.tsx'
import { SettingsScreen } from './screens/settings.tsx'
import { SystemScreen } from './screens/system.tsx'
import { UndoScreen } from './screens/undo.tsx'
import { UserScreen } from './screens/user.tsx'
import { UsersScreen } from './screens/users.tsx'
import { VaultScreen } from './screens/vault.tsx'
import { WhyScreen } from './screens/why.tsx'

const GROUPS = [...new Set(PLACES.map(({ group }) => group))]

/** The screen of each place; it is given what follows in the address. */
const SCREENS: Readonly<Record<string, (first: string, second: string) => ReactNode>> = {
  overview: () => <OverviewScreen />,
  live: () => <LiveScreen />,
  why: id => <WhyScreen key={id} id={id} />,
  findings: () => <FindingsScreen />,
  bans: proposed => <BansScreen proposed={proposed} />,
  approvals: () => <ApprovalsScreen />,
  activity: () => <ActivityScreen />,
  graph: principal => <GraphScreen principal={principal} />,
  audit: selected => <AuditScreen selected={selected} />,
  undo: () => <UndoScreen />,
  map: () => <MapScreen />,
  users: () => <UsersScreen />,
  user: id => <UserScreen key={id} id={id} />,
  keys: () => <KeysScreen />,
  policies: () => <PoliciesScreen />,
  vault: () => <VaultScreen />,
  operators: () => <OperatorsScreen />,
  settings: () => <SettingsScreen />,
  system: () => <SystemScreen />,
  actor: (kind, value) => <ActorScreen key={`${kind}/${value}`} kind={kind} value={value} />,
}

/** What stays lit in the navigation while a page behind a place is open. */
const BEHIND: Readonly<Record<string, string>> = { user: 'users', why: 'live', actor: 'live' }

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
  const [isMoreOpen, setMoreOpen] = useState(false)
  const box = useRef<HTMLInputElement>(null)
  const [asked = 'overview', first = '', second = ''] = route
  const place = Object.hasOwn(SCREENS, asked) ? asked : 'overview'
  const lit = BEHIND[place] ?? place
  useEffect(() => {
    // The next screen begins at its top, and its name is what a tab is called.
    document.getElementById('main')?.scrollTo(0, 0)
    document.title = `${PLACES.find(({ id }) => id === lit)?.title ?? 'Postern'} · Postern`
  }, [lit])
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
            Shortcuts <Key>?</Key>
          </button>
          <Account />
        </div>
      </header>
      <nav aria-label="Screens">
        {GROUPS.map(group => (
          <div key={group} className="places">
            <p id={`places-${group}`}>{group}</p>
            <ul aria-labelledby={`places-${group}`}>
              {PLACES.filter(own => own.group === group).map(({ id, title, key }) => (
                <li key={id} className={PHONE_PLACES.includes(id) ? undefined : 'further'}>
                  <a href={to(id)} aria-current={id === lit ? 'page' : undefined}>
                    {title}
                    <Key>g {key}</Key>
                  </a>
                </li>
              ))}
            </ul>
          </div>
        ))}
        <button
          type="button"
          className={PHONE_PLACES.includes(lit) ? 'more-places' : 'more-places lit'}
          onClick={() => setMoreOpen(true)}
        >
          More
        </button>
      </nav>
      <main id="main" tabIndex={-1}>
        {SCREENS[place]?.(first, second)}
      </main>
      {isMoreOpen && <MoreDialog lit={lit} onClose={() => setMoreOpen(false)} />}
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
