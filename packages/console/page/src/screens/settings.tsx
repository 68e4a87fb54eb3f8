import { type ReactNode, useState } from 'react'
import { ApiError, ask } from '../lib/api.ts'
import { count, dateTime, milliseconds } from '../lib/format.ts'
import { to } from '../lib/route.ts'
import { useMay } from '../lib/session.ts'
import type { DiffLine, PreviewGroup, PreviewState } from '../lib/types.ts'
import { useAsked } from '../lib/use-asked.ts'
import { usePreview } from '../lib/use-preview.ts'
import { DiffView } from '../parts/diff-view.tsx'
import { Segments } from '../parts/segments.tsx'
import { Empty, Loaded } from '../parts/states.tsx'

interface Change {
  readonly id: number
  readonly time: number
  readonly operator: string
  readonly added: number
  readonly removed: number
}

interface Settings {
  readonly path: string
  readonly text?: string
  readonly history: readonly Change[]
  readonly instances: readonly { readonly name: string; readonly isSame: boolean }[]
}

const HOURS = [
  ['1', 'Last hour'],
  ['24', '24 hours'],
  ['168', '7 days'],
] as const

/** The configuration: try a change on the traffic of the last days, then write it. */
export function SettingsScreen(): ReactNode {
  const may = useMay('operator')
  const asked = useAsked<Settings>('/settings')
  if (!may)
    return (
      <Empty title="Settings are for operators">
        <span>The configuration may hold secrets. Ask for a link with the role operator.</span>
      </Empty>
    )
  return (
    <div className="stack">
      <h1>Settings</h1>
      <Loaded asked={asked}>
        {({ path, text, history, instances }) => (
          <>
            {instances.some(({ isSame }) => !isSame) && (
              <p className="notice">
                A different configuration is in force on{' '}
                {instances.flatMap(({ name, isSame }) => (isSame ? [] : [name])).join(', ')}: what you save
                here applies to this gateway only.
              </p>
            )}
            {text === undefined ? (
              <Empty title="The configuration is code">
                <span>
                  Edit <code>{path}</code> where it is; the gateway reloads it automatically.
                </span>
              </Empty>
            ) : (
              <Editor key={text} path={path} present={text} history={history} onWritten={asked.again} />
            )}
          </>
        )}
      </Loaded>
    </div>
  )
}

function Editor({
  path,
  present,
  history,
  onWritten,
}: {
  readonly path: string
  readonly present: string
  readonly history: readonly Change[]
  readonly onWritten: () => void
}): ReactNode {
  const mayWrite = useMay('administrator')
  const [text, setText] = useState(present)
  const [hours, setHours] = useState<(typeof HOURS)[number][0]>('24')
  const [notice, setNotice] = useState<{ readonly isBad: boolean; readonly message: string }>()
  const preview = usePreview()
  const isChanged = text !== present
  const isTried = preview.state.state === 'done' && preview.text === text
  const write = async (): Promise<void> => {
    try {
      const { notes } = await ask<{ readonly notes: readonly string[] }>('/settings', {
        method: 'POST',
        body: { before: present, text },
      })
      setNotice({ isBad: false, message: ['Saved and in force.', ...notes].join(' ') })
      onWritten()
    } catch (error) {
      setNotice({ isBad: true, message: error instanceof ApiError ? error.message : 'Something went wrong.' })
    }
  }
  return (
    <>
      <div className="halves settings">
        <section className="card stack">
          <label className="field">
            <span className="mono wrap">{path}</span>
            <textarea
              className="input mono"
              rows={18}
              spellCheck={false}
              value={text}
              placeholder="Empty: the defaults apply. For example: limits: { address: 100/1m }"
              onChange={event => setText(event.target.value)}
            />
          </label>
          <div className="row spread">
            <Segments label="Traffic to replay" values={HOURS} value={hours} onChange={setHours} />
            <div className="row">
              {isChanged && (
                <button type="button" className="button quiet" onClick={() => setText(present)}>
                  Discard
                </button>
              )}
              <button
                type="button"
                className="button"
                disabled={!isChanged || preview.state.state === 'running'}
                onClick={() => preview.start(text, Number(hours))}
              >
                Preview
              </button>
              <button
                type="button"
                className="button primary"
                disabled={!isChanged || !isTried || !mayWrite}
                onClick={() => void write()}
              >
                Save
              </button>
            </div>
          </div>
          <p className="muted small">
            {mayWrite ? 'Preview a change before you save it.' : 'Only administrators can save changes.'}{' '}
            After saving, this page names the keys that need a restart.
          </p>
          {notice !== undefined && (
            <p className={notice.isBad ? 'notice bad' : 'notice'} role={notice.isBad ? 'alert' : 'status'}>
              {notice.message}
            </p>
          )}
        </section>
        <section className="card" aria-label="Preview">
          <h2>Effect on past traffic</h2>
          <Preview state={preview.state} onCancel={preview.cancel} isStale={preview.text !== text} />
        </section>
      </div>
      <History history={history} onBack={setText} />
    </>
  )
}

function Preview({
  state,
  onCancel,
  isStale,
}: {
  readonly state: PreviewState
  readonly onCancel: () => void
  readonly isStale: boolean
}): ReactNode {
  if (state.state === 'none')
    return (
      <Empty title="Change something, then press Preview">
        <span>Kept requests are decided again, under the current and under the changed configuration.</span>
      </Empty>
    )
  if (state.state === 'failed')
    return (
      <p className="notice bad wrap lines" role="alert">
        {state.problem}
      </p>
    )
  if (state.state === 'running')
    return (
      <div className="stack" role="status">
        <progress max={Math.max(1, state.total)} value={state.done} aria-label="Progress of the preview" />
        <div className="row spread">
          <span>
            {count(state.done)} of {count(state.total)} requests
          </span>
          <button type="button" className="button small" onClick={onCancel}>
            Cancel
          </button>
        </div>
      </div>
    )
  const { result } = state
  return (
    <div className="stack" role="status">
      {isStale && <p className="notice">The text has changed since; preview it again.</p>}
      <p>
        <b>{count(result.requests)}</b> requests in {milliseconds(state.milliseconds)}:{' '}
        {count(result.refusedBefore)} refused by the current configuration,{' '}
        <b>{count(result.refusedAfter)}</b> by the changed one.{' '}
        {result.replayed < result.requests &&
          `The change can affect ${count(result.replayed)} of them; the others count as they were decided.`}
      </p>
      <Groups title="Newly refused" kind="deny" groups={result.newlyRefused} />
      <Groups title="Newly allowed" kind="allow" groups={result.newlyAllowed} />
      <p className="muted small">
        Bodies and most headers are not kept, so rules on them have no effect here. Allowed requests that were
        not kept are counted, but not decided again.
      </p>
    </div>
  )
}

function Groups({
  title,
  kind,
  groups,
}: {
  readonly title: string
  readonly kind: 'deny' | 'allow'
  readonly groups: readonly PreviewGroup[]
}): ReactNode {
  if (groups.length === 0)
    return (
      <p>
        <span className={`badge ${kind}`}>{title}</span> no one
      </p>
    )
  return (
    <div>
      <p>
        <span className={`badge ${kind}`}>{title}</span>
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">Who</th>
            <th scope="col">Rules</th>
            <th scope="col" className="number">
              Requests
            </th>
            <th scope="col">Example</th>
          </tr>
        </thead>
        <tbody>
          {groups.map(group => (
            <tr key={`${group.kind} ${group.value}`}>
              <td className="mono wrap">{group.value}</td>
              <td className="mono wrap">{group.rules.join(', ')}</td>
              <td className="number">{count(group.requests)}</td>
              <td>
                <a className="mono" href={to('why', group.example)}>
                  {group.example.slice(-6)}
                </a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function History({
  history,
  onBack,
}: {
  readonly history: readonly Change[]
  readonly onBack: (text: string) => void
}): ReactNode {
  const [opened, setOpened] = useState<{
    readonly id: number
    readonly before: string
    readonly diff: readonly DiffLine[]
  }>()
  const open = async (id: number): Promise<void> => {
    const change = await ask<{ readonly before: string; readonly diff: readonly DiffLine[] }>(
      `/settings/history/${id}`,
    ).catch(() => undefined)
    setOpened(change === undefined ? undefined : { id, ...change })
  }
  return (
    <section className="card">
      <h2>Changes made here</h2>
      {history.length === 0 && <p className="muted small">None yet.</p>}
      <ol className="stack">
        {history.map(({ id, time, operator, added, removed }) => (
          <li key={id} className="stack">
            <div className="row spread">
              <span className="row">
                <time className="muted">{dateTime(time)}</time>
                <b>{operator}</b>
                <span className="badge allow">+{added}</span>
                <span className="badge deny">−{removed}</span>
              </span>
              <button type="button" className="button small" onClick={() => void open(id)}>
                Show
              </button>
            </div>
            {opened?.id === id && (
              <>
                <DiffView title={`Change of ${operator}`} diff={opened.diff} />
                <div>
                  <button type="button" className="button small" onClick={() => onBack(opened.before)}>
                    Take the text before it into the editor
                  </button>
                </div>
              </>
            )}
          </li>
        ))}
      </ol>
    </section>
  )
}
