import { type ReactNode, useState } from 'react'
import { ask } from '../lib/api.ts'
import { encoded } from '../lib/route.ts'
import { useMay } from '../lib/session.ts'
import { useAct } from '../lib/use-act.ts'
import { Problem } from './problem.tsx'

/** Says that a refusal was a false positive: rules that are wrong often are counted, nothing is changed. */
export function FalsePositive({ id }: { readonly id: string }): ReactNode {
  const may = useMay('operator')
  const [marked, setMarked] = useState<{ readonly rule: string; readonly marked: number }>()
  const [note, setNote] = useState('')
  const { isBusy, problem, run } = useAct()
  if (!may) return null
  const path = `/requests/${encoded(id)}/false-positive`
  return (
    <section className="card stack">
      <h2>Not an attack?</h2>
      <Problem text={problem} />
      {marked === undefined ? (
        <form
          className="row"
          onSubmit={event => {
            event.preventDefault()
            void run(async () => setMarked(await ask(path, { method: 'POST', body: { note } })))
          }}
        >
          <input
            className="input grow"
            aria-label="What the request was"
            placeholder="What it was (optional)"
            maxLength={500}
            value={note}
            onChange={event => setNote(event.target.value)}
          />
          <button type="submit" className="button" disabled={isBusy}>
            False positive
          </button>
        </form>
      ) : (
        <div className="notice row spread" role="status">
          <span>
            Noted: <code>{marked.rule}</code> was marked{' '}
            {marked.marked === 1 ? 'once' : `${marked.marked} times`}.
          </span>
          <button
            type="button"
            className="button small"
            onClick={() =>
              void run(async () => {
                await ask(path, { method: 'DELETE' })
                setMarked(undefined)
              })
            }
          >
            Take it back
          </button>
        </div>
      )}
    </section>
  )
}
