import { parentPort, workerData } from 'node:worker_threads'
import { memoryStore, window } from '../src/index.ts'
import { limitName, Question } from '../src/limit/question.ts'

/** Tries every key in turn, in one of several threads; tells how many each key was admitted. */
const { table, keys, tries, limit } = workerData as {
  table: SharedArrayBuffer
  keys: number
  tries: number
  limit: number
}
const store = memoryStore({ table })
const rule = window(limit, '1h')
const name = limitName('shared')
const question = new Question()
const admitted: number[] = Array.from({ length: keys }, () => 0)
for (let i = 0; i < tries; i++) {
  for (let key = 0; key < keys; key++) {
    question.clear().ask(name, `key-${key}`, rule, 1)
    store.decide(question)
    if (question.refused < 0) admitted[key] = (admitted[key] ?? 0) + 1
  }
}
parentPort?.postMessage(admitted)
