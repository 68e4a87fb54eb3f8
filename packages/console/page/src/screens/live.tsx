import { type ReactNode, useCallback, useState } from 'react'
import { count } from '../lib/format.ts'
import type { EventRow } from '../lib/types.ts'
import { useAsked } from '../lib/use-asked.ts'
import { useKeys } from '../lib/use-keys.ts'
import { useLiveRows } from '../lib/use-live-rows.ts'
import type { FilterBy } from '../parts/event-line.tsx'
import { EventList } from '../parts/event-list.tsx'
import { FirstMinute } from '../parts/first-minute.tsx'
import { Key } from '../parts/key.tsx'
import { Segments } from '../parts/segments.tsx'
import { Empty } from '../parts/states.tsx'

const SHOW = [
  ['all', 'Everything'],
  ['refused', 'Refused'],
  ['finding', 'Findings'],
] as const
type Show = (typeof SHOW)[number][0]

const REFUSED = ['deny', 'throttle', 'challenge', 'observed']
type Filters = Readonly<Partial<Record<Parameters<FilterBy>[0] | 'instance', string>>>

/** What happens now. A click on a rule or an address shows only that. */
export function LiveScreen(): ReactNode {
  const [show, setShow] = useState<Show>('all')
  const [filters, setFilters] = useState<Filters>({})
  const [isPaused, setPaused] = useState(false)
  const [isReading, setReading] = useState(false)
  const instances = useInstances()
  const own = instances[0]
  const matches = useCallback((row: EventRow) => isShown(row, show, filters, own), [show, filters, own])
  const { rows, held, state, more } = useLiveRows(queryOf(show, filters), matches, isPaused || isReading)
  const filter = useCallback<FilterBy>(
    (name, value) => setFilters(before => ({ ...before, [name]: value })),
    [],
  )
  useKeys({ p: () => setPaused(before => !before) })
  const isFiltered = show !== 'all' || Object.keys(filters).length > 0
  return (
    <div className="live">
      <div className="row spread">
        <h1>Live</h1>
        <div className="row">
          <span className="muted small" role="status">
            {stateText(state, isPaused, held)}
          </span>
          <button
            type="button"
            className="button small"
            aria-pressed={isPaused}
            onClick={() => setPaused(!isPaused)}
          >
            {isPaused ? 'Go on' : 'Pause'} <Key>p</Key>
          </button>
        </div>
      </div>
      <div className="row">
        <Segments label="Show" values={SHOW} value={show} onChange={setShow} />
        {instances.length > 1 && (
          <InstanceChoice
            instances={instances}
            value={filters.instance}
            onChange={instance =>
              setFilters(({ instance: _, ...others }) =>
                instance === undefined ? others : { ...others, instance },
              )
            }
          />
        )}
        {Object.entries(filters).map(([name, value]) => (
          <button
            key={name}
            type="button"
            className="chip"
            aria-label={`Remove the filter ${name} ${value}`}
            onClick={() =>
              setFilters(before =>
                Object.fromEntries(Object.entries(before).filter(([other]) => other !== name)),
              )
            }
          >
            <span className="muted">{name}</span> {value} <span aria-hidden="true">×</span>
          </button>
        ))}
      </div>
      {rows.length === 0 && state !== 'connecting' ? (
        <>
          <Empty title={isFiltered ? 'Nothing matches' : 'No traffic yet'}>
            <span>
              {isFiltered ? 'Remove a filter, or wait.' : 'Requests through the gateway appear here at once.'}
            </span>
          </Empty>
          {!isFiltered && <FirstMinute isNew />}
        </>
      ) : (
        <EventList
          rows={rows}
          label="Events, newest first"
          onEnd={more}
          onFilter={filter}
          onReading={setReading}
          newer={isPaused ? 0 : held}
        />
      )}
    </div>
  )
}

function stateText(state: ReturnType<typeof useLiveRows>['state'], isPaused: boolean, held: number): string {
  if (state === 'lost') return 'connection lost, trying again'
  if (state !== 'live') return 'connecting'
  return isPaused ? `paused, ${count(held)} waiting` : 'live'
}

/** @param onChange is given nothing for all of them */
function InstanceChoice({
  instances,
  value = '',
  onChange,
}: {
  readonly instances: readonly string[]
  readonly value?: string | undefined
  readonly onChange: (instance: string | undefined) => void
}): ReactNode {
  return (
    <label className="row small">
      Instance
      <select
        className="input"
        value={value}
        onChange={({ target }) => onChange(target.value === '' ? undefined : target.value)}
      >
        <option value="">all</option>
        {instances.map(name => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}

/** Names of the gateways that share this traffic, this one first. */
function useInstances(): readonly string[] {
  const { value } = useAsked<{ readonly instances: readonly { readonly name: string }[] }>('/instances')
  return value?.instances.map(({ name }) => name) ?? NONE
}

const NONE: readonly string[] = []

function queryOf(show: Show, filters: Filters): string {
  const query = new URLSearchParams(filters)
  if (show === 'refused') {
    query.set('type', 'http')
    query.set('verdict', REFUSED.join(','))
  }
  if (show === 'finding') query.set('type', 'finding')
  return query.toString()
}

/** @param own name of the instance whose rows come without one, as they arrive */
function isShown(row: EventRow, show: Show, filters: Filters, own: string | undefined): boolean {
  if (show === 'refused' && !(row.type === 'http' && REFUSED.includes(row.verdict))) return false
  if (show === 'finding' && row.type !== 'finding') return false
  return Object.entries(filters).every(([name, value]) =>
    name === 'instance' ? (row.instance ?? own) === value : row[name as keyof Filters] === value,
  )
}
