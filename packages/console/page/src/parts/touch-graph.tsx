import { type ReactNode, useState } from 'react'
import { count, visible } from '../lib/format.ts'

/** An actor or a resource. */
export interface GraphNode {
  readonly id: string
  readonly kind: 'actor' | 'resource'
  readonly label: string
  readonly type?: string
  readonly touches: number
}

/** How often one touched the other. */
export interface GraphEdge {
  readonly from: string
  readonly to: string
  readonly touches: number
  readonly refused: number
  readonly actions: readonly string[]
  readonly lastAt: number
}

const WIDTH = 900
const STEP = 30
const BOX = 22
const SIDE = 280
const MOST = 18
const MOST_LETTERS = 34

/** Actors at the left, what they touched at the right, most touched first; a pointer follows one of them. */
export function TouchGraph({
  nodes,
  edges,
}: {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}): ReactNode {
  const [followed, setFollowed] = useState<string>()
  const actors = nodes.filter(({ kind }) => kind === 'actor').slice(0, MOST)
  const resources = nodes.filter(({ kind }) => kind === 'resource').slice(0, MOST)
  const height = Math.max(actors.length, resources.length) * STEP + 8
  const places = new Map<string, number>()
  for (const side of [actors, resources])
    side.forEach(({ id }, i) => {
      places.set(id, i * STEP + 4 + BOX / 2 + (height - 8 - side.length * STEP) / 2)
    })
  const shown = edges.filter(({ from, to }) => places.has(from) && places.has(to))
  const most = Math.max(1, ...shown.map(({ touches }) => touches))
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section className="scroll" aria-label="Graph" tabIndex={0}>
      <svg
        className={followed === undefined ? 'touch-graph' : 'touch-graph following'}
        viewBox={`0 0 ${WIDTH} ${height}`}
        role="img"
        aria-label={`${actors.length} actors touched ${resources.length} things; the list below names them`}
      >
        {shown.map(({ from, to, touches, refused }) => (
          <path
            key={`${from} ${to}`}
            className={`${refused > 0 ? 'refused' : ''} ${followed === from || followed === to ? 'followed' : ''}`}
            d={curve(places.get(from) ?? 0, places.get(to) ?? 0)}
            strokeWidth={1 + 4 * (Math.log1p(touches) / Math.log1p(most))}
          />
        ))}
        {[...actors, ...resources].map(node => (
          <Node key={node.id} node={node} y={places.get(node.id) ?? 0} onFollow={setFollowed} />
        ))}
      </svg>
    </section>
  )
}

function curve(from: number, to: number): string {
  const end = WIDTH - SIDE
  const middle = (SIDE + end) / 2
  return `M${SIDE} ${from} C${middle} ${from} ${middle} ${to} ${end} ${to}`
}

function Node({
  node,
  y,
  onFollow,
}: {
  readonly node: GraphNode
  readonly y: number
  readonly onFollow: (id: string | undefined) => void
}): ReactNode {
  const { id, kind, label, type, touches } = node
  const isActor = kind === 'actor'
  const text = visible(type === undefined || type === label ? label : `${type} ${label}`)
  const left = isActor ? 0 : WIDTH - SIDE
  return (
    <g className={kind} onPointerEnter={() => onFollow(id)} onPointerLeave={() => onFollow(undefined)}>
      <title>{`${text}: ${count(touches)}`}</title>
      <rect x={left} y={y - BOX / 2} width={SIDE} height={BOX} rx="5" />
      <text x={left + 10} y={y + 4}>
        {text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS - 1)}…` : text}
      </text>
      <text className="times" x={left + SIDE - 10} y={y + 4}>
        {count(touches)}
      </text>
    </g>
  )
}
