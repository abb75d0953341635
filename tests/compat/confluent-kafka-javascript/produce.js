// Records of every shape, idempotent, in each codec, come back as they were sent.

'use strict'

const assert = require('node:assert/strict')
const { createTopic, readAll, story, withProducer } = require('./telling')

const SHAPES = [
  { key: 'key', value: 'value', headers: { one: 'a' } },
  { key: null, value: 'no key' },
  { key: 'no value', value: null },
  { key: 'ö', value: 'ß'.repeat(50_000) },
]

story(async () => {
  // What was built here has no zstd.
  for (const codec of ['none', 'gzip', 'snappy', 'lz4']) {
    const topic = `produce-${codec}`
    await createTopic(topic)
    await withProducer(
      async (producer) => {
        for (let round = 0; round < 3; round++) {
          // Made anew each time: the client writes into what it is given.
          const messages = SHAPES.map((shape) => ({ ...shape, partition: 0 }))
          const [where] = await producer.send({ topic, messages })
          assert.deepEqual([where.partition, where.errorCode], [0, 0])
          assert.equal(Number(where.baseOffset), round * SHAPES.length)
        }
      },
      { 'compression.codec': codec }
    )
    const records = await readAll(topic, 3 * SHAPES.length)
    for (const [at, record] of records.entries()) {
      const sent = SHAPES[at % SHAPES.length]
      assert.equal(record.offset, at)
      assert.equal(record.key?.toString() ?? null, sent.key)
      assert.equal(record.value?.toString() ?? null, sent.value)
      const headers = Object.entries(record.headers ?? {}).map(([name, value]) => [name, `${value}`])
      assert.deepEqual(headers, Object.entries(sent.headers ?? {}))
    }
  }
})
