import { connectRedis, redisReady } from '@postern/store'
import { redisStore, window } from '../src/index.ts'
import { limitName, Question } from '../src/limit/question.ts'

/**
 * One of several processes on one Redis, its clock set off by LIMIT_SKEW milliseconds; tells how many it was
 * admitted.
 */
const { LIMIT_REDIS = '', LIMIT_PREFIX = '', LIMIT_SKEW = '0' } = process.env
const realNow = Date.now
Date.now = () => realNow() + Number(LIMIT_SKEW)

const redis = connectRedis({ url: LIMIT_REDIS, commandTimeout: '20s' })
await redisReady(redis)
const store = redisStore({ redis, prefix: LIMIT_PREFIX })
const name = limitName('shared')
const rule = window(1_000, '1h')
let admitted = 0
await Promise.all(
  Array.from({ length: 16 }, async () => {
    const question = new Question()
    for (let i = 0; i < 50; i++) {
      question.clear().ask(name, 'key', rule, 1)
      await store.decide(question)
      if (question.refused < 0) admitted++
    }
  }),
)
process.send?.(admitted)
redis.disconnect()
process.disconnect()
