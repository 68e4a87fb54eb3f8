import assert from 'node:assert/strict'
import type { Published } from '../../src/embedded/follower.ts'
import type { FileLayer } from '../../src/files/file-layer.ts'
import { parseCheckpoint } from '../../src/format/checkpoint.ts'
import { parseNote } from '../../src/format/note.ts'
import { collect, requestEvent } from './events.ts'
import { MemoryKeys } from './memory-keys.ts'
import { type ModelLog, openModelLog } from './model-log.ts'
import { PowerCutFiles, seeded } from './power-cut-files.ts'

/** What a log reported to its caller: it must hold after every power cut. */
interface Promised {
  readonly acknowledged: Map<number, string>
  readonly checkpoints: Map<bigint, string>
}

/** Lets a log live through `cuts` power cuts and checks after each that every promise holds. */
export async function powerCutLife(
  seed: number,
  cuts: number,
  layer: (files: PowerCutFiles) => FileLayer = files => files,
): Promise<{ readonly acknowledged: number }> {
  const random = seeded(seed)
  const promised: Promised = { acknowledged: new Map(), checkpoints: new Map() }
  let files = new PowerCutFiles(random)
  let keys = new MemoryKeys(random)
  let number = 0
  for (let cut = 0; cut < cuts; cut++) {
    files.cutAfter(cut === cuts - 1 ? Number.POSITIVE_INFINITY : 1 + Math.floor(random() * 150))
    const model = await alive(
      files,
      openModelLog({ files: layer(files), keys, random, onPublished: told => remember(promised, told) }),
    )
    if (model !== undefined) {
      await check(promised, model)
      number = await use(promised, model, files, random, number)
      if (cut === cuts - 1) {
        await model.log.settle()
        await check(promised, model)
        await model.log.close()
      }
    }
    files = files.restart()
    keys = keys.restart()
  }
  return { acknowledged: promised.acknowledged.size }
}

/** The result, or undefined when the power went before there was one: then nothing ever answers. */
async function alive<T>(files: PowerCutFiles, work: Promise<T>): Promise<T | undefined> {
  let done = false
  const outcome = work.then(
    result => ({ result }),
    (error: unknown) => ({ error }),
  )
  void outcome.then(() => {
    done = true
  })
  while (!done && !files.isCut) await new Promise<void>(resolve => setImmediate(resolve))
  if (!done) await new Promise<void>(resolve => setImmediate(resolve))
  if (!done) return undefined
  const settled = await outcome
  if ('result' in settled) return settled.result
  if (files.isCut) return undefined
  throw settled.error
}

function remember({ checkpoints }: Promised, { checkpoint }: Published): void {
  const { size, root } = parseCheckpoint(parseNote(checkpoint).text)
  const text = Buffer.from(root).toString('hex')
  assert.equal(checkpoints.get(size) ?? text, text, `two checkpoints of size ${size}`)
  checkpoints.set(size, text)
}

async function use(
  { acknowledged }: Promised,
  { log }: ModelLog,
  files: PowerCutFiles,
  random: () => number,
  from: number,
): Promise<number> {
  let number = from
  for (let round = 0; round < 12 && !files.isCut; round++) {
    const group = random() < 0.1 ? 100 : 1 + Math.floor(random() * 6)
    const commits: Promise<unknown>[] = []
    for (let i = 0; i < group; i++) {
      const event = requestEvent(number++)
      commits.push(
        log.commit(event).then(({ index }) => {
          assert.equal(acknowledged.has(Number(index)), false, `index ${index} was given out twice`)
          acknowledged.set(Number(index), event.request?.id ?? '')
        }),
      )
    }
    await alive(files, Promise.all(commits))
    if (random() < 0.5) await alive(files, log.settle())
  }
  return number
}

async function check({ acknowledged, checkpoints }: Promised, { reader }: ModelLog): Promise<void> {
  const ids = (await collect(reader.entries(0n))).map(({ event }) => event.request?.id)
  for (const [index, id] of acknowledged)
    assert.equal(ids[index], id, `acknowledged entry ${index} is lost or another`)
  for (const [size, root] of checkpoints)
    assert.equal(
      Buffer.from(await reader.root(size)).toString('hex'),
      root,
      `checkpoint ${size} is contradicted`,
    )
}
