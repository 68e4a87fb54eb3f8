import { DIFF_SHAPE } from './answer-shapes.ts'
import { type ApiCall, ApiProblem, type ApiRoute } from './api-route.ts'
import type { ApiShape } from './api-shape.ts'
import { lineDiff } from './line-diff.ts'

const MAX_TEXT = 200_000
const MAX_HOURS = 744

const GROUP: ApiShape = {
  kind: 'principal|address',
  value: 'string',
  requests: 'integer',
  rules: ['string'],
  example: 'string',
}

const PREVIEW: ApiShape = {
  state: 'none|running|failed|done',
  done: 'integer?',
  total: 'integer?',
  problem: 'string?',
  milliseconds: 'number?',
  'result?': {
    requests: 'integer',
    replayed: 'integer',
    refusedBefore: 'integer',
    refusedAfter: 'integer',
    newlyRefused: [GROUP],
    newlyAllowed: [GROUP],
  },
}

/** The file of the configuration: look at it, try a change on kept traffic, write it, and go back. */
export const settingsRoutes: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/settings',
    role: 'operator',
    summary: 'The file of the configuration and the changes that were made here.',
    answer:
      '`path`, `text` (absent where the file is a program), `history` newest first, `instances` with whether the same configuration is in force there: a change made here is written on this instance only.',
    shape: {
      path: 'string',
      text: 'string?',
      instances: [{ name: 'string', isSame: 'boolean' }],
      history: [{ id: 'integer', time: 'time', operator: 'string', added: 'integer', removed: 'integer' }],
    },
    handle: async ({ parts }) => ({
      ...parts.settings.file(),
      instances: await sameSettings(parts),
      history: parts.settings.history().map(({ id, time, operator, before, after }) => {
        const lines = lineDiff(before, after)
        const count = (kind: string): number => lines.filter(line => line.kind === kind).length
        return { id, time, operator, added: count('added'), removed: count('removed') }
      }),
    }),
  },
  {
    method: 'GET',
    path: '/settings/history/{id}',
    role: 'operator',
    summary: 'One change, and the text of the file before it.',
    answer: '`diff`, `before`.',
    shape: { before: 'string', diff: [DIFF_SHAPE] },
    handle: ({ parts, path }) => {
      const change = parts.settings.history().find(({ id }) => String(id) === path['id'])
      if (change === undefined) throw new ApiProblem(404, 'there is no such change')
      return { before: change.before, diff: lineDiff(change.before, change.after) }
    },
  },
  {
    method: 'POST',
    path: '/settings',
    role: 'administrator',
    summary: 'Writes another text into the file and puts it into force, as saving the file does.',
    body: {
      before: { type: 'string', required: true, description: 'The text that was changed.' },
      text: { type: 'string', required: true, description: 'The text to write.' },
    },
    answer:
      '`notes` for the operator. A text that is not a configuration is answered 400, one that touches what needs a consent 403, and nothing is written.',
    shape: { notes: ['string'] },
    handle: write,
  },
  {
    method: 'POST',
    path: '/settings/preview',
    role: 'operator',
    summary: 'Decides kept requests again by another text of the file, in a thread of its own.',
    body: {
      text: { type: 'string', required: true, description: 'The text to try.' },
      hours: { type: 'integer', description: 'How far back, 1 to 744. Default: 24.' },
    },
    answer: 'How far it is.',
    shape: PREVIEW,
    handle: preview,
  },
  {
    method: 'GET',
    path: '/settings/preview',
    role: 'operator',
    summary: 'How far the preview is, and its result: whose requests would be decided otherwise.',
    answer: '`state`, and with it `done` and `total`, `problem` or `result`.',
    shape: PREVIEW,
    handle: ({ parts }) => parts.settings.preview.state(),
  },
  {
    method: 'DELETE',
    path: '/settings/preview',
    role: 'operator',
    summary: 'Ends the preview that runs.',
    answer: 'How far it came.',
    shape: PREVIEW,
    handle: ({ parts }) => {
      parts.settings.preview.cancel()
      return parts.settings.preview.state()
    },
  },
]

/** The instances, and whether each has the configuration that is in force here. */
async function sameSettings({ instances }: ApiCall['parts']): Promise<readonly object[]> {
  const all = await instances()
  const own = all[0]?.configuration
  return all.map(({ name, configuration }) => ({ name, isSame: configuration === own }))
}

function textOf({ body }: ApiCall, name: string): string {
  const value = body[name]
  if (typeof value !== 'string' || value.length > MAX_TEXT)
    throw new ApiProblem(400, `${name}: must be text of at most ${MAX_TEXT} characters`)
  return value
}

async function write(call: ApiCall): Promise<unknown> {
  const { parts, session } = call
  const { path, text } = parts.settings.file()
  if (text === undefined) throw new ApiProblem(409, 'the configuration is a program, which people write')
  const edited = { path, before: textOf(call, 'before'), after: textOf(call, 'text') }
  await parts.record({ action: 'settings.write', resource: { type: 'configuration' } }, session.name)
  return { notes: await parts.settings.write(edited, session.name) }
}

function preview(call: ApiCall): unknown {
  const { parts, body } = call
  const hours = body['hours'] ?? 24
  if (typeof hours !== 'number' || !Number.isInteger(hours) || hours < 1 || hours > MAX_HOURS)
    throw new ApiProblem(400, `hours: must be a whole number from 1 to ${MAX_HOURS}`)
  parts.settings.preview.start(textOf(call, 'text'), parts.clock.now() - hours * 3_600_000)
  return parts.settings.preview.state()
}
