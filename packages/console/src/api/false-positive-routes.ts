import { MARK_SHAPE } from './answer-shapes.ts'
import type { ApiRoute } from './api-route.ts'
import { bodyText } from './call-values.ts'
import { decisiveRule, eventsOf, exceptionShown } from './request-events.ts'

/** Refusals that operators call false positives: which rules are wrong how often. */
export const falsePositiveRoutes: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/false-positives',
    role: 'viewer',
    summary:
      'Refusals that operators marked as false positives, and counts per rule beside all its refusals.',
    answer: '`rules`, those marked most first; `marks` newest first, 1,000 at most.',
    shape: {
      rules: [{ rule: 'string', marked: 'integer', refused: 'integer', lastAt: 'time' }],
      marks: [MARK_SHAPE],
    },
    handle: async ({ parts }) => {
      const marks = await parts.traffic.marks()
      const refused = new Map<string, number>()
      for (const { rule, requests } of await parts.traffic.counts(0))
        if (rule !== '') refused.set(rule, (refused.get(rule) ?? 0) + requests)
      const rules = new Map<string, { rule: string; marked: number; refused: number; lastAt: number }>()
      for (const { rule, time } of marks) {
        const counted = rules.get(rule) ?? { rule, marked: 0, refused: refused.get(rule) ?? 0, lastAt: time }
        counted.marked++
        rules.set(rule, counted)
      }
      return { rules: [...rules.values()].sort((a, b) => b.marked - a.marked), marks }
    },
  },
  {
    method: 'POST',
    path: '/requests/{id}/false-positive',
    role: 'operator',
    summary:
      'Marks a refusal as a false positive, and proposes the narrowest exception; nothing is changed by it.',
    body: { note: { type: 'string', description: 'What the request was.' } },
    answer:
      '`rule`; `marked`: how often this rule is; `exception` as of `GET /requests/{id}/exception`, absent where no change lets the request pass.',
    shape: { rule: 'string', marked: 'integer', exception: 'map?' },
    handle: async call => {
      const { parts, session, path } = call
      const events = await eventsOf(call)
      const rule = decisiveRule(events)
      const { id = '' } = path
      const note = bodyText(call, 'note', '')
      await parts.record(
        { action: 'false-positive.mark', resource: { type: 'rule', id: rule }, data: { request: id, note } },
        session.name,
      )
      await parts.traffic.mark({
        request: id,
        rule,
        time: parts.clock.now(),
        operator: session.name,
        note: note.slice(0, 500),
      })
      const exception = exceptionShown(call, events)
      const marked = (await parts.traffic.marks()).filter(mark => mark.rule === rule).length
      return { rule, marked, ...(exception !== undefined && { exception }) }
    },
  },
  {
    method: 'DELETE',
    path: '/requests/{id}/false-positive',
    role: 'operator',
    summary: 'Takes the mark away.',
    answer: '`removed`.',
    shape: { removed: 'boolean' },
    handle: async ({ parts, session, path }) => {
      const { id = '' } = path
      await parts.record(
        { action: 'false-positive.unmark', resource: { type: 'request', id: id.slice(0, 40) } },
        session.name,
      )
      return { removed: await parts.traffic.unmark(id) }
    },
  },
]
