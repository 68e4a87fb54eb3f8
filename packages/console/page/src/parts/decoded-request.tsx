import type { ReactNode } from 'react'
import { decoded, visible } from '../lib/format.ts'
import { marked } from '../lib/marked.ts'
import type { Why, WhyReason } from '../lib/types.ts'

/** The request as the backend would read it, with what the rules matched. */
export function DecodedRequest({ request, reasons }: Pick<Why, 'request' | 'reasons'>): ReactNode {
  const { method = '', path = '', query = '', host, agent } = request
  const parameters = query === '' ? [] : query.split('&')
  const spanAt = (location: string): string | undefined =>
    reasons.find(({ evidence }) => evidence?.location === location)?.evidence?.span
  const elsewhere = reasons.filter(({ evidence }) => isElsewhere(evidence, parameters))
  return (
    <dl className="request">
      <Line name={method} isStrong>
        <Text text={decoded(path)} span={spanAt('path')} />
      </Line>
      {parameters.map(parameter => {
        const [name = '', ...rest] = parameter.split('=')
        const key = decoded(name)
        return (
          <Line key={parameter} name={key}>
            <Text text={decoded(rest.join('='))} span={spanAt(`query.${key}`)} />
          </Line>
        )
      })}
      {host !== undefined && host !== '' && <Line name="Host">{visible(host)}</Line>}
      {agent !== undefined && (
        <Line name="User-Agent">
          <Text text={visible(agent)} span={spanAt('header.user-agent')} />
        </Line>
      )}
      {elsewhere.map(({ rule, evidence }) => (
        <Line key={rule} name={evidence?.location ?? ''}>
          <mark>{visible(evidence?.span ?? '')}</mark>
        </Line>
      ))}
    </dl>
  )
}

/** Evidence in a place that is not shown as a line of its own: a body, another header. */
function isElsewhere(evidence: WhyReason['evidence'], parameters: readonly string[]): boolean {
  if (evidence?.span === undefined) return false
  const { location } = evidence
  if (location === 'path' || location === 'header.user-agent') return false
  return !parameters.some(parameter => location === `query.${decoded(parameter.split('=')[0] ?? '')}`)
}

function Line({
  name,
  isStrong = false,
  children,
}: {
  readonly name: string
  readonly isStrong?: boolean
  readonly children: ReactNode
}): ReactNode {
  return (
    <div>
      <dt className={isStrong ? 'mono strong' : 'mono'}>{name}</dt>
      <dd className="mono wrap">{children}</dd>
    </div>
  )
}

function Text({ text, span: raw }: { readonly text: string; readonly span: string | undefined }): ReactNode {
  if (raw === undefined) return text
  const span = visible(raw)
  const pieces = marked(text, span)
  if (pieces === undefined)
    return (
      <>
        {text} <mark>{span}</mark>
      </>
    )
  let at = 0
  return pieces.map(piece => {
    const key = at
    at += piece.text.length
    return piece.isMatch ? <mark key={key}>{piece.text}</mark> : <span key={key}>{piece.text}</span>
  })
}
